"""How many messages and changes the log has told of, on this node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.log.entries import MessageChange, StandingChange
from chatter.protocol.model import Message

if TYPE_CHECKING:
    from chatter.log.entries import Entry


class LogCounts:
    """Counts entries, those of other nodes included.

    :ivar changes: by what they are.
    """

    def __init__(self) -> None:
        self.general = 0
        self.private = 0
        self.changes = {"edited": 0, "withdrawn": 0, "standing": 0, "other": 0}

    def count(self, entries: list[Entry]) -> None:
        """Count entries that were committed."""
        for entry in entries:
            if type(entry) is Message:
                if entry.recipient_id is None:
                    self.general += 1
                else:
                    self.private += 1
            elif type(entry) is MessageChange:
                self.changes["withdrawn" if entry.text is None else "edited"] += 1
            elif type(entry) is StandingChange:
                self.changes["standing"] += 1
            else:
                self.changes["other"] += 1
