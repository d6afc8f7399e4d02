"""``POST /erase``: a user leaves for good."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from chatter.chat.chat import Chat, core_of
from chatter.chat.moderation import standings
from chatter.chat.users import erasing
from chatter.protocol.errors import NameTaken, StoreUnavailable, Unauthorized
from chatter.protocol.model import Draft
from chatter.testing import memory_client
from chatter.testing.waiting import begun
from tests.results import result_of
from tests.web.test_events import listen  # noqa: F401 - a fixture
from tests.web.test_wait import begin  # noqa: F401 - a fixture


def erase(web, token, name="alice"):
    return web.call("POST", "/erase", token, {"name": name})


def status(web, token, query="after=0"):
    return web.call("GET", f"/status?{query}", token).json


def test_who_leaves_takes_all_messages_along(web, alice, bob):
    """Those of both chats, edited ones too; others' messages stay."""
    one = web.send(alice, "one")
    web.call("POST", "/edit", alice, {"message_id": one["id"], "text": "edited"})
    kept = [web.send(bob, "kept")]
    web.send_private(alice, 2, "psst")
    kept.append(web.send_private(bob, 1, "answer"))
    web.send(alice, "last")
    response = erase(web, alice, "ALICE")
    assert (response.status, response.json) == (200, {"status": "success"})
    assert status(web, bob)["messages"] == kept
    assert status(web, bob, "chat_type=general")["messages"] == kept[:1]
    assert status(web, bob, "chat_type=private&recipient_id=1")["messages"] == kept[1:]
    (_, private) = web.call("GET", "/chats", bob).json["chats"]
    assert private["last"] == kept[1]


def test_who_has_asked_for_changes_is_told(web, alice, bob):
    """That the user has left, and of each message."""
    sent = web.send(alice, "one")
    erase(web, alice)
    erased, withdrawn = status(web, bob, "after=1&changes=1")["changes"]
    at = erased.pop("at")
    assert erased == {"id": 2, "change": "erased", "user_id": 1}
    assert at.endswith("Z")
    assert (withdrawn["change"], withdrawn["message_id"]) == ("withdrawn", sent["id"])
    assert status(web, bob) == {"messages": [], "cursor": 3, "more": False}


def test_nobody_has_the_name_again(web, alice, bob):
    """Not in another case either; nor the name that stands for who has left."""
    erase(web, alice)
    for name in ("alice", "ALICE"):
        refused = web.call("POST", "/connect", body={"name": name})
        assert (refused.status, refused.problem) == (409, "name-taken")
    refused = web.call("POST", "/connect", body={"name": "Erased-7"})
    assert (refused.status, refused.problem) == (400, "invalid-request")
    assert [u["name"] for u in web.call("GET", "/users", bob).json["users"]] == ["erased-1", "bob"]
    assert web.call("GET", "/users?prefix=ali", bob).json["users"] == []
    assert web.call("POST", "/connect", body={}).json["user_id"] == 3


def test_what_is_open_ends(web, alice, bob, listen, begin):  # noqa: F811
    """Tokens, streams and waiting polls."""
    other = web.call("POST", "/tokens", alice, {}).json["token"]
    stream, poll = listen(other), begin(other, "wait=60")
    erase(web, alice)
    assert stream.is_lost
    assert poll.response().status == 401
    for token in (alice, other):
        assert web.call("GET", "/status", token).status == 401
        assert erase(web, token).status == 401


def test_who_has_left_gets_no_token(chat, web, alice, monkeypatch):
    """Even if it was asked for before."""
    tokens: Any = core_of(chat).store.tokens
    add = tokens.add

    async def late(*arguments):
        assert erase(web, alice).status == 200
        return await add(*arguments)

    monkeypatch.setattr(tokens, "add", late)
    assert web.call("POST", "/tokens", alice, {}).status == 401
    assert result_of(tokens.of_user(1)) == []


@pytest.mark.parametrize("name", ["", "bob", "alic", None, 1])
def test_nobody_leaves_by_mistake(web, alice, bob, name):
    """The name must be the user's own."""
    sent = web.send(alice)
    response = erase(web, alice, name)
    assert (response.status, response.problem) == (400, "invalid-request")
    assert status(web, alice)["messages"] == [sent]
    assert web.call("POST", "/erase", alice, {}).status == 400


def test_an_erasure_that_was_interrupted_goes_on(chat, web, alice, bob, clock):
    """At the next start, whatever ended the last one."""
    web.send(alice)
    store: Any = core_of(chat).store
    result_of(store.erasure.begin(1, core_of(chat).presence.now()))
    assert status(web, bob)["messages"] != []
    result_of(chat.stopService())
    result_of(chat.startService())
    assert status(web, bob)["messages"] == []
    clock.advance(erasing.AGAIN)
    assert result_of(store.erasure.under_way()) == []


