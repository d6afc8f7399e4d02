"""A site on real sockets, and clients of it in threads."""

from __future__ import annotations

import inspect
import socket
import struct
import time

from twisted.internet import reactor
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from chatter.httpd import LeanSite, Limits

LARGE = 8 * 1024 * 1024
STEP = 512 * 1024
_clients: list[socket.socket] = []
LIMITS = Limits(idle=60, receive=60, stall=30, linger=5)


class Large(Resource):
    """Responds with more than any buffer takes: at once, or in parts by a producer."""

    isLeaf = True

    def __init__(self):
        super().__init__()
        self.requests = []
        self.ends = []

    def render(self, request):
        self.requests.append(request)
        if request.path.startswith(b"/plain"):
            return self.plain(request)
        request.notifyFinish().addBoth(self.ends.append)
        if request.path == b"/held":
            return NOT_DONE_YET
        if request.path == b"/small":
            request.setHeader(b"x-peer", str(request.getClientAddress()).encode())
            request.setHeader(b"x-secure", b"%d" % request.isSecure())
            return request.content.read() or b"small"
        if request.path == b"/close":
            request.setHeader(b"connection", b"close")
        return bytes(LARGE)

    def plain(self, request):
        """Respond without asking for the end of the client."""
        if request.path == b"/plain/held":
            return NOT_DONE_YET
        return (
            bytes(LARGE) if request.path == b"/plain/large" else request.content.read() or b"small"
        )


class Running:
    """A site on a port, with time by hand, and clients in threads."""

    def __init__(self, limits=LIMITS):
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.resource = Large()
        self.site = LeanSite(self.resource, self.clock, limits=limits)
        self.ports = []

    async def listen(self, description="tcp:0:interface=127.0.0.1"):
        port = await serverFromString(reactor, description).listen(self.site)
        self.site.sockets.take_over(port)
        self.ports.append(port)
        return port.getHost()

    async def connected(self, count, description="tcp:0:interface=127.0.0.1"):
        """So many clients, whose connections the site has."""
        address = await self.listen(description)
        clients = [client(address) for _ in range(count)]
        await self.until(lambda: len(self.site.connections.open) == count)
        return clients

    async def asked(self, request):
        """A client whose request a resource has seen."""
        sock = client(await self.listen())
        sock.sendall(request)
        await self.until(lambda: self.resource.requests)
        return sock

    async def until(self, condition, seconds=60.0):
        """Wait for a condition, and fail if it does not come."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            await deferLater(reactor, 0.005)

    async def advance(self, seconds):
        for _ in range(seconds):
            self.clock.advance(1)
            await deferLater(reactor, 0.001)

    async def stop(self):
        for port in self.ports:
            await port.stopListening()
        drained = Deferred.fromCoroutine(self.site.drain())
        self.clock.advance(10)
        await drained
        await self.until(lambda: not self.clock.getDelayedCalls())


def running(test):
    """Have a test run with a site that is stopped at its end."""

    async def run(*args, **kwargs):
        server = Running()
        try:
            await test(server, *args, **kwargs)
        finally:
            # A test that fails closes none, and an open socket would fail another one later.
            while _clients:
                _clients.pop().close()
            await server.stop()

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    signature = inspect.signature(test)
    vars(run)["__signature__"] = signature.replace(
        parameters=list(signature.parameters.values())[1:]
    )
    return run


def client(address):
    if isinstance(address, UNIXAddress):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(60)
        _clients.append(sock)
        sock.connect(address.name or b"")
        return sock
    sock = socket.create_connection((address.host, address.port), timeout=60)
    _clients.append(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
    return sock


def reset(sock):
    """Close a connection as a client does that crashes: with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def read_all(sock, pause=0.0, step=65536):
    data = bytearray()
    while True:
        part = sock.recv(step)
        if not part:
            return bytes(data)
        data += part
        if pause:
            time.sleep(pause)


def read_some(sock):
    data = bytearray()
    while len(data) < STEP:
        part = sock.recv(65536)
        if not part:
            break
        data += part
    return data


async def read_slowly(server, sock):
    """Read to the end, as if each half of a MiB took ten seconds."""
    received = bytearray()
    while part := await deferToThread(read_some, sock):
        received += part
        await server.advance(10)
    assert len(received) // STEP * 10 > 4 * LIMITS.stall
    return bytes(received)
