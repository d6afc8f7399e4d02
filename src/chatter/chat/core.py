"""What a chat is made of, for the doors that serve it.

The web layer calls the parts' coroutines directly, as it drives them itself; all others
use :class:`chatter.chat.Chat`, which checks what it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.chat.delivery.live import Live
from chatter.chat.messages.changing import Changing
from chatter.chat.messages.sending import Sending
from chatter.chat.moderation.moderating import Moderating
from chatter.chat.moderation.reporting import Reporting
from chatter.chat.moderation.standings import Standings
from chatter.chat.reading.chat_list import ChatList
from chatter.chat.reading.following import Following
from chatter.chat.reading.reading import Reading
from chatter.chat.reading.store_reads import StoreReads
from chatter.chat.users.access import Access
from chatter.chat.users.directory import Directory
from chatter.chat.users.erasing import Erasing
from chatter.chat.users.exporting import Exporting
from chatter.chat.users.joining import Joining
from chatter.chat.users.presence import Presence
from chatter.chat.users.tokens import Tokens

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from twisted.internet.interfaces import IReactorTime

    from chatter.chat.rates import Rate
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import User
    from chatter.protocol.scalars import JoinPolicy


class ChatCore:
    """The parts of one chat.

    :param joining: who can join.
    :param token_lifetime: a token that was not used for so many seconds ends; ``None`` for never.
    :param reports: so many users who report somebody within so many seconds mute them for as long.

    :ivar history: how many messages of the general chat are unread for a new user.
    """

    def __init__(
        self,
        store: IChatStore,
        clock: IReactorTime,
        history: int,
        random: Random,
        token_lifetime: float | None = None,
        joining: JoinPolicy = "open",
        reports: Rate | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.history = history
        self.live = Live(store, clock)
        self.presence = Presence(clock, self._save_seen)
        self.access = Access()
        self.standings = Standings(store, self.presence, self.access)
        self.directory = Directory(store, self.presence, self.standings.is_away)
        self.tokens = Tokens(store, clock, self.presence, self.access, random, token_lifetime)
        self.access.add_ending(self.directory.drop_if_away)
        # After the tokens were forgotten: a poll that ends looks its token up again.
        self.access.add_ending(self.live.end_polls)
        self.live.add_watcher(self.standings)
        self.erasing = Erasing(store, clock, self.presence, self.live, self.access, self.directory)
        self.exporting = Exporting(store, self.directory, self.tokens, self.standings.of_user)
        self.joining = Joining(
            store, self.presence, self.directory, self.tokens, history, random, joining
        )
        self.sending = Sending(store, self.presence, self.directory, self.standings)
        self.changing = Changing(store, self.presence, self.standings)
        self.moderating = Moderating(store, self.presence, self.standings)
        self.reporting = Reporting(store, self.presence, self.standings, self.moderating, reports)
        self.chat_list = ChatList(store, self.live, self.directory)
        self.reading = Reading(store, self.presence, self.live, StoreReads(store), self.directory)
        self.following = Following(store, self.live, self.reading, self.directory, self.standings)

    def _save_seen(self, user_id: int, seen: datetime) -> None:
        self.store.save_progress(user_id, 0, seen)
        self.tokens.look_again()

    async def check(self, user: User) -> None:
        """See that a user is one of this chat, and may use it.

        :raises Unauthorized: if it is not.
        :raises Banned: if the user is banned.
        :raises StoreUnavailable: if the store can't be read.
        """
        await self.directory.check(user)
        await self.standings.known()
        self.standings.check(user.id)
