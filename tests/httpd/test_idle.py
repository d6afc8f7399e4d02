"""Many connections that do nothing, and many that send slowly, cost little.

The same at full scale is benchmarks/idle.py.
"""

from __future__ import annotations

import fcntl
import gc
import socket
import struct
import termios
import tracemalloc

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.web.server import NOT_DONE_YET

from chatter.httpd.channel import LeanChannel
from chatter.httpd.output import SocketOutput
from chatter.httpd.stream import Stream
from tests.httpd.sockets import Large, running
from tests.httpd.support import get

IDLE = 500
SLOW = 100


@pytest.fixture
def connect():
    """Opens connections, which are closed at the end."""
    opened: list[socket.socket] = []

    def open_some(count, address):
        place = (address.host, address.port)
        opened.extend(socket.create_connection(place, timeout=60) for _ in range(count))
        return opened[-count:]

    yield lambda address, count: deferToThread(open_some, count, address)
    for connection in opened:
        connection.close()


def unread(connection):
    """How many bytes the system has for a connection."""
    sock = connection.transport.getHandle()
    (count,) = struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, bytes(4)))
    return count


async def settled(server, count):
    """Wait until there are so many connections, and the server has read what was sent on them."""
    connections = server.site.connections.open
    await server.until(lambda: len(connections) == count and not any(map(unread, connections)))
    await deferLater(reactor, 0)
    # What the resource remembers is not the server's.
    server.resource.requests.clear()
    server.resource.ends.clear()
    gc.collect()


@running
async def test_idle_connections_cost_little_and_no_timer_each(server, connect):
    """500 connections, each used once, and 100 slow senders: few bytes each, one DelayedCall."""
    address = await server.listen()
    warm = await connect(address, 1)
    warm[0].sendall(get("/small"))
    await settled(server, 1)
    timers = len(reactor.getDelayedCalls())
    tracemalloc.start()
    try:
        idle = await connect(address, IDLE)
        for sock in idle:
            sock.sendall(get("/small", "Cookie: " + "c" * 2000))
        await settled(server, 1 + IDLE)
        each = tracemalloc.get_traced_memory()[0] / IDLE
        slow = await connect(address, SLOW)
        for sock in slow:
            sock.sendall(get("/small", "Cookie: " + "c" * 2000)[:-1])
        await settled(server, 1 + IDLE + SLOW)
    finally:
        tracemalloc.stop()
    assert each < 6000
    assert len(server.clock.getDelayedCalls()) == 1
    assert len(reactor.getDelayedCalls()) <= timers
    # The slow ones are refused when their time is over, all in one tick; the idle
    # ones are closed.
    await server.advance(59)
    assert len(server.site.connections.open) == 1 + IDLE + SLOW
    await server.advance(8)
    await server.until(lambda: not server.site.connections.open)
    assert slow[0].recv(100).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", ["/small", "/held", "/stream"])
@running
async def test_a_lost_connection_is_gone_at_once(server, connect, path):
    """Nothing of it is part of a cycle, which would stay until the garbage is collected."""

    class Owner:
        def stream_paused(self):
            pass

        def stream_resumed(self):
            pass

        def stream_lost(self):
            pass

    class Streaming(Large):
        def render(self, request):
            if request.path != b"/stream":
                return super().render(request)
            request.begin_stream(Owner())
            return NOT_DONE_YET

    kinds = (LeanChannel, Stream, SocketOutput)
    server.resource = server.site.resource = Streaming()
    address = await server.listen()
    gc.collect()
    # Those of other tests, which may hold theirs for longer.
    others = {id(kept) for kept in gc.get_objects() if isinstance(kept, kinds)}
    gc.disable()
    try:
        idle = await connect(address, 5)
        for sock in idle:
            sock.sendall(get(path))
        await settled(server, 5)
        for sock in idle:
            sock.close()
        await server.until(lambda: not server.site.connections.open)
        server.resource.requests.clear()
        server.resource.ends.clear()
        await deferLater(reactor, 0.05)
        kept = [each for each in gc.get_objects() if isinstance(each, kinds)]
        assert not [each for each in kept if id(each) not in others]
    finally:
        gc.enable()
