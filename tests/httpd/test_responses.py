"""A response goes out as the resource made it, and as HTTP wants it."""

from __future__ import annotations

import gzip

import pytest
from twisted.web.resource import EncodingResourceWrapper, Resource
from twisted.web.server import NOT_DONE_YET, GzipEncoderFactory

from tests.httpd.calling import Calling, response_of
from tests.httpd.support import Server, get

HEAD = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_headers_of_a_response():
    """Fields may be set, replaced, repeated, removed and read back, with any spelling."""

    def response(request):
        request.setHeader("x-text", "a")
        request.setHeader(b"Content-Type", b"text/plain")
        request.setHeader(b"content-type", b"text/css")
        request.responseHeaders.addRawHeader(b"x-many", b"1")
        request.responseHeaders.addRawHeader(b"x-many", b"2")
        request.setHeader(b"Location", b"/gone")
        request.responseHeaders.removeHeader(b"location")
        request.setHeader(b"X-Split", b"a\r\nSet-Cookie: evil=1")
        request.setHeader(b"Vary", b"a\r\nb")
        request.addCookie("k", "v", path="/", httpOnly=True)
        request.addCookie("k2", "v2")
        assert request.responseHeaders.getRawHeaders(b"content-type") == [b"text/css"]
        return b"x"

    found = response_of(response)
    assert found.header("x-text") == "a"
    assert found.headers["content-type"] == ["text/css"]
    assert found.headers["x-many"] == ["1", "2"]
    assert found.header("location") is None
    assert found.header("x-split") == "a Set-Cookie: evil=1"
    assert found.header("vary") == "a b"
    assert found.headers["set-cookie"] == ["k=v; Path=/; HttpOnly", "k2=v2"]


def test_server_and_date_stand_once():
    """A resource may say another Server or Date; else they are the site's."""
    usual = response_of(lambda _: b"x")
    assert len(usual.headers["server"]) == len(usual.headers["date"]) == 1

    def response(request):
        request.setHeader(b"server", b"mine")
        return b"x"

    own = response_of(response)
    assert own.headers["server"] == ["mine"]
    assert own.headers["date"] == usual.headers["date"]


def test_a_reason_is_one_line():
    """Nothing can be smuggled into the status line."""

    def response(request):
        request.setResponseCode(418, b"tea\r\nX: y")
        return b""

    resource = Calling(response)
    connection = Server(resource).connect()
    connection.send(get())
    assert connection.received().startswith(b"HTTP/1.1 418 tea X: y\r\nServer")
    connection.lose()


def test_a_redirect_and_what_is_not_modified():
    """redirect, setETag and setLastModified do what they do in Twisted."""

    def redirect(request):
        request.redirect(b"/there")
        request.finish()
        return NOT_DONE_YET

    found = response_of(redirect)
    assert (found.status, found.header("location")) == (302, "/there")

    def cached(request):
        request.setLastModified(1_000_000)
        return b"" if request.setETag(b'"a"') else b"whole"

    found = response_of(cached)
    assert found.body == b"whole"
    assert found.header("etag") == '"a"'
    assert found.header("last-modified") == "Mon, 12 Jan 1970 13:46:40 GMT"
    found = response_of(cached, get("/", 'If-None-Match: "a"'))
    assert (found.status, found.body, found.header("content-length")) == (304, b"", None)


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_without_a_body_has_no_length(status):
    """204 and 304 carry no body, however much is written, and the next response is whole."""

    def response(request):
        request.setResponseCode(status)
        if request.path == b"/write":
            request.write(b"abc")
            request.write(b"def")
            request.finish()
            return NOT_DONE_YET
        return b"abc"

    connection = Server(Calling(response)).connect()
    connection.send(get("/") + get("/write") + get("/"))
    responses = connection.responses()
    assert [found.status for found in responses] == [status] * 3
    assert not any(name in found.headers for found in responses for name in ("content-length", "x"))
    assert b"abc" not in connection.received()
    connection.lose()


def test_head_is_get_without_the_body():
    """HEAD gets the head of GET: for bytes, for what is written, and where only GET is known."""

    def write(request):
        request.write(b"ab")
        request.write(b"c")
        request.finish()
        return NOT_DONE_YET

    class GetOnly(Calling):
        render = Resource.render
        render_HEAD = property()  # as one that is no Resource

        def render_GET(self, request):
            return self.response(request)

    def write_and_return(request):
        request.write(b"abc")
        return b""

    for resource, length in (
        (Calling(lambda _: b"abc"), "3"),
        (Calling(write), None),
        (GetOnly(write_and_return), None),
        (GetOnly(lambda _: b"abc"), "3"),
    ):
        connection = Server(resource).connect()
        connection.send(HEAD, HEAD)
        responses = connection.responses("HEAD", "HEAD")
        assert [(a.status, a.header("content-length")) for a in responses] == [(200, length)] * 2
        assert b"abc" not in connection.received()
        connection.lose()


def test_a_response_of_unknown_length_comes_in_chunks():
    """Each write is a chunk; an empty one is none, for it would end the response."""

    def response(request):
        for part in (b"", b"a", b"", b"bc"):
            request.write(part)
        request.finish()
        return NOT_DONE_YET

    resource = Calling(response)
    connection = Server(resource).connect()
    connection.send(get())
    assert connection.received().endswith(b"\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")
    connection.lose()


def test_a_compressed_response():
    """EncodingResourceWrapper works: the length is not told, the body is compressed."""
    for raw in (
        get("/", "Accept-Encoding: gzip"),
        HEAD.replace(b"x\r", b"x\r\nAccept-Encoding: gzip\r"),
    ):
        resource = EncodingResourceWrapper(Calling(lambda _: b"abc" * 99), [GzipEncoderFactory()])
        method = raw.split()[0].decode()
        [found] = Server(resource).exchange(raw, methods=(method,))
        assert found.header("content-encoding") == "gzip"
        if method == "GET":
            assert found.header("content-length") is None
            assert gzip.decompress(found.body) == b"abc" * 99
