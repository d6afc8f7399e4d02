"""``GET /chats``, ``POST /read``, and following without acknowledging."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from chatter.chat.chat import core_of
from chatter.web import ChatResource
from tests.results import result_of

NOBODY: dict[str, object] = {
    "user": None,
    "cursor": 0,
    "last_id": 0,
    "chats": [],
    "more": False,
    "can_join": True,
}


def chats(web, token, query=""):
    """What the list of chats has of each: whose it is, the last text, read, unread."""
    response = web.call("GET", f"/chats{query}", token)
    assert response.status == 200
    return [
        (chat["recipient_id"], (chat["last"] or {}).get("text"), chat["read"], chat["unread"])
        for chat in response.json["chats"]
    ]


def read(web, token, message_id, other=None):
    kind = {"chat_type": "private", "recipient_id": other} if other else {"chat_type": "general"}
    return web.call("POST", "/read", token, {"id": message_id, **kind})


def test_a_page_starts_with_one_request(web):
    """The user, the chats with what is unread, and where to follow from."""
    alice, bob = web.join("alice"), web.join("bob")
    web.send(bob, "hello")
    web.send_private(bob, 1, "psst")
    response = web.call("GET", "/chats", alice).json
    user = response["user"]
    assert (user["id"], user["name"], user["online"]) == (1, "alice", True)
    assert (response["cursor"], response["last_id"], response["more"]) == (0, 2, False)
    assert response["can_join"] is True
    assert chats(web, alice) == [(None, "hello", 0, 1), (2, "psst", 0, 1)]
    assert response["chats"][1]["last"] == {
        "id": 2,
        "sender_id": 2,
        "recipient_id": 1,
        "text": "psst",
        "sent_at": response["chats"][1]["last"]["sent_at"],
    }


def test_nobody_is_told_that_they_are_nobody(web):
    """Without a token there is no user, no message and no id; it is no error."""
    web.send(web.join("alice"), "secret")
    response = web.call("GET", "/chats")
    assert (response.status, response.json) == (200, NOBODY)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nobody", "nobody", "Basic YTpi"])
def test_a_token_that_is_nobodys_is_refused(web, header):
    """Whoever has a token believes to be somebody."""
    response = web.call("GET", "/chats", headers={"Authorization": header})
    assert (response.status, response.problem) == (401, "unauthorized")


def test_an_application_with_accounts_says_that_nobody_can_join(make_web, chat, by_header):
    """There the page shows no form to join; its own users are known."""
    web = make_web(ChatResource(chat, by_header))
    assert web.call("GET", "/chats").json == {**NOBODY, "can_join": False}
    response = web.call("GET", "/chats", headers={"X-Account": "alice"}).json
    assert (response["user"]["name"], response["can_join"]) == ("alice", False)


def test_chats_are_paged_by_their_last_message(web):
    """``limit`` counts the private chats; ``before`` is the last message of the last one."""
    alice = web.join("alice")
    for number in range(2, 7):
        web.send_private(web.join(f"user {number}"), 1, f"{number}")
    first = web.call("GET", "/chats?limit=2", alice).json
    assert [chat["recipient_id"] for chat in first["chats"]] == [None, 6, 5]
    assert first["more"] is True
    before = first["chats"][-1]["last"]["id"]
    second = web.call("GET", f"/chats?limit=2&before={before}", alice).json
    assert [chat["recipient_id"] for chat in second["chats"]] == [4, 3]
    assert second["more"] is True
    before = second["chats"][-1]["last"]["id"]
    third = web.call("GET", f"/chats?limit=2&before={before}", alice).json
    assert [chat["recipient_id"] for chat in third["chats"]] == [2]
    assert third["more"] is False


def test_reading_one_chat_reads_no_other(web):
    """A mark moves on and never back, and the cursor of the feed stays."""
    alice, bob = web.join("alice"), web.join("bob")
    web.send(bob, "one")
    web.send_private(bob, 1, "two")
    web.send_private(bob, 1, "three")
    assert read(web, alice, 3, 2).json == {"status": "success"}
    assert read(web, alice, 2, 2).status == 200
    assert chats(web, alice) == [(None, "one", 0, 1), (2, "three", 3, 0)]
    assert web.call("GET", "/chats", alice).json["cursor"] == 0
    assert read(web, alice, 1).status == 200
    assert chats(web, alice) == [(None, "one", 1, 0), (2, "three", 3, 0)]


def test_what_was_delivered_to_another_client_is_read(web):
    """A poll moves the cursor, which counts in every chat."""
    alice, bob = web.join("alice"), web.join("bob")
    web.send(bob, "one")
    web.send_private(bob, 1, "two")
    web.call("GET", "/status?after=2", alice)
    assert chats(web, alice) == [(None, "one", 2, 0), (2, "two", 2, 0)]


def test_nobody_reads_what_is_not_there_yet(web):
    """A mark beyond the end of the log is one at its end."""
    alice, bob = web.join("alice"), web.join("bob")
    web.send(bob, "one")
    read(web, alice, 10**15)
    web.send(bob, "two")
    assert chats(web, alice) == [(None, "two", 1, 1)]


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"id": 1}, 400, "invalid-request"),
        ({"chat_type": "general"}, 400, "invalid-request"),
        ({"id": 0, "chat_type": "general"}, 400, "invalid-request"),
        ({"id": "1", "chat_type": "general"}, 400, "invalid-request"),
        ({"id": 2**63, "chat_type": "general"}, 400, "invalid-request"),
        ({"id": 1, "chat_type": "other"}, 400, "invalid-request"),
        ({"id": 1, "chat_type": "private"}, 400, "invalid-request"),
        ({"id": 1, "chat_type": "general", "recipient_id": 1}, 400, "invalid-request"),
        ({"id": 1, "chat_type": "private", "recipient_id": 99}, 404, "unknown-recipient"),
    ],
)
def test_what_is_no_mark_is_refused(web, body, status, problem):
    """It is said what is wrong, and nothing is marked."""
    alice, bob = web.join("alice"), web.join("bob")
    web.send_private(bob, 1)
    web.send(bob)
    response = web.call("POST", "/read", alice, body)
    assert (response.status, response.problem) == (status, problem)
    assert [unread for *_, unread in chats(web, alice)] == [1, 1]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "before=0", "before=x", "limit=null"])
def test_what_is_no_page_of_chats_is_refused(web, query):
    """Also where nobody asks."""
    for token in (None, web.join()):
        response = web.call("GET", f"/chats?{query}", token)
        assert (response.status, response.problem) == (400, "invalid-request")


@pytest.mark.parametrize("query", ["", "?after=0", "?after=1", "?limit=1"])
def test_to_peek_acknowledges_nothing(web, query):
    """A poll with ``peek=true`` gets the response that it gets without it, and moves no cursor."""
    alice, bob = web.join("alice"), web.join("bob")
    web.send(bob, "one")
    web.send_private(bob, 1, "two")
    peek = f"{query}&peek=true" if query else "?peek=true"
    peeked = web.call("GET", f"/status{peek}", alice).json
    assert peeked["messages"]
    assert web.call("GET", "/chats", alice).json["cursor"] == 0
    web.call("GET", "/status?peek=true&after=2", alice)
    assert web.call("GET", "/chats", alice).json["cursor"] == 0
    assert web.call("GET", f"/status{query}", alice).json == peeked


def test_to_peek_may_wait(web, clock):
    """It gets its response as soon as there is something."""
    alice, bob = web.join("alice"), web.join("bob")
    connection, transport = web.connect()
    head = f"Host: test\r\nAuthorization: Bearer {alice}\r\n\r\n"
    connection.dataReceived(f"GET /status?peek=1&after=0&wait=9 HTTP/1.1\r\n{head}".encode())
    assert transport.value() == b""
    web.send(bob, "one")
    clock.advance(0)
    assert b'"text":"one"' in transport.value()
    connection.connectionLost(None)
    assert web.call("GET", "/chats", alice).json["cursor"] == 0


def test_a_look_does_not_peek(web):
    """It acknowledges nothing anyway."""
    response = web.call("GET", "/status?chat_type=general&peek=true", web.join())
    assert (response.status, response.problem) == (400, "invalid-request")


@pytest.mark.parametrize(
    ("query", "header"), [("?after=2&peek=true", None), ("?peek=true", "2"), ("?peek=true", None)]
)
def test_an_event_stream_that_peeks_acknowledges_nothing(web, query, header):
    """It begins after the same id, and the cursor stays."""
    alice, bob = web.join("alice"), web.join("bob")
    for _ in range(3):
        web.send(bob)
    headers = {} if header is None else {"Last-Event-ID": header}
    stream = web.call("GET", f"/events{query}", alice, headers=headers)
    assert (b"id: 2\n" not in stream.body) == ("2" in (header or query))
    assert b"id: 3\n" in stream.body
    assert web.call("GET", "/chats", alice).json["cursor"] == 0


def test_users_are_found_by_their_ids(web):
    """Those that are there, in the order of their ids, each once; large ones are nobody's."""
    token = web.join("alice")
    for name in ("bob", "carol", "dave"):
        web.join(name)
    response = web.call("GET", f"/users?ids=4,2,4,99,{2**63},{10**19 - 1}", token).json
    assert [user["name"] for user in response["users"]] == ["bob", "dave"]
    assert response["more"] is False


