"""The request that a resource sees is Twisted's."""

from __future__ import annotations

import json
from importlib.metadata import version

from twisted.web import server as stock
from twisted.web.iweb import IRequest
from zope.interface.verify import verifyObject

from chatter.httpd.request import LeanRequest
from tests.httpd.calling import Calling, made
from tests.httpd.support import Server, get, post


def test_it_is_a_request():
    """It provides IRequest, whole."""
    request, connection = made(get())
    assert isinstance(request, stock.Request)
    assert isinstance(request, LeanRequest)
    verifyObject(IRequest, request, tentative=True)
    connection.lose()


def test_it_has_all_that_twisteds_constructor_makes():
    """Every attribute of Twisted's own request is there, with the same value.

    Tried with Twisted 26.10; a new version may set more.
    """
    raw = post(b"abc", "Cookie: a=b", path="/a%20b/c?d=e")
    theirs, there = made(raw, stock=True)
    ours, here = made(raw)
    makers = {"_parsePOSTFormSubmission"}  # for their own parsing, which ours does not do
    differ = {"channel", "transport", "site", "notifications", "responseHeaders", "content"}
    for name, value in vars(theirs).items():
        if name not in makers:
            assert hasattr(ours, name), name
            if name not in differ:
                assert getattr(ours, name) == value, name
    assert ours.content.read() == theirs.content.read() == b"abc"
    assert int(version("twisted").split(".")[0]) >= 26
    there.lose()
    here.lose()


def test_what_it_tells_of_the_connection():
    """Addresses, host names and URLs are as Twisted tells them."""
    raw = get("/a/b%20c?d", "Authorization: Basic YWxpY2U6c2VjcmV0")
    told = []
    for which in (True, False):
        request, connection = made(raw, stock=which)
        request.setHeader(b"x", b"y")
        told.append(
            (
                request.getClientAddress(),
                request.getHost(),
                request.isSecure(),
                request.getRequestHostname(),
                request.prePathURL(),
                request.URLPath().path,
                request.getUser(),
                request.getPassword(),
                request.getAllHeaders(),
                request.getHeader(b"HOST"),
                request.getHeader("Host"),
                request.getHeader("nothing"),
                request.childLink(b"c"),
                request.sibLink(b"s"),
                repr(request).split(" ", 3)[3],
            )
        )
        connection.lose()
    assert told[0] == told[1]


def test_a_host_can_be_set():
    """setHost, for those behind a proxy, works as in Twisted."""
    request, connection = made(get())
    request.setHost(b"example.org", 443, ssl=True)
    assert request.isSecure()
    assert request.getRequestHostname() == b"example.org"
    assert request.prePathURL() == b"https://example.org/"
    connection.lose()


def test_a_url_is_a_target():
    """A target with scheme and host is one (RFC 9112, 3.2.2): the path is found in it."""
    for target, host, path, query in (
        ("http://y/a/b?c=d", "y", "/a/b", {b"c": [b"d"]}),
        ("HTTP://y:80", "y:80", "/", {}),
        ("https://y?c=d", "y", "/", {b"c": [b"d"]}),
    ):
        request, connection = made(get(target))
        assert request.path == path.encode()
        assert request.args == query
        assert request.getHeader(b"host") == host.encode()
        assert request.uri == target.encode()
        connection.lose()


def test_a_value_has_no_space_around_it():
    """Spaces and tabs before and behind a value are not a part of it; those inside are."""
    request, connection = made(get("/", "X-A: \t a b \t ", "X-B:  ", "X-C:c"))
    assert [request.getHeader(name) for name in (b"x-a", b"x-b", b"x-c")] == [b"a b", b"", b"c"]
    connection.lose()


def test_what_stands_behind_the_body_is_no_header():
    """Trailing headers are read and forgotten: they can't replace what a resource checks."""
    raw = get("/", "Transfer-Encoding: chunked", "Authorization: a")
    raw += b"1\r\nx\r\n0\r\nAuthorization: b\r\nX-More: c\r\n\r\n"
    request, connection = made(raw)
    assert request.getHeader(b"authorization") == b"a"
    assert request.getHeader(b"x-more") is None
    assert not request.requestHeaders.hasHeader(b"x-more")
    connection.lose()


def test_a_session_lasts_from_request_to_request():
    """A session's cookie, and the session behind it, are found again."""

    def count(request):
        session = request.getSession()
        session.count = getattr(session, "count", 0) + 1
        return b"%d" % session.count

    server = Server(Calling(count))
    connection = server.connect()
    connection.send(get())
    [first] = connection.responses()
    cookie = (first.header("set-cookie") or "").split(";")[0]
    connection.send(get("/", f"Cookie: other=1; {cookie}"))
    assert [response.body for response in connection.responses()] == [b"1", b"2"]
    connection.lose()
    for session in list(server.site.sessions.values()):
        session.expire()
    assert server.clock.getDelayedCalls() == []


def test_forms_are_left_to_the_resource():
    """The body of a POST is content only, as with Site(parsePOSTFormSubmission=False)."""
    [found] = Server().exchange(post(b"a=b", "Content-Type: application/x-www-form-urlencoded"))
    described = json.loads(found.body)
    assert (described["args"], described["body"]) == ([], "a=b")
