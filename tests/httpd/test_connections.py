"""One connection: the order of its requests, its time, and its end."""

from __future__ import annotations

import json

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from chatter.httpd import Limits
from tests.httpd.support import Server, get, parse_answers, post

LIMITS = Limits(idle=60, receive=40, stall=30, linger=5)


class Held(Resource):
    """Answers when it is told to."""

    isLeaf = True

    def __init__(self):
        super().__init__()
        self.requests = []
        self.ends = []

    def render(self, request):
        self.requests.append(request)
        request.notifyFinish().addBoth(lambda result: self.ends.append((request.uri, result)))
        return NOT_DONE_YET


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def server(held):
    server = Server(held, limits=LIMITS)
    yield server
    for connection in tuple(server.site.connections):
        connection.connectionLost(Failure(ConnectionDone()))
    assert server.clock.getDelayedCalls() == []


# Order


def test_pipelined_requests_are_answered_one_after_the_other(server, held):
    """A request waits for the one before it, and the resource sees it only then."""
    connection = server.connect()
    connection.send(get("/1") + get("/2") + get("/3"))
    assert [request.uri for request in held.requests] == [b"/1"]
    for number in (1, 2, 3):
        request = held.requests[-1]
        assert request.uri == b"/%d" % number
        request.write(request.uri)
        request.finish()
    assert [answer.body for answer in connection.answers()] == [b"/1", b"/2", b"/3"]
    assert held.ends == [(b"/1", None), (b"/2", None), (b"/3", None)]
    assert not connection.lost


def test_a_thousand_pipelined_requests_need_no_deep_stack():
    """Requests that are answered at once are answered in a loop, not in a recursion."""
    server = Server()
    connection = server.connect()
    connection.send(get("/echo") * 5000)
    assert len(connection.answers()) == 5000
    connection.lose()


def test_a_client_that_sends_on_while_it_waits_is_not_read(server, held):
    """What waits on a connection is bounded: its transport is paused, and resumed later."""
    connection = server.connect()
    connection.send(get("/1"))
    connection.send(b"GET /2 HTTP/1.1\r\nHost: x\r\nX: ")
    assert connection.transport.producerState == "producing"
    connection.send(b"y" * 5000)
    assert connection.transport.producerState == "paused"
    held.requests[0].finish()
    assert connection.transport.producerState == "producing"
    connection.send(b"\r\n\r\n")
    assert held.requests[1].uri == b"/2"


def test_keep_alive_is_the_rule_of_http_11_and_the_wish_of_http_10():
    """A connection stays open unless HTTP/1.1 says close, or HTTP/1.0 does not say keep-alive."""
    server = Server()
    for version, wish, stays in (
        ("1.1", "", True),
        ("1.1", "close", False),
        ("1.1", "CLOSE, x", False),
        ("1.0", "", False),
        ("1.0", "keep-alive", True),
        ("1.0", "close", False),
    ):
        line = f"Connection: {wish}\r\n" if wish else ""
        connection = server.connect()
        connection.send(f"GET /echo HTTP/{version}\r\nHost: x\r\n{line}\r\n".encode())
        [answer] = connection.answers()
        assert answer.status == 200
        assert connection.lost is not stays
        said = answer.header("connection")
        assert said == ("close" if not stays else "keep-alive" if version == "1.0" else None)
        if stays:
            connection.lose()