def test_users_are_found_by_the_beginning_of_their_name(web):
    """Whatever the case; ``more`` says that a longer beginning would find others."""
    token = web.join("alice")
    for name in ("Albert", "bob", "alan"):
        web.join(name)
    response = web.call("GET", "/users?prefix=AL&limit=2", token).json
    assert [user["name"] for user in response["users"]] == ["alan", "Albert"]
    assert response["more"] is True
    web.join("nullius")
    response = web.call("GET", "/users?prefix=null", token).json
    assert [user["name"] for user in response["users"]] == ["nullius"]
    for nothing in ("%00", "al%0a", "z", "%f0%9f%98%80"):
        assert web.call("GET", f"/users?prefix={nothing}", token).json["users"] == []


def test_a_beginning_that_ends_with_a_joiner(web):
    """Whoever types a name letter by letter finds it also where the last one is invisible."""
    name = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"
    token = web.join(name)
    for end in range(1, len(name) + 1):
        users = web.call("GET", f"/users?prefix={quote(name[:end])}", token).json["users"]
        assert [user["name"] for user in users] == [name]


def test_users_who_are_online(web, clock):
    """Those who were seen in the last minute, also if that is not yet saved."""
    alice, bob, _ = web.join("alice"), web.join("bob"), web.join("carol")
    for _ in range(5):
        clock.advance(25)
        web.call("GET", "/status", bob)
    clock.advance(25)
    response = web.call("GET", "/users?online=true", alice).json
    assert [user["name"] for user in response["users"]] == ["alice", "bob"]
    assert all(user["online"] for user in response["users"])
    assert response["more"] is False


