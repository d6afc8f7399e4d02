"""A chat on every store does what a model of it does, whatever happens in whatever order."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from msgspec import UNSET
from msgspec.structs import replace

from chatter.chat.chat import Chat, core_of
from chatter.log.entries import MessageChange
from chatter.log.recent import RecentLog
from chatter.protocol.errors import Gone, Muted
from chatter.protocol.model import Change, ChatPage, Edited, Gap, Message, Page, Withdrawn
from chatter.stores.postgres import trimming as postgres_trimming
from chatter.stores.sqlite import trimming as sqlite_trimming
from tests.property.hand_reactor import HandReactor
from tests.property.model import HISTORY, Model
from tests.property.people_rules import PEOPLE, PeopleRules
from tests.property.stores import MemoryPlace, PostgresPlace, SQLitePlace

LIMITS = st.integers(1, 4)
BEFORE = st.none() | st.integers(1, 30)
# Who sends, to whom (to all: none), and with which key.
SENDS = st.tuples(PEOPLE, st.none() | PEOPLE, st.sampled_from([None, None, "k1", "k2"]))
TODAY = 1_800_000_000
_AT = datetime.fromtimestamp(TODAY, timezone.utc)


class ChatMachine(PeopleRules):
    """What people do, and what befalls the server."""

    place_of: Any

    @initialize()
    def open(self):
        self.reactor = HandReactor(TODAY)
        self.place = self.place_of(self.reactor)
        self.model = Model()
        self.texts = 0
        self.names: set[str] = set()
        self.serve()
        for _ in range(3):
            self.connect(None)

    def serve(self):
        self.chat = Chat(self.place.store, self.reactor, history=HISTORY)
        # So small that soon most of the log is not at hand any more.
        last_id = self.reactor.result_of(self.place.store.last_id())
        core_of(self.chat).live.newest_stretch = RecentLog(last_id, capacity=700)
        self.told: list[Message] = []
        self.changes_told: list[Change] = []
        self.told_from = len(self.model.sent)
        self.changes_told_from = self.model.last_id
        self.chat.add_listener(self.told.append)
        # As a start of the chat does, which the place does for the store.
        core_of(self.chat).erasing.resume()
        self.place.settle()
        self.chat.add_change_listener(self.changes_told.append)

    # Sending

    @rule(sends=st.lists(SENDS, min_size=1, max_size=5))
    def send(self, sends):
        """Several send at the same time; a key that was used makes it a retry."""
        begun = self.begin(sends)
        for *_, responses in begun:
            self.settle(responses)
        new: dict[int, Message] = {}
        for sender_id, recipient_id, text, key, responses in begun:
            message = responses[0]
            first = self.model.by_key.get((sender_id, key)) if key else None
            if first is not None and first.id not in new:
                now = self.model.current(first.id)
                assert message == now or (now is None and message.check(Gone))
                continue
            assert isinstance(message, Message), message
            if first is not None:
                assert message == first
                continue
            if key is not None:
                self.model.by_key[sender_id, key] = message
            said = (message.sender_id, message.recipient_id, message.text)
            assert said == (sender_id, recipient_id, text)
            new[message.id] = message
        self.append(new[number] for number in sorted(new))

    def begin(self, sends):
        """Begin to send in one turn of the reactor, so that all is one batch."""
        begun = []
        for number, recipient, key in sends:
            sender = self.somebody(number)
            if not sender.may_write(self.now):
                self.refuse_muted(sender)
                continue
            if recipient is not None:
                self.reactor.result_of(self.chat.user(self.id_of(recipient)))
            begun.append((sender, recipient, key))
        return [self.begin_one(*each) for each in begun]

    def begin_one(self, sender, recipient, key):
        self.texts += 1
        text = f"{self.texts}"
        if (sender.user.id, key) in self.model.stale:
            key = None
        recipient_id = None if recipient is None else self.id_of(recipient)
        if recipient_id is None:
            sending = self.chat.send(sender.user, text, key)
        else:
            sending = self.chat.send_private(sender.user, recipient_id, text, key)
        return sender.user.id, recipient_id, text, key, self.reactor.watch(sending)

    def id_of(self, number):
        return self.anybody(number).user.id

    def append(self, messages):
        for message in messages:
            assert message.id > self.model.last_id
            self.model.append(message)

    # Changing

    @rule(number=PEOPLE, which=st.integers(0, 30), edits=st.booleans())
    def change(self, number, which, edits):
        """Somebody edits or withdraws a message of their own."""
        person = self.somebody(number)
        own = [m for m in self.model.log if m.sender_id == person.user.id]
        if not own:
            return
        message = own[which % len(own)]
        if edits and not person.may_write(self.now):
            assert isinstance(self.result(self.chat.edit(person.user, message.id, "no")), Muted)
            return
        self.texts += edits
        text = f"{self.texts}" if edits else None
        changing: Any
        if text is None:
            changing = self.chat.withdraw(person.user, message.id)
        else:
            changing = self.chat.edit(person.user, message.id, text)
        done = self.reactor.watch(changing)
        self.settle(done)
        change_id = self.model.last_id + 1
        change = MessageChange(
            change_id,
            message.sender_id,
            message.recipient_id,
            message.id,
            text,
            person.user.id,
            _AT,
        )
        if text is None:
            assert done == [change_id]
            self.model.change(change)
        else:
            (edited,) = done
            assert edited == replace(message, text=text, edited_at=edited.edited_at)
            assert edited.edited_at is not None
            self.model.change(change, edited)

    # Polling

    @rule(number=PEOPLE, limit=LIMITS, arrives=st.booleans())
    def poll(self, number, limit, arrives):
        """The cursor moves if the response arrives, and stays if it is lost."""
        person = self.somebody(number)
        page = self.reactor.result_of(self.chat.poll(person.user, limit))
        self.check_page(page, person, person.cursor, limit)
        self.pass_over(person, page)
        if arrives:
            self.chat.acknowledge(person.user, page.cursor)
            person.cursor = page.cursor

    def pass_over(self, person, page):
        """Of changes that nobody has asked for none can be lost on the way."""
        if not page.messages and page.gap is UNSET:
            person.cursor = page.cursor

    @rule(number=PEOPLE, limit=LIMITS, arrives=st.booleans())
    def poll_with_changes(self, number, limit, arrives):
        """A device that asks for changes is told of all, once and in order."""
        person = self.somebody(number)
        after = person.view_cursor
        page = self.reactor.result_of(self.chat.poll(person.user, limit, after, changes=True))
        person.cursor = max(person.cursor, after)
        start = max(after, self.model.kept_after)
        assert page.gap == (Gap(after, start) if after < start else UNSET)
        entries = self.model.entries(person, start)
        told = [*page.messages, *(page.changes or ())]
        wanted = entries[:limit]
        assert page.messages == [entry for entry in wanted if isinstance(entry, Message)]
        assert [c.id for c in told] == [
            *(entry.id for entry in wanted if isinstance(entry, Message)),
            *(entry.id for entry in wanted if not isinstance(entry, Message)),
        ]
        assert page.cursor == (wanted[-1].id if wanted else start)
        assert page.more == (len(entries) > limit)
        if arrives:
            person.view_cursor = page.cursor
            for entry in told:
                if isinstance(entry, Message):
                    person.view[entry.id] = entry.text
                elif isinstance(entry, Withdrawn):
                    person.view.pop(entry.message_id, None)
                elif isinstance(entry, Edited) and entry.message_id in person.view:
                    person.view[entry.message_id] = entry.text

    @rule(number=PEOPLE, limit=LIMITS, arrives=st.booleans())
    def poll_losslessly(self, number, limit, arrives):
        """To ask for what comes after an id proves that all up to there was read.

        The device names the epoch of its position.  No restart and no crash moves it.
        """
        person = self.somebody(number)
        polling = self.chat.poll(person.user, limit, person.device, epoch=person.epoch)
        page = self.reactor.result_of(polling)
        assert page.moved_from is UNSET
        self.check_page(replace(page, epoch=UNSET), person, person.device, limit)
        person.cursor = max(person.cursor, person.device)
        if arrives:
            person.received += page.messages
            person.device, person.epoch = page.cursor, page.epoch

    @rule(number=PEOPLE, after=st.integers(0, 40), limit=LIMITS)
    def poll_from_anywhere(self, number, after, limit):
        """What is not yet there can't be proven to be read."""
        person = self.somebody(number)
        page = self.reactor.result_of(self.chat.poll(person.user, limit, after))
        self.check_page(page, person, after, limit)
        person.cursor = max(person.cursor, min(after, self.model.last_id))

    @rule(number=PEOPLE, send=st.none() | SENDS)
    def poll_and_wait(self, number, send):
        """A response comes at once, or with the next message, or in the end without one."""
        person = self.somebody(number)
        responses = self.reactor.watch(self.chat.poll(person.user, 2, wait=5))
        self.settle(responses, until=self.has_news(person))
        if not responses and send is not None:
            self.send([send])
        self.place.settle()
        if not self.has_news(person):
            assert not responses
            self.pass_time(5)
        self.settle(responses)
        self.check_page(responses[0], person, person.cursor, 2)
        self.pass_over(person, responses[0])

    def has_news(self, person):
        is_behind = person.cursor < self.model.kept_after
        return is_behind or bool(self.model.feed(person, person.cursor))

    def check_page(self, page, person, after, limit):
        start = max(after, self.model.kept_after)
        feed = self.model.feed(person, start)
        messages = feed[:limit]
        entries = self.model.entries(person, start)
        cursor = messages[-1].id if messages else entries[-1].id if entries else start
        gap = Gap(after, start) if after < start else UNSET
        assert page == Page(messages, cursor, len(feed) > limit, gap=gap)

    # Looking

    @rule(number=PEOPLE, limit=LIMITS, before=BEFORE)
    def look_at_general(self, number, limit, before):
        person = self.somebody(number)
        page = self.reactor.result_of(self.chat.general_history(person.user, limit, before))
        self.check_look(page, person, self.model.general(before), limit)

    @rule(number=PEOPLE, other=PEOPLE, limit=LIMITS, before=BEFORE)
    def look_at_private(self, number, other, limit, before):
        person, other = self.somebody(number), self.somebody(other)
        page = self.reactor.result_of(
            self.chat.private_history(person.user, other.user.id, limit, before)
        )
        self.check_look(page, person, self.model.private(person, other, before), limit)

    def check_look(self, page, person, chat, limit):
        more = len(chat) > limit
        kept_after = self.model.kept_after or UNSET
        expected = Page(chat[-limit:], person.cursor, more)
        assert page == (expected if more else replace(expected, kept_after=kept_after))

    # Retention

    @rule(kept=st.integers(3, 25))
    def trim(self, kept):
        """Nobody finds any more what is no longer kept, whatever of it is still to be deleted."""
        until = max(0, self.model.last_id - kept)
        self.settle(trimmed := self.reactor.watch(self.place.store.trim(until)))
        assert trimmed == [None]
        self.model.trim(until)

    # Chats

    @rule(number=PEOPLE, limit=LIMITS, before=BEFORE)
    def list_chats(self, number, limit, before):
        """The general chat comes first; the end of the log is told, to follow from there."""
        person = self.somebody(number)
        page = self.reactor.result_of(self.chat.chats(person.user, before, limit))
        private = self.model.chats(person, before)
        chats = [self.model.summary(person, *chat) for chat in private[:limit]]
        if before is None:
            chats.insert(0, self.model.summary(person, None, self.model.general()))
        more = len(private) > limit
        assert page == ChatPage(person.cursor, self.model.last_id, chats, more)

    @rule(number=PEOPLE, other=st.none() | PEOPLE, message_id=st.integers(1, 40))
    def mark_read(self, number, other, message_id):
        """A mark is the chat's own, never goes back, and is nowhere without a message."""
        person = self.somebody(number)
        other_id = None if other is None else self.id_of(other)
        marked = self.reactor.watch(self.chat.mark_read(person.user, other_id, message_id))
        self.settle(marked)
        assert marked == [None]
        if other_id is None or other_id in dict(self.model.chats(person)):
            read = min(message_id, self.model.last_id)
            person.marks[other_id] = max(person.marks.get(other_id, 0), read)

    @rule(number=PEOPLE, after=st.none() | st.integers(0, 40), limit=LIMITS)
    def peek(self, number, after, limit):
        """It is a poll that moves nothing."""
        person = self.somebody(number)
        page = self.reactor.result_of(self.chat.peek(person.user, limit, after))
        self.check_page(page, person, person.cursor if after is None else after, limit)

    # What befalls the server

    @rule(seconds=st.integers(1, 40))
    def pass_time(self, seconds):
        """Cursors are saved after a second."""
        self.place.settle()
        self.reactor.advance(seconds)
        self.place.settle()
        self.model.saved()

    @rule()
    def restart(self):
        self.end_serving()
        self.place.restart()
        self.model.saved()
        self.serve()

    def end_serving(self):
        self.reactor.result_of(core_of(self.chat).erasing.stop())

    def settle(self, responses, until=True):
        """Turn until there is a response, or until nothing happens any more."""
        while until and not responses:
            self.reactor.advance(0)
            if not responses:
                self.reactor.take()()
        self.place.settle()

    @invariant()
    def listeners_are_told_once_in_order(self):
        if hasattr(self, "model"):
            assert self.told == self.model.sent[self.told_from :]
            told = [(c.id, getattr(c, "message_id", None)) for c in self.changes_told]
            assert told == self.model.told_after(self.changes_told_from)

    def teardown(self):
        if not hasattr(self, "model"):
            return
        try:
            here = [person for person in self.model.people if person.may_use(self.now)]
            for number in range(len(here)):
                self.drain(number)
        finally:
            self.end_serving()
            self.place.close()
        assert not self.reactor.getDelayedCalls()

    def drain(self, number):
        """In the end a device that polls losslessly has everything, once and in order."""
        person = self.somebody(number)
        feed = self.model.feed(person, person.start)
        for _ in range(len(self.model.sent) + len(self.model.made)):
            self.poll_losslessly(number, 4, arrives=True)
            self.poll_with_changes(number, 4, arrives=True)
        ids = [message.id for message in person.received]
        assert ids == sorted(set(ids))
        assert {message.id for message in feed} <= set(ids)
        kept = {i: text for i, text in person.view.items() if i > self.model.kept_after}
        assert kept == {message.id: message.text for message in feed}


