"""``POST /edit`` and ``POST /withdraw``, and who is told of what they do."""

from __future__ import annotations

from typing import Any

import pytest

from chatter.chat.chat import core_of
from chatter.log.recent import RecentLog
from tests.web.test_events import listen  # noqa: F401 - a fixture
from tests.web.test_wait import begin  # noqa: F401 - a fixture


def edit(web, token, message, text="new"):
    return web.call("POST", "/edit", token, {"message_id": message["id"], "text": text})


def withdraw(web, token, message):
    return web.call("POST", "/withdraw", token, {"message_id": message["id"]})


def status(web, token, query="after=0"):
    return web.call("GET", f"/status?{query}", token).json


def test_an_edited_message_is_what_it_says_now(web, alice, bob):
    """Whoever reads it for the first time reads the new text; who wants it, since when."""
    sent = web.send(alice)
    response = edit(web, alice, sent)
    assert response.status == 200
    edited = response.json
    assert edited == {**sent, "text": "new", "edited_at": edited["edited_at"]}
    change = {
        "id": 2,
        "change": "edited",
        "message_id": 1,
        "text": "new",
        "at": edited["edited_at"],
    }
    for token in (alice, bob):
        found = status(web, token, "after=0&changes=1")
        assert found == {"messages": [edited], "changes": [change], "cursor": 2, "more": False}
        found = status(web, token, "after=1&changes=1")
        assert found == {"messages": [], "changes": [change], "cursor": 2, "more": False}


def test_a_withdrawn_message_is_nowhere(web, alice, bob):
    """Who has read it is told that it is gone, and who did it; nobody reads it any more."""
    sent, kept = web.send(alice), web.send(alice, "kept")
    response = withdraw(web, alice, sent)
    assert (response.status, response.json) == (200, {"message_id": 1, "change_id": 3})
    found = status(web, bob, "after=1&changes=true")
    (change,) = found.pop("changes")
    assert found == {"messages": [kept], "cursor": 3, "more": False}
    at = change.pop("at")
    assert at.endswith("Z")
    assert change == {"id": 3, "change": "withdrawn", "message_id": 1, "by_id": 1}
    assert status(web, bob, "chat_type=general")["messages"] == [kept]


def test_who_has_not_asked_for_changes_gets_what_they_got(web, alice, bob):
    """Messages, once and in order, as they were always written; changes are passed over."""
    one, two = web.send(alice, "one"), web.send(alice, "two")
    edit(web, alice, one)
    withdraw(web, alice, two)
    three = web.send(alice, "three")
    edit(web, alice, three, "four")
    assert status(web, bob) == {
        "messages": [{**one, "text": "new"}, {**three, "text": "four"}],
        "cursor": three["id"],
        "more": False,
    }
    first = status(web, bob, "after=0&limit=1")
    assert (first["messages"], first["cursor"], first["more"]) == (
        [{**one, "text": "new"}],
        1,
        True,
    )
    second = status(web, bob, "after=1&limit=1")
    assert (second["messages"], second["more"]) == ([{**three, "text": "four"}], False)
    look = status(web, bob, "chat_type=general")
    assert "as_of" not in look
    assert [message.get("edited_at") for message in look["messages"]] == [None, None]


@pytest.mark.parametrize("is_recent", [True, False])
def test_a_poll_has_no_times_of_edits_unless_they_are_wanted(web, chat, alice, bob, is_recent):
    """Wherever the messages come from: memory or the store."""
    sent = [web.send(alice, text) for text in ("one", "two", "three")]
    edit(web, alice, sent[1])
    if not is_recent:
        core_of(chat).live.newest_stretch = RecentLog(4)
    for query in ("after=0", "after=0&peek=true", "after=0&limit=2", "after=2"):
        found = status(web, bob, query)["messages"]
        assert found
        assert all("edited_at" not in message for message in found)
        wanted = status(web, bob, f"{query}&changes=1")["messages"]
        assert ["edited_at" in m for m in wanted] == [m["id"] == 2 for m in wanted]


def test_changes_count_for_the_limit(web, alice, bob):
    """Pages of messages and changes lead through all of it, once and in order."""
    messages = [web.send(alice, f"{number}") for number in range(4)]
    for message in messages[:3]:
        edit(web, alice, message)
    seen: list[Any] = []
    cursor, more = 0, True
    while more:
        page = status(web, bob, f"after={cursor}&limit=2&changes=1")
        ids = [entry["id"] for entry in [*page["messages"], *page.get("changes", ())]]
        assert 1 <= len(ids) <= 2
        assert page["cursor"] == ids[-1]
        seen += ids
        cursor, more = page["cursor"], page["more"]
    assert seen == [1, 2, 3, 4, 5, 6, 7]


def test_a_plain_poll_reads_changes_too(web, alice, bob):
    """What was delivered counts as read, also if there is no message among it."""
    sent = web.send(alice)
    status(web, bob, "")
    edit(web, alice, sent)
    assert [c["id"] for c in status(web, bob, "changes=1")["changes"]] == [2]
    assert status(web, bob, "changes=1") == {"messages": [], "cursor": 2, "more": False}


