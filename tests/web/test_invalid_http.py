"""Responses that no resource makes, and requests that are rejected for their form."""

from __future__ import annotations

import json

import pytest
from twisted.internet.task import Clock
from twisted.web.server import Site

from chatter.httpd import reason_of
from chatter.protocol.errors import TooManyRequests
from chatter.web import ChatResource
from chatter.web.endpoint import JSONResource
from chatter.web.site import ChatSite
from tests.httpd.support import Connection, get, post

ORIGIN = "https://page.example"

REJECTED = {
    400: "GET / HTTP/1.1\r\nOrigin: {origin}\r\n\r\n",
    408: "POST /send HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nContent-Length: 9\r\n\r\n",
    413: "POST /send HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nContent-Length: 99999999\r\n\r\n",
    414: "GET /{long} HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\n\r\n",
    431: "GET / HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nX: {long}{long}\r\n\r\n",
    501: "POST / HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nTransfer-Encoding: gzip\r\n\r\n",
}


def rejected(site, clock, status, origin=ORIGIN):
    connection = Connection(site)
    connection.send(REJECTED[status].format(origin=origin, long="a" * 9000).encode())
    clock.pump([1] * 61)
    [response] = connection.responses()
    assert response.status == status
    connection.lose()
    return response


@pytest.fixture
def site(chat, clock):
    resource = ChatResource(chat, origins=[ORIGIN])
    return ChatSite(resource, clock, origins=[ORIGIN])


@pytest.mark.parametrize("status", REJECTED)
def test_a_response_that_no_resource_makes_looks_like_the_others(site, clock, status):
    """It is a problem that nobody keeps, and that depends on the origin."""
    response = rejected(site, clock, status)
    assert response.header("content-type") == "application/problem+json"
    assert json.loads(response.body)["status"] == status
    assert response.header("cache-control") == "no-store"
    assert response.header("vary") == "Origin"


@pytest.mark.parametrize("status", REJECTED)
def test_pages_that_may_use_the_chat_can_read_it(site, clock, status):
    """A page of an origin that is named learns what was wrong; others don't."""
    allowed = rejected(site, clock, status).header("access-control-allow-origin")
    assert allowed == ORIGIN
    foreign = rejected(site, clock, status, "https://other.example")
    assert foreign.header("access-control-allow-origin") is None


def test_where_no_origins_are_named_it_has_no_such_headers(chat, clock):
    """It is what it was."""
    response = rejected(ChatSite(ChatResource(chat), clock), clock, 413)
    assert response.header("vary") is None
    assert response.header("access-control-allow-origin") is None


@pytest.mark.parametrize("make_site", [ChatSite, Site])
def test_an_encoded_body_is_not_decoded(make_site, chat, clock):
    """It gets 415; identity is no encoding."""
    site = make_site(ChatResource(chat), reactor=clock)
    for encoding, status in (("gzip", 415), ("br, gzip", 415), ("identity", 200), ("", 200)):
        connection = Connection(site)
        connection.send(post(b"{}", f"Content-Encoding: {encoding}", path="/connect"))
        [response] = connection.responses()
        assert response.status == status, encoding
        if status == 415:
            assert json.loads(response.body)["type"] == "urn:chatter:unsupported-media-type"
        connection.lose()


@pytest.mark.parametrize("make_site", [ChatSite, Site])
def test_a_query_of_thousands_of_parameters_is_not_parsed(make_site, chat, clock):
    """Parsing them would cost more than the response does."""
    site = make_site(ChatResource(chat), reactor=clock)
    connection = Connection(site)
    connection.send(post(b"", path="/connect"))
    token = json.loads(connection.responses()[0].body)["token"]
    connection.transport.clear()
    for separator in "&;":
        target = "/status?" + f"a{separator}" * 1000
        head = f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        connection.send(head.encode())
    assert [response.status for response in connection.responses()] == [400, 400]
    connection.lose()


@pytest.mark.parametrize("host", ["", "Host:\r\n", "Host: x\r\n"])
def test_http_1_0_needs_no_host(chat, clock, host):
    """It is served, as HTTP/1.0 knows of no Host."""
    connection = Connection(ChatSite(ChatResource(chat), clock))
    connection.send(f"GET /health HTTP/1.0\r\n{host}\r\n".encode())
    [response] = connection.responses()
    assert response.status == 200


def test_too_many_requests_says_so():
    """The status line has the name of the status, which Twisted does not know."""
    assert reason_of(429) == b"Too Many Requests"
    resource = JSONResource()

    async def respond(_):
        raise TooManyRequests("Later.", 5)

    resource.isLeaf = True
    resource.methods = (b"GET",)
    resource.respond = respond  # type: ignore[method-assign]
    for site in (ChatSite(resource, Clock()), Site(resource, reactor=Clock())):
        connection = Connection(site)
        connection.send(get("/"))
        assert connection.received().startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
        connection.lose()
