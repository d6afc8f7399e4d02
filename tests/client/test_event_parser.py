"""Server-Sent Events are read as the WHATWG specifies them, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatter.client.event_parser import MAX_EVENT, Event, EventParser, EventTooLong


def events_in(*pieces: bytes) -> list[Event]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def test_the_examples_of_the_specification():
    """The streams that the specification explains are read as it explains them."""
    stocks = b"data: YHOO\ndata: +2\ndata: 10\n\n"
    assert events_in(stocks) == [Event("message", "YHOO\n+2\n10", "")]
    four = (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event"
    )
    assert events_in(four) == [
        Event("message", "first event", "1"),
        Event("message", "second event", ""),
    ]
    assert events_in(b"data\n\ndata\ndata\n\ndata:") == [
        Event("message", "", ""),
        Event("message", "\n", ""),
    ]
    assert events_in(b"data:test\n\ndata: test\n\n") == [Event("message", "test", "")] * 2


def test_a_byte_order_mark_at_the_beginning_is_skipped():
    """A BOM is no part of the first field, also if it is cut."""
    assert events_in(b"\xef\xbb", b"\xbfdata: a\n\n") == [Event("message", "a", "")]


def test_retry_is_kept():
    """The time to wait before coming back is kept; nonsense is ignored."""
    parser = EventParser()
    assert not list(parser.feed(b"retry: 1500\n\nretry: soon\n\n"))
    assert parser.retry == 1500


def test_an_event_without_end_is_refused():
    """A stream can't make the client keep more than one event's size."""
    parser = EventParser()
    with pytest.raises(EventTooLong):
        list(parser.feed(b"data: " + b"x" * MAX_EVENT))
    parser = EventParser()
    with pytest.raises(EventTooLong):
        list(parser.feed((b"data: " + b"x" * 1000 + b"\n") * (MAX_EVENT // 500)))


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0")), st.integers(1, 99)
        )
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.data(),
)
def test_cuts_make_no_difference(events, end, data):
    """However the bytes are cut on the way, the events are the same."""
    stream = "".join(
        f"id: {number}{end}data: {text}{end}: comment{end}{end}" for text, number in events
    ).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    expected = [Event("message", text, str(number)) for text, number in events]
    # A CR at the very end may be half of a line's end: the event waits for what follows.
    assert events_in(*pieces, b"\n" if end == "\r" else b"") == expected
