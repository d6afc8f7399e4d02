"""The request that a resource sees is Twisted's, and so is what becomes of its answer."""

from __future__ import annotations

import gzip
import json
import warnings
from importlib.metadata import version
from typing import Any

import pytest
from twisted.logger import globalLogPublisher
from twisted.web import server as stock
from twisted.web.iweb import IRequest
from twisted.web.pages import notFound
from twisted.web.resource import EncodingResourceWrapper, Resource
from twisted.web.server import NOT_DONE_YET, GzipEncoderFactory
from zope.interface.verify import verifyObject

from chatter.httpd.request import LeanRequest
from tests.httpd.support import Server, get, post


class Calling(Resource):
    """Answers with what a function makes of the request."""

    isLeaf = True

    def __init__(self, answer):
        super().__init__()
        self.answer = answer
        self.requests = []

    def render(self, request):
        self.requests.append(request)
        return self.answer(request)


def answer_of(answer, raw=None, **options):
    """The one answer that a function gives to a request."""
    [found] = Server(Calling(answer), **options).exchange(raw or get("/a/b?c=d"))
    return found


@pytest.fixture
def logged():
    """What is logged."""
    events: list[Any] = []
    observe: Any = events.append
    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


def failures(logged):
    return [event["log_failure"].type for event in logged if event.get("log_failure")]


def made(raw, *, stock=False, **options):
    """A request as a resource gets it, still to be answered."""
    resource = Calling(lambda _: NOT_DONE_YET)
    server = Server(resource, stock=stock, **options)
    connection = server.connect()
    connection.send(raw)
    [request] = resource.requests
    return request, connection


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
    """Trailing fields are read and forgotten: they can't replace what a resource checks."""
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
    [first] = connection.answers()
    cookie = (first.header("set-cookie") or "").split(";")[0]
    connection.send(get("/", f"Cookie: other=1; {cookie}"))
    assert [answer.body for answer in connection.answers()] == [b"1", b"2"]
    connection.lose()
    for session in list(server.site.sessions.values()):
        session.expire()
    assert server.clock.getDelayedCalls() == []


def test_headers_of_an_answer():
    """Fields may be set, replaced, repeated, removed and read back, with any spelling."""

    def answer(request):
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

    found = answer_of(answer)
    assert found.header("x-text") == "a"
    assert found.headers["content-type"] == ["text/css"]
    assert found.headers["x-many"] == ["1", "2"]
    assert found.header("location") is None
    assert found.header("x-split") == "a Set-Cookie: evil=1"
    assert found.header("vary") == "a b"
    assert found.headers["set-cookie"] == ["k=v; Path=/; HttpOnly", "k2=v2"]


def test_server_and_date_stand_once():
    """A resource may say another Server or Date; else they are the site's."""
    usual = answer_of(lambda _: b"x")
    assert len(usual.headers["server"]) == len(usual.headers["date"]) == 1

    def answer(request):
        request.setHeader(b"server", b"mine")
        return b"x"

    own = answer_of(answer)
    assert own.headers["server"] == ["mine"]
    assert own.headers["date"] == usual.headers["date"]


def test_a_reason_is_one_line():
    """Nothing can be smuggled into the status line."""

    def answer(request):
        request.setResponseCode(418, b"tea\r\nX: y")
        return b""

    resource = Calling(answer)
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

    found = answer_of(redirect)
    assert (found.status, found.header("location")) == (302, "/there")

    def cached(request):
        request.setLastModified(1_000_000)
        return b"" if request.setETag(b'"a"') else b"whole"

    found = answer_of(cached)
    assert found.body == b"whole"
    assert found.header("etag") == '"a"'
    assert found.header("last-modified") == "Mon, 12 Jan 1970 13:46:40 GMT"
    found = answer_of(cached, get("/", 'If-None-Match: "a"'))
    assert (found.status, found.body, found.header("content-length")) == (304, b"", None)


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_no_length(status):
    """204 and 304 carry no body, however much is written, and the next answer is whole."""

    def answer(request):
        request.setResponseCode(status)
        if request.path == b"/write":
            request.write(b"abc")
            request.write(b"def")
            request.finish()
            return NOT_DONE_YET
        return b"abc"

    connection = Server(Calling(answer)).connect()
    connection.send(get("/") + get("/write") + get("/"))
    answers = connection.answers()
    assert [found.status for found in answers] == [status] * 3
    assert not any(name in found.headers for found in answers for name in ("content-length", "x"))
    assert b"abc" not in connection.received()
    connection.lose()


HEAD = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"


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
            return self.answer(request)

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
        answers = connection.answers("HEAD", "HEAD")
        assert [(a.status, a.header("content-length")) for a in answers] == [(200, length)] * 2
        assert b"abc" not in connection.received()
        connection.lose()


