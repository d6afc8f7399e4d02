"""Messages that may be one too many, since the sender may send at another node as well.

Each node counts what the log tells it, and another node may have appended more meanwhile.  So
the draft says what was counted, and the store looks at the rest of the log as it appends.
"""

from __future__ import annotations

from chatter.protocol.model import Draft


class LimitedDraft(Draft, frozen=True, gc=False, kw_only=True):
    """A message to the general chat, which is appended only if it is within a limit.

    :ivar counted_until: up to this entry the messages of the sender are counted.
    :ivar remaining: so many of them are allowed after it, this one included.
    """

    counted_until: int
    remaining: int


class LimitReached(Exception):
    """The log has as many messages as are allowed; the listener has got them."""
