"""Connections of proxies that send a PROXY header, on real sockets."""

from __future__ import annotations

import socket

import pytest
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.threads import deferToThread

from chatter.httpd.endpoints import server_endpoint
from tests.httpd.sockets import client, read_all, running
from tests.httpd.support import get, parse_responses

HEADER = b"PROXY TCP4 192.0.2.7 192.0.2.8 5555 80\r\n"


async def listen(server, believes=lambda _: True):
    """Listen behind a proxy; where."""
    endpoint = server_endpoint(reactor, "haproxy:tcp:0:interface=127.0.0.1", believes)
    port = await endpoint.listen(server.site)
    server.ports.append(port)
    server.site.sockets.take_over(port)
    return port.getHost()


async def closed(server, sock):
    """What a client gets until its connection is closed."""
    received = await deferToThread(read_all, sock)
    sock.close()
    await server.until(lambda: not server.site.connections.open)
    return received


@pytest.mark.parametrize("header", [HEADER, b"PROXY UNKNOWN\r\n"])
@running
async def test_requests_behind_a_proxy(server, header):
    """All requests of a connection have the address that the header has, if it has one."""
    sock = client(await listen(server))
    sock.sendall(header + get("/small") + get("/small"))
    sock.sendall(get("/close"))
    assert len(parse_responses(await closed(server, sock))) == 3
    for request in server.resource.requests:
        host = "192.0.2.7" if header is HEADER else "127.0.0.1"
        assert request.getClientAddress().host == host


@running
async def test_a_header_in_parts(server):
    """It may arrive byte by byte."""
    sock = client(await listen(server))
    for byte in HEADER:
        sock.sendall(bytes([byte]))
        await server.advance(0)
    sock.sendall(get("/close"))
    assert len(parse_responses(await closed(server, sock))) == 1
    address = server.resource.requests[0].getClientAddress()
    assert address == IPv4Address("TCP", "192.0.2.7", 5555)


@pytest.mark.parametrize("parts", [[HEADER + get("/plain")], [HEADER, get("/plain")]])
@running
async def test_a_proxy_that_closes_its_sending_side_gets_the_response(server, parts):
    """Whether it does so with the header or after it."""
    sock = client(await listen(server))
    for part in parts:
        sock.sendall(part)
        await server.until(lambda: server.site.connections.open)
    sock.shutdown(socket.SHUT_WR)
    assert (await closed(server, sock)).endswith(b"small")


@running
async def test_who_is_not_known_is_not_believed(server):
    """The header is read; the address is that of the connection."""
    sock = client(await listen(server, lambda _: False))
    sock.sendall(HEADER + get("/close"))
    assert len(parse_responses(await closed(server, sock))) == 1
    assert server.resource.requests[0].getClientAddress().host == "127.0.0.1"


@running
async def test_a_connection_without_a_header_is_closed(server):
    """Nobody but a proxy is meant to come here."""
    sock = client(await listen(server))
    sock.sendall(get("/small"))
    assert await closed(server, sock) == b""
    assert server.resource.requests == []


@running
async def test_who_sends_no_header_in_time_is_cut_off(server):
    """A connection has the time of an idle one for it."""
    sock = client(await listen(server))
    sock.sendall(HEADER[:10])
    await server.until(lambda: server.site.connections.open)
    await server.advance(100)
    await server.until(lambda: not server.site.connections.open)
    sock.close()


@running
async def test_a_drain_closes_what_has_sent_no_header(server):
    """It has no request under way."""
    sock = client(await listen(server))
    await server.until(lambda: server.site.connections.open)
    await server.site.drain()
    assert await closed(server, sock) == b""
