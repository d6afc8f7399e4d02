"""Sockets watched as one: all are read from, and what is special about one is its own affair."""

from __future__ import annotations

import select
import time

import pytest
from twisted.internet import reactor
from twisted.internet.error import ConnectionLost
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET

from chatter.httpd import watched_sockets
from chatter.httpd.channel import LeanChannel
from chatter.httpd.reader import RequestReader
from tests.httpd.calling import Calling, failures
from tests.httpd.sockets import LARGE, client, read_all, reset, running
from tests.httpd.support import get, parse_responses


@pytest.mark.parametrize("description", ["tcp:0:interface=127.0.0.1", "unix:s"])
@running
async def test_the_reactor_watches_one_for_all(server, description, tmp_path, monkeypatch):
    """However many connections there are, of TCP and on UNIX sockets."""
    monkeypatch.chdir(tmp_path)
    readers = set(reactor.getReaders())
    clients = await server.connected(5, description)
    added = set(reactor.getReaders()) - readers - set(server.ports)
    assert added == {server.site.sockets}
    for sock in clients:
        sock.close()
    await server.until(lambda: not server.site.connections.open)


async def test_nothing_is_left_at_the_end():
    """When nobody can connect any more, and all are gone, the epoll is closed."""
    held = []

    @running
    async def run(server):
        held.append(server)
        address = await server.listen()
        sock = client(address)
        await server.until(lambda: server.site.connections.open)
        assert server.site.sockets.fileno() > 0
        sock.close()
        await server.until(lambda: not server.site.connections.open)

    await run()
    assert held[0].site.sockets.fileno() == -1


@running
async def test_the_last_that_goes_after_the_port_closes_the_epoll(server, logged):
    """In the midst of reading, which ends there."""
    address = await server.listen()
    sock = client(address)
    await server.until(lambda: server.site.connections.open)
    await server.ports.pop().stopListening()
    sock.close()
    await server.until(lambda: server.site.sockets.fileno() == -1)
    await deferLater(reactor, 0)
    # The reactor tells in the old way what it could not do.
    assert not [event for event in logged if event.get("isError")]


@running
async def test_more_than_are_read_at_once_are_all_read(server, monkeypatch):
    """Those who are left have their turn in the next one of the reactor."""
    monkeypatch.setattr(watched_sockets, "_AT_ONCE", 2)
    address = await server.listen()
    clients = [client(address) for _ in range(7)]
    for sock in clients:
        sock.sendall(get("/small", "Connection: close"))
    for sock in clients:
        assert b"small" in await deferToThread(read_all, sock)
        sock.close()


@running
async def test_without_epoll_the_reactor_reads(server, monkeypatch):
    """Elsewhere than on Linux; a client that sends far ahead is not read there, either."""
    monkeypatch.delattr(select, "epoll")
    address = await server.listen()
    sock = client(address)
    sock.sendall(get("/small") * 400 + get("/close"))
    responses = parse_responses(await deferToThread(read_all, sock))
    assert [len(response.body) for response in responses] == [5] * 400 + [LARGE]
    assert server.site.sockets.fileno() == -1
    sock.close()


@running
async def test_a_defect_costs_one_connection(server, monkeypatch, logged):
    """What can't be taken is logged, and the others go on."""
    address = await server.listen()
    read_known = RequestReader.read_known

    def fails(self, data):
        if b"/defect" in data:
            raise RuntimeError("A defect.")
        return read_known(self, data)

    monkeypatch.setattr(RequestReader, "read_known", fails)
    broken, sound = client(address), client(address)
    broken.sendall(get("/defect"))
    sound.sendall(get("/small", "Connection: close"))
    assert not await deferToThread(read_all, broken)
    assert b"small" in await deferToThread(read_all, sound)
    assert [e["log_failure"].getErrorMessage() for e in logged if "log_failure" in e] == [
        "A defect."
    ]
    broken.close()
    sound.close()
    await server.until(lambda: not server.site.connections.open)


@pytest.mark.parametrize("end", ["loseConnection", "abortConnection"])
@running
async def test_from_a_connection_that_is_being_closed_nothing_is_read(server, end):
    """As by Twisted, also where the transport itself was told to close."""
    sock = await server.asked(get("/small"))
    [request] = server.resource.requests
    # Something is left to be sent, so that it is not closed at once.
    request.transport.write(bytes(LARGE))
    getattr(request.transport, end)()
    sock.sendall(get("/small"))
    await deferLater(reactor, 0.05)
    assert server.resource.requests == [request]
    sock.close()
    await server.until(lambda: not server.site.connections.open)


