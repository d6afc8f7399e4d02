"""A client that closes its sending side and still reads, as ``nc -N`` does."""

from __future__ import annotations

import select
import socket

from twisted.internet.threads import deferToThread

from tests.httpd.sockets import LARGE, client, read_all, running
from tests.httpd.support import get, post


async def received_by(server, *parts, description="tcp:0:interface=127.0.0.1"):
    """What a client gets that sends and closes its sending side."""
    sock = client(await server.listen(description))

    def exchange():
        for part in parts:
            sock.sendall(part)
        sock.shutdown(socket.SHUT_WR)
        received = read_all(sock)
        sock.close()
        return received

    received = await deferToThread(exchange)
    await server.until(lambda: not server.site.connections.open)
    return received


@running
async def test_a_request_that_came_whole_has_its_response(server):
    """The connection is closed after it."""
    received = await received_by(server, post(b"abc", path="/plain"))
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(b"abc")


@running
async def test_all_that_came_whole_have_their_responses(server):
    """Also those that wait for others, and large ones; half a request has none."""
    received = await received_by(server, get("/plain") * 300 + get("/plain/large") + get("/")[:9])
    assert received.count(b"HTTP/1.1 200") == 301
    assert len(received) > LARGE


@running
async def test_a_response_that_takes_time_still_comes(server):
    """A resource that does not ask for the client's end is not told of it."""
    sock = client(await server.listen())
    sock.sendall(get("/plain/held"))
    sock.shutdown(socket.SHUT_WR)
    await server.until(lambda: server.resource.requests)
    [connection] = server.site.connections.open
    await server.until(lambda: connection.client_has_ended)
    server.resource.requests[0].write(b"late")
    server.resource.requests[0].finish()
    assert b"late" in await deferToThread(read_all, sock)
    sock.close()


@running
async def test_who_waits_for_something_new_ends_with_the_client(server):
    """A resource that wants to hear of the end hears of it, and the connection is closed."""
    received = await received_by(server, get("/held"))
    assert received == b""
    assert len(server.resource.ends) == 1


@running
async def test_who_waits_behind_others_ends_with_the_client(server):
    """It is the same if the client had ended before the resource was asked."""
    received = await received_by(server, get("/plain") * 50 + get("/held") + get("/plain"))
    assert received.count(b"HTTP/1.1 200") == 50
    assert len(server.resource.ends) == 1


@running
async def test_an_idle_connection_ends_with_the_client(server):
    """There is nothing to wait for."""
    assert await received_by(server, get("/plain")[:20]) == b""
    assert await received_by(server) == b""


@running
async def test_on_a_unix_socket_it_is_the_same(server, tmp_path):
    """A proxy on the same machine may close its sending side, too."""
    received = await received_by(server, get("/plain"), description=f"unix:{tmp_path / 's'}")
    assert received.endswith(b"small")


@running
async def test_where_the_reactor_watches_each_it_is_the_same(server, monkeypatch):
    """Elsewhere than on Linux."""
    monkeypatch.delattr(select, "epoll")
    assert (await received_by(server, get("/plain"))).endswith(b"small")
