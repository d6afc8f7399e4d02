"""A user who has joined, and the terminal at which the user is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatter.clocks import wall_clock
from chatter.terminal.lines import line_of, shown_name, time_at

if TYPE_CHECKING:
    from datetime import datetime

    from twisted.internet.interfaces import IReactorTime

    from chatter.client import ChatClient
    from chatter.protocol.model import Message
    from chatter.terminal.display import Display
    from chatter.terminal.lines import Line
    from chatter.terminal.long_texts import LongTexts
    from chatter.terminal.outage import Persist
    from chatter.terminal.people import People


@dataclass(frozen=True)
class Session:
    """One user at one terminal.

    :ivar user_id: the user.
    :ivar persist: what to do when the server is away.
    :ivar long_texts: shortens what is shown; ``None`` where all is shown.
    """

    client: ChatClient
    clock: IReactorTime
    user_id: int
    people: People
    display: Display
    persist: Persist
    long_texts: LongTexts | None = None

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return time_at(wall_clock(self.clock)())

    def name_of(self, user_id: int) -> str:
        """A user's name as it stands in a line."""
        return shown_name(self.people.name_of(user_id), user_id)

    def as_shown(self, message: Message) -> Message:
        """A message with as much of its text as is shown at first."""
        return message if self.long_texts is None else self.long_texts.shortened(message)

    def line_of(self, message: Message) -> Line:
        """A message as it is shown to the user, all of it."""
        return line_of(message, self.user_id, self.people.name_of, self.now())
