"""The chat's resources, each test under our own site, and under Twisted's, also on a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site

from chatter.chat.limits.rate_limits import NO_LIMITS
from chatter.web import ChatResource
from chatter.web.site import ChatSite
from tests.results import result_of
from tests.web.wire import Wire

real_reactor: Any = reactor


class Response:
    """A whole response, as a client sees it."""

    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(status_line.split()[1])
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(": ")
            self.headers[name.lower()] = value

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The end of the problem type, checked against everything that goes with it."""
        assert self.headers["content-type"] == "application/problem+json"
        problem = self.json
        ends = {"until"} if problem["type"].endswith((":muted", ":banned")) else set()
        assert set(problem) == {"type", "title", "status", "detail"} | ends
        assert problem["status"] == self.status
        assert problem["detail"]
        urn, _, slug = problem["type"].rpartition(":")
        assert urn == "urn:chatter"
        return str(slug)


class Web:
    """A site that serves requests in memory."""

    def __init__(self, site: Any) -> None:
        self.site = site

    def connect(self) -> tuple[Any, StringTransport]:
        """A connection and what comes out of it."""
        protocol = self.site.buildProtocol(None)
        transport = StringTransport()
        transport.abortConnection = transport.loseConnection  # type: ignore[method-assign]
        protocol.makeConnection(transport)
        return protocol, transport

    def raw(self, data: bytes) -> bytes:
        """What a connection responds to some bytes, after which the client is gone."""
        protocol, transport = self.connect()
        protocol.dataReceived(data)
        response: bytes = transport.value()
        protocol.connectionLost(Failure(ConnectionDone()))
        return response

    def call(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> Response:
        """Send a request.

        :param body: sent as JSON.
        :param content: sent as it is.
        """
        sent = {"Host": "test", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            content = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if content is not None:
            sent["Content-Length"] = str(len(content))
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        request = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + (content or b"")
        return Response(self.raw(request))

    def join(self, name: str | None = None) -> str:
        """The token of somebody new."""
        response = self.call("POST", "/connect", body={} if name is None else {"name": name})
        token: str = response.json["token"]
        return token

    def send(self, token: str, text: str = "hi") -> Any:
        """Send to the general chat; the message."""
        return self.call("POST", "/send", token, {"text": text}).json

    def send_private(self, token: str, recipient_id: int, text: str = "psst") -> Any:
        """Send to one user; the message."""
        body = {"text": text, "recipient_id": recipient_id}
        return self.call("POST", "/send-private", token, body).json


class WebOnSocket(Web):
    """A site whose requests come over real sockets."""

    def __init__(self, site: Any, clock: Any) -> None:
        super().__init__(site)
        self._clock = clock

    def raw(self, data: bytes) -> bytes:
        """What a connection responds to some bytes, after which the client is gone."""
        wire = Wire(self.site, self._clock)
        wire.send(data)
        response = wire.read()
        wire.close()
        return response


@pytest.fixture(params=["ours", "Twisted's", "Twisted's on a socket"])
def make_web(request, clock):
    """Serves a root resource under one of the sites."""

    def make(root):
        if request.param == "ours":
            return Web(ChatSite(root, clock))
        site = Site(root, reactor=clock)
        return Web(site) if request.param == "Twisted's" else WebOnSocket(site, clock)

    return make


@pytest.fixture
def web(make_web, chat):
    return make_web(ChatResource(chat, limits=NO_LIMITS))


@pytest.fixture
def by_header(chat):
    """An application's way to authenticate: each request names its account."""

    async def authenticate(request):
        name = request.getHeader(b"X-Account")
        return None if name is None else await chat.join(name.decode())

    return authenticate


@pytest.fixture
def alice(web):
    """The token of somebody who has joined."""
    return web.join("alice")


@pytest.fixture
def bob(web):
    """The token of somebody else, who is the user 1 unless others have joined before."""
    return web.join("bob")


@pytest.fixture
def mod(web, chat, bob):
    """The token of a moderator: of the user 2, who joins after bob."""
    token = web.join("mod")
    result_of(chat.moderation.set_role(2, "moderator"))
    return token
