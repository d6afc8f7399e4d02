"""What applications give to the methods of a chat, checked as what comes over HTTP is."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from chatter.protocol.model import Role
from chatter.protocol.moderation import Action, Reason, Seconds
from chatter.protocol.queries import MAX_CHATS, MAX_REPORTS, Limit
from chatter.protocol.scalars import Cursor, Id, Label
from chatter.protocol.validation import checked_value

_LONGEST_WAIT = 1e9

_TYPES: dict[str, Any] = {
    "action": Action,
    "after": Cursor,
    "before": Id,
    "cursor": Cursor,
    "label": Label,
    "limit": Limit,
    "message_id": Id,
    "other_id": Id,
    "reason": Reason,
    "recipient_id": Id,
    "role": Role,
    "seconds": Seconds,
    "token_id": Id,
    "user_id": Id,
    "limit_of_chats": Annotated[
        int, Meta(ge=1, le=MAX_CHATS, description=f"An integer from 1 to {MAX_CHATS}.")
    ],
    "limit_of_reports": Annotated[
        int, Meta(ge=1, le=MAX_REPORTS, description=f"An integer from 1 to {MAX_REPORTS}.")
    ],
    "uses": Annotated[int, Meta(ge=1, le=10**9, description="An integer from 1 to 1000000000.")],
    "lifetime": Annotated[
        float, Meta(gt=0, le=_LONGEST_WAIT, description="A finite number of seconds, above 0.")
    ],
    "wait": Annotated[
        float, Meta(ge=0, le=_LONGEST_WAIT, description="A finite number of seconds, at least 0.")
    ],
}


def check(**arguments: object) -> None:
    """Check some arguments by their names; what may be left out is not checked if it is ``None``.

    :raises InvalidRequest: if one is not valid; it says which, and what is expected.
    """
    for name, value in arguments.items():
        if value is not None or name not in ("after", "before", "seconds"):
            checked_value(name.partition("_of_")[0], value, _TYPES[name])
