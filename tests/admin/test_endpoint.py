"""The operator's endpoint: who can open it, and what it does, in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.task import Clock

from chatter.admin.endpoint.root import OperatorResource
from chatter.chat.limits.rate_limits import NO_LIMITS
from chatter.httpd.endpoints import private_endpoint
from chatter.service import ChatService
from chatter.testing import memory_chat
from chatter.version import __version__
from chatter.web import ChatResource
from chatter.web.request_counts import CountedSite
from chatter.web.site import ChatSite
from tests.web.conftest import Response, Web


@pytest.fixture
def users(clock):
    """The chat as its users reach it."""
    return Web(ChatSite(ChatResource(memory_chat(clock), limits=NO_LIMITS), clock))


@pytest.fixture
def operator(clock):
    """The chat as its operator reaches it, and as its users do."""
    chat = memory_chat(clock)
    site = CountedSite(ChatResource(chat, limits=NO_LIMITS), clock, limits=NO_LIMITS)
    return Operator(ChatSite(OperatorResource(chat, site), clock, limits=NO_LIMITS)), Web(site)


class Operator(Web):
    """Requests as ``chatter-admin`` makes them."""

    def call(self, method, path, token=None, body=None, headers=None, content=None):
        headers = {"Host": "localhost", **(headers or {})}
        return super().call(method, path, token, body, headers, content)

    def ask_slowly(self, clock, method, path, body=None):
        """A request that takes some turns of the reactor."""
        content = b"" if body is None else json.dumps(body).encode()
        connection, sent = self.connect()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}"
        connection.dataReceived(f"{head}\r\n\r\n".encode() + content)
        clock.pump([0.01] * 20)
        return Response(sent.value())


def test_the_operator_lists_users(operator):
    """By id, a page at a time, with no token."""
    operator, users = operator
    for name in ("alice", "bob", "carol"):
        users.join(name)
    page = operator.call("GET", "/users?limit=2").json
    assert [user["name"] for user in page["users"]] == ["alice", "bob"]
    assert page["more"]
    rest = operator.call("GET", "/users?after=2").json
    assert [user["name"] for user in rest["users"]] == ["carol"]
    assert operator.call("GET", "/users?limit=x").problem == "invalid-request"


def test_the_operator_sees_the_chat_in_numbers(operator, clock):
    """Who and what is there, what is open, and how long the server runs."""
    operator, users = operator
    alice, _, carol = (users.join(name) for name in ("alice", "bob", "carol"))
    assert users.call("POST", "/erase", carol, {"name": "carol"}).status == 200
    clock.advance(60)
    users.send(alice)
    users.send_private(alice, 2, "secret")
    head = f"GET {{}} HTTP/1.1\r\nHost: test\r\nAuthorization: {alice}\r\n\r\n"
    for path in ("/events", "/events", "/status?wait=60&after=3"):
        users.connect()[0].dataReceived(head.format(path).encode())
    stats = operator.call("GET", "/stats").json
    assert len(stats.pop("epoch")) == 10
    connections = stats.pop("connections")
    assert connections >= 3
    assert stats == {
        "version": __version__,
        "uptime": 60,
        "users": 2,
        "online": 1,
        "general_messages": 1,
        "private_messages": 1,
        "last_id": 3,
        "kept_after": 0,
        "oldest_at": None,
        "db_bytes": None,
        "streams": 2,
        "waiting_polls": 1,
    }
    assert operator.call("GET", "/health").json == {"status": "OK"}


def test_the_operator_withdraws_any_message(operator):
    """Also a private one; those who could see it are told that the operator did it."""
    operator, users = operator
    alice, bob, carol = (users.join(name) for name in ("alice", "bob", "carol"))
    message = users.send_private(alice, 2, "secret")
    done = operator.call("POST", "/withdraw", body={"message_id": message["id"]})
    assert done.json == {"message_id": 1, "change_id": 2}
    assert "secret" not in done.body.decode()
    for token in (alice, bob):
        page = users.call("GET", "/status?after=0&changes=1", token).json
        assert page["messages"] == []
        (change,) = page["changes"]
        assert (change["change"], change["message_id"], change["by_id"]) == ("withdrawn", 1, 0)
    assert "changes" not in users.call("GET", "/status?after=0&changes=1", carol).json
    again = operator.call("POST", "/withdraw", body={"message_id": message["id"]})
    assert again.problem == "gone"
    assert operator.call("POST", "/withdraw", body={}).problem == "invalid-request"


def test_the_operator_makes_moderators(operator):
    """And members of them again."""
    operator, users = operator
    alice, _ = users.join("alice"), users.join("bob")
    body = {"user_id": 2, "action": "mute"}
    assert users.call("POST", "/moderate", alice, body).problem == "forbidden"
    done = operator.call("POST", "/role", body={"name": "Alice", "role": "moderator"})
    assert done.json["role"] == "moderator"
    assert users.call("POST", "/moderate", alice, body).status == 200
    roles = [user["role"] for user in operator.call("GET", "/users").json["users"]]
    assert roles == ["moderator", "member"]
    operator.call("POST", "/role", body={"name": "alice", "role": "member"})
    assert users.call("POST", "/moderate", alice, body).problem == "forbidden"
    wrong = operator.call("POST", "/role", body={"name": "alice", "role": "king"})
    assert wrong.problem == "invalid-request"


def test_the_operator_mutes_and_bans(operator, clock):
    """Also moderators; for some time, or until that is ended."""
    operator, users = operator
    alice = users.join("alice")
    operator.call("POST", "/role", body={"name": "alice", "role": "moderator"})
    mute = {"name": "alice", "action": "mute", "seconds": 60, "reason": "spam"}
    assert operator.call("POST", "/moderate", body=mute).status == 200
    assert users.call("POST", "/send", alice, {"text": "hi"}).problem == "muted"
    (row,) = operator.call("GET", "/users").json["users"]
    assert row["muted_until"]
    assert row["banned_until"] is None
    clock.advance(60)
    (row,) = operator.call("GET", "/users").json["users"]
    assert row["muted_until"] is None
    assert users.call("POST", "/send", alice, {"text": "hi"}).status == 200
    operator.call("POST", "/moderate", body={"name": "alice", "action": "ban"})
    assert users.call("GET", "/status", alice).problem == "banned"
    operator.call("POST", "/moderate", body={"name": "alice", "action": "unban"})
    assert users.call("GET", "/status", alice).status == 200


def test_the_operator_sees_reports(operator):
    """Newest first, a page at a time, without the texts of private messages."""
    operator, users = operator
    alice, bob = users.join("alice"), users.join("bob")
    public, private = users.send(alice, "spam"), users.send_private(alice, 2, "secret")
    for message in (public, private):
        body = {"message_id": message["id"], "reason": "bad"}
        assert users.call("POST", "/report", bob, body).status == 200
    page = operator.call("GET", "/reports?limit=1")
    assert "secret" not in page.body.decode()
    assert page.json["more"]
    (report,) = page.json["reports"]
    assert report["message"]["id"] == private["id"]
    (report,) = operator.call("GET", f"/reports?before={report['id']}").json["reports"]
    assert report["message"]["text"] == "spam"
    assert report["reason"] == "bad"


def test_the_operator_bans_addresses(operator):
    """A network, for some time, and lets it in again."""
    operator, _ = operator
    body = {"network": "203.0.113.7/24", "seconds": 60, "reason": "flood"}
    done = operator.call("POST", "/ban-address", body=body).json
    assert done["network"] == "203.0.113.0/24"
    (banned,) = operator.call("POST", "/banned-addresses", body={}).json["addresses"]
    assert banned == done
    for network, part in ("203.0.113.7", True), ("203.0.112.0/23", False), ("::1", False):
        wrong = operator.call("POST", "/unban-address", body={"network": network})
        assert wrong.problem == "invalid-request"
        assert ("part of 203.0.113.0/24, which is" in wrong.json["detail"]) == part
    operator.call("POST", "/unban-address", body={"network": "203.0.113.0/24"})
    assert operator.call("POST", "/banned-addresses", body={}).json["addresses"] == []
    wrong = operator.call("POST", "/ban-address", body={"network": "example.org"})
    assert wrong.problem == "invalid-request"


def test_the_operator_makes_a_token_for_who_has_lost_theirs(operator):
    """It is the same user; old tokens can be revoked, one or all."""
    operator, users = operator
    lost = users.join("alice")
    made = operator.call("POST", "/token", body={"name": "alice", "label": "phone"}).json
    assert users.call("GET", "/status", made["token"]).status == 200
    listed = operator.call("POST", "/tokens", body={"name": "alice"})
    assert [(token["id"], token["label"]) for token in listed.json["tokens"]] == [
        (1, ""),
        (made["id"], "phone"),
    ]
    assert made["token"] not in listed.body.decode()
    assert operator.call("POST", "/revoke", body={"name": "alice", "id": 1}).status == 200
    assert users.call("GET", "/status", lost).status == 401
    assert users.call("GET", "/status", made["token"]).status == 200
    again = operator.call("POST", "/revoke", body={"name": "alice", "id": 1})
    assert again.problem == "unknown-token"
    assert operator.call("POST", "/revoke", body={"name": "alice"}).status == 200
    assert users.call("GET", "/status", made["token"]).status == 401
    assert operator.call("POST", "/revoke", body={"name": "alice"}).problem == "unknown-token"


def test_the_operator_invites(clock):
    """So many can join with an invitation, for so long."""
    chat = memory_chat(clock, joining="invited")
    site = CountedSite(ChatResource(chat, limits=NO_LIMITS), clock, limits=NO_LIMITS)
    users, operator = Web(site), Operator(ChatSite(OperatorResource(chat, site), clock))
    made = operator.call("POST", "/invite", body={"uses": 2, "seconds": 60}).json
    assert users.call("POST", "/connect", body={}).status == 403
    assert users.call("POST", "/connect", body=made).status == 200
    clock.advance(61)
    assert users.call("POST", "/connect", body=made).status == 403
    assert operator.call("POST", "/invite", body={"uses": 0}).problem == "invalid-request"


def test_the_operator_exports_what_a_user_has(operator, clock):
    """But the texts of private messages, which two people read, ever."""
    operator, users = operator
    alice, bob = users.join("alice"), users.join("bob")
    users.send(alice, "Hello, everybody!")
    users.send_private(alice, 2, "secret")
    users.send_private(bob, 1, "hidden")
    users.send(bob, "of somebody else")
    response = operator.ask_slowly(clock, "GET", "/export?name=alice")
    assert response.headers["content-type"] == "application/x-ndjson"
    exported = response.body.decode()
    assert "Hello, everybody!" in exported
    assert exported.count('"message"') == 3
    for absent in ("secret", "hidden", "of somebody else", alice):
        assert absent not in exported
    assert operator.call("GET", "/export?name=nobody").problem == "unknown-recipient"
    assert operator.call("GET", "/export").problem == "invalid-request"


def test_the_operator_erases_a_user(operator, clock):
    """All messages are withdrawn, the token is nobody's, and the name is not given again."""
    operator, users = operator
    alice, bob = users.join("alice"), users.join("bob")
    users.send(alice, "Hello, everybody!")
    body = {"name": "alice"}
    assert operator.ask_slowly(clock, "POST", "/erase", body).json == {"status": "success"}
    assert users.call("GET", "/status", alice).status == 401
    assert users.call("GET", "/status?after=0", bob).json["messages"] == []
    assert users.call("POST", "/connect", body={"name": "alice"}).problem == "name-taken"
    assert operator.call("POST", "/erase", body=body).problem == "unknown-recipient"


