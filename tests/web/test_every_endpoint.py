"""What each endpoint responds to whom: without a token, with a wrong one, muted, banned, gone.

The table has a row for each operation of the OpenAPI document; one without a row fails.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from twisted.internet.task import Clock

from chatter.chat.chat import core_of
from chatter.chat.limits.rate_limits import NO_LIMITS
from chatter.testing import memory_chat
from chatter.web import ChatResource
from chatter.web.site import ChatSite
from tests.results import result_of
from tests.web.conftest import Web

KINDS = ("nobody", "unknown", "revoked", "left", "banned", "muted", "member", "moderator")
_UNKNOWN = ["unauthorized"] * 4
"""What the first four get."""


class Row(NamedTuple):
    """An operation, and what it responds to each of :data:`KINDS`.

    :ivar path: with parameters, if there are any.
    :ivar responses: ``ok``, or the kind of the problem.
    """

    method: str
    path: str
    body: Any
    responses: list[str]


def reading(method: str, path: str) -> Row:
    """One that everybody may use who is not banned."""
    return Row(method, path, None, [*_UNKNOWN, "banned", "ok", "ok", "ok"])


def writing(path: str, body: Any) -> Row:
    """One that the muted may not use."""
    return Row("POST", path, body, [*_UNKNOWN, "banned", "muted", "ok", "ok"])


# What a body names stands for an id: of a message to all, of a private one to bob, and of one of
# the user's own; and of the user's own token.  Those of others are alice's.
ROWS = [
    writing("/send", {"text": "hi"}),
    writing("/send-private", {"text": "hi", "recipient_id": 1}),
    writing("/edit", {"message_id": "own", "text": "hello"}),
    Row(
        "POST",
        "/edit",
        {"message_id": "of all", "text": "hello"},
        [*_UNKNOWN, "banned", "muted", "gone", "gone"],
    ),
    Row("POST", "/withdraw", {"message_id": "own"}, [*_UNKNOWN, "banned", "ok", "ok", "ok"]),
    Row("POST", "/withdraw", {"message_id": "of all"}, [*_UNKNOWN, "banned", "gone", "gone", "ok"]),
    Row(
        "POST", "/withdraw", {"message_id": "of two"}, [*_UNKNOWN, "banned", "gone", "gone", "gone"]
    ),
    writing("/report", {"message_id": "of all"}),
    Row(
        "POST", "/report", {"message_id": "of two"}, [*_UNKNOWN, "banned", "muted", "gone", "gone"]
    ),
    Row("GET", "/reports", None, [*_UNKNOWN, "banned", "forbidden", "forbidden", "ok"]),
    Row(
        "POST",
        "/moderate",
        {"user_id": 2, "action": "ban"},
        [*_UNKNOWN, "banned", "forbidden", "forbidden", "ok"],
    ),
    reading("GET", "/status"),
    reading("GET", "/status?after=0&changes=1"),
    reading("GET", "/status?chat_type=general"),
    reading("GET", "/status?chat_type=private&recipient_id=1"),
    reading("GET", "/events?after=0"),
    reading("GET", "/users"),
    reading("GET", "/tokens"),
    reading("GET", "/export"),
    Row("GET", "/chats", None, ["ok", *_UNKNOWN[1:], "banned", "ok", "ok", "ok"]),
    Row(
        "POST",
        "/read",
        {"id": "of all", "chat_type": "general"},
        [*_UNKNOWN, "banned", "ok", "ok", "ok"],
    ),
    Row("POST", "/tokens", {"label": "a"}, [*_UNKNOWN, "banned", "ok", "ok", "ok"]),
    Row("POST", "/tokens/revoke", {"id": "own token"}, [*_UNKNOWN, "banned", "ok", "ok", "ok"]),
    Row("POST", "/tokens/revoke", {"id": 1}, [*_UNKNOWN, "banned", *["unknown-token"] * 3]),
    Row("POST", "/erase", {"name": "own name"}, [*_UNKNOWN, "banned", "ok", "ok", "ok"]),
    Row("POST", "/erase", {"name": "alice"}, [*_UNKNOWN, "banned", *["invalid-request"] * 3]),
    Row("POST", "/connect", None, ["ok", *_UNKNOWN[1:], "banned", "ok", "ok", "ok"]),
    Row("POST", "/disconnect", None, ["ok", *_UNKNOWN[1:], "banned", "ok", "ok", "ok"]),
    Row("GET", "/health", None, ["ok"] * 8),
    Row("GET", "/openapi.json", None, ["ok"] * 8),
]


class Place:
    """A chat with alice and bob."""

    def __init__(self) -> None:
        clock = Clock()
        clock.advance(1_700_000_000)
        self.chat = memory_chat(clock)
        self.web = Web(ChatSite(ChatResource(self.chat, limits=NO_LIMITS), clock))
        self._alice, _ = self.web.join("alice"), self.web.join("bob")
        self._named: dict[Any, Any] = {}

    def last_id(self) -> int:
        """The end of the log."""
        return int(result_of(core_of(self.chat).store.last_id()))

    def prepare(self, kind: str) -> str | None:
        """Have new messages, and a new user of some kind; what that one sends as its token."""
        joined = self.web.call("POST", "/connect").json
        token: str = joined["token"]
        user = result_of(self.chat.user(joined["user_id"]))
        self._named = {
            "own name": user.name,
            "of all": self.web.send(self._alice)["id"],
            "of two": self.web.send_private(self._alice, 2, "for bob only")["id"],
            "own": self.web.send(token)["id"],
            "own token": result_of(self.chat.tokens(user))[0].id,
        }
        moderation = self.chat.moderation
        if kind == "nobody":
            return None
        if kind == "unknown":
            return "f" * 64
        if kind == "revoked":
            result_of(self.chat.revoke_tokens(user))
        elif kind == "left":
            result_of(self.chat.erase(user))
        elif kind == "banned":
            result_of(moderation.moderate(None, user.id, "ban"))
        elif kind == "muted":
            result_of(moderation.moderate(None, user.id, "mute"))
        elif kind == "moderator":
            result_of(moderation.set_role(user.id, "moderator"))
        return token

    def call(self, row: Row, token: str | None) -> Any:
        """Send the request of a row."""
        body = row.body
        if body is not None:
            body = {name: self._named.get(value, value) for name, value in body.items()}
        return self.web.call(row.method, row.path, token, body)


@pytest.mark.parametrize("kind", KINDS)
def test_what_each_endpoint_responds(kind):
    """It is as in the table; and no response has a private message of others, or does anything."""
    place = Place()
    for row in ROWS:
        token = place.prepare(kind)
        last_id = place.last_id()
        response = place.call(row, token)
        expected = row.responses[KINDS.index(kind)]
        found = "ok" if response.status == 200 else response.problem
        assert found == expected, (row.method, row.path, response.body)
        assert b"for bob only" not in response.body
        assert found == "ok" or place.last_id() == last_id


def test_each_endpoint_has_a_row():
    """A new operation of the OpenAPI document needs one."""
    paths = Place().web.call("GET", "/openapi.json").json["paths"]
    described = {(method.upper(), path) for path, of_path in paths.items() for method in of_path}
    assert {(row.method, row.path.partition("?")[0]) for row in ROWS} == described