def test_an_erasure_is_repeated(chat, web, alice, bob):
    """One that is under way goes on; one that is finished stays so."""
    web.send(alice)
    core = core_of(chat)
    user = result_of(core.directory.by_id(1))
    result_of(core.store.erasure.begin(1, core.presence.now()))
    for _ in range(2):
        result_of(core.erasing.erase(user))
        assert status(web, bob)["messages"] == []
        result_of(core.store.erasure.finish(1))


def test_what_was_on_its_way_is_withdrawn_later(chat, web, alice, bob, clock):
    """A message that another server took while it had not yet heard; then it is finished."""
    core = core_of(chat)
    erase(web, alice)
    clock.advance(erasing.AGAIN / 2)
    result_of(core.store.append(Draft(1, None, "late", core.presence.now())))
    erase(web, bob, "bob")
    assert result_of(core.store.erasure.under_way()) == [1, 2]
    clock.advance(erasing.AGAIN / 2)
    assert result_of(core.store.read_general(None, 10)) == []
    assert result_of(core.store.erasure.under_way()) == [2]
    result_of(core.store.append(Draft(2, None, "late", core.presence.now())))
    clock.advance(erasing.AGAIN)
    assert result_of(core.store.read_general(None, 10)) == []
    assert result_of(core.store.erasure.under_way()) == []


def test_who_has_left_sends_nothing(chat, web, alice, bob, monkeypatch):
    """Even if the request was under way."""
    core = core_of(chat)
    user = result_of(core.directory.by_id(1))
    looked_up = core.directory.by_id

    async def late(user_id):
        assert erase(web, alice).status == 200
        return await looked_up(user_id)

    monkeypatch.setattr(core.directory, "by_id", late)
    assert web.call("POST", "/send-private", alice, {"text": "a", "recipient_id": 2}).status == 401
    with pytest.raises(Unauthorized):
        result_of(core.sending.send(user, "a", None))
    assert status(web, bob)["messages"] == []
    result_of(chat.stopService())
    assert core.standings.left
    result_of(chat.startService())
    assert not core.standings.left


def test_who_has_left_is_sent_nothing(web, alice, bob):
    """The sender is told, instead of writing to nobody; a retry gets what was sent before."""
    body, key = {"text": "a", "recipient_id": 1}, {"Idempotency-Key": "k" * 22}
    sent = web.call("POST", "/send-private", bob, body, key)
    assert sent.status == 200
    erase(web, alice)
    response = web.call("POST", "/send-private", bob, body)
    assert (response.status, response.json["type"]) == (404, "urn:chatter:unknown-recipient")
    assert response.json["detail"] == "User 1 has left for good."
    assert web.call("POST", "/send-private", bob, body, key).json == sent.json
    assert status(web, bob)["messages"] == [sent.json]


def test_those_who_left_long_ago_are_forgotten(chat, web, alice, bob, monkeypatch):
    """However many have left, they take little memory."""
    monkeypatch.setattr(standings, "_REMEMBERED", 1)
    erase(web, alice)
    erase(web, bob, "bob")
    assert list(core_of(chat).standings.left) == [2]


def test_the_end_of_the_log_was_lost(chat, web, alice, bob, clock):
    """With it withdrawals may be lost: all is looked at again before the erasure is finished."""
    core = core_of(chat)
    erase(web, alice)
    result_of(core.store.append(Draft(1, None, "again there", core.presence.now())))
    core.erasing._looked[1] = result_of(core.store.last_id())
    core.erasing.rewind()
    clock.advance(erasing.AGAIN)
    assert result_of(core.store.read_general(None, 10)) == []
    assert result_of(core.store.erasure.under_way()) == [1]
    clock.advance(erasing.AGAIN)
    assert result_of(core.store.erasure.under_way()) == []


def test_the_log_is_read_for_one_at_a_time(chat, web, alice, bob, monkeypatch):
    """Each read costs the length of its stretch, so the others wait for their turn."""
    core = core_of(chat)
    web.send(alice)
    web.send(bob)
    waiting: list[Deferred[None]] = []

    async def slow(user_id, after, until):
        read: Deferred[None] = Deferred()
        waiting.append(read)
        await read
        return []

    monkeypatch.setattr(core.store.erasure, "read_own", slow)
    users = [result_of(core.directory.by_id(user_id)) for user_id in (1, 2)]
    ended = [begun(core.erasing.erase(user)) for user in users]
    while waiting:
        (read,) = waiting
        waiting.clear()
        read.callback(None)
    assert [result_of(each) for each in ended] == [None, None]


