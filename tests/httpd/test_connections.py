"""One connection: the order of its requests."""

from __future__ import annotations

import json

import pytest
from twisted.web.resource import Resource

from chatter.httpd import Limits
from tests.httpd.support import Server, get, post

# Order


def test_pipelined_requests_get_responses_one_after_the_other(server, held):
    """A request waits for the one before it, and the resource sees it only then."""
    connection = server.connect()
    connection.send(get("/1") + get("/2") + get("/3"))
    assert [request.uri for request in held.requests] == [b"/1"]
    for number in (1, 2, 3):
        request = held.requests[-1]
        assert request.uri == b"/%d" % number
        request.write(request.uri)
        request.finish()
    assert [response.body for response in connection.responses()] == [b"/1", b"/2", b"/3"]
    assert held.ends == [(b"/1", None), (b"/2", None), (b"/3", None)]
    assert not connection.lost


def test_a_thousand_pipelined_requests_need_no_deep_stack():
    """Requests that get responses at once get them in a loop, not in a recursion."""
    server = Server()
    connection = server.connect()
    connection.send(get("/echo") * 5000)
    assert len(connection.responses()) == 5000
    connection.lose()


def test_a_client_that_sends_on_while_it_waits_is_not_read(server, held):
    """What waits on a connection is bounded: its transport is paused, and resumed later."""
    connection = server.connect()
    connection.send(get("/1"))
    connection.send(b"GET /2 HTTP/1.1\r\nHost: x\r\nX: ")
    assert connection.transport.producerState == "producing"
    connection.send(b"y" * 5000)
    assert connection.transport.producerState == "paused"
    held.requests[0].finish()
    assert connection.transport.producerState == "producing"
    connection.send(b"\r\n\r\n")
    assert held.requests[1].uri == b"/2"


def test_keep_alive_is_the_rule_of_http_11_and_the_wish_of_http_10():
    """A connection stays open unless HTTP/1.1 says close, or HTTP/1.0 does not say keep-alive."""
    server = Server()
    for version, wish, stays in (
        ("1.1", "", True),
        ("1.1", "close", False),
        ("1.1", "CLOSE, x", False),
        ("1.0", "", False),
        ("1.0", "keep-alive", True),
        ("1.0", "close", False),
    ):
        line = f"Connection: {wish}\r\n" if wish else ""
        connection = server.connect()
        connection.send(f"GET /echo HTTP/{version}\r\nHost: x\r\n{line}\r\n".encode())
        [response] = connection.responses()
        assert response.status == 200
        assert connection.lost is not stays
        said = response.header("connection")
        assert said == ("close" if not stays else "keep-alive" if version == "1.0" else None)
        if stays:
            connection.lose()


def test_a_response_of_unknown_length_ends_with_the_connection_in_http_10():
    """HTTP/1.0 has no chunks, whatever it says about keep-alive."""
    connection = Server().connect()
    connection.send(b"GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    [response] = connection.responses()
    assert response.header("transfer-encoding") is None
    assert response.header("connection") == "close"
    assert json.loads(response.body[:-1])["proto"] == "HTTP/1.0"
    assert connection.lost


def test_nothing_behind_a_close_gets_a_response():
    """What follows a request that says Connection: close is not looked at."""
    server = Server()
    connection = server.connect()
    connection.send(get("/echo", "Connection: close") + get("/echo") + b"nonsense")
    assert len(connection.responses()) == 1
    assert connection.lost
    assert len(server.seen) == 1


def test_a_resource_may_close_after_its_response():
    """A response that says Connection: close is the connection's last."""

    class Closing(Resource):
        isLeaf = True

        def render(self, request):
            request.setHeader(b"connection", b"close")
            return b"bye"

    connection = Server(Closing()).connect()
    connection.send(get() + get())
    assert [response.body for response in connection.responses()] == [b"bye"]
    assert connection.lost


# 100-continue, upgrade, CONNECT


def test_a_client_that_waits_is_told_to_send_its_body():
    """100 is sent when the head has come, and the response when the body has."""
    connection = Server().connect()
    raw = post(b"abc", "Expect: 100-continue")
    connection.send(raw[:-3])
    assert connection.received() == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.send(b"abc")
    assert [response.status for response in connection.responses()] == [100, 200]
    connection.lose()


def test_nobody_is_told_to_send_what_has_come():
    """100 is not sent when the body is here already, nor to HTTP/1.0, nor twice."""
    server = Server()
    for raw in (
        post(b"abc", "Expect: 100-continue"),
        get("/echo", "Expect: 100-continue"),
        b"POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    ):
        assert [response.status for response in server.exchange(raw)] == [200]
    connection = server.connect()
    connection.send(get("/echo", "Expect: 100-continue"), get("/echo"))
    assert [response.status for response in connection.responses()] == [200, 200]
    connection.lose()


def test_a_pipelined_client_is_told_in_its_turn(server, held):
    """100 comes behind the response to the request before it."""
    connection = server.connect()
    connection.send(get("/1") + post(b"abc", "Expect: 100-continue")[:-3])
    assert connection.received() == b""
    held.requests[0].finish()
    assert [response.status for response in connection.responses()] == [200, 100]
    connection.send(b"abc")
    assert held.requests[1].content.read() == b"abc"


@pytest.mark.parametrize("size", [1, 17, 10_000])
def test_an_upgrade_is_not_heard(size):
    """A request for another protocol gets its response, with its body, as any other."""
    server = Server()
    connection = server.connect()
    lines = ("Connection: Upgrade", "Upgrade: h2c")
    chunked = get("/echo", *lines, "Transfer-Encoding: chunked")
    raw = post(b"abc", *lines) + get("/echo", *lines) + chunked + b"2\r\nxy\r\n0\r\n\r\n"
    raw += post(b"", *lines) + get("/echo")
    connection.send(*[raw[start : start + size] for start in range(0, len(raw), size)])
    assert [json.loads(text)["body"] for text in server.seen] == ["abc", "", "xy", "", ""]
    assert json.loads(server.seen[0])["headers"][0] == ["Connection", ["Upgrade"]]
    assert not connection.lost
    connection.send(get("/echo", "Connection: Upgrade, close", "Upgrade: h2c") + get("/echo"))
    assert len(connection.responses()) == 6
    assert connection.lost


def test_the_limits_hold_for_what_asks_for_an_upgrade():
    """The body of such a request is counted like any other."""
    server = Server(limits=Limits(body=5))
    lines = ("Connection: Upgrade", "Upgrade: h2c", "Transfer-Encoding: chunked")
    [response] = server.exchange(get("/echo", *lines) + b"6\r\nabcdef\r\n0\r\n\r\n")
    assert response.status == 413
    assert server.seen == []
