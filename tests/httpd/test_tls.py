"""The server over TLS."""

from __future__ import annotations

import ssl
import threading
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from tests.httpd.sockets import (
    LARGE,
    LIMITS,
    client,
    read_all,
    read_slowly,
    running,
)
from tests.httpd.support import get, parse_responses

# Twisted hands pyOpenSSL what pyOpenSSL would rather not have.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")


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

    responses = parse_responses(await deferToThread(talk))
    assert [(a.body, a.header("x-secure")) for a in responses] == [(b"small", "1")] * 2
    sock.close()


@running
async def test_a_slow_reader_over_tls(server, certificate):
    """A large response is whole over TLS, too, and its end comes after much time."""
    address = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    sock = await deferToThread(tls_client, address, certificate)
    await deferToThread(sock.sendall, get("/close"))
    await server.until(lambda: server.resource.requests)
    [response] = parse_responses(await read_slowly(server, sock))
    assert len(response.body) == LARGE
    sock.close()


@running
async def test_who_takes_nothing_over_tls_is_cut_off(server, certificate):
    """Over TLS as well, a client that takes nothing loses its connection."""
    address = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    sock = await deferToThread(tls_client, address, certificate)
    await deferToThread(sock.sendall, get("/large"))
    await server.until(lambda: server.resource.requests)
    began = server.clock.seconds()
    while server.site.connections.open:
        # However long the machine takes to fill what buffers there are on the way.
        await server.advance(1)
        assert server.clock.seconds() < began + 1000
    assert server.clock.seconds() >= began + LIMITS.stall
    sock.close()


@running
async def test_who_never_shakes_hands_is_closed(server, certificate):
    """A connection on which no handshake comes is idle, and is closed and then cut off."""
    address = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    sock = client(address)
    await server.until(lambda: server.site.connections.open)
    await server.advance(70)
    await server.until(lambda: not server.site.connections.open)
    sock.close()


@running
async def test_a_rejection_over_tls(server, certificate):
    """A refused client reads the rejection and the end of the stream."""
    address = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    sock = await deferToThread(tls_client, address, certificate)

    def talk():
        sock.sendall(b"nonsense\r\n\r\n")
        return read_all(sock)

    assert b" 501 " in await deferToThread(talk)
    sock.close()
    await server.until(lambda: not server.site.connections.open)


@running
async def test_draining_ends_connections_of_every_kind(server, certificate, tmp_path):
    """Idle connections over TCP and TLS are closed by draining, without waiting for time."""
    plain = await server.listen()
    secure = await server.listen(
        f"ssl:0:interface=127.0.0.1:privateKey={certificate}:certKey={certificate}"
    )
    first = client(plain)
    second = await deferToThread(tls_client, secure, certificate)
    await server.until(lambda: len(server.site.connections.open) == 2)
    drained = Deferred.fromCoroutine(server.site.drain())
    assert await deferToThread(read_all, first) == b""
    assert await deferToThread(read_all, second) == b""
    second.close()
    first.close()
    await drained
    assert not threading.active_count() > 40