def test_head_with_a_producer():
    """A producer may produce for HEAD, too; nothing of it is sent."""

    def produce(request):
        request.setHeader(b"content-length", b"3")
        request.registerProducer(Pull(request, [b"a", b"b", b"c"]), False)
        return NOT_DONE_YET

    server = Server(Calling(produce))
    connection = server.connect()
    connection.send(HEAD + get())
    server.clock.pump([0] * 20)
    first, second = connection.answers("HEAD", "GET")
    assert (first.header("content-length"), second.body) == ("3", b"abc")
    connection.lose()


class Pull:
    """A pull producer of some parts."""

    def __init__(self, request, parts):
        self.request = request
        self.parts = list(parts)
        self.stopped = False

    def resumeProducing(self):
        part = self.parts.pop(0)
        if part is None:
            raise ZeroDivisionError
        self.request.write(part)
        if not self.parts:
            self.request.unregisterProducer()
            self.request.finish()

    def stopProducing(self):
        self.stopped = True


def test_a_pull_producer_is_asked_only_while_it_is_wanted():
    """It is asked in turns of the reactor, not while the client takes nothing, nor after."""
    resource = Calling(lambda _: NOT_DONE_YET)
    server = Server(resource)
    connection = server.connect()
    connection.send(get())
    producer = Pull(resource.requests[0], [b"x"] * 100)
    pull = producer.resumeProducing

    def pull_and_fill():
        pull()
        if len(producer.parts) % 10 == 0:
            connection.transport.producer.pauseProducing()

    vars(producer)["resumeProducing"] = pull_and_fill
    resource.requests[0].registerProducer(producer, False)
    assert len(producer.parts) == 100
    server.clock.pump([0] * 10)
    assert len(producer.parts) == 90
    connection.transport.producer.resumeProducing()
    assert len(producer.parts) == 90
    server.clock.pump([0] * 10)
    assert len(producer.parts) == 80
    connection.transport.producer.resumeProducing()
    connection.lose()
    server.clock.pump([0] * 10)
    assert producer.stopped
    assert len(producer.parts) == 80
    assert server.clock.getDelayedCalls() == []


def test_a_producer_that_fails_cuts_the_answer_off(logged):
    """The failure is logged once, and the client sees that the answer is not whole."""
    resource = Calling(lambda _: NOT_DONE_YET)
    server = Server(resource)
    connection = server.connect()
    connection.send(get())
    resource.requests[0].registerProducer(Pull(resource.requests[0], [b"x", None, b"y"]), False)
    server.clock.pump([0] * 10)
    assert connection.transport.aborted
    assert failures(logged) == [ZeroDivisionError]
    connection.lose()


class Push:
    """A push producer that remembers what it is told."""

    def __init__(self):
        self.told = []

    def pauseProducing(self):
        self.told.append("pause")

    def resumeProducing(self):
        self.told.append("resume")

    def stopProducing(self):
        self.told.append("stop")


def test_a_push_producer_is_told_what_the_transport_tells():
    """It is paused and resumed, at once if output is paused already, and stopped at the end."""
    request, connection = made(get())
    producer = Push()
    connection.transport.producer.pauseProducing()
    request.registerProducer(producer, True)
    connection.transport.producer.resumeProducing()
    with pytest.raises(ValueError, match="registering producer"):
        request.registerProducer(Push(), True)
    connection.lose()
    assert producer.told == ["pause", "resume", "stop"]


def test_a_producer_does_not_outlive_its_request(logged):
    """One that was not unregistered is logged, and has nothing to do with the next request."""
    request, connection = made(get() + get())
    producer = Push()
    request.registerProducer(producer, True)
    request.finish()
    connection.transport.producer.pauseProducing()
    connection.lose()
    assert producer.told == []
    assert any("was not unregistered" in (event.get("log_format") or "") for event in logged)


def test_an_answer_of_unknown_length_comes_in_chunks():
    """Each write is a chunk; an empty one is none, for it would end the answer."""

    def answer(request):
        for part in (b"", b"a", b"", b"bc"):
            request.write(part)
        request.finish()
        return NOT_DONE_YET

    resource = Calling(answer)
    connection = Server(resource).connect()
    connection.send(get())
    assert connection.received().endswith(b"\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")
    connection.lose()


def test_a_compressed_answer():
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


# What goes wrong


def test_a_resource_that_fails_is_answered_for(logged):
    """The client gets 500 and the connection lives; the failure is logged."""

    def fail(_):
        raise ZeroDivisionError

    connection = Server(Calling(fail)).connect()
    connection.send(get() + get())
    assert [found.status for found in connection.answers()] == [500, 500]
    assert b"Processing Failed" in connection.received()
    assert b"ZeroDivisionError" not in connection.received()
    assert failures(logged) == [ZeroDivisionError, ZeroDivisionError]
    connection.lose()


