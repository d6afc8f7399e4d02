"""Responses that are not as they should be, and requests that are given up."""

from __future__ import annotations

import gzip
import subprocess
import sys
import traceback

import pytest
from msgspec import json
from twisted.internet.defer import CancelledError

from chatter.client import Retries, ServerUnreachable, UnexpectedResponse, requests
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Page
from tests.client.support import Rig, Scripted, problem

ONCE = Retries(attempts=1)
HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}
CONNECTED = (200, JSON, b'{"status":"success","user_id":1,"name":"a","cursor":0,"token":"t"}')


@pytest.mark.parametrize(
    "response",
    [
        (200, HTML, b"<html>Welcome to the hotel's network</html>"),
        (200, JSON, b""),
        (200, JSON, b"null"),
        (200, JSON, b"[]"),
        (200, JSON, b'{"id": "one"}'),
        (200, JSON, b'{"id": 1, "text": "cut o'),
        (200, JSON, b"\xff\xfe"),
        (200, JSON, b"[" * 100_000),
        (204, {}, b""),
        (302, {"Location": "http://elsewhere.example/"}, b""),
        (400, HTML, b"<html>Bad Request</html>"),
        (401, HTML, b"<html>The proxy's password?</html>"),
        (404, JSON, b'{"type":"about:blank","title":"T","status":404,"detail":"D"}'),
        (404, JSON, b'{"type":"urn:other:thing","title":"T","status":404,"detail":"D"}'),
        (500, HTML, b"<html>Oops</html>"),
        (500, JSON, b"[" * 100_000),
    ],
)
def test_something_else_responds(response):
    """Whatever is no response of a chat server is one clear error, at the first attempt."""
    server = Scripted(response)
    rig = Rig(server)
    with pytest.raises(UnexpectedResponse):
        rig.result(rig.client(token="t").send("x"))
    assert server.requests == 1


def test_a_redirect_is_not_followed():
    """A token goes to the server that it is for, and not to where that points."""
    rig = Rig(Scripted((307, {"Location": "http://elsewhere.example/send"}, b"")))
    with pytest.raises(UnexpectedResponse, match="status 307"):
        rig.result(rig.client(token="t").send("x"))
    assert [uri for _, _, uri, _ in rig.agent.requests] == [b"http://chat.example/send"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_gateway_whose_server_is_away(status):
    """A proxy whose server restarts is tried again, as if it had refused the connection."""
    server = Scripted((status, HTML, b"<html>Bad Gateway</html>"), problem("unauthorized", 401))
    rig = Rig(server)
    with pytest.raises(Exception, match=r"^D\.$"):
        rig.result(rig.client(token="t").send("x"))
    assert server.requests == 2


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_joining_through_a_gateway(status):
    """Joining is tried again, with one key, also if a proxy has lost the response."""
    server = Scripted((status, HTML, b""), CONNECTED)
    rig = Rig(server)
    assert rig.result(rig.client().connect()).token == "t"
    assert server.requests == 2
    first, second = rig.headers(b"Idempotency-Key")
    assert first == second
    assert len(first[0]) >= 32


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("soon", 1),
        ("-5", 1),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 1),
        ("", 1),
        ("3600", 300),
        ("9" * 5000, 300),
    ],
)
def test_a_retry_after_that_is_no_sensible_number_of_seconds(value, seconds):
    """It is as if there were none, or the longest that a server may request."""
    rig = Rig(Scripted(problem("store-unavailable", 503, Retry_After=value)))
    with pytest.raises(StoreUnavailable) as caught:
        rig.result(rig.client(token="t", retries=ONCE).send("x"))
    assert caught.value.retry_after == seconds


def test_a_response_that_is_too_large():
    """A response beyond all bounds is not read to its end."""
    rig = Rig(Scripted((200, JSON, b" " * (requests.SMALL + 1))))
    with pytest.raises(UnexpectedResponse, match="larger"):
        rig.result(rig.client(token="t").send("x"))


def test_the_largest_page_is_read():
    """A full page of the longest texts, each character escaped, fits into the bounds."""
    message = (
        b'{"id":1,"sender_id":1,"recipient_id":1,"text":"%s","sent_at":"2026-01-01T00:00:00Z"}'
        % (b"\\u0001" * 4096)
    )
    body = b'{"messages":[%s],"cursor":1,"more":true}' % b",".join([message] * 1000)
    assert len(json.decode(body, type=Page).messages) == 1000
    assert len(body) < requests.MAX_PAGE


