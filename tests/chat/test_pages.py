"""Pages are bounded by bytes, too, whether they are read from memory or from the store."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import json
from twisted.internet.defer import Deferred

from chatter.chat.chat import core_of
from chatter.chat.reading.store_reads import READERS
from chatter.log.recent import RecentLog
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.response_size import PAGE_BYTES
from chatter.testing.waiting import begun
from tests.results import result_of

LARGE = "\x01" * 4096
"""It is six times as large once it is serialised."""


@pytest.fixture(params=["memory", "store"])
def is_recent(request, chat):
    """Whether messages are at hand, or have to be read from the store."""
    if request.param == "store":
        core_of(chat).live.newest_stretch = RecentLog(0, capacity=1)
    return request.param == "memory"


@pytest.fixture
def people(chat):
    return [result_of(chat.join(name)) for name in ("alice", "bob")]


def say(chat, people, texts):
    """Say some texts, general and private by turns."""
    alice, bob = people
    return [
        result_of(chat.send(alice, text) if number % 2 else chat.send_private(alice, bob.id, text))
        for number, text in enumerate(texts)
    ]


MIXES = {
    "large": [LARGE] * 300,
    "small": ["a"] * 300,
    "first small, then large": ["a"] * 200 + [LARGE] * 100,
    "first large, then small": [LARGE] * 100 + ["a"] * 200,
    "wide": ["\U0001f600" * 4096] * 300,
}


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("limit", [1, 40, 100, 1000])
def test_pages_of_the_feed(chat, people, is_recent, mix, limit):
    """Each has room for a message at least, and all together have all of them, once."""
    sent = say(chat, people, MIXES[mix])
    read: list[Any] = []
    more = True
    while more:
        page = result_of(chat.poll(people[1], limit, after=read[-1].id if read else 0))
        assert 1 <= len(page.messages) <= limit
        assert len(json.encode(page)) <= PAGE_BYTES + 200
        assert page.cursor == page.messages[-1].id
        read += page.messages
        more = page.more
    assert read == sent
    if mix == "small":
        assert len(result_of(chat.poll(people[1], limit, after=0)).messages) == min(limit, 300)


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("limit", [1, 40, 1000])
@pytest.mark.parametrize("kind", ["general", "private"])
def test_pages_of_a_history(chat, people, mix, limit, kind):
    """They page back, and have the newest that there is room for."""
    sent = say(chat, people, MIXES[mix])
    alice, bob = people
    read: list[Any] = []
    more = True
    while more:
        before = read[0].id if read else None
        page = result_of(
            chat.general_history(bob, limit, before)
            if kind == "general"
            else chat.private_history(bob, alice.id, limit, before)
        )
        assert 1 <= len(page.messages) <= limit
        assert len(json.encode(page)) <= PAGE_BYTES + 200
        read = page.messages + read
        more = page.more
    assert read == [one for one in sent if (one.recipient_id is None) is (kind == "general")]


@pytest.fixture
def reads(chat, monkeypatch):
    """How many messages each read of the store has brought."""
    core_of(chat).live.newest_stretch = RecentLog(0, capacity=1)
    store = core_of(chat).store
    read_feed = store.read_feed
    brought = []

    async def counted(user_id, after, limit):
        messages = await read_feed(user_id, after, limit)
        brought.append(len(messages))
        return messages

    monkeypatch.setattr(store, "read_feed", counted)
    return brought


def test_one_read_for_a_page_of_the_usual_length(chat, people, reads):
    """What is requested in most cases is read at once."""
    say(chat, people, ["a"] * 300)
    assert len(result_of(chat.poll(people[1], 100, after=0)).messages) == 100
    assert reads == [101]


def test_what_a_page_has_no_room_for_is_not_read(chat, people, reads):
    """A thousand large messages are not brought into memory to send forty."""
    say(chat, people, [LARGE] * 1000)
    assert len(result_of(chat.poll(people[1], 1000, after=0)).messages) == 40
    assert sum(reads) <= 128


async def test_a_few_pages_are_read_at_a_time(chat, people, monkeypatch):
    """The others wait, and get theirs; the store being away ends all that wait at once."""
    say(chat, people, ["a"] * 10)
    store = core_of(chat).store
    core_of(chat).live.newest_stretch = RecentLog(10)
    waiting: list[Deferred[Any]] = []

    def slow(*_):
        waiting.append(Deferred())
        return waiting[-1]

    monkeypatch.setattr(store, "read_feed", slow)
    pages = [begun(chat.poll(people[1], 10, after=0)) for _ in range(READERS + 5)]
    assert len(waiting) == READERS
    waiting[0].callback([])
    assert len(waiting) == READERS + 1
    assert not (await pages[0]).messages
    waiting[1].errback(StoreUnavailable("away"))
    for page in (pages[1], *pages[READERS + 1 :]):
        with pytest.raises(StoreUnavailable):
            await page
    for deferred in waiting[2:]:
        deferred.callback([])
    for page in pages[2 : READERS + 1]:
        assert not (await page).messages
