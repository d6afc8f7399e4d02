"""Several tokens of a user, over HTTP: made, listed, revoked; and what is open with them ends."""

from __future__ import annotations

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from chatter.chat.chat import core_of
from chatter.chat.users.tokens import FRESH, MOST_TOKENS
from chatter.testing import memory_chat
from chatter.web import ChatResource
from chatter.web.root import counted_in
from tests.client.support import until
from tests.results import result_of
from tests.web.conftest import Response
from tests.web.real import Connection, served
from tests.web.test_access import CLOSED
from tests.web.test_events import Listener, listen  # noqa: F401 - a fixture
from tests.web.test_wait import begin  # noqa: F401 - a fixture


def make(web, token, label="phone"):
    """One more token of a user; the response as JSON."""
    response = web.call("POST", "/tokens", token, {"label": label})
    assert response.status == 200
    return response.json


def listed(web, token):
    return web.call("GET", "/tokens", token).json["tokens"]


def revoke(web, token, token_id):
    return web.call("POST", "/tokens/revoke", token, {"id": token_id})


def test_one_more_token_is_the_same_user(web, alice):
    """It is told once, and reads and sends as the first one does."""
    made = make(web, alice)
    assert set(made) == {"id", "label", "token"}
    assert (len(made["token"]), made["label"]) == (64, "phone")
    sent = web.send(made["token"])
    assert sent["sender_id"] == 1
    assert web.call("GET", "/status", alice).json["messages"] == [sent]


def test_tokens_are_listed_without_the_secrets(web, alice, clock):
    """With their labels and times; one of them is that of the request."""
    clock.advance(FRESH + 1)
    made = make(web, alice, "Zoë's phone")
    web.join("bob")
    response = web.call("GET", "/tokens", made["token"])
    first, second = response.json["tokens"]
    assert (first["id"], first["label"], first["current"]) == (1, "", False)
    assert second["id"] == made["id"]
    assert (second["label"], second["current"]) == ("Zoë's phone", True)
    assert first["created_at"] < second["created_at"] == second["seen_at"]
    assert first["expires_at"] is None
    assert alice.encode() not in response.body
    assert made["token"].encode() not in response.body
    assert [token["current"] for token in listed(web, alice)] == [True, False]


@pytest.mark.parametrize(
    "body", [None, [], {"label": 1}, {"label": "a" * 65}, {"label": "a\nb"}, {"label": "\x1b[1m"}]
)
def test_a_label_is_one_short_line(web, alice, body):
    """Whatever else it is, is refused, and no token is made."""
    response = web.call("POST", "/tokens", alice, content=b"null" if body is None else None)
    if body is not None:
        response = web.call("POST", "/tokens", alice, body)
    assert (response.status, response.problem) == (400, "invalid-request")
    assert len(listed(web, alice)) == 1


def test_a_token_can_be_requested_again(web, alice):
    """With the same key it is the same one; a key of somebody else is refused, and a poor one."""
    bob, headers = web.join("bob"), {"Idempotency-Key": "a-secret-and-random-key"}
    first, again = (web.call("POST", "/tokens", alice, {}, headers).json for _ in range(2))
    assert first == again
    assert len(listed(web, first["token"])) == 2
    refused = web.call("POST", "/tokens", bob, {}, headers)
    assert (refused.status, refused.problem) == (409, "key-used")
    refused = web.call("POST", "/tokens", bob, {}, {"Idempotency-Key": "short"})
    assert (refused.status, refused.problem) == (400, "invalid-request")


def test_the_same_can_be_requested_at_the_same_time(web, chat, alice, monkeypatch):
    """Two requests that both found nothing get the same token; another user's is refused."""
    bob, headers = web.join("bob"), {"Idempotency-Key": "a-secret-and-random-key"}
    tokens = core_of(chat).store.tokens
    first = web.call("POST", "/tokens", alice, {}, headers).json
    find = tokens.find
    assert web.call("GET", "/status", bob).status == 200  # now both are known

    async def too_early(token_hash):
        monkeypatch.setattr(tokens, "find", find)

    monkeypatch.setattr(tokens, "find", too_early)
    assert web.call("POST", "/tokens", alice, {}, headers).json == first
    monkeypatch.setattr(tokens, "find", too_early)
    refused = web.call("POST", "/tokens", bob, {}, headers)
    assert (refused.status, refused.problem) == (409, "key-used")
    assert len(listed(web, first["token"])) == 2


def test_a_user_has_a_bounded_number_of_tokens(web, alice):
    """Beyond that one has to go first."""
    for _ in range(MOST_TOKENS - 1):
        made = make(web, alice)
    response = web.call("POST", "/tokens", alice, {})
    assert (response.status, response.problem) == (409, "too-many-tokens")
    revoke(web, alice, made["id"])
    make(web, alice)