def test_changes_that_nobody_wants_are_passed_over_once(web, alice, bob):
    """The cursor of who polls without changes does not stay behind them."""
    sent = web.send(alice)
    status(web, bob, "")
    for number in range(30):
        edit(web, alice, web.send(alice, f"{number}"))
        edit(web, alice, sent, f"{number}")
    status(web, bob, "")
    edit(web, alice, sent)
    newest = web.call("GET", "/chats", bob).json["last_id"]
    assert status(web, bob, "")["messages"] == []
    assert web.call("GET", "/chats", bob).json["cursor"] == newest


def test_only_ones_own_messages_can_be_changed(web, alice, bob):
    """What is somebody else's looks like what is not there, and stays what it is."""
    sent = web.send(alice)
    private = web.send_private(alice, 2)
    gone = web.send(bob)
    withdraw(web, bob, gone)
    for message in (sent, private, gone, {"id": 4}, {"id": 999}):
        for response in (edit(web, bob, message), withdraw(web, bob, message)):
            assert response.status == 410
            assert response.problem == "gone"
    assert status(web, bob)["messages"] == [sent, private]


@pytest.mark.parametrize("path", ["/edit", "/withdraw"])
def test_it_takes_a_user_and_a_valid_body(web, alice, path):
    """Each wrong request gets its own error."""
    web.send(alice)
    body = {"message_id": 1, "text": "new"}
    assert web.call("POST", path, None, body).status == 401
    assert web.call("POST", path, "wrong", body).status == 401
    assert web.call("GET", path, alice).status == 405
    wrongs: list[Any] = [{}, []]
    for wrong in (*wrongs, {"message_id": 0, "text": "a"}, {"message_id": 2**63, "text": "a"}):
        assert web.call("POST", path, alice, wrong).problem == "invalid-request"
    assert web.call("POST", "/edit", alice, {"message_id": 1, "text": " "}).status == 400
    assert web.call("POST", "/edit", alice, {"message_id": 1}).status == 400
    assert web.call("GET", "/status?changes=perhaps", alice).status == 400


def test_the_same_text_again_changes_nothing(web, alice):
    """So an edit can be repeated."""
    sent = web.send(alice)
    edited = edit(web, alice, sent).json
    assert edit(web, alice, sent).json == edited
    assert web.call("GET", "/chats", alice).json["last_id"] == 2


def test_a_change_of_a_private_message_is_for_its_two_people(web, alice, bob):
    """Nobody else is told anything."""
    carol = web.join("carol")
    private = web.send_private(alice, 2)
    edit(web, alice, private)
    withdraw(web, alice, private)
    for token in (alice, bob):
        (change,) = status(web, token, "after=0&changes=1")["changes"]
        assert (change["change"], change["message_id"]) == ("withdrawn", 1)
    nothing = {"messages": [], "cursor": 0, "more": False}
    assert status(web, carol, "after=0&changes=1") == nothing


def test_a_look_says_as_of_which_entry_it_is(web, alice):
    """A change with a larger id may not be in it."""
    sent = web.send(alice)
    edit(web, alice, sent)
    for query in ("chat_type=general", "chat_type=private&recipient_id=1"):
        assert status(web, alice, f"{query}&changes=1")["as_of"] == 2
    (message,) = status(web, alice, "chat_type=general&changes=1")["messages"]
    assert message["edited_at"]


def test_a_stream_has_changes_for_who_asks(web, clock, alice, bob, listen):  # noqa: F811
    """One that has not asked sends what it always sent."""
    one, two = web.send(alice, "one"), web.send(alice, "two")
    with_changes = listen(bob, "?after=0&changes=1")
    without = listen(bob, "?after=0")
    edit(web, alice, one)
    clock.advance(0)
    withdraw(web, alice, two)
    three = web.send(alice, "three")
    clock.advance(0)
    assert with_changes.ids == [1, 2, 3, 4, 5]
    assert without.ids == [1, 2, 5]
    *_, edited, withdrawn, message = with_changes.blocks
    assert edited.startswith('id: 3\nevent: change\ndata:{"change":"edited","id":3,')
    assert withdrawn.startswith('id: 4\nevent: change\ndata:{"change":"withdrawn","id":4,')
    assert message == without.blocks[-1]
    assert "three" in message
    edit(web, alice, three)
    clock.advance(0)
    assert listen(bob, "?after=4").blocks[-1].count("edited_at") == 0
    assert listen(bob, "?after=4&changes=1").blocks[-2].count("edited_at") == 1


def test_a_poll_waits_for_what_it_wants(web, clock, alice, bob, begin):  # noqa: F811
    """A change ends the wait of who has asked for changes, and of nobody else."""
    sent = web.send(alice)
    with_changes = begin(bob, "wait=60&after=1&changes=1")
    without = begin(bob, "wait=60&after=1")
    edit(web, alice, sent)
    clock.advance(0)
    assert [change["id"] for change in with_changes.response().json["changes"]] == [2]
    assert without.response() is None
    after = web.send(alice, "after")
    clock.advance(0)
    assert without.response().json == {"messages": [after], "cursor": 3, "more": False}