@running
async def test_the_end_of_one_that_fails_costs_no_other(server, logged):
    """Whoever heard of the end badly; those who come later are served, too."""
    address = await server.listen()
    broken, sound = client(address), client(address)
    broken.sendall(get("/held"))
    await server.until(lambda: server.resource.requests)

    class Producer:
        def pauseProducing(self):
            pass

        def resumeProducing(self):
            pass

        def stopProducing(self):
            raise RuntimeError("A defect.")

    server.resource.requests[0].registerProducer(Producer(), True)
    reset(broken)
    await server.until(lambda: server.resource.ends)
    later = client(address)
    for sock in (sound, later):
        sock.sendall(get("/small", "Connection: close"))
        assert b"small" in await deferToThread(read_all, sock)
        sock.close()
    assert any("A defect." in str(event.get("log_failure")) for event in logged)


@running
async def test_a_resource_can_pause_its_transport(server):
    """Reading waits for whoever paused it, whether that is the server or not."""
    sock = await server.asked(get("/small"))
    transport = server.resource.requests[0].transport
    transport.pauseProducing()
    sock.sendall(get("/small"))
    await deferLater(reactor, 0.05)
    assert len(server.resource.requests) == 1
    transport.resumeProducing()
    transport.resumeProducing()
    await server.until(lambda: len(server.resource.requests) == 2)
    sock.close()


@running
async def test_a_socket_that_somebody_else_still_has_is_not_watched_any_more(server):
    """A process that was forked keeps it open, and the kernel would go on to tell of it."""
    address = await server.listen()
    sock, other = client(address), client(address)
    sock.sendall(get("/small"))
    await server.until(lambda: server.resource.requests)
    copy = server.resource.requests[0].transport.getHandle().dup()
    sock.close()
    await server.until(lambda: len(server.site.connections.open) == 1)
    assert server.site.sockets._epoll.poll(0) == []
    copy.close()
    other.close()


@running
async def test_when_the_reactor_ends_all_connections_do(server):
    """It tells whatever it reads from; whose responses are due hear of it.  And it may go on."""
    address = await server.listen()
    clients = [client(address) for _ in range(3)]
    for sock in clients:
        sock.sendall(get("/held"))
    await server.until(lambda: len(server.resource.requests) == 3)
    server.site.sockets.connectionLost(Failure(ConnectionLost()))
    assert not server.site.connections.open
    assert [end.type for end in server.resource.ends] == [ConnectionLost] * 3
    for sock in clients:
        sock.close()
    later = client(address)
    later.sendall(get("/small", "Connection: close"))
    assert b"small" in await deferToThread(read_all, later)
    later.close()


@pytest.mark.parametrize("few", [True, False])
@running
async def test_many_are_all_read_then_processed_then_sent(server, few, monkeypatch):
    """To go to and fro costs more than to do each for all; but few would wait for each other."""
    monkeypatch.setattr(watched_sockets, "_MANY", 4 if few else 3)
    seen = []

    def response(request):
        seen.append(to_read(clients + [each.transport.getHandle() for each in connections]))
        request.respond((), b"small")
        return NOT_DONE_YET

    server.site.resource = Calling(response)
    clients = await server.connected(3)
    connections = tuple(server.site.connections.open)
    for sock in clients:
        sock.sendall(get())
    arrive(server, 3)
    await server.until(lambda: len(seen) == 3)
    server.clock.advance(0)
    for sock in clients:
        assert b"small" in await deferToThread(sock.recv, 1000)
        sock.close()
    # Requests that were left to read, and responses that were there.
    assert [len(found) for found in seen] == ([2, 2, 2] if few else [0, 0, 0])


@pytest.mark.parametrize("description", ["tcp:0:interface=127.0.0.1", "unix:s"])
@running
async def test_others_have_their_turn_once_time_is_up(server, description, tmp_path, monkeypatch):
    """Also if each connection has but one request, which takes long."""
    monkeypatch.chdir(tmp_path)
    seen: list[str] = []
    monkeypatch.setattr(watched_sockets, "monotonic", lambda: 1.0 * seen.count("a request"))

    def response(request):
        reactor.callLater(0, lambda: seen.append("the next turn"))
        seen.append("a request")
        request.respond((), b"small")
        return NOT_DONE_YET

    server.site.resource = Calling(response)
    clients = await server.connected(3, description)
    for sock in clients:
        sock.sendall(get())
    await server.until(lambda: len(seen) == 6)
    assert seen == ["a request", "the next turn"] * 3
    for sock in clients:
        sock.close()