@pytest.mark.parametrize("how", ["begun", "finished", "length"])
def test_a_resource_that_fails_too_late_is_cut_off(how, logged):
    """What has begun is not ended with an error page that looks like a part of it."""

    def fail(request):
        if how == "length":
            request.setHeader(b"content-length", b"10")
        request.write(b"begun")
        if how == "finished":
            request.finish()
        raise ZeroDivisionError

    connection = Server(Calling(fail)).connect()
    connection.send(get())
    [found] = connection.answers()
    assert found.body == b"begun"
    assert found.whole is (how == "finished")
    assert connection.transport.aborted is (how != "finished")
    assert failures(logged) == [ZeroDivisionError]
    if not connection.lost:
        connection.lose()


def test_what_fails_in_the_reports_of_failures_wedges_nothing(logged):
    """Whatever goes wrong in answering, the connection ends and the site goes on."""

    def fail(request):
        request.processingFailed = lambda reason: 1 / 0
        raise KeyError

    server = Server(Calling(fail))
    connection = server.connect()
    connection.send(get())
    assert connection.transport.aborted
    assert failures(logged) == [ZeroDivisionError]
    assert server.site.connections == set()


def test_text_is_no_body(logged):
    """Writing text is an error of the resource, and is answered with 500."""

    def answer(request):
        request.write("text")
        return NOT_DONE_YET

    assert answer_of(answer).status == 500
    assert failures(logged) == [TypeError]


def test_what_is_no_answer_is_answered_with_500():
    """A resource that returns neither bytes nor NOT_DONE_YET gets Twisted's page for that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = answer_of(lambda _: "text")
    assert found.status == 500
    assert b"did not return bytes" in found.body


def test_finishing_twice_is_warned_of():
    """The second finish() does nothing but warn; writing after the first raises."""
    request, connection = made(get())
    request.finish()
    with pytest.warns(UserWarning, match="finish called twice"):
        request.finish()
    with pytest.raises(RuntimeError, match=r"after Request\.finish"):
        request.write(b"x")
    assert len(connection.answers()) == 1
    request.loseConnection()
    assert not connection.lost
    connection.lose()


def test_a_log_that_fails_wedges_nothing(logged, monkeypatch):
    """A full disk under the access log costs the line, not the connection."""
    server = Server(Calling(lambda _: b"x"))
    monkeypatch.setattr(server.site, "log", lambda _: 1 / 0)
    connection = server.connect()
    connection.send(get() + get())
    assert [found.body for found in connection.answers()] == [b"x", b"x"]
    assert failures(logged) == [ZeroDivisionError] * 2
    connection.lose()


def test_the_access_log(tmp_path):
    """A line for each answer is written where it is asked for, in the usual format."""
    path = tmp_path / "access.log"
    server = Server(Calling(lambda _: b"abc"), access_log=str(path))
    server.site.doStart()
    server.exchange(get("/a?b", "User-Agent: me", "Referer: there"))
    server.site.doStop()
    assert path.read_text().endswith('"GET /a?b HTTP/1.1" 200 3 "there" "me"\n')
    assert path.read_text().startswith('"192.0.2.1" - - [12/Jan/1970:13:46:40 +0000] ')
    assert server.clock.getDelayedCalls() == []


def test_without_an_access_log_nothing_is_logged(logged):
    """By default no request is logged, nor is a timer kept for it."""
    server = Server(Calling(lambda _: b"abc"))
    server.site.doStart()
    server.exchange(get())
    server.site.doStop()
    assert logged == []
    assert server.clock.getDelayedCalls() == []


def test_options_of_the_whole_server():
    """OPTIONS * is answered; other methods are not for *."""
    server = Server()
    [options] = server.exchange(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
    [other] = server.exchange(b"GET * HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (options.status, other.status, other.header("allow")) == (200, 405, "OPTIONS")
    assert server.seen == []


def test_files(tmp_path):
    """twisted.web.static.File serves whole files, ranges, HEAD and what is not modified."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from twisted.web.static import File
    content = bytes(range(256)) * 2000
    (tmp_path / "file.bin").write_bytes(content)

    class Files(File):
        childNotFound: Any = notFound()

    for raw, status, body in (
        (get("/file.bin"), 200, content),
        (get("/file.bin", "Range: bytes=1-3"), 206, content[1:4]),
        (get("/file.bin", "Range: bytes=999999-"), 416, b""),
        (b"HEAD /file.bin HTTP/1.1\r\nHost: x\r\n\r\n", 200, b""),
        (get("/file.bin", "If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT"), 304, b""),
        (get("/none"), 404, None),
    ):
        server = Server(Files(str(tmp_path)))
        connection = server.connect()
        connection.send(raw)
        server.clock.pump([0] * 50)
        [found] = connection.answers(raw.split()[0].decode())
        assert found.status == status
        assert body is None or found.body == body
        assert found.whole
        connection.lose()
        assert server.clock.getDelayedCalls() == []


def test_forms_are_left_to_the_resource():
    """The body of a POST is content only, as with Site(parsePOSTFormSubmission=False)."""
    [found] = Server().exchange(post(b"a=b", "Content-Type: application/x-www-form-urlencoded"))
    described = json.loads(found.body)
    assert (described["args"], described["body"]) == ([], "a=b")
