"""``GET /events`` over HTTP: who gets a stream, how it begins, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from chatter.chat.chat import core_of
from chatter.web import ChatResource
from chatter.web.event_streams.sinks import STALL
from tests.httpd.support import parse_responses
from tests.results import result_of


class Listener:
    """A client of a stream, in memory, that keeps its connection."""

    def __init__(self, web, token, query="", **headers):
        self.transport: Any = StringTransport()
        self.transport.abortConnection = self.lose  # type: ignore[method-assign]
        self.protocol: Any = web.site.buildProtocol(None)
        self.protocol.makeConnection(self.transport)
        self.is_lost = False
        lines = {"Host": "test", "Authorization": f"Bearer {token}", **headers}
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
        self.protocol.dataReceived(f"GET /events{query} HTTP/1.1\r\n{head}\r\n".encode())

    @property
    def response(self):
        [response] = parse_responses(self.transport.value())
        return response

    @property
    def blocks(self):
        """What the stream is made of: events, comments, and what is said at the start."""
        return self.response.body.decode().removesuffix("\n\n").split("\n\n")

    @property
    def has_ended(self):
        """Whether the response is whole."""
        return bool(self.transport.value().endswith(b"\r\n0\r\n\r\n"))

    @property
    def ids(self):
        return [
            int(line[4:])
            for block in self.blocks
            for line in block.split("\n")[:1]
            if line.startswith("id: ")
        ]

    def lose(self):
        if not self.is_lost:
            self.is_lost = True
            self.protocol.connectionLost(Failure(ConnectionDone()))


@pytest.fixture
def listen(web):
    """Opens streams, which are closed in the end."""
    listeners = []

    def listen(token, query="", **headers):
        listeners.append(Listener(web, token, query, **headers))
        return listeners[-1]

    yield listen
    for listener in listeners:
        listener.lose()


@pytest.fixture
def alice(web):
    """Somebody who has three messages to read."""
    token = web.join("alice")
    for text in ("one", "two", "three"):
        web.send(token, text)
    return token


def cursor(chat):
    return result_of(core_of(chat).store.cursor(1))


def test_no_proxy_is_to_hold_a_stream_back(listen, alice):
    """The head says what it is, and that nothing may buffer, join, change or keep it."""
    response = listen(alice).response
    assert response.status == 200
    assert response.header("content-type") == "text/event-stream"
    assert response.header("cache-control") == "no-store, no-transform"
    assert response.header("x-accel-buffering") == "no"
    assert response.header("content-length") is None


def test_every_line_of_a_stream(listen, clock, alice):
    """First when to come back; then each message as id, event and one line of data."""
    listener = listen(alice, Last_Event_ID=2)
    assert listener.blocks[0] == "retry: 1000"
    number, event, data = listener.blocks[1].split("\n")
    assert (number, event) == ("id: 3", "event: message")
    assert data.startswith('data: {"id":3,"sender_id":1,"recipient_id":null,"text":"three",')
    clock.pump([0.25] * 61)
    assert listener.blocks[2:] == [":"]


def test_a_text_of_many_lines_is_one_line_of_data(web, listen, alice):
    """Whatever ends lines in a text does not end the line of the stream."""
    text = "a\nb\r\nc\rd\u2028e\u0085f\n\ndata: g"
    sent = web.send(alice, text)
    block = listen(alice, Last_Event_ID=3).response.body.split(b"\n\n")[1]
    assert block.count(b"\n") == 2
    assert b"\r" not in block
    assert sent["text"] == text


def test_where_a_stream_begins(listen, chat, alice):
    """After Last-Event-ID, else after the parameter, else after the cursor."""
    assert listen(alice).ids == [1, 2, 3]
    assert listen(alice, "?after=1").ids == [2, 3]
    assert cursor(chat) == 1, "the parameter proves what was read"
    assert listen(alice).ids == [2, 3], "what was only written is not read"
    assert listen(alice, "?after=1", Last_Event_ID=2).ids == [3]
    assert cursor(chat) == 2, "the header proves what was read"
    assert listen(alice, "?after=1", Last_Event_ID="").ids == [2, 3]
    assert cursor(chat) == 2, "a cursor never goes back"


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30, "é"])
def test_a_last_event_id_that_is_none_of_ours(web, alice, last):
    """It is 400; a stream from the start would repeat what nobody asked for."""
    response = web.call("GET", "/events", alice, headers={"Last-Event-ID": last})
    assert (response.status, response.problem) == (400, "invalid-request")


def test_head_opens_no_stream(web, chat, alice):
    """HEAD has the same head, moves no cursor, and is over."""
    response = web.call("HEAD", "/events", alice)
    assert response.status == 200
    assert response.headers["content-type"] == "text/event-stream"
    assert response.body == b""
    assert len(core_of(chat).live.followers) == 0
    assert cursor(chat) == 0


def test_who_is_gone_is_forgotten_at_once(listen, clock, chat, alice):
    """A connection that is lost leaves no follower and no timer of the chat's."""
    listener = listen(alice)
    assert len(core_of(chat).live.followers) == 1
    before = len(clock.getDelayedCalls())
    listener.lose()
    assert len(core_of(chat).live.followers) == 0
    assert len(clock.getDelayedCalls()) < before


