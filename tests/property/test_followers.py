"""Followers that stall, break and come back at any point see their feed exactly once.

Those that have asked for changes end with exactly what the log has.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from twisted.internet.task import Clock

from chatter.chat.chat import Chat, core_of
from chatter.log.recent import RecentLog
from chatter.protocol.model import Edited, Message, Withdrawn
from chatter.stores.memory import MemoryStore
from chatter.web.event_streams.feed import EventFeed
from chatter.web.event_streams.streams import Streams
from tests.results import result_of
from tests.web.stream_reader import Reader

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
        core_of(self.chat).live.newest_stretch = RecentLog(0, capacity=700)
        self.streams = Streams(core_of(self.chat))
        self.chunk_limits = EventFeed.most_entries, EventFeed.enough_bytes
        EventFeed.most_entries, EventFeed.enough_bytes = 4, 500
        self.users = [result_of(self.chat.connect(f"user {n}"))[0] for n in range(3)]
        # What each message says now (nothing: withdrawn), and all that it has ever said.
        self.log: dict[int, Message] = {}
        self.texts: dict[int, set[str]] = {}
        self.got: list[list[Message]] = [[] for _ in self.users]
        self.view: list[dict[int, str]] = [{} for _ in self.users]
        self.cursors = [0, 0, 0]
        self.kept_after = 0
        self.readers: dict[int, Reader] = {}
        for index in range(3):
            self.connect(index)

    def connect(self, index):
        """The first user knows nothing of changes; the others have asked for them."""
        user, cursor = self.users[index], self.cursors[index]
        self.readers[index] = Reader(self.streams, user, cursor, changes=index > 0)

    def keep(self, index):
        reader = self.readers[index]
        self.cursors[index] = reader.last_id
        self.got[index] += reader.received
        view = self.view[index]
        for gap in reader.gaps:
            assert gap.after < gap.until <= self.kept_after
            assert not any(gap.after < m.id <= gap.until for m in reader.received)
        reader.gaps = []
        for entry in sorted([*reader.received, *reader.changes], key=lambda entry: entry.id):
            if isinstance(entry, Message):
                view[entry.id] = entry.text
            elif isinstance(entry, Withdrawn):
                view.pop(entry.message_id, None)
            elif isinstance(entry, Edited) and entry.message_id in view:
                view[entry.message_id] = entry.text
        reader.received, reader.changes = [], []

    def sent(self, message):
        self.log[message.id] = message
        self.texts[message.id] = {message.text}

    @rule(sender=USERS, text=st.sampled_from(["a", "b" * 250]))
    def send(self, sender, text):
        self.sent(result_of(self.chat.send(self.users[sender], text)))

    @rule(sender=USERS, recipient=USERS)
    def send_private(self, sender, recipient):
        users = self.users
        sent = self.chat.send_private(users[sender], users[recipient].id, "psst")
        self.sent(result_of(sent))

    @rule(number=st.integers(0, 50), text=st.sampled_from(["c", "d" * 250, None]))
    def change(self, number, text):
        """Edit or withdraw one of the messages."""
        if not self.log:
            return
        message = list(self.log.values())[number % len(self.log)]
        sender = next(user for user in self.users if user.id == message.sender_id)
        if text is None:
            result_of(self.chat.withdraw(sender, message.id))
            del self.log[message.id]
        else:
            self.log[message.id] = result_of(self.chat.edit(sender, message.id, text))
            self.texts[message.id].add(text)

    @rule(kept=st.integers(0, 12))
    def trim(self, kept):
        """Keep only the newest entries; a reader that has not read the rest is told of a gap."""
        store = core_of(self.chat).store
        until = max(0, result_of(store.last_id()) - kept)
        result_of(store.trim(until))
        self.kept_after = max(until, self.kept_after)
        self.log = {i: message for i, message in self.log.items() if i > self.kept_after}

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
            got = self.got[index]
            ids = [message.id for message in got]
            assert ids == sorted(set(ids))
            assert all(is_visible(message, user.id) for message in got)
            assert all(message.text in self.texts[message.id] for message in got)
            expected = {m.id for m in self.log.values() if is_visible(m, user.id)}
            until = ids[-1] if ids else 0
            assert {i for i in expected if i <= until} <= set(ids)
        if hasattr(self, "users"):
            assert all(message.edited_at is None for message in self.got[0])

    def teardown(self):
        if not hasattr(self, "users"):
            return
        EventFeed.most_entries, EventFeed.enough_bytes = self.chunk_limits
        for reader in self.readers.values():
            reader.go_on()
        self.clock.advance(0)
        self.everything_once_in_order()
        for index, user in enumerate(self.users):
            expected = {m.id: m.text for m in self.log.values() if is_visible(m, user.id)}
            assert expected.keys() <= {message.id for message in self.got[index]}
            if index:
                view = self.view[index]
                assert {i: t for i, t in view.items() if i > self.kept_after} == expected
            self.readers[index].break_off()
        assert not self.clock.getDelayedCalls()


TestFollowers = FollowersMachine.TestCase
TestFollowers.settings = settings(max_examples=200, stateful_step_count=40)