@pytest.mark.parametrize("at_start", [False, True])
def test_an_erasure_waits_for_the_store(chat, web, alice, bob, clock, monkeypatch, at_start):
    """It goes on when the store is back, without a restart."""
    web.send(alice)
    store: Any = core_of(chat).store

    async def away(*arguments):
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "change", away)
        assert erase(web, alice).status == 503
        patched.setattr(store.erasure, "under_way", away)
        if at_start:
            result_of(chat.stopService())
            assert not clock.getDelayedCalls()
            result_of(chat.startService())
        clock.advance(2 * erasing.AGAIN)
    assert len(status(web, bob)["messages"]) == 1
    clock.advance(erasing.AGAIN)
    assert status(web, bob)["messages"] == []


def test_an_erasure_goes_on_after_any_error(chat, web, alice, bob, clock, monkeypatch):
    """It is tried again, and the log says why once."""
    web.send(alice)
    store: Any = core_of(chat).store

    async def broken(*arguments):
        raise OSError("Too many open files")

    with monkeypatch.context() as patched, capturedLogs() as logs:
        patched.setattr(store.erasure, "read_own", broken)
        erase(web, alice)
        clock.advance(erasing.AGAIN)
        clock.advance(erasing.AGAIN)
        going_on = [event for event in logs if "could not go on" in event["log_format"]]
    assert len(going_on) == 1
    assert len(status(web, bob)["messages"]) == 1
    clock.advance(erasing.AGAIN)
    assert status(web, bob)["messages"] == []


def test_an_erasure_that_fails_holds_up_no_other(chat, web, alice, bob, clock, monkeypatch):
    """The users after it leave, and each reason of it is logged once."""
    carol = web.join("carol")
    web.send(alice, "of alice")
    web.send(bob, "of bob")
    store: Any = core_of(chat).store
    read_own, reasons = store.erasure.read_own, ["one", "two", "one", "two"]

    async def away(draft):
        raise StoreUnavailable("away")

    async def broken_for_alice(user_id, after, until):
        if user_id == 1:
            raise OSError(reasons.pop())
        return await read_own(user_id, after, until)

    with monkeypatch.context() as patched:
        patched.setattr(store, "change", away)
        erase(web, alice)
        erase(web, bob, "bob")
    with monkeypatch.context() as patched, capturedLogs() as logs:
        patched.setattr(store.erasure, "read_own", broken_for_alice)
        for _ in tuple(reasons):
            clock.advance(erasing.AGAIN)
    assert reasons == []
    assert [message["text"] for message in status(web, carol)["messages"]] == ["of alice"]
    going_on = [event for event in logs if "could not go on" in event["log_format"]]
    assert len(going_on) == 2
    clock.advance(erasing.AGAIN)
    assert status(web, carol)["messages"] == []


def test_a_store_that_goes_away_interrupts_an_erasure(chat, web, alice, bob, monkeypatch):
    """It is 503, and goes on at the next start."""
    for number in range(3):
        web.send(alice, f"{number}")
    store: Any = core_of(chat).store

    async def away(draft):
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "change", away)
        response = erase(web, alice)
        assert (response.status, response.problem) == (503, "store-unavailable")
    assert len(status(web, bob)["messages"]) == 3
    result_of(chat.stopService())
    result_of(chat.startService())
    assert status(web, bob)["messages"] == []


def test_many_messages_are_withdrawn(chat, web, alice, bob, monkeypatch):
    """Some at a time, up to the end of the log."""
    monkeypatch.setattr(erasing, "STRETCH", 7)
    monkeypatch.setattr(erasing, "_AT_ONCE", 2)
    for number in range(40):
        web.send(alice if number % 3 else bob, f"{number}")
    erase(web, alice)
    texts = [message["text"] for message in status(web, bob, "after=0&limit=1000")["messages"]]
    assert texts == [f"{number}" for number in range(0, 40, 3)]


def test_an_application_can_have_a_user_leave(chat: Chat):
    """Nobody joins with the account's name again, and the user is none any more."""
    alice = result_of(chat.join("alice"))
    result_of(chat.send(alice, "one"))
    result_of(chat.erase(alice))
    with pytest.raises(NameTaken):
        result_of(chat.join("alice"))
    with pytest.raises(Unauthorized):
        result_of(chat.send(alice, "two"))


def test_the_client_leaves(chat):
    """And forgets its token."""
    client = memory_client(chat)
    result_of(client.connect("alice"))
    result_of(client.erase("alice"))
    assert client.token is None