def test_the_oldest_of_too_many_streams_ends(web, listen, alice):
    """The 17th of a user ends the first, whose last event says so, and when to come back."""
    listeners = [listen(alice) for _ in range(16)]
    assert not any(listener.has_ended for listener in listeners)
    newest = listen(alice)
    assert newest.response.status == 200
    assert newest.blocks[0] == "retry: 1000"
    oldest, *others = listeners
    assert oldest.blocks[-1].split("\n") == [
        "retry: 30000",
        "event: closed",
        'data: {"reason":"newer-stream"}',
    ]
    assert oldest.has_ended
    assert not any(listener.has_ended for listener in others)


def test_too_many_streams_in_all(make_web, chat):
    """Beyond the limit of all, anybody's is 503 with Retry-After."""
    web = make_web(ChatResource(chat, max_streams=1))
    listener = Listener(web, web.join("alice"))
    response = web.call("GET", "/events", web.join("bob"))
    assert (response.status, response.problem) == (503, "store-unavailable")
    assert int(response.headers["retry-after"]) >= 1
    listener.lose()


def test_streams_that_come_at_the_same_time_are_counted(web, listen, chat, alice):
    """Nobody gets past the limit by asking while the store is still looking."""
    responses: list[Deferred[int]] = []

    def slow_cursor(user_id):
        responses.append(Deferred())
        return responses[-1]

    core_of(chat).store.cursor = slow_cursor  # type: ignore[method-assign]
    listeners = [listen(alice) for _ in range(20)]
    assert len(responses) == 20
    for response in responses:
        response.callback(3)
    assert [listener.has_ended for listener in listeners] == [True] * 4 + [False] * 16
    assert len(core_of(chat).live.followers) == 16


def test_who_takes_nothing_for_a_minute_is_cut_off(web, listen, clock, chat, alice):
    """While much is left to be sent nothing is written, and after 60 seconds it is over."""
    stalled, other = listen(alice), listen(alice)
    for listener in (stalled, other):
        listener.transport.producer.pauseProducing()
    size = len(stalled.transport.value())
    for number in range(100):
        web.send(alice, f"{number}" * 1000)
    clock.pump([0.25] * 4 * (int(STALL) - 2))
    other.transport.producer.resumeProducing()
    clock.pump([0.25] * 16)
    assert len(stalled.transport.value()) == size
    assert stalled.is_lost
    assert not other.is_lost
    assert other.ids == list(range(1, 104))
    assert len(core_of(chat).live.followers) == 1


def test_a_page_of_another_origin_may_follow(make_web, chat):
    """A stream tells the browser so, also when it begins with Last-Event-ID."""
    web = make_web(ChatResource(chat, origins=["https://good.example"]))
    token = web.join("alice")
    listener = Listener(web, token, Origin="https://good.example")
    allowed = listener.response.header("access-control-allow-origin")
    assert allowed == "https://good.example"
    listener.lose()
    headers = {
        "Origin": "https://good.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,last-event-id",
    }
    preflight = web.call("OPTIONS", "/events", headers=headers)
    assert preflight.status == 204
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert {"authorization", "last-event-id"} <= set(allowed.split(", "))


def test_a_token_in_the_url_opens_nothing(web, alice):
    """A URL ends up in logs and histories, so a token there is none."""
    for query in (f"?token={alice}", f"?access_token={alice}", f"?authorization={alice}"):
        assert web.call("GET", f"/events{query}").status == 401
