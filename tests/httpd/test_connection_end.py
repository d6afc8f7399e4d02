"""One connection: its end, and that of all."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from tests.httpd.held import advance
from tests.httpd.support import Server, get, parse_responses


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
    assert server.site.connections.open == set()


def test_a_request_may_close_its_connection(server, held):
    """request.loseConnection() closes, and nothing that waits gets a response."""
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
    assert server.site.connections.open == set()


# Draining


def drained(server):
    ends: list[None] = []
    Deferred.fromCoroutine(server.site.drain()).addCallback(lambda _: ends.append(None))
    return ends


def settle(*connections):
    for connection in connections:
        connection.settle()


def test_draining_closes_what_is_idle_and_waits_for_what_is_not(server, held):
    """Requests under way get their responses, each as its connection's last."""
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
    assert [a.header("connection") for c in (busy, half) for a in c.responses()] == ["close"] * 2
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
    """Even a response that is given at once is the connection's last while draining."""
    server = Server()
    connection = server.connect()
    connection.send(get("/echo")[:-1])
    ends = drained(server)
    connection.send(b"\n" + get("/echo"))
    assert len(parse_responses(connection.received())) == 1
    assert connection.lost
    assert ends == [None]