def test_no_compression_is_accepted():
    """A few compressed bytes could become gigabytes: no request accepts compression."""
    rig = Rig()
    rig.result(rig.client().health())
    assert rig.headers(b"Accept-Encoding") == [[b"identity"]]


def test_a_compressed_response_is_refused():
    """A server that compresses in spite of that gets one clear error."""
    body = gzip.compress(b'{"status":"OK"}')
    rig = Rig(Scripted((200, {**JSON, "Content-Encoding": "gzip"}, body)))
    with pytest.raises(UnexpectedResponse, match="compressed"):
        rig.result(rig.client().health())


def test_members_that_are_new_are_ignored():
    """A newer server may say more than this client knows."""
    rig = Rig(Scripted((200, JSON, b'{"status":"OK","version":"9"}')))
    assert rig.result(rig.client().health()).status == "OK"


def test_a_server_without_a_response():
    """After the time-out of one attempt comes the next, and at last an error."""
    server = Scripted(None)
    rig = Rig(server)
    client = rig.client(token="t", timeout=5, retries=Retries(attempts=3))
    with pytest.raises(ServerUnreachable, match="did not respond within 5 seconds") as caught:
        rig.result(client.send("x"))
    assert caught.value.may_have_arrived
    assert server.requests == 3
    assert rig.times[1] >= 5


def test_giving_up_while_a_request_is_under_way():
    """Cancelling a request ends it at once; it is not sent again, and no timer is left."""
    server = Scripted(None)
    rig = Rig(server)
    sending, results = rig.start(rig.client(token="t").send("x"))
    sending.cancel()
    assert results[0].check(CancelledError)
    rig.clock.advance(600)
    assert server.requests == 1
    assert rig.clock.getDelayedCalls() == []


def test_giving_up_between_two_attempts():
    """Cancelling while it waits to try again ends it too."""
    server = Scripted(problem("store-unavailable", 503, Retry_After="5"))
    rig = Rig(server)
    sending, results = rig.start(rig.client(token="t").send("x"))
    assert results == []
    sending.cancel()
    assert results[0].check(CancelledError)
    assert rig.clock.getDelayedCalls() == []
    assert server.requests == 1


@pytest.mark.parametrize(
    "response",
    [
        (200, JSON, b'{"id": 1, "text": "SECRET-TEXT", "sender_id": "SECRET-NAME"}'),
        (502, HTML, b"SECRET-TEXT"),
        problem("internal-error", 500),
        None,
    ],
)
def test_errors_tell_no_secrets(response):
    """No error, nor anything that it was caused by, has the token, a text or a name."""
    rig = Rig(Scripted(response))
    client = rig.client(token="SECRET-TOKEN", retries=ONCE)
    for request in (client.send("SECRET-TEXT"), client.connect("SECRET-NAME")):
        with pytest.raises(Exception) as caught:
            rig.result(request)
        told = [repr(caught.value)]
        error: BaseException | None = caught.value
        while error is not None:
            told += traceback.format_exception_only(error)
            error = error.__cause__ or error.__context__
        assert "SECRET" not in "".join(told)


def test_nothing_secret_is_in_a_url():
    """URLs end up in logs: what is said, and who says it, is not in them."""
    rig = Rig()
    alice = rig.joined("alice-secret")
    rig.result(alice.send("text-secret"))
    rig.result(alice.poll())
    for _, _, uri, _ in rig.agent.requests:
        assert b"secret" not in uri
        assert str(alice.token).encode() not in uri


def test_no_reactor_is_installed():
    """Neither importing the client nor sending with it installs a reactor."""
    script = """
import sys
from twisted.internet.defer import fail
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from chatter.client import ChatClient, Retries

class Agent:
    def request(self, *arguments, **more):
        return fail(ConnectionRefusedError())

client = ChatClient(agent=Agent(), clock=Clock(), retries=Retries(attempts=1))
seen = []
client.connect("alice").addErrback(lambda f: seen.append(f.type.__name__))
assert seen == ["ServerUnreachable"], seen
assert "twisted.internet.reactor" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
