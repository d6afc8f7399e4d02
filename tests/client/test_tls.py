"""Over TLS nothing is sent to a server that does not prove who it is."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.web.server import Site

from chatter.client import ChatClient, Retries, UnexpectedResponse, UntrustedServer
from chatter.web import ChatResource
from chatter.web.site import ChatSite
from tests.client.certificates import Authority
from tests.client.hostile import flooded
from tests.client.support import make_chat, nothing_open, reactor

# Twisted's server hands pyOpenSSL what pyOpenSSL would rather not have.
pytestmark = pytest.mark.filterwarnings("ignore:Passing pyOpenSSL:DeprecationWarning")


class Greeting(Protocol):
    """Speaks first, and not TLS."""

    def connectionMade(self):
        assert self.transport is not None
        self.transport.write(b"220 mail.example ESMTP\r\n")


class Recording(Site):
    """Remembers whether a request has come."""

    requests = 0

    def getResourceFor(self, request):
        self.requests += 1
        return super().getResourceFor(request)


@asynccontextmanager
async def serving(options, site=None):
    """A chat over TLS; gives its port and what counts its requests."""
    site = site or Recording(ChatResource(make_chat(Clock())), reactor=reactor)
    async with nothing_open():
        if options is None:
            port = reactor.listenTCP(0, site, interface="127.0.0.1")
        else:
            port = reactor.listenSSL(0, site, options, interface="127.0.0.1")
        try:
            yield port.getHost().port, site
        finally:
            await port.stopListening()


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture
def ca(authority, tmp_path):
    path = tmp_path / "ca.pem"
    # As many have it: more than one authority in a file.
    path.write_bytes(Authority("other.example").pem + authority.pem)
    return path


def client_of(url, ca=None):
    return ChatClient.for_url(reactor, url, ca=ca, retries=Retries(attempts=1))


async def error_of(client):
    async with client:
        with pytest.raises(UntrustedServer) as caught:
            await client.connect("alice")
    assert "\n" not in caught.value.detail
    return caught.value.detail


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_server_that_proves_who_it_is(authority, ca, host):
    """With the authority's certificate, all that works without TLS works with it."""
    async with (
        serving(authority.options(host)) as (port, _),
        client_of(f"https://{host}:{port}", ca=ca) as client,
    ):
        await client.connect("alice")
        sent = await client.send("hi")
        assert await anext(client.follow()) == sent


async def test_the_file_of_the_environment(authority, ca, monkeypatch):
    """``SSL_CERT_FILE`` names the authorities that are trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))
    async with (
        serving(authority.options("127.0.0.1")) as (port, _),
        client_of(f"https://127.0.0.1:{port}") as client,
    ):
        assert (await client.health()).status == "OK"


@pytest.mark.parametrize(
    ("hosts", "days", "detail"),
    [
        ([], 0, "names no host"),
        (["chat.example"], 0, "not for 127.0.0.1"),
        (["127.0.0.2"], 0, "not for 127.0.0.1"),
        (["127.0.0.1"], 9, "has expired"),
        (["127.0.0.1"], -9, "not valid yet"),
    ],
)
async def test_a_certificate_that_proves_nothing(authority, ca, hosts, days, detail):
    """Each reason is told in one line, and no request was sent."""
    async with serving(authority.options(*hosts, days=days)) as (port, site):
        client = client_of(f"https://127.0.0.1:{port}", ca=ca)
        told = await error_of(client)
        assert detail in told
        assert site.requests == 0


async def test_an_authority_that_is_not_known(authority, tmp_path):
    """What another authority has signed is refused, with and without a file."""
    other, namesake = tmp_path / "other.pem", tmp_path / "namesake.pem"
    other.write_bytes(Authority("other.example").pem)
    namesake.write_bytes(Authority().pem)
    async with serving(authority.options("127.0.0.1")) as (port, site):
        for ca in (other, namesake, None):
            client = client_of(f"https://127.0.0.1:{port}", ca=ca)
            assert "not from a known authority" in await error_of(client)
        assert site.requests == 0


async def test_a_server_without_tls(ca):
    """A server that speaks HTTP, or something else, at an https URL is told from others."""
    chat = ChatSite(ChatResource(make_chat(Clock())), reactor)
    for site in (chat, Factory.forProtocol(Greeting)):
        async with serving(None, site) as (port, _):
            client = client_of(f"https://127.0.0.1:{port}", ca=ca)
            assert "does not speak TLS" in await error_of(client)


async def test_a_server_with_tls_at_an_http_url():
    """The other way round it is a response that is not HTTP."""
    async with flooded(b"\x15\x03\x01\x00\x02\x02\x46") as client:
        with pytest.raises(UnexpectedResponse, match="is it an https URL"):
            await client.health()


def test_a_file_without_certificates(tmp_path):
    """A file that holds something else, or is not there, is told at once."""
    path = tmp_path / "ca.pem"
    for content in (
        b"",
        b"nothing",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="no certificates"):
            ChatClient.for_url(reactor, "https://127.0.0.1", ca=path)
    with pytest.raises(OSError, match="missing"):
        ChatClient.for_url(reactor, "https://127.0.0.1", ca=tmp_path / "missing")
