"""What the terminal does for moderators, and for those who need them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chatter.protocol.errors import InvalidRequest
from chatter.protocol.model import FOREVER
from chatter.terminal.commands import quoted
from chatter.terminal.lines import TIME, harmless, time_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twisted.internet.interfaces import IDelayedCall

    from chatter.protocol.model import Message, StandingChanged
    from chatter.protocol.moderation import Action
    from chatter.terminal.session import Session

MOMENT = 0.5
"""Changes of what the user may do are told so many seconds after the first of them."""


class Moderation:
    """Reports, mutes and bans, as a person types them.

    Each method that is awaited raises what :class:`chatter.ChatClient` raises.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._client = session.client
        self._persist = session.persist
        self._tell = session.display.tell
        self._own: StandingChanged | None = None
        self._telling: IDelayedCall | None = None

    async def report(self, user_id: int, name: str, reason: str, shown: Iterable[Message]) -> None:
        """Show the moderators the last message of a user.

        :param shown: the messages that were shown lately.
        :raises InvalidRequest: if none of the user is among them.
        """
        last = max((m.id for m in shown if m.sender_id == user_id), default=None)
        if last is None:
            raise InvalidRequest(f"Nothing of {quoted(name)} was shown lately.")
        await self._persist(lambda: self._client.report(last, reason))
        self._tell(f"The moderators can read what {quoted(name)} has said last.")

    async def moderate(self, user_id: int, action: Action, seconds: int | None) -> None:
        """Mute or ban a user, or end that, and say what the user may do then."""
        change = await self._persist(lambda: self._client.moderate(user_id, action, seconds))
        self._tell_standing(change)

    async def show_reports(self) -> None:
        """Show what was reported, the newest last."""
        page = await self._persist(self._client.reports)
        for report in reversed(page.reports):
            people = {report.message.sender_id, report.reporter_id}
            await self._persist(partial(self._session.people.meet, people))
            line = self._session.line_of(self._session.as_shown(report.message))
            why = f": {harmless(report.reason)}" if report.reason else ""
            who = self._session.name_of(report.reporter_id)
            self._session.display.show([*line, (TIME, f" (reported by {who}{why})")])
        if not page.reports:
            self._tell("Nothing is reported.")
        elif page.more:
            self._tell("There are older reports.")

    def tell_own_standing(self, change: StandingChanged) -> None:
        """Say in a moment what the user may do now, as the last of these changes has it.

        Who comes back reads all that there were, of which the others are not true any more.
        """
        self._own = change
        if self._telling is None:
            self._telling = self._session.clock.callLater(MOMENT, self._tell_own_standing)

    def stop(self) -> None:
        """Say nothing more."""
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None

    def _tell_own_standing(self) -> None:
        self._telling = None
        assert self._own is not None
        self._tell_standing(self._own)

    def _tell_standing(self, change: StandingChanged) -> None:
        """Say in one sentence what a user may do now."""
        is_me = change.user_id == self._session.user_id
        who = "You are" if is_me else f"{self._session.name_of(change.user_id)} is"
        now = self._session.now()
        for until, what in ((change.banned_until, "banned"), (change.muted_until, "muted")):
            if until is not None and until > now:
                end = "" if until == FOREVER else f" until {time_of(until, now)}"
                self._tell(f"{who} {what}{end}.")
                return
        self._tell(f"{who} a {change.role}, neither muted nor banned.")
