"""``POST /connect`` makes a user, or brings one back."""

from __future__ import annotations

import pytest


def test_a_new_user_without_a_name(web):
    """Without a body a user gets a name, a token, and the token in the header too."""
    response = web.ask("POST", "/connect")
    assert response.status == 200
    assert set(response.json) == {"status", "user_id", "name", "token", "cursor"}
    assert response.json["status"] == "success"
    assert response.headers["authorization"] == response.json["token"]
    assert response.headers["cache-control"] == "no-store"
    assert web.join() != web.join()


def test_a_new_user_with_a_name(web):
    """The name in a JSON body is the user's."""
    response = web.ask("POST", "/connect", body={"name": "Zoë B.", "unknown": [1]})
    assert response.json["name"] == "Zoë B."


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_type_is_ignored(web, content_type):
    """What is not JSON names nobody, whatever it says."""
    headers = {"Content-Type": content_type} if content_type else {}
    response = web.ask("POST", "/connect", content=b'{"name": "alice"}', headers=headers)
    assert response.status == 200
    assert response.json["name"] != "alice"


@pytest.mark.parametrize("name", ["Alice", "alice", "ALICE", "\uff21lice"])
def test_a_name_is_taken_whatever_its_case(web, name):
    """Two users can't have the same name, also not in another case or width."""
    web.join("alice")
    response = web.ask("POST", "/connect", body={"name": name})
    assert (response.status, response.problem) == (409, "name-taken")


@pytest.mark.parametrize(
    "name", ["", " ", " a", "a ", "a\nb", "a\u200bb", "a\x00", "x" * 33, "\x1b[31m", 7, ["a"]]
)
def test_a_name_that_nobody_can_have(web, name):
    """1 to 32 printable characters without surrounding blanks; else 400."""
    response = web.ask("POST", "/connect", body={"name": name})
    assert (response.status, response.problem) == (400, "invalid-request")


def test_a_token_brings_its_user_back(web):
    """With a token it is the same user, whose token stays."""
    first = web.ask("POST", "/connect", body={"name": "alice"}).json
    again = web.ask("POST", "/connect", first["token"])
    assert again.json == first
    assert again.headers["authorization"] == first["token"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer nobody's", "nobody's", "Basic YTpi", "Bearer \xe9"]
)
def test_a_foreign_or_broken_token_brings_nobody_back(web, header):
    """A token that nobody has is 401, and makes no new user."""
    response = web.ask("POST", "/connect", headers={"Authorization": header})
    assert (response.status, response.problem) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"
    assert len(web.ask("GET", "/users", web.join()).json["users"]) == 1


def test_a_new_user_finds_the_latest_20_messages(web):
    """The cursor of a new user stands 20 general messages back; private ones don't count."""
    alice, bob = web.join("alice"), web.join("bob")
    sent = [web.send(alice, str(number)) for number in range(25)]
    web.send_private(alice, 2)
    carol = web.ask("POST", "/connect").json
    assert carol["cursor"] == sent[4]["id"]
    page = web.ask("GET", "/status", carol["token"]).json
    assert page["messages"] == sent[5:]
    assert bob
