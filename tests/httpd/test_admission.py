"""At the limit of connections newcomers wait; peers that vanish are noticed."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread

from chatter.httpd import Limits
from chatter.httpd.admission import SILENCE, Admission
from tests.httpd.sockets import Running, client, read_all
from tests.httpd.support import get


async def served(limits, test):
    server = Running(limits)
    try:
        await test(server)
    finally:
        await server.stop()


async def test_newcomers_wait_while_all_connections_are_in_use(logged):
    """They are served once others end; one line is logged, not one for each."""

    async def test(server):
        address = await server.listen()
        first = [client(address) for _ in range(4)]
        await server.until(lambda: len(server.site.connections.open) == 4)
        late = [client(address) for _ in range(20)]
        for sock in late:
            sock.sendall(get("/small", "Connection: close"))
        await deferLater(reactor, 0.1)
        assert len(server.site.connections.open) <= 6
        for sock in first:
            sock.close()
        for sock in late:
            assert b"small" in await deferToThread(read_all, sock)
            sock.close()
        assert sum("in use" in event.get("log_format", "") for event in logged) == 1
        await server.until(lambda: not server.site.connections.open)

    await served(Limits(connections=4), test)


class Port:
    connected = True
    is_read = True
    numberAccepts = 100

    def stopReading(self):
        self.is_read = False

    def startReading(self):
        self.is_read = True


def test_what_happens_often_is_logged_with_a_count(logged):
    """After a while of silence one more line says how often it was."""
    clock = Clock()
    port: Any = Port()
    closed: Any = Port()
    admission = Admission(clock, 2)
    admission.add_port(port)
    admission.add_port(closed)
    for _ in range(5):
        admission.made(1)
        assert port.is_read
        admission.made(2)
        assert not port.is_read
        admission.ended(1)
    assert [event["times"] for event in logged] == [1]
    clock.advance(SILENCE)
    admission.made(2)
    assert [event["times"] for event in logged] == [1, 5]
    closed.connected = False
    admission.ended(1)
    assert port.is_read
    assert not closed.is_read


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such option")
async def test_a_peer_that_vanishes_is_noticed():
    """The system probes silent connections, and ends those that acknowledge nothing."""

    async def test(server):
        sock = client(await server.listen())
        await server.until(lambda: server.site.connections.open)
        [connection] = server.site.connections.open
        handle = connection.transport.getHandle()
        assert handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7000
        assert handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        sock.close()
        await server.until(lambda: not server.site.connections.open)

    await served(Limits(stall=7), test)
