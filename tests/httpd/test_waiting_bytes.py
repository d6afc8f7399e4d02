"""What all connections together may have waiting to be sent, or to be processed."""

from __future__ import annotations

from twisted.internet.threads import deferToThread

from chatter.httpd import Limits
from tests.httpd.sockets import LARGE, Running, client, read_all, reset
from tests.httpd.support import Server, get, post


async def test_those_that_take_nothing_are_cut_off_when_too_much_waits(logged):
    """The oldest go; whoever takes something gets all of it, and others are served."""
    server = Running(Limits(waiting=3 * LARGE, stall=600))

    def relieved():
        server.clock.advance(0)
        return sum(c.held for c in server.site.connections.open) <= 3 * LARGE

    try:
        address = await server.listen()
        idle = []
        for number in range(3):
            sock = client(address)
            sock.sendall(get("/large"))
            idle.append(sock)
            await server.until(lambda: len(server.resource.requests) == number + 1)  # noqa: B023
            await server.advance(1)
        assert len(server.site.connections.open) == 3
        taking = client(address)
        taking.sendall(get("/large", "Connection: close"))
        reading = deferToThread(read_all, taking)
        for _ in range(3):
            sock = client(address)
            sock.sendall(get("/large"))
            idle.append(sock)
        await server.until(lambda: len(server.resource.requests) == 7)
        await server.until(relieved)
        assert len(await reading) > LARGE
        assert [event for event in logged if "cut off" in event.get("log_format", "")]
        other = client(address)
        other.sendall(get("/small", "Connection: close"))
        assert b"small" in await deferToThread(read_all, other)
        for sock in (*idle, taking, other):
            reset(sock)
        await server.advance(1)
        await server.until(lambda: not server.site.connections.open)
    finally:
        await server.stop()


def held(server):
    return sum(connection.held for connection in server.site.connections.open)


def test_bodies_that_come_slowly_are_bounded_together(logged):
    """The oldest requests that have not come whole get 503; the newest go on."""
    size = 10_000
    server = Server(limits=Limits(body=size, waiting=5 * size))
    connections = []
    for _ in range(20):
        connection = server.connect()
        connections.append(connection)
        connection.send(post(b"x" * size)[:-1])
        server.clock.advance(1)
        assert held(server) <= 6.25 * size
    statuses = [[response.status for response in c.responses()] for c in connections]
    assert statuses[:14] == [[503]] * 14
    assert statuses[-5:] == [[]] * 5
    connections[-1].send(b"x")
    assert [response.status for response in connections[-1].responses()] == [200]
    assert [event for event in logged if "cut off" in event.get("log_format", "")]
    for connection in connections:
        connection.lose()


def test_what_waits_behind_a_request_is_bounded_together():
    """Clients that send ahead, behind a request that has to wait, are cut off."""
    server = Server(limits=Limits(waiting=100_000))
    connections = [server.connect() for _ in range(40)]
    for connection in connections:
        connection.send(get("/later"))
        connection.send(get("/echo") * 200)
        server.clock.advance(0)
        assert held(server) <= 140_000
    assert [c.transport.aborted for c in connections].count(True) >= 20
    for connection in connections:
        connection.lose()


async def test_a_rejected_body_is_not_held():
    """What has come of it is let go of, although the client may stay for a while."""
    server = Running(Limits(body=10_000))
    try:
        address = await server.listen()
        sock = client(address)
        head = b"POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        sock.sendall(head + b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await server.until(lambda: held(server) == 4096)
        sock.sendall(b"2000\r\n" + b"x" * 8192)
        assert b" 413 " in await deferToThread(read_all, sock)
        assert len(server.site.connections.open) == 1
        assert held(server) == 0
        reset(sock)
        await server.until(lambda: not server.site.connections.open)
    finally:
        await server.stop()
