"""What fails gets a response, is logged, and wedges nothing."""

from __future__ import annotations

import warnings

import pytest
from twisted.web.server import NOT_DONE_YET

from tests.httpd.calling import Calling, failures, made, response_of
from tests.httpd.support import Server, get


def test_a_resource_that_fails_gets_a_response(logged):
    """The client gets 500 and the connection lives; the failure is logged."""

    def fail(_):
        raise ZeroDivisionError

    connection = Server(Calling(fail)).connect()
    connection.send(get() + get())
    assert [found.status for found in connection.responses()] == [500, 500]
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
    [found] = connection.responses()
    assert found.body == b"begun"
    assert found.whole is (how == "finished")
    assert connection.transport.aborted is (how != "finished")
    assert failures(logged) == [ZeroDivisionError]
    if not connection.lost:
        connection.lose()


def test_what_fails_in_the_reports_of_failures_wedges_nothing(logged):
    """Whatever goes wrong in a response, the connection ends and the site goes on."""

    def fail(request):
        request.processingFailed = lambda reason: 1 / 0
        raise KeyError

    server = Server(Calling(fail))
    connection = server.connect()
    connection.send(get())
    assert connection.transport.aborted
    assert failures(logged) == [ZeroDivisionError]
    assert server.site.connections.open == set()


def test_text_is_no_body(logged):
    """Writing text is an error of the resource, and gets 500."""

    def response(request):
        request.write("text")
        return NOT_DONE_YET

    assert response_of(response).status == 500
    assert failures(logged) == [TypeError]


def test_what_is_no_response_gets_500():
    """A resource that returns neither bytes nor NOT_DONE_YET gets Twisted's page for that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = response_of(lambda _: "text")
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
    assert len(connection.responses()) == 1
    request.loseConnection()
    assert not connection.lost
    connection.lose()


def test_a_log_that_fails_wedges_nothing(logged, monkeypatch):
    """A full disk under the access log costs the line, not the connection."""
    server = Server(Calling(lambda _: b"x"))
    monkeypatch.setattr(server.site, "log", lambda _: 1 / 0)
    connection = server.connect()
    connection.send(get() + get())
    assert [found.body for found in connection.responses()] == [b"x", b"x"]
    assert failures(logged) == [ZeroDivisionError] * 2
    connection.lose()
