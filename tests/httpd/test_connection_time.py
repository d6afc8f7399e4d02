"""One connection: the time that its client has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.httpd.held import LIMITS, advance
from tests.httpd.support import Server, get, post


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


def test_how_soon_idle_connections_give_way_is_a_limit(held):
    """Like the time that they have otherwise."""
    server = Server(held, limits=replace(LIMITS, connections=2, idle_when_full=10))
    idle, _ = server.connect(), server.connect()
    advance(server, 9)
    assert not idle.transport.disconnecting
    advance(server, 2)
    assert idle.transport.disconnecting


def test_idle_connections_give_way_while_newcomers_wait(held):
    """After some seconds, instead of a minute; those in use, and with half a request, stay."""
    server = Server(held, limits=replace(LIMITS, connections=4))
    idle, used, in_part = server.connect(), server.connect(), server.connect()
    used.send(get("/1"))
    in_part.send(get("/2")[:-2])
    advance(server, 30)
    assert not idle.transport.disconnecting
    fresh = server.connect()
    advance(server, 2)
    assert idle.transport.disconnecting
    assert not fresh.transport.disconnecting
    held.requests[0].finish()
    advance(server, 4)
    assert fresh.transport.disconnecting
    assert not used.transport.disconnecting
    advance(server, 2)
    assert used.transport.disconnecting
    assert not in_part.transport.disconnecting
    # A place is free again.
    for connection in idle, fresh:
        connection.lose()
    later = server.connect()
    advance(server, 20)
    assert not later.transport.disconnecting
    for connection in used, in_part, later:
        connection.lose()
    assert server.clock.getDelayedCalls() == []


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
    assert [response.status for response in connection.responses()] == [408]
    assert connection.transport.disconnecting


def test_each_request_has_its_own_time(server, held):
    """A second request that began with the first has all its time once that has its response."""
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
    """Pipelined requests wait as long as responses are left to be sent."""
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