def test_the_last_token_can_be_requested_at_the_same_time(web, chat, alice, monkeypatch):
    """The second request finds that there are as many as are allowed, and gets the same one."""
    for _ in range(MOST_TOKENS - 2):
        make(web, alice)
    headers = {"Idempotency-Key": "a-secret-and-random-key"}
    last = web.call("POST", "/tokens", alice, {}, headers).json
    tokens = core_of(chat).store.tokens
    find = tokens.find

    async def too_early(token_hash):
        monkeypatch.setattr(tokens, "find", find)

    monkeypatch.setattr(tokens, "find", too_early)
    assert web.call("POST", "/tokens", alice, {}, headers).json == last


@pytest.mark.parametrize("path", [*CLOSED, "/chats", "/disconnect", "/connect"])
def test_a_revoked_token_is_nobodys(web, alice, path):
    """At every endpoint, like one that there never was."""
    made = make(web, alice)
    assert web.call("GET", "/status", made["token"]).status == 200
    assert revoke(web, alice, made["id"]).json == {"status": "success"}
    method, body = CLOSED.get(path, ("GET" if path == "/chats" else "POST", None))
    response = web.call(method, path, made["token"], body)
    assert (response.status, response.problem) == (401, "unauthorized")
    assert web.call("GET", "/status", alice).status == 200


def test_only_ones_own_tokens_can_be_revoked(web, alice):
    """Another user's is as if there were none."""
    bob = web.join("bob")
    (token,) = listed(web, alice)
    for token_id in (token["id"], 1000, 2**63 - 1):
        response = revoke(web, bob, token_id)
        assert (response.status, response.problem) == (404, "unknown-token")
    for body in ({}, {"id": 0}, {"id": 2**63}, {"id": "1"}):
        assert web.call("POST", "/tokens/revoke", bob, body).problem == "invalid-request"
    assert web.call("GET", "/status", alice).status == 200


def test_disconnecting_revokes_the_token_of_the_request(web, alice):
    """Others of the user stay."""
    made = make(web, alice)
    response = web.call("POST", "/disconnect", made["token"])
    assert (response.status, response.json) == (200, {"status": "success"})
    assert web.call("GET", "/status", made["token"]).status == 401
    assert [token["current"] for token in listed(web, alice)] == [True]


def test_the_same_connection_is_nobodys_either(web, alice):
    """A server that has noted whose a head is forgets it."""
    made = make(web, alice)
    protocol, transport = web.connect()
    request = f"GET /status HTTP/1.1\r\nHost: test\r\nAuthorization: {made['token']}\r\n\r\n"
    for _ in range(3):
        transport.clear()
        protocol.dataReceived(request.encode())
        assert Response(transport.value()).status == 200
    revoke(web, alice, made["id"])
    transport.clear()
    protocol.dataReceived(request.encode())
    assert Response(transport.value()).status == 401
    protocol.connectionLost(Failure(ConnectionDone()))


def test_a_stream_ends_with_its_token(web, alice, listen):  # noqa: F811
    """At once, and it gets nothing any more; other users' streams go on."""
    made, bob = make(web, alice), web.join("bob")
    stream, of_bob = listen(made["token"]), listen(bob)
    revoke(web, alice, made["id"])
    assert stream.is_lost
    sent = web.send(bob)
    assert stream.ids == []
    assert not of_bob.is_lost
    assert sent["id"] == 1


def test_a_stream_that_is_read_slowly_ends_too(web, alice, listen):  # noqa: F811
    """What waits to be sent is not waited for."""
    made = make(web, alice)
    stream = listen(made["token"])
    stream.transport.producer.pauseProducing()
    revoke(web, alice, made["id"])
    assert stream.is_lost


def test_a_stream_that_is_about_to_begin_does_not(web, chat, alice, listen, monkeypatch):  # noqa: F811
    """Whose token is revoked while it is made ready has to come again."""
    core = core_of(chat)
    position = core.reading.position

    async def slow(user, after):
        await core.store.tokens.revoke(1, None)
        return await position(user, after)

    monkeypatch.setattr(core.reading, "position", slow)
    response = listen(alice).response
    assert response.status == 503
    assert web.call("GET", "/events", alice).status == 401


def test_a_waiting_poll_ends_with_its_token(web, alice, begin):  # noqa: F811
    """With 401, and others' go on waiting."""
    made, bob = make(web, alice), web.join("bob")
    polls = [begin(made["token"], query) for query in ("wait=60", "wait=60&peek=true")]
    of_bob = begin(bob, "wait=60")
    revoke(web, alice, made["id"])
    assert [poll.response().status for poll in polls] == [401, 401]
    assert of_bob.response() is None


def test_a_poll_of_another_token_is_only_repeated(web, alice, begin):  # noqa: F811
    """It ends with nothing, and its client goes on."""
    made = make(web, alice)
    poll = begin(alice, "wait=60")
    revoke(web, alice, made["id"])
    response = poll.response()
    assert (response.status, response.json["messages"]) == (200, [])


