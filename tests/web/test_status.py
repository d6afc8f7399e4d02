"""``GET /status``: the poll, and a look into one chat."""

from __future__ import annotations

import pytest


def texts(page):
    return [message["text"] for message in page["messages"]]


@pytest.fixture
def talk(web):
    """Alice, Bob and Carol, six general messages, and private ones in between."""
    tokens = [web.join(name) for name in ("alice", "bob", "carol")]
    alice, bob, _ = tokens
    for number in range(6):
        web.send(alice, f"general {number}")
        web.send_private(bob, 1, f"private {number}")
    return tokens


def test_the_poll_reads_everything_once(web, talk):
    """A plain poll has what is unread, oldest first, and then it is read."""
    alice, _, carol = talk
    page = web.call("GET", "/status", alice).json
    assert set(page) == {"messages", "cursor", "more"}
    assert texts(page) == [f"{kind} {n}" for n in range(6) for kind in ("general", "private")]
    assert page["cursor"] == page["messages"][-1]["id"]
    assert page["more"] is False
    assert web.call("GET", "/status", alice).json == {**page, "messages": []}
    assert texts(web.call("GET", "/status", carol).json) == [f"general {n}" for n in range(6)]


def test_a_poll_with_a_limit_goes_on_where_it_stopped(web, talk):
    """``more`` says that there is more, and the next poll has it."""
    alice, *_ = talk
    pages = [web.call("GET", "/status?limit=5", alice).json for _ in range(4)]
    assert [len(page["messages"]) for page in pages] == [5, 5, 2, 0]
    assert [page["more"] for page in pages] == [True, True, False, False]


def test_after_reads_from_an_id_on_and_proves_up_to_it(web, talk):
    """The lossless poll repeats until the next one proves that it was read."""
    alice, *_ = talk
    first = web.call("GET", "/status?after=0&limit=3", alice).json
    assert web.call("GET", "/status?after=0&limit=3", alice).json == first
    second = web.call("GET", f"/status?after={first['cursor']}&limit=3", alice).json
    assert second["messages"][0]["id"] == first["cursor"] + 1
    assert web.call("POST", "/connect", alice).json["cursor"] == first["cursor"]
    web.call("GET", "/status?after=0", alice)
    assert web.call("POST", "/connect", alice).json["cursor"] == first["cursor"], "never back"


def test_nobody_can_have_read_what_is_not_there(web, talk):
    """A cursor far ahead of the log proves no more than the log has."""
    alice, bob, _ = talk
    assert web.call("GET", "/status?after=999999", alice).json["messages"] == []
    sent = web.send(bob, "new")
    assert web.call("GET", "/status", alice).json["messages"] == [sent]


@pytest.mark.parametrize("query", ["", "?after=0", "?after=6", "?after=999", "?wait=60"])
def test_a_head_request_reads_nothing(web, talk, query):
    """HEAD has the same header as GET, waits for nothing and moves no cursor."""
    alice, *_ = talk
    head = web.call("HEAD", f"/status{query}", alice)
    assert (head.status, head.body) == (200, b"")
    assert web.call("POST", "/connect", alice).json["cursor"] == 0
    get = web.call("GET", f"/status{query}", alice)
    for name in ("content-type", "content-length"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    ("query", "headers"), [("", {}), ("?after=6", {}), ("", {"Last-Event-ID": "6"})]
)
def test_a_head_request_opens_no_stream(web, talk, query, headers):
    """HEAD on /events has the header of a stream, and proves nothing as read."""
    alice, *_ = talk
    response = web.call("HEAD", f"/events{query}", alice, headers=headers)
    assert (response.status, response.body) == (200, b"")
    assert response.headers["content-type"] == "text/event-stream"
    assert web.call("POST", "/connect", alice).json["cursor"] == 0


@pytest.mark.parametrize("chat_type", ["general", "common"])
def test_a_look_into_the_general_chat(web, talk, chat_type):
    """A look has the newest messages, pages back, and reads nothing."""
    alice, *_ = talk
    look = f"/status?chat_type={chat_type}&limit=2"
    page = web.call("GET", look, alice).json
    assert texts(page) == ["general 4", "general 5"]
    assert page["more"] is True
    before = page["messages"][0]["id"]
    page = web.call("GET", f"{look}&before={before}", alice).json
    assert texts(page) == ["general 2", "general 3"]
    page = web.call("GET", f"/status?chat_type={chat_type}&before={before}", alice).json
    assert (len(page["messages"]), page["more"]) == (4, False)
    assert len(web.call("GET", "/status", alice).json["messages"]) == 12