def test_an_answer_of_unknown_length_ends_with_the_connection_in_http_10():
    """HTTP/1.0 has no chunks, whatever it says about keep-alive."""
    connection = Server().connect()
    connection.send(b"GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    [answer] = connection.answers()
    assert answer.header("transfer-encoding") is None
    assert answer.header("connection") == "close"
    assert json.loads(answer.body[:-1])["proto"] == "HTTP/1.0"
    assert connection.lost


def test_nothing_behind_a_close_is_answered():
    """What follows a request that says Connection: close is not looked at."""
    server = Server()
    connection = server.connect()
    connection.send(get("/echo", "Connection: close") + get("/echo") + b"nonsense")
    assert len(connection.answers()) == 1
    assert connection.lost
    assert len(server.seen) == 1


def test_a_resource_may_close_after_its_answer():
    """An answer that says Connection: close is the connection's last."""

    class Closing(Resource):
        isLeaf = True

        def render(self, request):
            request.setHeader(b"connection", b"close")
            return b"bye"

    connection = Server(Closing()).connect()
    connection.send(get() + get())
    assert [answer.body for answer in connection.answers()] == [b"bye"]
    assert connection.lost


# 100-continue, upgrade, CONNECT


def test_a_client_that_waits_is_told_to_send_its_body():
    """100 is sent when the head has come, and the answer when the body has."""
    connection = Server().connect()
    raw = post(b"abc", "Expect: 100-continue")
    connection.send(raw[:-3])
    assert connection.received() == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.send(b"abc")
    assert [answer.status for answer in connection.answers()] == [100, 200]
    connection.lose()


def test_nobody_is_told_to_send_what_has_come():
    """100 is not sent when the body is here already, nor to HTTP/1.0, nor twice."""
    server = Server()
    for raw in (
        post(b"abc", "Expect: 100-continue"),
        get("/echo", "Expect: 100-continue"),
        b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    ):
        assert [answer.status for answer in server.exchange(raw)] == [200]
    connection = server.connect()
    connection.send(get("/echo", "Expect: 100-continue"), get("/echo"))
    assert [answer.status for answer in connection.answers()] == [200, 200]
    connection.lose()


def test_a_pipelined_client_is_told_in_its_turn(server, held):
    """100 comes behind the answer to the request before it."""
    connection = server.connect()
    connection.send(get("/1") + post(b"abc", "Expect: 100-continue")[:-3])
    assert connection.received() == b""
    held.requests[0].finish()
    assert [answer.status for answer in connection.answers()] == [200, 100]
    connection.send(b"abc")
    assert held.requests[1].content.read() == b"abc"


@pytest.mark.parametrize("size", [1, 17, 10_000])
def test_an_upgrade_is_not_heard(size):
    """A request that asks for another protocol is answered, with its body, as if it had not."""
    server = Server()
    connection = server.connect()
    lines = ("Connection: Upgrade", "Upgrade: h2c")
    chunked = get("/echo", *lines, "Transfer-Encoding: chunked")
    raw = post(b"abc", *lines) + get("/echo", *lines) + chunked + b"2\r\nxy\r\n0\r\n\r\n"
    raw += post(b"", *lines) + get("/echo")
    connection.send(*[raw[start : start + size] for start in range(0, len(raw), size)])
    assert [json.loads(text)["body"] for text in server.seen] == ["abc", "", "xy", "", ""]
    assert json.loads(server.seen[0])["headers"][0] == ["Connection", ["Upgrade"]]
    assert not connection.lost
    connection.send(get("/echo", "Connection: Upgrade, close", "Upgrade: h2c") + get("/echo"))
    assert len(connection.answers()) == 6
    assert connection.lost


def test_the_limits_hold_for_what_asks_for_an_upgrade():
    """The body of such a request is counted like any other."""
    server = Server(limits=Limits(body=5))
    lines = ("Connection: Upgrade", "Upgrade: h2c", "Transfer-Encoding: chunked")
    [answer] = server.exchange(get("/echo", *lines) + b"6\r\nabcdef\r\n0\r\n\r\n")
    assert answer.status == 413
    assert server.seen == []


# Time


def test_no_request_has_a_timer_of_its_own():
    """One DelayedCall keeps the time of all connections, and it ends with the last one."""
    server = Server()
    connections = [server.connect() for _ in range(50)]
    for connection in connections:
        connection.send(get("/echo"), post(b"abc")[:-1])
    assert len(server.clock.getDelayedCalls()) == 1
    for connection in connections:
        connection.lose()
    assert server.clock.getDelayedCalls() == []


def test_the_tick_outlives_the_last_connection_while_a_port_is_open():
    """A connection for each request does not make a timer for each request."""
    server = Server()
    server.site.doStart()
    server.exchange(get("/echo"))
    [tick] = server.clock.getDelayedCalls()
    server.exchange(get("/echo"))
    assert server.clock.getDelayedCalls() == [tick]
    server.clock.advance(1.1)
    assert server.clock.getDelayedCalls() == []
    server.exchange(get("/echo"))
    server.site.doStop()
    assert server.clock.getDelayedCalls() == []


def advance(server, seconds):
    server.clock.pump([1] * seconds)


def test_an_idle_connection_is_closed(server, held):
    """A connection on which nothing begins is closed without a word, a used one too."""
    fresh, used = server.connect(), server.connect()
    advance(server, 30)
    used.send(get("/1"))
    held.requests[0].finish()
    advance(server, 29)
    assert not fresh.transport.disconnecting
    advance(server, 2)
    assert fresh.transport.disconnecting
    assert fresh.received() == b""
    assert not used.transport.disconnecting
    advance(server, 30)
    assert used.transport.disconnecting


def test_empty_lines_do_not_keep_a_connection_open(server):
    """Time runs until a request begins; what comes before it is not one."""
    connection = server.connect()
    for _ in range(61):
        connection.send(b"\r\n")
        advance(server, 1)
    assert connection.transport.disconnecting
    assert connection.received() == b""


@pytest.mark.parametrize("start", [b"G", get("/1")[:-2], post(b"abc")[:-1]])
def test_a_slow_sender_gets_408(server, start):
    """A request has to come whole in time, however steadily it drips."""
    connection = server.connect()
    connection.send(start)
    advance(server, 39)
    assert connection.received() == b""
    advance(server, 2)
    assert [answer.status for answer in connection.answers()] == [408]
    assert connection.transport.disconnecting


def test_each_request_has_its_own_time(server, held):
    """A second request that began with the first has all its time when that is answered."""
    connection = server.connect()
    connection.send(get("/1") + get("/2")[:10])
    advance(server, 100)
    held.requests[0].finish()
    advance(server, 39)
    assert not connection.transport.disconnecting
    connection.send(get("/2")[10:])
    assert held.requests[1].uri == b"/2"
    advance(server, 500)
    assert not connection.transport.disconnecting


def test_a_client_that_does_not_go_is_cut_off(server):
    """A connection that was closed in peace, but stays, is cut off after a while."""
    connection = server.connect()
    advance(server, 61)
    assert not connection.transport.aborted
    advance(server, 6)
    assert connection.transport.aborted


# What the transport does not take


def test_a_client_that_never_reads_is_not_served_on():
    """Pipelined requests wait as long as answers are left to be sent."""
    server = Server(limits=LIMITS)
    connection = server.connect()
    connection.send(get("/echo"))
    connection.transport.producer.pauseProducing()
    for _ in range(100):
        connection.send(get("/echo") * 100)
    assert len(server.seen) == 1
    assert connection.transport.producerState == "paused"
    assert len(connection.received()) < 1000
    connection.transport.producer.resumeProducing()
    assert len(server.seen) > 1
    advance(server, 31)
    assert not connection.transport.disconnecting
    connection.lose()


def test_a_client_that_takes_nothing_is_cut_off():
    """Time for a client that takes nothing is short, and ends without a word."""
    server = Server(limits=LIMITS)
    connection = server.connect()
    connection.send(get("/later"), get("/echo")[:-1])
    connection.transport.producer.pauseProducing()
    server.clock.advance(0.1)
    advance(server, 29)
    assert not connection.transport.aborted
    advance(server, 2)
    assert connection.transport.aborted


# The end


def test_a_lost_connection_ends_its_request(server, held):
    """Whoever waits for the end hears it as an error; writing is silent, finishing raises."""
    connection = server.connect()
    connection.send(get("/1") + get("/2"))
    connection.lose()
    [(_, failure)] = held.ends
    assert failure is not None
    [request] = held.requests
    request.write(b"abc")
    with pytest.raises(RuntimeError, match="after its connection was lost"):
        request.finish()
    assert connection.received() == b""
    assert server.site.connections == set()


def test_a_request_may_close_its_connection(server, held):
    """request.loseConnection() closes, and nothing that waits is answered."""
    connection = server.connect()
    connection.send(get("/1") + get("/2"))
    held.requests[0].write(b"part")
    held.requests[0].loseConnection()
    connection.send(get("/3"))
    assert connection.lost
    assert b"part" in connection.received()
    assert len(held.requests) == 1


def test_bytes_after_the_end_are_not_read(server, held):
    """What a transport still delivers after the connection was lost is nothing to anybody."""
    connection = server.connect()
    connection.lose()
    connection.protocol.dataReceived(get("/1"))
    assert held.requests == []


def test_a_producer_hears_of_the_end_before_the_request(server, held):
    """StopProducing comes first, as in Twisted's own server, and the request's end in any case."""
    connection = server.connect()
    connection.send(get("/1"))
    heard = []

    class Producer:
        def stopProducing(self):
            heard.append(list(held.ends))
            raise ZeroDivisionError

    held.requests[0].registerProducer(Producer(), True)
    with pytest.raises(ZeroDivisionError):
        connection.lose()
    assert heard == [[]]
    assert len(held.ends) == 1
    assert server.site.connections == set()


# Draining


def drained(server):
    ends: list[None] = []
    Deferred.fromCoroutine(server.site.drain()).addCallback(lambda _: ends.append(None))
    return ends


def settle(*connections):
    for connection in connections:
        connection.settle()


def test_draining_closes_what_is_idle_and_waits_for_what_is_not(server, held):
    """Requests under way are answered, each as its connection's last."""
    idle, busy, half = server.connect(), server.connect(), server.connect()
    busy.send(get("/1") + get("/2"))
    half.send(get("/3")[:-2])
    ends = drained(server)
    settle(idle, busy, half)
    assert idle.lost
    assert not busy.lost
    half.send(b"\r\n")
    for request in list(held.requests):
        request.finish()
    settle(busy, half)
    assert [a.header("connection") for c in (busy, half) for a in c.answers()] == ["close"] * 2
    assert busy.lost
    assert half.lost
    assert ends == [None]


def test_draining_waits_for_nobody_for_ever(server):
    """Who takes too long is cut off; asking twice is no trouble."""
    busy, half = server.connect(), server.connect()
    busy.send(get("/1"))
    half.send(get("/2")[:-2])
    ends, again = drained(server), drained(server)
    advance(server, 2)
    assert ends == []
    advance(server, 2)
    settle(busy, half)
    assert ends == again == [None]


def test_an_empty_site_is_drained_at_once(server):
    """Where nobody is, nothing has to be waited for."""
    assert drained(server) == [None]


def test_a_head_that_came_while_draining_says_close():
    """Even an answer that is given at once is the connection's last while draining."""
    server = Server()
    connection = server.connect()
    connection.send(get("/echo")[:-1])
    ends = drained(server)
    connection.send(b"\n" + get("/echo"))
    assert len(parse_answers(connection.received())) == 1
    assert connection.lost
    assert ends == [None]