@pytest.mark.parametrize("path", ["/role", "/moderate", "/token", "/tokens", "/revoke", "/erase"])
def test_nobody_of_that_name(operator, path):
    """The operator is told that there is no such user."""
    body = {"name": "nobody", "role": "member", "action": "ban"}
    response = operator[0].call("POST", path, body=body)
    assert response.problem == "unknown-recipient"
    assert response.json["detail"] == "There is no user 'nobody'."


def test_a_store_in_memory_has_no_backup(operator, tmp_path):
    """The operator is told so."""
    body = {"file": str(tmp_path / "backup")}
    response = operator[0].call("POST", "/backup", body=body)
    assert response.problem == "invalid-request"
    assert response.json["detail"] == "This store can't be backed up."


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "127.0.0.1:9000"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_no_page_in_a_browser_is_the_operator(operator, headers, status):
    """Neither one of another site, nor one whose name leads to this machine."""
    operator, users = operator
    users.send(users.join())
    assert operator.call("GET", "/stats", headers=headers).status == status
    done = operator.call("POST", "/withdraw", body={"message_id": 1}, headers=headers)
    assert done.status == status


@pytest.mark.parametrize(
    "path",
    [
        *("/users", "/stats", "/metrics"),
        *("/role", "/moderate", "/withdraw", "/tokens", "/token", "/revoke", "/invite", "/backup"),
        *("/export", "/erase", "/reports", "/ban-address", "/unban-address", "/banned-addresses"),
    ],
)
def test_users_do_not_reach_it(users, path):
    """What the operator may do is not under the chat's own endpoint."""
    for method in ("GET", "POST"):
        response = users.call(method, path, body={"message_id": 1, "file": "/tmp/x"})
        assert response.status in (401, 404, 405)