def test_a_look_into_a_private_chat(web, talk):
    """The two see the same; anybody else sees only what is between them."""
    alice, bob, carol = talk
    page = web.call("GET", "/status?chat_type=private&recipient_id=2&limit=2", alice).json
    assert texts(page) == ["private 4", "private 5"]
    assert page["more"] is True
    other = web.call("GET", "/status?chat_type=private&recipient_id=1&limit=2", bob).json
    assert other["messages"] == page["messages"]
    for recipient in (1, 2, 3):
        path = f"/status?chat_type=private&recipient_id={recipient}"
        assert web.call("GET", path, carol).json["messages"] == []


def test_a_look_shows_20_by_default(web):
    """Without a limit a look has as many messages as a new user finds."""
    token = web.join()
    for number in range(25):
        web.send(token, str(number))
    page = web.call("GET", "/status?chat_type=general", token).json
    assert texts(page) == [str(number) for number in range(5, 25)]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=",
        "limit=-1",
        "limit=1e2",
        "limit=5.0",
        "limit=%205",
        "limit=null",
        "limit=1&limit=2",
        "after=-1",
        "after=x",
        "after=" + "9" * 5000,
        "after=%ff",
        "%ff=1",
        "wait=-1",
        "wait=61",
        "wait=x",
        "wait=nan",
        "wait=inf",
        "before=1",
        "recipient_id=1",
        "chat_type=x",
        "chat_type=private",
        "chat_type=private&recipient_id=0",
        "chat_type=private&recipient_id=1.0",
        "chat_type=private&recipient_id=%D9%A1",
        "chat_type=general&recipient_id=1",
        "chat_type=general&after=1",
        "chat_type=general&wait=1",
        "chat_type=general&before=0",
    ],
)
def test_parameters_that_make_no_sense(web, query):
    """What is not valid, or contradicts itself, is 400 and says why."""
    response = web.call("GET", f"/status?{query}", web.join())
    assert (response.status, response.problem) == (400, "invalid-request")
    assert "`" not in response.json["detail"]


def test_an_error_says_what_is_wrong_with_a_parameter(web):
    """Its detail names the parameter, and what is expected."""
    detail = web.call("GET", "/status?limit=x", web.join()).json["detail"]
    expected = "how many at most: an integer from 1 to 1000."
    assert detail == f"limit is not an integer. Expected: {expected}"
    headers = {"Last-Event-ID": "x"}
    detail = web.call("GET", "/events", web.join(), headers=headers).json["detail"]
    assert detail.startswith("Last-Event-ID is not valid. Expected: the id of")


def test_unknown_parameters_are_ignored(web):
    """What the server does not know does not matter."""
    assert web.call("GET", "/status?colour=blue", web.join()).status == 200


def test_a_private_look_at_nobody(web):
    """The private chat with somebody who is not there is 404."""
    response = web.call("GET", "/status?chat_type=private&recipient_id=9", web.join())
    assert (response.status, response.problem) == (404, "unknown-recipient")


def test_the_participants(web, clock):
    """``/users`` lists who takes part, pages, and says who is there."""
    tokens = [web.join(name) for name in ("alice", "bob", "carol")]
    clock.advance(61)
    page = web.call("GET", "/users?limit=2", tokens[1]).json
    assert [(user["id"], user["name"], user["online"]) for user in page["users"]] == [
        (1, "alice", False),
        (2, "bob", True),
    ]
    assert page["users"][0]["last_seen"] == "2023-11-14T22:13:20Z"
    assert page["more"] is True
    page = web.call("GET", "/users?limit=2&after=2", tokens[1]).json
    assert [user["name"] for user in page["users"]] == ["carol"]
    assert page["more"] is False


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "after=-1", "after=x"])
def test_pages_of_participants_that_make_no_sense(web, query):
    """What is not valid is 400."""
    assert web.call("GET", f"/users?{query}", web.join()).problem == "invalid-request"
