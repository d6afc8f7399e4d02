"""A log that was restored, or has lost its end: readers are told, and skip nothing new."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from chatter.chat.chat import Chat, core_of
from chatter.log.feed import Log
from chatter.log.lineage import Lineage, continued, new_epoch
from chatter.web import ChatResource
from tests.results import result_of
from tests.web.test_events import Listener
from tests.web.test_wait import Poll


def texts(page):
    return [message["text"] for message in page["messages"]]


@pytest.fixture
def store(chat) -> Any:
    """The store of the chat, in memory."""
    return core_of(chat).store


@pytest.fixture
def restore(store, clock, make_web):
    """Copies the store, as a backup; what that returns serves the copy, restored."""

    def backup():
        told = (store.listener, store.rewound, store.trimmed)
        store.listener = store.rewound = store.trimmed = None
        revoked, store.tokens.revoked = store.tokens.revoked, None
        copied = copy.deepcopy(store)
        store.listener, store.rewound, store.trimmed = told
        store.tokens.revoked = revoked

        def restored():
            chat = Chat(copied, clock)
            chat.startService()
            return make_web(ChatResource(chat))

        return restored

    return backup


@pytest.fixture
def lose(store):
    """Loses the end of the log while it is served, as a failover to a late replica does."""

    def lose(after):
        kept = store._entries.log.general(None, 1000)
        store._entries.log = Log()
        store._entries.log.extend([message for message in kept if message.id <= after])
        store._epochs = continued(store._epochs, new_epoch(after))
        store.lineage = Lineage(store._epochs)
        store.rewound(after)

    return lose


def test_a_page_has_an_epoch_for_those_who_name_one(web):
    """Others get what they always got."""
    alice = web.join("alice")
    web.send(alice)
    assert set(web.call("GET", "/status?after=0", alice).json) == {"messages", "cursor", "more"}
    page = web.call("GET", "/status?after=0&epoch=", alice).json
    assert set(page) == {"messages", "cursor", "more", "epoch"}
    plain = web.call("GET", "/status?epoch=", alice).json
    assert plain == page
    again = web.call("GET", f"/status?after=1&epoch={page['epoch']}", alice).json
    assert again == {"messages": [], "cursor": 1, "more": False, "epoch": page["epoch"]}


def test_a_restart_moves_nobody(web, store):
    """The epoch is another one, and nothing is read twice."""
    alice = web.join("alice")
    web.send(alice, "a")
    old = web.call("GET", "/status?after=0&epoch=", alice).json
    store.stopService()
    store.startService()
    web.send(alice, "b")
    query = f"after={old['cursor']}&epoch={old['epoch']}"
    page = web.call("GET", f"/status?{query}", alice).json
    assert texts(page) == ["b"]
    assert "moved_from" not in page
    assert page["epoch"] != old["epoch"]


def test_a_restored_log_is_noticed(web, restore):
    """Who had read further reads on from where the backup was made, and is told."""
    alice, bob = web.join("alice"), web.join("bob")
    for text in ("a", "b"):
        web.send(alice, text)
    restored = restore()
    for text in ("lost", "lost", "lost"):
        web.send(alice, text)
    old = web.call("GET", "/status?after=0&epoch=", alice).json
    assert old["cursor"] == 5
    web = restored()
    web.send(bob, "new")
    query = f"after=5&epoch={old['epoch']}"
    page = web.call("GET", f"/status?{query}&limit=1", alice).json
    assert texts(page) == ["new"]
    assert (page["moved_from"], page["cursor"]) == (5, 3)
    query = f"after=3&epoch={page['epoch']}"
    page = web.call("GET", f"/status?{query}", alice).json
    assert texts(page) == []
    assert "moved_from" not in page
    # Nothing was acknowledged that was not read here.
    assert web.call("POST", "/connect", alice).json["cursor"] == 3


def test_a_stream_begins_with_the_epoch(web, restore):
    """It is an event of its own, before the messages, and ids are what they were."""
    alice = web.join("alice")
    web.send(alice, "a")
    restored = restore()
    web.send(alice, "lost")
    _, first, *_ = Listener(web, alice, "?epoch=", Last_Event_ID="1").blocks
    name, data = first.split("\n")
    assert name == "event: epoch"
    old = json.loads(data.removeprefix("data: "))
    assert old == {"epoch": old["epoch"], "cursor": 1}
    web = restored()
    web.send(alice, "new")
    stream = Listener(web, alice, f"?epoch={old['epoch']}", Last_Event_ID="2")
    _, first, message = stream.blocks
    told = json.loads(first.split("\n")[1].removeprefix("data: "))
    assert told == {"epoch": told["epoch"], "cursor": 1, "moved_from": 2}
    assert '"text":"new"' in message
    assert stream.ids == [2]


def test_a_position_beyond_the_end_is_moved_back(web):
    """Also that of a client which has never heard of epochs, and now names none."""
    alice = web.join("alice")
    web.send(alice, "a")
    page = web.call("GET", "/status?after=7&epoch=", alice).json
    assert (page["moved_from"], page["cursor"]) == (7, 1)
    page = web.call("GET", "/status?after=7", alice).json
    assert page == {"messages": [], "cursor": 7, "more": False}


@pytest.mark.parametrize("epoch", ["Nonsense", "a/b", "%20", "x" * 513])
@pytest.mark.parametrize("path", ["/status", "/events"])
def test_what_is_no_epoch_is_refused(web, path, epoch):
    """It says so."""
    response = web.call("GET", f"{path}?epoch={epoch}", web.join("alice"))
    assert response.problem == "invalid-request"
    assert response.json["detail"].startswith("epoch")


def test_an_epoch_does_not_go_with_a_look(web):
    """A look has no position."""
    response = web.call("GET", "/status?chat_type=general&epoch=", web.join("alice"))
    assert response.problem == "invalid-request"


def test_a_poll_that_waits_when_the_end_is_lost(web, lose):
    """Its response is what is new where the log goes on, and says from where it was moved."""
    alice, bob = web.join("alice"), web.join("bob")
    for text in ("a", "b", "c"):
        web.send(bob, text)
    old = web.call("GET", "/status?after=0&epoch=", alice).json
    poll = Poll(web, alice, f"after=3&epoch={old['epoch']}&wait=60")
    assert poll.response() is None
    lose(after=1)
    page = poll.response().json
    assert (page["messages"], page["cursor"], page["moved_from"]) == ([], 1, 3)
    assert page["epoch"] != old["epoch"]
    poll.leave()


def test_a_stream_ends_when_the_end_is_lost(web, lose, clock):
    """The client comes back and is told; what was lost is shown to nobody any more."""
    alice, bob = web.join("alice"), web.join("bob")
    for text in ("a", "lost"):
        web.send(bob, text)
    streams = [Listener(web, alice, query) for query in ("?epoch=&after=2", "?after=2", "?after=2")]
    lose(after=1)
    assert all(stream.has_ended or stream.is_lost for stream in streams)
    epoch = json.loads(streams[0].blocks[1].split("\n")[1].removeprefix("data: "))["epoch"]
    stream = Listener(web, alice, f"?epoch={epoch}&after=2")
    web.send(bob, "new")
    clock.advance(0)
    assert stream.ids == [3]
    assert '"moved_from":2' in stream.blocks[1]
    assert texts(web.call("GET", "/status?after=0", bob).json) == ["a", "new"]


async def test_who_follows_in_the_process_goes_on(chat, lose):
    """A coroutine that follows gets what is new, and not what it has got."""
    user, _ = await chat.connect("alice")
    for text in ("a", "b", "lost"):
        await chat.send(user, text)
    following = chat.follow(user)
    assert [(await anext(following)).text for _ in range(3)] == ["a", "b", "lost"]
    lose(after=2)
    sent = await chat.send(user, "new")
    assert await anext(following) == sent
    await following.aclose()


def test_listeners_hear_what_is_new(chat, lose):
    """After the end was lost, too."""
    heard: list[Any] = []
    chat.add_listener(heard.append)
    user, _ = result_of(chat.connect("alice"))
    lost = result_of(chat.send(user, "lost"))
    lose(after=0)
    new = result_of(chat.send(user, "new"))
    assert heard == [lost, new]
