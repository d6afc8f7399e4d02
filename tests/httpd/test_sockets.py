"""The server on real sockets: slow readers, UNIX sockets, proxies, broken connections."""

from __future__ import annotations

import socket
import struct

import pytest
from twisted.internet import reactor
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from tests.httpd.sockets import (
    LARGE,
    client,
    read_all,
    read_slowly,
    running,
)
from tests.httpd.support import get, parse_responses


@running
async def test_a_slow_reader_gets_the_whole_response(server):
    """A response larger than all buffers arrives whole, though much time passes meanwhile."""
    sock = await server.asked(get("/close"))
    [response] = parse_responses(await read_slowly(server, sock))
    assert response.whole
    assert len(response.body) == LARGE
    sock.close()


@running
async def test_who_takes_nothing_is_cut_off(server):
    """A client that takes nothing of a response for the limit's time loses its connection."""
    sock = await server.asked(get("/large"))
    await server.advance(28)
    assert len(server.site.connections.open) == 1
    await server.advance(4)
    await server.until(lambda: not server.site.connections.open)
    with pytest.raises(ConnectionResetError):
        read_all(sock)
    sock.close()


@running
async def test_a_pipelining_client_that_never_reads_fills_no_memory(server):
    """As long as one response is not taken, the next one is not asked for."""
    sock = await server.asked(get("/large") * 50)
    await server.advance(20)
    assert len(server.resource.requests) == 1
    sock.close()
    await server.advance(20)
    await server.until(lambda: not server.site.connections.open)


@running
async def test_a_producer_waits_for_a_slow_reader(server):
    """A push producer is paused when the socket is full, and resumed when it is empty."""
    sock = await server.asked(get("/held"))
    [request] = server.resource.requests
    told = []

    class Producer:
        def pauseProducing(self):
            told.append("pause")

        def resumeProducing(self):
            told.append("resume")
            request.unregisterProducer()
            request.write(b"end")
            request.finish()

        def stopProducing(self):
            told.append("stop")

    request.setHeader(b"connection", b"close")
    request.registerProducer(Producer(), True)
    request.write(bytes(LARGE))
    assert told == ["pause"]
    received = await deferToThread(read_all, sock)
    assert told == ["pause", "resume"]
    [response] = parse_responses(received)
    assert len(response.body) == LARGE + 3
    assert server.resource.ends == [None]
    sock.close()


@running
async def test_pipelined_large_responses_arrive_in_order(server):
    """Small and large responses, some of them left to the transport, stay in order and whole."""
    address = await server.listen()
    sock = client(address)
    sock.sendall(get("/small") + get("/large") + get("/small") + get("/close") + get("/small"))
    responses = parse_responses(await deferToThread(read_all, sock))
    assert [len(response.body) for response in responses] == [5, LARGE, 5, LARGE]
    sock.close()


@running
async def test_a_refused_client_can_read_why(server):
    """A client that is refused in the midst of sending reads the response, not a reset."""
    address = await server.listen()
    sock = client(address)

    def upload():
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        for _ in range(200):
            sock.sendall(bytes(10_000))
        return read_all(sock)

    [response] = parse_responses(await deferToThread(upload))
    assert response.status == 413
    sock.close()
    await server.until(lambda: not server.site.connections.open)


@running
async def test_a_refused_client_that_sends_on_is_cut_off(server):
    """Its time to read the rejection is short."""
    address = await server.listen()
    sock = client(address)
    sock.sendall(b"nonsense\r\n\r\n")
    assert b"501" in await deferToThread(read_all, sock)
    assert len(server.site.connections.open) == 1
    await server.advance(7)
    await server.until(lambda: not server.site.connections.open)
    sock.close()


@running
async def test_half_a_close_is_a_close(server):
    """A client that ends its side is gone, as for Twisted's own server; what it asked is ended."""
    sock = await server.asked(get("/held"))
    sock.shutdown(socket.SHUT_WR)
    await server.until(lambda: server.resource.ends)
    assert not server.site.connections.open
    sock.close()


POINTS = {
    "before": b"",
    "in the head": get("/held")[:-2],
    "in the body": b"POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    "while it waits": get("/held"),
    "while it is sent": get("/large"),
    "with more to come": get("/held") + get("/small") * 2000,
    "refused": b"nonsense\r\n\r\n",
    "closing": get("/close"),
}


@pytest.mark.parametrize("point", POINTS)
@running
async def test_a_reset_at_any_point_leaves_nothing(server, point):
    """A connection that is reset is forgotten, and its request hears of it; others go on."""
    address = await server.listen()
    sock = client(address)
    sock.sendall(POINTS[point])
    await server.until(lambda: server.site.connections.open)
    await deferLater(reactor, 0.02)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    if point == "with more to come":
        # Nobody reads from it, so nobody hears of its end before something is sent.
        server.resource.requests[0].write(b"x")
    await server.until(lambda: not server.site.connections.open)
    assert len(server.resource.ends) == len(server.resource.requests)
    other = client(address)
    other.sendall(get("/small", "Connection: close"))
    assert b"small" in await deferToThread(read_all, other)
    other.close()


@running
async def test_a_unix_socket(server, tmp_path):
    """A unix: endpoint serves, and a large response is whole there, too."""
    path = str(tmp_path / "socket")
    await server.listen(f"unix:{path}")
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(60)
    sock.connect(path)
    sock.sendall(get("/small") + get("/close"))
    small, large = parse_responses(await deferToThread(read_all, sock))
    assert small.body == b"small"
    assert len(large.body) == LARGE
    assert isinstance(server.resource.requests[0].getClientAddress(), UNIXAddress)
    sock.close()


@running
async def test_behind_a_proxy_that_tells_the_client(server):
    """The address of a haproxy: endpoint's client is the one that the proxy tells."""
    address = await server.listen("haproxy:tcp:0:interface=127.0.0.1")
    sock = client(address)
    sock.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.8 5555 80\r\n" + get("/small"))
    await server.until(lambda: server.resource.ends)
    found = server.resource.requests[0].getClientAddress()
    assert found == IPv4Address("TCP", "192.0.2.7", 5555)
    sock.close()
    await server.until(lambda: not server.site.connections.open)
