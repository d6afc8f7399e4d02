"""What all connections together may have waiting to be sent."""

from __future__ import annotations

from twisted.internet.threads import deferToThread

from chatter.httpd import Limits
from tests.httpd.sockets import LARGE, Running, client, read_all, reset
from tests.httpd.support import get


async def test_those_that_take_nothing_are_cut_off_when_too_much_waits(logged):
    """The oldest go; whoever takes something gets all of it, and others are served."""
    server = Running(Limits(waiting=3 * LARGE, stall=600))

    def relieved():
        server.clock.advance(0)
        return sum(c.waiting for c in server.site.connections.open) <= 3 * LARGE

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
