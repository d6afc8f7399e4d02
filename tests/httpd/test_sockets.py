"""The server on real sockets: slow readers, TLS, UNIX sockets, proxies, broken connections."""

from __future__ import annotations

import inspect
import socket
import ssl
import struct
import threading
import time
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet import reactor
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from chatter.httpd import LeanSite, Limits
from tests.httpd.support import get, parse_answers

# Twisted hands pyOpenSSL what pyOpenSSL would rather not have.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")

LARGE = 8 * 1024 * 1024
STEP = 512 * 1024
LIMITS = Limits(idle=60, receive=60, stall=30, linger=5)


class Large(Resource):
    """Answers with more than any buffer takes: at once, or in parts by a producer."""

    isLeaf = True

    def __init__(self):
        super().__init__()
        self.requests = []
        self.ends = []

    def render(self, request):
        self.requests.append(request)
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
        self.ports.append(port)
        return port.getHost()

    async def until(self, condition, seconds=10.0):
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
            await server.stop()

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    signature = inspect.signature(test)
    vars(run)["__signature__"] = signature.replace(
        parameters=list(signature.parameters.values())[1:]
    )
    return run


def client(address):
    sock = socket.create_connection((address.host, address.port), timeout=10)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
    return sock


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


@running
async def test_a_slow_reader_gets_the_whole_answer(server):
    """An answer larger than all buffers arrives whole, though much time passes meanwhile."""
    address = await server.listen()
    sock = client(address)
    sock.sendall(get("/close"))
    await server.until(lambda: server.resource.requests)
    [answer] = parse_answers(await read_slowly(server, sock))
    assert answer.whole
    assert len(answer.body) == LARGE
    sock.close()


@running
async def test_who_takes_nothing_is_cut_off(server):
    """A client that takes nothing of an answer for the limit's time loses its connection."""
    address = await server.listen()
    sock = client(address)
    sock.sendall(get("/large"))
    await server.until(lambda: server.resource.requests)
    await server.advance(28)
    assert len(server.site.connections) == 1
    await server.advance(4)
    await server.until(lambda: not server.site.connections)
    with pytest.raises(ConnectionResetError):
        read_all(sock)
    sock.close()


@running
async def test_a_pipelining_client_that_never_reads_fills_no_memory(server):
    """As long as one answer is not taken, the next one is not asked for."""
    address = await server.listen()
    sock = client(address)
    sock.sendall(get("/large") * 50)
    await server.until(lambda: server.resource.requests)
    await server.advance(20)
    assert len(server.resource.requests) == 1
    sock.close()
    await server.advance(20)
    await server.until(lambda: not server.site.connections)


@running
async def test_a_producer_waits_for_a_slow_reader(server):
    """A push producer is paused when the socket is full, and resumed when it is empty."""
    address = await server.listen()
    sock = client(address)
    sock.sendall(get("/held"))
    await server.until(lambda: server.resource.requests)
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
    [answer] = parse_answers(received)
    assert len(answer.body) == LARGE + 3
    assert server.resource.ends == [None]
    sock.close()


@running
async def test_pipelined_large_answers_arrive_in_order(server):
    """Small and large answers, some of them left to the transport, stay in order and whole."""
    address = await server.listen()
    sock = client(address)
    sock.sendall(get("/small") + get("/large") + get("/small") + get("/close") + get("/small"))
    answers = parse_answers(await deferToThread(read_all, sock))
    assert [len(answer.body) for answer in answers] == [5, LARGE, 5, LARGE]
    sock.close()


@running
async def test_a_refused_client_can_read_why(server):
    """A client that is refused in the midst of sending reads the answer, not a reset."""
    address = await server.listen()
    sock = client(address)

    def upload():
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        for _ in range(200):
            sock.sendall(bytes(10_000))
        return read_all(sock)

    [answer] = parse_answers(await deferToThread(upload))
    assert answer.status == 413
    sock.close()
    await server.until(lambda: not server.site.connections)


@running
async def test_a_refused_client_that_sends_on_is_cut_off(server):
    """Its time to read the refusal is short."""
    address = await server.listen()
    sock = client(address)
    sock.sendall(b"nonsense\r\n\r\n")
    assert b"501" in await deferToThread(read_all, sock)
    assert len(server.site.connections) == 1
    await server.advance(7)
    await server.until(lambda: not server.site.connections)
    sock.close()


