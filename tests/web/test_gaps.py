"""Who reads after what is no longer kept is told so, once, and goes on."""

from __future__ import annotations

import json

import pytest

from chatter.chat.chat import core_of
from tests.results import result_of
from tests.web.test_events import listen  # noqa: F401 - a fixture
from tests.web.test_wait import begin  # noqa: F401 - a fixture


@pytest.fixture
def trim(chat):
    """Ends to keep all up to an id."""
    return lambda until: result_of(core_of(chat).store.trim(until))


@pytest.fixture
def messages(web, alice):
    """Five general messages."""
    return [web.send(alice, f"general {number}") for number in range(5)]


def gap(after, until):
    return {"after": after, "until": until}


def status(web, token, query=""):
    return web.call("GET", f"/status{query}", token).json


def test_a_poll_says_once_what_is_no_longer_kept(web, alice, messages, trim):
    """After the gap come the messages that are kept, and then there is no gap any more."""
    trim(3)
    page = status(web, alice, "?after=1")
    assert page == {"messages": messages[3:], "cursor": 5, "more": False, "gap": gap(1, 3)}
    assert status(web, alice, "?after=1&changes=1") == page
    for query in ("?after=3", "?after=4"):
        assert "gap" not in status(web, alice, query)


def test_a_plain_poll_is_read_over_a_gap(web, alice, messages, trim):
    """It moves the cursor as messages do, also if nothing is kept."""
    assert status(web, alice, "?limit=1")["cursor"] == 1
    trim(5)
    page = {"messages": [], "cursor": 5, "more": False, "gap": gap(1, 5)}
    assert status(web, alice, "?peek=true") == page
    assert status(web, alice) == page
    assert status(web, alice) == {"messages": [], "cursor": 5, "more": False}
    sent = web.send(alice, "new")
    assert sent["id"] == 6
    assert status(web, alice)["messages"] == [sent]


def test_a_waiting_poll_is_told_at_once(web, alice, messages, trim, begin):  # noqa: F811
    """A gap is something to be told, also one that comes while it waits."""
    trim(5)
    waiting = begin(alice, "after=2&wait=30")
    assert waiting.response().json["gap"] == gap(2, 5)


def test_before_anything_is_gone_nobody_hears_of_it(web, alice, messages):
    """Pages are what they always were."""
    for query in ("?after=0", "?after=0&changes=1", "?chat_type=general"):
        page = status(web, alice, query)
        assert set(page) - {"as_of"} == {"messages", "cursor", "more"}


def test_a_history_says_where_it_is_no_longer_kept(web, alice, messages, trim):
    """Only its oldest page does; there is no more before it."""
    trim(2)
    page = status(web, alice, "?chat_type=general&limit=2")
    assert page == {"messages": messages[3:], "cursor": 0, "more": True}
    page = status(web, alice, "?chat_type=general&limit=2&before=4")
    assert page == {"messages": messages[2:3], "cursor": 0, "more": False, "kept_after": 2}


def test_a_stream_begins_with_the_gap(web, alice, messages, clock, trim, listen):  # noqa: F811
    """It is an event with the id up to which nothing is kept, so a client goes on after it."""
    trim(3)
    stream = listen(alice, "?after=1")
    clock.pump([0] * 5)
    told = [block for block in stream.blocks if block.startswith("id: ")]
    assert told[0] == 'id: 3\nevent: gap\ndata:{"after":1,"until":3}'
    assert stream.ids == [3, 4, 5]
    assert listen(alice, Last_Event_ID="3").ids == [4, 5]


def test_a_stream_that_reads_too_slowly_is_told_later(web, alice, clock, trim, listen):  # noqa: F811
    """What is gone before it has taken it is a gap where it goes on."""
    long = "x" * 4000
    stream = listen(alice)
    for _ in range(3):
        web.send(alice, long)
    clock.advance(0)
    assert stream.ids == [1, 2, 3]
    stream.transport.producer.pauseProducing()
    for _ in range(3):
        web.send(alice, long)
        clock.advance(0)
    trim(5)
    stream.transport.producer.resumeProducing()
    clock.pump([0] * 5)
    assert [
        json.loads(b.split("data:")[1])["until"] for b in stream.blocks if "event: gap" in b
    ] == [5]
    assert stream.ids == [1, 2, 3, 5, 6]


def test_somebody_new_misses_nothing(web, alice, messages, trim):
    """A new user begins where the log begins now."""
    trim(4)
    bob = web.call("POST", "/connect", body={"name": "bob"}).json
    assert bob["cursor"] == 4
    assert status(web, bob["token"]) == {"messages": messages[4:], "cursor": 5, "more": False}


def test_what_is_no_longer_kept_can_not_be_changed(web, alice, messages, trim):
    """It is gone for its sender, too."""
    trim(2)
    for path, body in (("/edit", {"text": "new"}), ("/withdraw", {})):
        response = web.call("POST", path, alice, {"message_id": 2, **body})
        assert (response.status, response.problem) == (410, "gone")


def test_no_text_of_what_is_gone_is_served_from_memory(web, alice, messages, clock, trim, listen):  # noqa: F811
    """Not by a stream that others have read it from, nor as a change of it."""
    web.call("POST", "/edit", alice, {"message_id": 1, "text": "edited"})
    seen = listen(alice, "?after=0&changes=1")
    assert "edited" in seen.response.body.decode()
    up_to_date = listen(alice, "?after=5&changes=1")
    assert '"text":"edited"' in up_to_date.response.body.decode()
    trim(5)
    again = listen(alice, "?after=5&changes=1")
    assert '"change":"withdrawn"' in again.response.body.decode()
    later = listen(alice, "?after=0&changes=1")
    clock.pump([0] * 5)
    assert "edited" not in later.response.body.decode().replace('"edited"', "")
    assert [(b.split("\n")[1], b.split("\n")[0]) for b in later.blocks if b.startswith("id")] == [
        ("event: gap", "id: 5"),
        ("event: change", "id: 6"),
    ]
    assert '"change":"withdrawn"' in later.blocks[-1]
