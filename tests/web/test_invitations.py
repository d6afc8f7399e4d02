"""Who can join: everybody, whoever has an invitation, or nobody."""

from __future__ import annotations

import pytest

from chatter.chat.chat import core_of
from chatter.client import ChatClient
from chatter.protocol.errors import InvalidRequest, InvitationUsed, JoiningClosed
from chatter.testing import memory_chat, memory_client
from chatter.web import ChatResource
from tests.results import result_of


@pytest.fixture
def invited(clock):
    """A chat to join with an invitation."""
    chat = memory_chat(clock, joining="invited")
    yield chat
    result_of(chat.stopService())


@pytest.fixture
def closed(clock):
    chat = memory_chat(clock, joining="closed")
    yield chat
    result_of(chat.stopService())


def join(web, name=None, invitation=None, key=None, status=200):
    body = {"name": name, "invitation": invitation}
    response = web.call("POST", "/connect", None, body, {"Idempotency-Key": key} if key else {})
    assert response.status == status
    return response.json if status == 200 else response.problem


def test_nobody_joins_a_closed_chat(make_web, closed):
    """Not with an invitation either; those who are there come back."""
    web = make_web(ChatResource(closed))
    alice = result_of(closed.join("alice"))
    _, token = result_of(closed.make_token(alice))
    invitation = result_of(closed.invite())
    assert join(web, "bob", status=403) == "joining-closed"
    assert join(web, "bob", invitation, status=403) == "joining-closed"
    assert web.call("POST", "/connect", token).json["name"] == "alice"
    assert [user.name for user in result_of(closed.users()).users] == ["alice"]
    start = web.call("GET", "/chats").json
    assert start["can_join"] is False
    assert "needs_invitation" not in start
    assert start["uses_tokens"] is True


def test_one_joins_with_an_invitation(make_web, invited):
    """As often as it says; without one, or with a wrong one, nobody does."""
    web = make_web(ChatResource(invited))
    invitation = result_of(invited.invite(uses=2))
    assert join(web, "alice", status=403) == "invitation-needed"
    assert join(web, "alice", "guessed", status=403) == "invitation-needed"
    assert join(web, "alice", invitation)["name"] == "alice"
    assert join(web, "Alice", invitation, status=409) == "name-taken"
    assert join(web, None, invitation)["user_id"] == 2
    assert join(web, "eve", invitation, status=403) == "invitation-used"
    start = web.call("GET", "/chats").json
    assert start["can_join"] is start["needs_invitation"] is True
    assert "uses_tokens" not in start


def test_an_invitation_expires(make_web, invited, clock):
    """The rejection says so."""
    web = make_web(ChatResource(invited))
    invitation = result_of(invited.invite(uses=2, lifetime=60))
    clock.advance(59)
    join(web, "alice", invitation)
    clock.advance(1)
    assert join(web, "bob", invitation, status=403) == "invitation-expired"


def test_a_retry_joins_once(make_web, invited):
    """And uses the invitation once."""
    web = make_web(ChatResource(invited))
    invitation = result_of(invited.invite())
    key = "a-secret-and-random-key"
    assert join(web, "alice", invitation, key) == join(web, "alice", invitation, key)


@pytest.mark.parametrize("name", ["alice", None])
@pytest.mark.parametrize("seconds", [0, 60])
def test_two_requests_with_one_key_at_the_same_time_join_once(
    make_web, invited, clock, monkeypatch, name, seconds
):
    """The second one finds nobody yet; then the invitation was used, or has expired."""
    web = make_web(ChatResource(invited))
    invitation = result_of(invited.invite(lifetime=60))
    key = "a-secret-and-random-key"
    first = join(web, name, invitation, key)
    clock.advance(seconds)
    tokens = core_of(invited).store.tokens
    find = tokens.find

    async def find_too_early(_):
        monkeypatch.setattr(tokens, "find", find)

    monkeypatch.setattr(tokens, "find", find_too_early)
    assert join(web, name, invitation, key) == first
    assert join(web, name, invitation, "another-secret-and-random-key", 403)[:10] == "invitation"


@pytest.mark.parametrize("invitation", ["", "a b", "é", "a" * 201, 7, []])
def test_what_is_no_invitation_is_refused(make_web, invited, invitation):
    """With 400, and nobody joins."""
    web = make_web(ChatResource(invited))
    assert join(web, "alice", invitation, status=400) == "invalid-request"


def test_an_open_chat_needs_no_invitation(web, chat):
    """One that is given is not used up."""
    invitation = result_of(chat.invite())
    for name in ("alice", "bob"):
        join(web, name, invitation)
    assert "needs_invitation" not in web.call("GET", "/chats").json


def test_the_client_joins_with_an_invitation(invited, closed):
    """And says why it can't."""
    invitation = result_of(invited.invite())
    client: ChatClient = memory_client(invited)
    assert result_of(client.connect("alice", invitation=invitation)).name == "alice"
    with pytest.raises(InvitationUsed):
        result_of(memory_client(invited).connect("bob", invitation=invitation))
    with pytest.raises(JoiningClosed):
        result_of(memory_client(closed).connect("bob"))


def test_an_invitation_is_for_somebody(chat):
    """For one at least, and for some time."""
    for uses, lifetime in ((0, None), (-1, None), (1, 0), (1, -5), (1, float("nan"))):
        with pytest.raises(InvalidRequest):
            result_of(chat.invite(uses, lifetime))
