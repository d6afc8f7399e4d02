"""What the tests of the HTTP server share: connections in memory, and resources."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.pages import notFound
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from chatter.httpd import LeanSite, Limits


@dataclass
class Response:
    """One response, as a client reads it."""

    status: int
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = True

    def header(self, name: str) -> str | None:
        values = self.headers.get(name)
        return values[-1] if values else None


def parse_responses(data: bytes, methods: list[str] | None = None) -> list[Response]:
    """Read the responses in a stream of bytes, in the order of the requests' methods."""
    responses: list[Response] = []
    methods = list(methods or [])
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        response = Response(int(lines[0].split(" ")[1]), whole=bool(end))
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            response.headers.setdefault(name.lower(), []).append(value)
        responses.append(response)
        if response.status < 200:
            continue
        method = methods.pop(0) if methods else "GET"
        if method == "HEAD" or response.status in (204, 304):
            continue
        if response.header("transfer-encoding") == "chunked":
            data = _take_chunks(response, data)
        elif response.header("content-length") is not None:
            size = int(response.header("content-length") or 0)
            response.body, data = data[:size], data[size:]
            response.whole = len(response.body) == size
        else:
            response.body, data = data, b""
    return responses


def _take_chunks(response: Response, data: bytes) -> bytes:
    while True:
        line, end, data = data.partition(b"\r\n")
        if not end:
            response.whole = False
            return b""
        size = int(line, 16)
        response.body += data[:size]
        data = data[size + 2 :]
        if size == 0:
            return data


class Transport(StringTransport):
    """A transport in memory that can be cut off."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True


class Connection:
    """A client's connection to a site, in memory."""

    def __init__(self, site: Site, transport: Any = None) -> None:
        self.transport: Any = transport or Transport(
            peerAddress=IPv4Address("TCP", "192.0.2.1", 4321)
        )
        self.protocol: Any = site.buildProtocol(IPv4Address("TCP", "192.0.2.1", 4321))
        self.protocol.makeConnection(self.transport)
        self.lost = False

    def send(self, *parts: bytes) -> None:
        """Send parts, as long as the server takes them."""
        for part in parts:
            if not self.lost:
                self.protocol.dataReceived(part)
                self.settle()

    def settle(self) -> None:
        """Do what a real transport does when it was told to close."""
        if self.transport.disconnecting and not self.lost:
            self.lose()

    def lose(self) -> None:
        self.lost = True
        self.protocol.connectionLost(Failure(ConnectionDone()))

    def received(self) -> bytes:
        data: bytes = self.transport.value()
        return data

    def responses(self, *methods: str) -> list[Response]:
        return parse_responses(self.received(), list(methods))


def get(path: str = "/", *lines: str) -> bytes:
    """A GET request with some more header lines."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode("latin-1")


def post(body: bytes, *lines: str, path: str = "/echo") -> bytes:
    """A POST request with a body of a told length."""
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


class Echo(Resource):
    """Responds with what the request looks like to a resource, and remembers it."""

    isLeaf = True

    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self.seen = seen

    def described(self, request: Any) -> bytes:
        described = json.dumps(
            {
                "method": request.method.decode("latin-1"),
                "uri": request.uri.decode("latin-1"),
                "path": request.path.decode("latin-1"),
                "prepath": [s.decode("latin-1") for s in request.prepath],
                "postpath": [s.decode("latin-1") for s in request.postpath],
                "args": sorted(
                    (k.decode("latin-1"), [v.decode("latin-1") for v in vs])
                    for k, vs in request.args.items()
                ),
                "headers": sorted(
                    (k.decode("latin-1"), [v.decode("latin-1") for v in vs])
                    for k, vs in request.requestHeaders.getAllRawHeaders()
                ),
                "cookies": sorted(
                    (k.decode("latin-1"), v.decode("latin-1"))
                    for k, v in request.received_cookies.items()
                ),
                "hostname": request.getRequestHostname().decode("latin-1"),
                "proto": request.clientproto.decode(),
                "body": request.content.read().decode("latin-1"),
            },
            sort_keys=True,
        )
        self.seen.append(described)
        return described.encode()

    def render(self, request: Any) -> Any:
        request.setHeader(b"content-type", b"application/json")
        return self.described(request)


class Chunks(Echo):
    """Writes its response in parts, of a length it doesn't tell."""

    def render(self, request: Any) -> Any:
        for part in self.described(request).split(b","):
            request.write(part + b",")
        request.finish()
        return NOT_DONE_YET


class Later(Echo):
    """Responds when time has passed."""

    def __init__(self, seen: list[str], reactor: Any) -> None:
        super().__init__(seen)
        self.reactor = reactor

    def render(self, request: Any) -> Any:
        described = self.described(request)

        def response() -> None:
            request.setHeader(b"content-length", b"%d" % len(described))
            request.write(described)
            request.finish()

        call = self.reactor.callLater(0.01, response)
        request.notifyFinish().addErrback(lambda _: call.cancel() if call.active() else None)
        return NOT_DONE_YET


class Coded(Resource):
    """Responds with a status and a body, both in the path."""

    isLeaf = True

    def render(self, request: Any) -> Any:
        code = request.postpath[0]
        request.setResponseCode(int(code) if code in (b"200", b"204", b"304", b"404") else 400)
        return b"-".join(request.postpath[1:])


class GetOnly(Resource):
    """Knows nothing but GET."""

    isLeaf = True

    def render_GET(self, request: Any) -> Any:
        request.setHeader(b"X-Seen-Method", request.method)
        return b"got"


class Failing(Resource):
    """Fails: at once, or when it has begun to respond."""

    isLeaf = True

    def render(self, request: Any) -> Any:
        if request.postpath == [b"begun"]:
            request.write(b"begun")
        raise ZeroDivisionError


class Empty(Resource):
    """Responds with nothing at all."""

    isLeaf = True

    def render(self, request: Any) -> Any:
        request.finish()
        return NOT_DONE_YET


class Root(Resource):
    """Has children, and else nothing."""

    def getChild(self, path: bytes, request: Any) -> Any:
        return notFound()


def tree(seen: list[str], reactor: Any) -> Resource:
    """The resources that a test's site has."""
    root = Root()
    root.putChild(b"", Echo(seen))
    root.putChild(b"echo", Echo(seen))
    root.putChild(b"chunks", Chunks(seen))
    root.putChild(b"later", Later(seen, reactor))
    root.putChild(b"coded", Coded())
    root.putChild(b"get", GetOnly())
    root.putChild(b"fail", Failing())
    root.putChild(b"empty", Empty())
    return root


class Server:
    """A site in memory, with its clock and what its resources have seen."""

    def __init__(
        self,
        resource: Any = None,
        *,
        limits: Limits | None = None,
        stock: bool = False,
        **options: Any,
    ) -> None:
        self.clock = Clock()
        self.clock.advance(1_000_000)
        self.seen: list[str] = []
        resource = resource or tree(self.seen, self.clock)
        self.site: Any
        if stock:
            self.site = Site(resource, reactor=self.clock, parsePOSTFormSubmission=False)
        else:
            self.site = LeanSite(
                resource, self.clock, wall_clock=self.clock.seconds, limits=limits, **options
            )

    def connect(self, transport: Any = None) -> Connection:
        return Connection(self.site, transport)

    def exchange(self, *parts: bytes, methods: tuple[str, ...] = ()) -> list[Response]:
        """The responses to what is sent on one connection."""
        connection = self.connect()
        connection.send(*parts)
        responses = connection.responses(*methods)
        if not connection.lost:
            connection.lose()
        return responses
