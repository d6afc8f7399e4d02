"""What a chat is made of, for the doors that serve it.

The web layer calls the parts' coroutines directly, as it drives them itself; all others
use :class:`chatter.chat.Chat`, which checks what it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.chat.changing import Changing
from chatter.chat.chat_list import ChatList
from chatter.chat.directory import Directory
from chatter.chat.joining import Joining
from chatter.chat.live import Live
from chatter.chat.presence import Presence
from chatter.chat.reading import Reading
from chatter.chat.sending import Sending
from chatter.chat.store_reads import StoreReads

if TYPE_CHECKING:
    from random import Random

    from twisted.internet.interfaces import IReactorTime

    from chatter.log.interfaces import IChatStore


class ChatCore:
    """The parts of one chat.

    :ivar history: how many messages of the general chat are unread for a new user.
    """

    def __init__(
        self, store: IChatStore, clock: IReactorTime, history: int, random: Random
    ) -> None:
        self.store = store
        self.clock = clock
        self.history = history
        self.live = Live(store, clock)
        self.presence = Presence(clock, lambda user_id, seen: store.save_progress(user_id, 0, seen))
        self.directory = Directory(store, self.presence)
        self.joining = Joining(store, self.presence, self.directory, history, random)
        self.sending = Sending(store, self.presence, self.directory)
        self.changing = Changing(store, self.presence)
        self.chat_list = ChatList(store, self.live, self.directory)
        self.reading = Reading(store, self.presence, self.live, StoreReads(store), self.directory)