def test_who_cannot_use_the_chat_is_not_online(web, chat, clock):
    """Those who are banned, until that ends, and those who have left, also after a restart."""
    alice, _, carol = web.join("alice"), web.join("bob"), web.join("carol")

    def online():
        listed = [
            user["id"] for user in web.call("GET", "/users", alice).json["users"] if user["online"]
        ]
        found = web.call("GET", "/users?online=true", alice).json["users"]
        assert [user["id"] for user in found] == listed
        assert result_of(core_of(chat).directory.count_online()) == len(listed)
        return listed

    assert online() == [1, 2, 3]
    result_of(chat.moderation.moderate(None, 2, "ban", 30))
    assert web.call("POST", "/erase", carol, {"name": "carol"}).status == 200
    assert online() == [1]
    clock.advance(31)
    assert online() == [1, 2]
    result_of(chat.stopService())
    result_of(chat.startService())
    assert online() == [1, 2]


def test_who_is_online_is_looked_for_once_a_second(web, chat, clock):
    """However many ask, it costs the store the same; who has gone is left out at once."""
    token, other = web.join("alice"), web.join("bob")
    store: Any = core_of(chat).store
    asked = []
    found = store.users_seen

    def users_seen(*arguments):
        asked.append(arguments)
        return found(*arguments)

    store.users_seen = users_seen
    for one in (token, other, token):
        users = web.call("GET", "/users?online=true", one).json["users"]
        assert [user["name"] for user in users] == ["alice", "bob"]
    assert len(asked) == 1
    clock.advance(0.9)
    web.join("carol")
    users = web.call("GET", "/users?online=true", token).json["users"]
    assert [user["name"] for user in users] == ["alice", "bob"]
    clock.advance(0.1)
    users = web.call("GET", "/users?online=true", token).json["users"]
    assert [user["name"] for user in users] == ["alice", "bob", "carol"]
    assert len(asked) == 2


def test_users_who_are_online_are_paged(web, clock):
    """Those who have gone between them cost no page."""
    web.join("alice")
    for number in range(250):
        web.join(f"gone {number}")
    clock.advance(70)
    token = web.join("bob")
    first = web.call("GET", "/users?online=true&limit=1", token).json
    assert [user["name"] for user in first["users"]] == ["bob"]
    assert first["more"] is False
    web.join("carol")
    clock.advance(1)
    first = web.call("GET", "/users?online=true&limit=1", token).json
    assert ([user["name"] for user in first["users"]], first["more"]) == (["bob"], True)
    last = first["users"][-1]["id"]
    second = web.call("GET", f"/users?online=true&limit=1&after={last}", token).json
    assert ([user["name"] for user in second["users"]], second["more"]) == (["carol"], False)


@pytest.mark.parametrize(
    "query",
    [
        "ids=",
        "ids=0",
        "ids=1,",
        "ids=,1",
        "ids=1,,2",
        "ids=-1",
        "ids=1%202",
        "ids=" + ",".join(["1"] * 101),
        "ids=1&prefix=a",
        "ids=1&online=true",
        "ids=1&after=1",
        "prefix=a&after=1",
        "prefix=a&online=true",
        "prefix=" + "a" * 33,
        "online=maybe",
    ],
)
def test_what_finds_no_users_is_refused(web, query):
    """What makes no sense is said, and not taken for something else."""
    response = web.call("GET", f"/users?{query}", web.join())
    assert (response.status, response.problem) == (400, "invalid-request")