class MemoryMachine(ChatMachine):
    """On the store in memory."""

    place_of = MemoryPlace


class CrashingMachine(ChatMachine):
    """On a store that also survives crashes."""

    @precondition(lambda self: hasattr(self, "model"))
    @rule(sends=st.lists(SENDS, max_size=3), committed=st.booleans())
    def crash(self, sends, committed):
        """What was acknowledged is there; the rest is if it was committed, or not at all."""
        self.place.settle()
        lost = self.begin(sends)
        self.place.crash(committed=committed and bool(lost))
        self.end_serving()
        self.told_from = len(self.model.sent)
        expected = [] if not committed else list(self.first_of(lost))
        feeds = (
            self.reactor.result_of(self.place.store.read_feed(person.user.id, 0, 9999))
            for person in self.model.people
        )
        entries = {entry for feed in feeds for entry in feed}
        found = sorted((c.id, c.message_id) for c in entries if isinstance(c, MessageChange))
        assert found == sorted((c.id, c.message_id) for c in self.model.changes.values())
        log = sorted((m for m in entries if isinstance(m, Message)), key=lambda m: m.id)
        assert log[: len(self.model.log)] == self.model.log
        new = log[len(self.model.log) :]
        assert [(m.sender_id, m.recipient_id, m.text) for m in new] == [s[:3] for s in expected]
        self.append(new)
        for message, (sender_id, _, _, key, _) in zip(new, expected, strict=True):
            if key is not None:
                self.model.by_key[sender_id, key] = message
        self.serve()
        for person in self.model.people:
            cursor = self.reactor.result_of(self.place.store.cursor(person.user.id))
            assert person.saved <= cursor <= person.cursor, "it may repeat, but never skip"
            person.cursor = person.saved = cursor

    def first_of(self, sends):
        """Those that are no retries."""
        keys = set(self.model.by_key)
        for sender_id, recipient_id, text, key, responses in sends:
            if key is None or (sender_id, key) not in keys:
                yield sender_id, recipient_id, text, key, responses
                keys.add((sender_id, key))


class SQLiteMachine(CrashingMachine):
    """On the store in a file."""

    place_of = SQLitePlace


class PostgresMachine(CrashingMachine):
    """On the store in PostgreSQL."""

    place_of = PostgresPlace


def case(machine, **more):
    test = machine.TestCase
    more.setdefault("max_examples", 200)
    test.settings = settings(stateful_step_count=30, **more)
    return test


@pytest.fixture(autouse=True)
def small_slices(monkeypatch):
    """What is no longer kept is still there for a while."""
    for name in ("FIRST_SLICE", "LEAST_SLICE", "MOST_SLICE"):
        monkeypatch.setattr(sqlite_trimming, name, 2)
    monkeypatch.setattr(postgres_trimming, "SLICE", 2)


TestMemory = case(MemoryMachine)
TestSQLite = case(SQLiteMachine)


@pytest.fixture
def place(postgres, database):
    PostgresPlace.server = postgres
    PostgresPlace.database = database


@pytest.mark.usefixtures("place")
class TestPostgres(case(PostgresMachine, max_examples=40)):  # type: ignore[misc]
    """With fewer examples: each query goes to a server and back."""
