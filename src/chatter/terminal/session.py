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
    from chatter.terminal.outage import Persist
    from chatter.terminal.people import People


@dataclass(frozen=True)
class Session:
    """One user at one terminal.

    :ivar user_id: the user.
    :ivar persist: what to do when the server is away.
    """

    client: ChatClient
    clock: IReactorTime
    user_id: int
    people: People
    display: Display
    persist: Persist

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return time_at(wall_clock(self.clock)())

    def name_of(self, user_id: int) -> str:
        """A user's name as it stands in a line."""
        return shown_name(self.people.name_of(user_id), user_id)

    def line_of(self, message: Message) -> Line:
        """A message as it is shown to the user."""
        return line_of(message, self.user_id, self.people.name_of, self.now())