@pytest.mark.parametrize(
    "description",
    [
        "unix:/run/admin.sock",
        "unix:/run/admin.sock:mode=660",
        "9000",
        "tcp:9000:interface=127.0.0.1",
        r"tcp6:1:interface=\:\:1",
    ],
)
def test_it_listens_where_only_this_machine_reaches_it(description):
    """On UNIX sockets and loopback addresses."""
    private_endpoint(Clock(), description)


@pytest.mark.parametrize(
    "description",
    [
        "tcp:9000",
        "tcp:9000:interface=0.0.0.0",
        "haproxy:tcp:9000:interface=127.0.0.1",
        "systemd:domain=INET:index=0",
        "ssl:9000:privateKey=x",
        "nonsense",
        "unix:/run/admin.sock:mode=666",
        "unix:/run/admin.sock:mode=0602",
    ],
)
def test_it_listens_nowhere_else(description):
    """Others would be the operator."""
    with pytest.raises(ValueError, match=r"others could reach it|every user .* could open it"):
        ChatService.for_store(Clock(), "memory:", "0", admin=description)


@pytest.mark.parametrize("admin", [None, "unix:admin.sock"])
def test_requests_are_counted_for_an_operator_only(admin):
    """A server without an endpoint for its operator counts nothing that nobody reads."""
    service: Any = ChatService.for_store(Clock(), "memory:", "0", admin=admin)
    assert isinstance(service._site, CountedSite) == (admin is not None)