@running
async def test_half_a_close_is_a_close(server):
    """A client that ends its side is gone, as for Twisted's own server; what it asked is ended."""
    address = await server.listen()
    sock = client(address)
    sock.sendall(get("/held"))
    await server.until(lambda: server.resource.requests)
    sock.shutdown(socket.SHUT_WR)
    await server.until(lambda: server.resource.ends)
    assert not server.site.connections
    sock.close()


POINTS = {
    "before": b"",
    "in the head": get("/held")[:-2],
    "in the body": b"POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
    "while it waits": get("/held"),
    "while it is answered": get("/large"),
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
    await server.until(lambda: server.site.connections)
    await deferLater(reactor, 0.02)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    if point == "with more to come":
        # Nobody reads from it, so nobody hears of its end before something is sent.
        server.resource.requests[0].write(b"x")
    await server.until(lambda: not server.site.connections)
    assert len(server.resource.ends) == len(server.resource.requests)
    other = client(address)
    other.sendall(get("/small", "Connection: close"))
    assert b"small" in await deferToThread(read_all, other)
    other.close()


@running
async def test_a_unix_socket(server, tmp_path):
    """A unix: endpoint serves, and a large answer is whole there, too."""
    path = str(tmp_path / "socket")
    await server.listen(f"unix:{path}")
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(10)
    sock.connect(path)
    sock.sendall(get("/small") + get("/close"))
    small, large = parse_answers(await deferToThread(read_all, sock))
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
    await server.until(lambda: not server.site.connections)


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a key and a certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(pem, private, serialization.NoEncryption()) + made.public_bytes(pem)
    )
    return str(path)


def tls_client(address, certificate):
    context = ssl.create_default_context(cafile=certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context.wrap_socket(client(address), server_hostname="localhost")


@running
async def test_tls(server, certificate):
    """An ssl: endpoint serves HTTP/1.1, even to a client that would rather have HTTP/2."""
    address = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    sock = await deferToThread(tls_client, address, certificate)
    assert sock.selected_alpn_protocol() == "http/1.1"

    def talk():
        sock.sendall(get("/small") + get("/small", "Connection: close"))
        return read_all(sock)

    answers = parse_answers(await deferToThread(talk))
    assert [(a.body, a.header("x-secure")) for a in answers] == [(b"small", "1")] * 2
    sock.close()


@running
async def test_a_slow_reader_over_tls(server, certificate):
    """A large answer is whole over TLS, too, and its end comes after much time."""
    address = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    sock = await deferToThread(tls_client, address, certificate)
    await deferToThread(sock.sendall, get("/close"))
    await server.until(lambda: server.resource.requests)
    [answer] = parse_answers(await read_slowly(server, sock))
    assert len(answer.body) == LARGE
    sock.close()


@running
async def test_who_takes_nothing_over_tls_is_cut_off(server, certificate):
    """Over TLS as well, a client that takes nothing loses its connection."""
    address = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    sock = await deferToThread(tls_client, address, certificate)
    await deferToThread(sock.sendall, get("/large"))
    await server.until(lambda: any(c._output.paused for c in server.site.connections))
    await server.advance(70)
    await server.until(lambda: not server.site.connections)
    sock.close()


@running
async def test_who_never_shakes_hands_is_closed(server, certificate):
    """A connection on which no handshake comes is idle, and is closed and then cut off."""
    address = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    sock = client(address)
    await server.until(lambda: server.site.connections)
    await server.advance(70)
    await server.until(lambda: not server.site.connections)
    sock.close()


@running
async def test_a_refusal_over_tls(server, certificate):
    """A refused client reads the refusal and the end of the stream."""
    address = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    sock = await deferToThread(tls_client, address, certificate)

    def talk():
        sock.sendall(b"nonsense\r\n\r\n")
        return read_all(sock)

    assert b" 501 " in await deferToThread(talk)
    sock.close()
    await server.until(lambda: not server.site.connections)


@running
async def test_draining_ends_connections_of_every_kind(server, certificate, tmp_path):
    """Idle connections over TCP and TLS are closed by draining, without waiting for time."""
    plain = await server.listen()
    secure = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    first = client(plain)
    second = await deferToThread(tls_client, secure, certificate)
    await server.until(lambda: len(server.site.connections) == 2)
    drained = Deferred.fromCoroutine(server.site.drain())
    assert await deferToThread(read_all, first) == b""
    assert await deferToThread(read_all, second) == b""
    second.close()
    first.close()
    await drained
    assert not threading.active_count() > 40
