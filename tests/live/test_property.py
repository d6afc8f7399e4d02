"""Followers that stall, break and come back at any point see their feed exactly once."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from twisted.internet.task import Clock

from chatter.chat.chat import Chat, core_of
from chatter.log.feed import RecentLog
from chatter.protocol.model import Message
from chatter.stores.memory import MemoryStore
from chatter.web.event_feed import EventFeed
from chatter.web.streams import Streams
from tests.live.support import Reader, result_of

USERS = st.integers(0, 2)


def is_visible(message, user_id):
    """Tell whether a message is part of a user's feed."""
    return message.recipient_id in (None, user_id) or message.sender_id == user_id


class FollowersMachine(RuleBasedStateMachine):
    """Three users with one listener each, and a log whose recent part is tiny."""

    @initialize()
    def start(self):
        self.clock = Clock()
        store = MemoryStore()
        store.startService()
        self.chat = Chat(store, self.clock)
        core_of(self.chat).live._recent = RecentLog(0, capacity=700)
        self.streams = Streams(core_of(self.chat))
        self.chunk_limits = EventFeed.most_entries, EventFeed.enough_bytes
        EventFeed.most_entries, EventFeed.enough_bytes = 4, 500
        self.users = [result_of(self.chat.connect(f"user {n}"))[0] for n in range(3)]
        self.log: list[Message] = []
        self.got: list[list[Message]] = [[] for _ in self.users]
        self.readers: dict[int, Reader] = {}
        for index in range(3):
            self.connect(index)

    def connect(self, index):
        got = self.got[index]
        cursor = got[-1].id if got else 0
        self.readers[index] = Reader(self.streams, self.users[index], cursor)

    def keep(self, index):
        reader = self.readers[index]
        self.got[index] += reader.received
        reader.received = []

    @rule(sender=USERS, text=st.sampled_from(["a", "b" * 250]))
    def send(self, sender, text):
        self.log.append(result_of(self.chat.send(self.users[sender], text)))

    @rule(sender=USERS, recipient=USERS)
    def send_private(self, sender, recipient):
        users = self.users
        sent = self.chat.send_private(users[sender], users[recipient].id, "psst")
        self.log.append(result_of(sent))

    @rule(index=USERS)
    def stall(self, index):
        self.readers[index].stall()

    @rule(index=USERS, room=st.sampled_from([0, 0.5]))
    def choke(self, index, room):
        self.readers[index].choke(room)

    @rule(index=USERS)
    def go_on(self, index):
        self.readers[index].go_on()

    @rule(index=USERS)
    def come_back(self, index):
        self.keep(index)
        self.readers[index].break_off()
        self.connect(index)

    @rule()
    def turn(self):
        self.clock.advance(0)

    @invariant()
    def everything_once_in_order(self):
        for index, user in enumerate(getattr(self, "users", ())):
            self.keep(index)
            feed = [message for message in self.log if is_visible(message, user.id)]
            assert self.got[index] == feed[: len(self.got[index])]

    def teardown(self):
        if not hasattr(self, "users"):
            return
        EventFeed.most_entries, EventFeed.enough_bytes = self.chunk_limits
        for reader in self.readers.values():
            reader.go_on()
        self.clock.advance(0)
        self.everything_once_in_order()
        for index, user in enumerate(self.users):
            assert len(self.got[index]) == sum(is_visible(m, user.id) for m in self.log)
            self.readers[index].break_off()
        assert not self.clock.getDelayedCalls()


TestFollowers = FollowersMachine.TestCase
TestFollowers.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
