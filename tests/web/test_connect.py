"""``POST /connect`` makes a user, or brings one back."""

from __future__ import annotations

import pytest


def test_a_new_user_without_a_name(web):
    """Without a body a user gets a name, a token, and the token in the header too."""
    response = web.call("POST", "/connect")
    assert response.status == 200
    assert set(response.json) == {"status", "user_id", "name", "token", "cursor"}
    assert response.json["status"] == "success"
    assert response.headers["authorization"] == response.json["token"]
    assert response.headers["cache-control"] == "no-store"
    assert web.join() != web.join()


def test_a_new_user_with_a_name(web):
    """The name in a JSON body is the user's."""
    response = web.call("POST", "/connect", body={"name": "Zoë B.", "unknown": [1]})
    assert response.json["name"] == "Zoë B."


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type_is_ignored(web, content_type):
    """What is not JSON names nobody, whatever it says."""
    headers = {"Content-Type": content_type} if content_type else {}
    response = web.call("POST", "/connect", content=b'{"name": "alice"}', headers=headers)
    assert response.status == 200
    assert response.json["name"] != "alice"


@pytest.mark.parametrize("name", ["Alice", "alice", "ALICE", "\uff21lice"])
def test_a_name_is_taken_whatever_its_case(web, name):
    """Two users can't have the same name, also not in another case or width."""
    web.join("alice")
    response = web.call("POST", "/connect", body={"name": name})
    assert (response.status, response.problem) == (409, "name-taken")


@pytest.mark.parametrize(
    "name", ["", " ", " a", "a ", "a\nb", "a\u200bb", "a\x00", "x" * 33, "\x1b[31m", 7, ["a"]]
)
def test_a_name_that_nobody_can_have(web, name):
    """1 to 32 printable characters without surrounding blanks; else 400."""
    response = web.call("POST", "/connect", body={"name": name})
    assert (response.status, response.problem) == (400, "invalid-request")


def test_a_token_brings_its_user_back(web):
    """With a token it is the same user, whose token stays."""
    first = web.call("POST", "/connect", body={"name": "alice"}).json
    again = web.call("POST", "/connect", first["token"])
    assert again.json == first
    assert again.headers["authorization"] == first["token"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer nobody's", "nobody's", "Basic YTpi", "Bearer \xe9"]
)
def test_a_foreign_or_broken_token_brings_nobody_back(web, header):
    """A token that nobody has is 401, and makes no new user."""
    response = web.call("POST", "/connect", headers={"Authorization": header})
    assert (response.status, response.problem) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"
    assert len(web.call("GET", "/users", web.join()).json["users"]) == 1


def test_a_new_user_finds_the_latest_20_messages(web):
    """The cursor of a new user stands 20 general messages back; private ones don't count."""
    alice, bob = web.join("alice"), web.join("bob")
    sent = [web.send(alice, str(number)) for number in range(25)]
    web.send_private(alice, 2)
    carol = web.call("POST", "/connect").json
    assert carol["cursor"] == sent[4]["id"]
    page = web.call("GET", "/status", carol["token"]).json
    assert page["messages"] == sent[5:]
    assert bob


KEY = "0123456789abcdef012345"


def connect(web, name=None, key=KEY):
    body = None if name is None else {"name": name}
    return web.call("POST", "/connect", body=body, headers={"Idempotency-Key": key})


@pytest.mark.parametrize("name", ["alice", None])
def test_joining_can_be_repeated(web, name):
    """A retry with the key gets the same user and token, and one user has joined."""
    first = connect(web, name)
    assert first.status == 200
    for again in (connect(web, name), connect(web, name), connect(web)):
        assert again.json == first.json
        assert again.headers["authorization"] == first.json["token"]
    users = web.call("GET", "/users", first.json["token"]).json["users"]
    assert [user["id"] for user in users] == [1]
    web.send(first.json["token"])


def test_another_key_is_another_user(web):
    """And a name that is taken by somebody else is taken, as ever."""
    alice = connect(web, "alice")
    assert connect(web, "alice", KEY[::-1]).problem == "name-taken"
    assert connect(web, key=KEY[::-1]).json["user_id"] != alice.json["user_id"]
    assert KEY not in alice.json["token"]


def test_a_key_is_for_one_name(web):
    """Whoever wants another one has to use another key; case makes no other name."""
    alice = connect(web, "alice")
    assert connect(web, "bob").problem == "key-used"
    assert connect(web, "bob").status == 409
    assert connect(web, "ALICE").json == alice.json


def test_a_key_is_for_ten_minutes(web, clock):
    """After that it joins nobody, and gives no token away."""
    first = connect(web)
    clock.advance(599)
    assert connect(web).json == first.json
    clock.advance(2)
    assert connect(web).problem == "key-used"
    assert connect(web, "bob").problem == "key-used"


@pytest.mark.parametrize("key", ["", "short", "x" * 21, "x" * 65, "x" * 22 + " y", "\xe9" * 22])
def test_a_key_that_could_be_guessed_is_refused(web, key):
    """The token is made from it; it says what is expected."""
    response = connect(web, key=key)
    assert response.problem == "invalid-request"
    assert "22" in response.json["detail"]
    assert connect(web, key="x" * 22).status == 200


def test_a_key_changes_nothing_for_who_has_a_token(web):
    """The user is who the token says."""
    alice = web.join("alice")
    response = web.call("POST", "/connect", alice, headers={"Idempotency-Key": KEY})
    assert response.json["token"] == alice