@pytest.fixture
def short(make_web, clock):
    """A chat whose tokens end after an hour."""
    chat = memory_chat(clock, token_lifetime=3600)
    yield make_web(ChatResource(chat))
    result_of(chat.stopService())


def test_a_token_ends_when_it_is_not_used(short, clock):
    """After its lifetime, which each use begins anew."""
    token, unused = short.join("alice"), short.join("bob")
    for _ in range(4):
        clock.advance(3000)
        assert short.call("GET", "/status", token).status == 200
        clock.advance(1)
    assert short.call("GET", "/status", unused).status == 401
    (listed_token,) = listed(short, token)
    assert listed_token["expires_at"] > listed_token["seen_at"]
    clock.advance(3601)
    assert short.call("GET", "/status", token).status == 401


def test_a_connection_that_is_used_all_the_time_keeps_its_token(short, clock):
    """Also where the server has noted whose a head is; another connection can use it, too."""
    token = short.join("alice")
    protocol, transport = short.connect()
    request = f"GET /status HTTP/1.1\r\nHost: test\r\nAuthorization: {token}\r\n\r\n"
    for _ in range(300):
        clock.advance(25)
        transport.clear()
        protocol.dataReceived(request.encode())
        assert Response(transport.value()).status == 200
    protocol.connectionLost(Failure(ConnectionDone()))
    assert short.call("GET", "/status", token).status == 200


def test_an_open_stream_keeps_its_token(short, clock):
    """For longer than tokens live; and it can be reconnected at once."""
    token = short.join("alice")
    stream = Listener(short, token)
    for _ in range(4000):
        clock.advance(1)
    stream.lose()
    assert short.call("GET", "/status", token).status == 200
    clock.advance(3601)
    assert short.call("GET", "/status", token).status == 401


def test_a_stream_that_is_ended_was_in_use_until_then(short, clock):
    """Also if another token of the user was revoked, which has all of them looked up again."""
    token = short.join("alice")
    made = make(short, token)
    Listener(short, token)
    clock.advance(200)
    assert revoke(short, made["token"], made["id"]).status == 200
    (left,) = listed(short, token)
    assert left["seen_at"] > left["created_at"]
    clock.advance(3500)
    assert short.call("GET", "/status", token).status == 200


async def test_an_open_stream_on_a_real_socket_keeps_its_token(clock):
    """No other request of the user removes it meanwhile, and it can be reconnected at once."""
    chat = memory_chat(clock, token_lifetime=3600)
    resource = ChatResource(chat)
    async with served(resource) as port:
        asker, follower = Connection(port), Connection(port)
        token = (await asker.call("POST", "/connect", None, {"name": "alice"}))[1]["token"]
        made = (await asker.call("POST", "/tokens", token, {"label": "phone"}))[1]["token"]
        await follower.begin("GET", "/events", token)
        for _ in range(40):
            clock.advance(100)
            assert (await asker.call("GET", "/status", made))[0] == 200
        _, found = await asker.call("GET", "/tokens", made)
        assert [one["current"] for one in found["tokens"]] == [False, True]
        follower.close()
        await until(lambda: not len(counted_in(resource).streams))
        clock.advance(3400)
        assert (await asker.call("GET", "/status", token))[0] == 200
        asker.close()
    await chat.stopService()


def test_expired_tokens_are_removed_when_they_are_listed(short, clock):
    """They are of no use, and count for no limit."""
    token = short.join("alice")
    make(short, token)
    clock.advance(3000)
    assert len(listed(short, token)) == 2
    clock.advance(2000)
    assert len(listed(short, token)) == 1


def test_what_is_revoked_while_it_is_looked_up_is_not_remembered(web, chat, alice, monkeypatch):
    """The store may have found it just before."""
    core = core_of(chat)
    find = core.store.tokens.find

    async def slow(token_hash):
        found = await find(token_hash)
        monkeypatch.setattr(core.store.tokens, "find", find)
        await core.store.tokens.revoke(1, None)
        return found

    monkeypatch.setattr(core.store.tokens, "find", slow)
    assert web.call("GET", "/status", alice).status == 401
    assert web.call("GET", "/status", alice).status == 401


def test_a_lost_token_is_replaced_by_the_application(web, chat, alice):
    """It makes a new one for the user, and revokes all others before."""
    user = result_of(chat.authenticate(alice))
    result_of(chat.revoke_tokens(user))
    token, secret = result_of(chat.make_token(user, "a new one"))
    assert result_of(chat.tokens(user)) == [token]
    assert web.call("GET", "/status", alice).status == 401
    assert web.call("GET", "/status", secret).status == 200
    result_of(chat.revoke_token(user, token.id))
    assert web.call("GET", "/status", secret).status == 401