@running
async def test_one_that_takes_all_the_time_of_each_turn_holds_up_no_other(server, monkeypatch):
    """The epoll tells of it first again and again, as long as it goes on sending."""
    served: list[object] = []
    monkeypatch.setattr(watched_sockets, "monotonic", lambda: 1.0 * len(served))

    def response(request):
        served.append(request.getClientAddress().port)
        if len(served) < 9:
            greedy.sendall(get())
            arrive(server, 1)
        request.respond((), b"small")
        return NOT_DONE_YET

    server.site.resource = Calling(response)
    greedy, patient = await server.connected(2)
    for number, sock in enumerate((greedy, patient), 1):
        sock.sendall(get())
        arrive(server, number)
    await server.until(lambda: len(served) == 10)
    assert served.index(patient.getsockname()[1]) == 1
    for sock in (greedy, patient):
        sock.close()


@running
async def test_the_last_that_goes_in_a_later_turn_holds_up_none_that_comes(server, monkeypatch):
    """Nothing is late any more then, and who comes after another start is read from."""
    clients = await server.connected(3)
    open_now = server.site.connections.open
    monkeypatch.setattr(watched_sockets, "monotonic", lambda: -1.0 * len(open_now))
    await server.ports.pop().stopListening()
    for sock in clients:
        reset(sock)
    arrive(server, 3)
    await server.until(lambda: server.site.sockets.fileno() == -1)
    address = await server.listen()
    sock = client(address)
    sock.sendall(get("/small", "Connection: close"))
    assert b"small" in await deferToThread(read_all, sock)
    sock.close()


@running
async def test_a_large_body_is_read_in_parts(server, monkeypatch):
    """However much has come, since chunks and records of one byte each take long to parse."""
    sizes: list[int] = []
    hear = LeanChannel.dataReceived

    def listen(self, data):
        sizes.append(len(data))
        hear(self, data)

    monkeypatch.setattr(LeanChannel, "dataReceived", listen)
    address = await server.listen()
    sock = client(address)
    body = bytes(60_000)
    head = f"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    await deferToThread(sock.sendall, head.encode() + body)
    await server.until(lambda: sum(sizes) == len(head) + len(body))
    assert max(sizes) <= 16 * 1024
    sock.close()


@pytest.mark.parametrize("at_once", [1, 2, 9])
@running
async def test_what_comes_meanwhile_is_read_in_the_same_turn(server, at_once, monkeypatch):
    """The reactor need not go round for it; but others have their turn after a while."""
    monkeypatch.setattr(watched_sockets, "_AT_ONCE", at_once)
    seen: list[str] = []

    def response(request):
        if not seen:
            reactor.callLater(0, lambda: seen.append("the next turn"))
        seen.append("a request")
        for sock in clients[seen.count("a request") :][:1]:
            sock.sendall(get())
            arrive(server, 1)
        request.respond((), b"small")
        return NOT_DONE_YET

    server.site.resource = Calling(response)
    clients = await server.connected(3)
    clients[0].sendall(get())
    await server.until(lambda: len(seen) == 4)
    assert seen.index("the next turn") == min(at_once, 3)
    for sock in clients:
        sock.close()


def lose(transport):
    transport.loseConnection()


def be_lost(transport):
    transport.readConnectionLost(Failure(ConnectionLost()))


@pytest.mark.parametrize("many", [2, 9])
@pytest.mark.parametrize("end", [lose, be_lost])
@running
async def test_one_that_was_ended_meanwhile_hears_of_nothing(
    server, end, many, monkeypatch, logged
):
    """Another request ended it in the same turn, after it was read from."""
    monkeypatch.setattr(watched_sockets, "_MANY", many)
    heard = []
    hear = LeanChannel.dataReceived

    def listen(self, data):
        heard.append(data)
        hear(self, data)

    monkeypatch.setattr(LeanChannel, "dataReceived", listen)

    def response(request):
        for connection in tuple(server.site.connections.open):
            if connection is not request.channel:
                end(connection.transport)
        request.respond((), b"small")
        return NOT_DONE_YET

    server.site.resource = Calling(response)
    clients = await server.connected(3)
    for sock in clients:
        sock.sendall(get())
    arrive(server, 3)
    await server.until(lambda: len(server.site.connections.open) == 1)
    server.clock.advance(0)
    [received] = filter(None, [await deferToThread(sock.recv, 1000) for sock in clients])
    assert b"small" in received
    assert heard == [get()]
    assert not failures(logged)
    for sock in clients:
        sock.close()


def arrive(server, count):
    """Wait until what so many clients have sent is there, before the reactor looks.

    The kernel hands it over at once, or a little later if it has much to do.
    """
    handles = [each.transport.getHandle() for each in server.site.connections.open]
    deadline = time.monotonic() + 60
    while len(to_read(handles)) < count:
        assert time.monotonic() < deadline, "it does not arrive"


def to_read(sockets):
    """Those of some sockets from which something could be read now."""
    return select.select(sockets, [], [], 0)[0]
