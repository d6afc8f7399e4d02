"""``ChatClient.export()``: all of it or an error, whatever the server does."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import json
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss, _DataLoss
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from chatter.client import ClientClosed, ServerUnreachable, UnexpectedResponse
from chatter.client.download import LEAST, Download
from chatter.client.failures import SILENCE
from chatter.protocol.errors import Unauthorized
from tests.client.support import Rig, Scripted, problem

LINES = (200, {"Content-Type": "application/x-ndjson"}, b'{"user":1}\n')


def exported(rig, client):
    """What the collector has at the end."""
    parts: list[bytes] = []
    rig.result(client.export(parts.append))
    return b"".join(parts)


def test_a_user_takes_the_own_data_along():
    """As lines of JSON, each of which says what it is."""
    rig = Rig()
    alice, bob = rig.joined("alice"), rig.joined("bob")
    rig.result(alice.send("one"))
    rig.result(bob.send_private(1, "psst"))
    lines = [json.decode(line) for line in exported(rig, alice).splitlines()]
    assert [next(iter(line)) for line in lines] == ["user", "token", "message", "message"]
    assert [line["message"]["text"] for line in lines[2:]] == ["one", "psst"]
    with pytest.raises(Unauthorized):
        exported(rig, rig.client(token="0" * 64))


def test_it_is_requested_again_until_there_is_a_response():
    """Not afterwards: nothing comes twice."""
    server = Scripted(problem("too-many-requests", 429, Retry_After="1"), (502, {}, b""), LINES)
    rig = Rig(server)
    assert exported(rig, rig.client()) == LINES[2]
    assert server.requests == 3


@pytest.mark.parametrize("media_type", ["application/json", "text/html", "text/event-stream"])
def test_what_is_no_export_is_not_collected(media_type):
    """Such as the page of a hotel's network."""
    rig = Rig(Scripted((200, {"Content-Type": media_type}, b"{}")))
    with pytest.raises(UnexpectedResponse):
        rig.result(rig.client().export(pytest.fail))


class Begun(Resource):
    """Responds with a beginning, and no more."""

    isLeaf = True

    def render(self, request: Any) -> int:
        request.setHeader("Content-Type", "application/x-ndjson")
        request.write(LINES[2])
        return NOT_DONE_YET


def test_a_server_that_falls_silent_is_given_up():
    """It is not waited for without end, and the request is not sent again."""
    parts: list[bytes] = []
    rig = Rig(Begun())
    with pytest.raises(ServerUnreachable, match="silent"):
        rig.result(rig.client().export(parts.append))
    assert parts == [LINES[2]]
    assert rig.clock.seconds() == SILENCE
    assert len(rig.times) == 1


def test_a_server_that_hardly_goes_on_is_given_up():
    """A byte now and then does not keep a client reading without end."""
    clock = Clock()
    download, transport = Download(clock, lambda _: None), StringTransport()
    download.makeConnection(transport)
    outcomes: list[Any] = []
    download.finished.addBoth(outcomes.append)
    for _ in range(9):
        clock.advance(SILENCE / 2)
        download.dataReceived(b"a")
    assert outcomes[0].check(ServerUnreachable)
    assert transport.disconnecting
    assert clock.getDelayedCalls() == []


def test_a_slow_server_is_waited_for():
    """However long all of it takes, and however small its parts are."""
    parts: list[bytes] = []
    clock = Clock()
    download = Download(clock, parts.append)
    download.makeConnection(StringTransport())
    outcomes: list[Any] = []
    download.finished.addBoth(outcomes.append)
    for _ in range(4 * 9):
        clock.advance(SILENCE / 5)
        download.dataReceived(b"a" * (LEAST // 4))
    download.connectionLost(Failure(ResponseDone()))
    assert outcomes == [None]
    assert len(b"".join(parts)) == 9 * LEAST


def test_closing_the_client_ends_it():
    """Nothing is left of it."""
    parts: list[bytes] = []
    rig = Rig(Begun())
    client = rig.client()
    _, ended = rig.start(client.export(parts.append))
    assert parts == [LINES[2]]
    rig.result(client.close())
    assert ended[0].check(ClientClosed)
    assert rig.clock.getDelayedCalls() == []


def test_what_the_collector_raises_ends_it():
    """A disk that is full, for instance."""

    def full(data: bytes) -> None:
        raise OSError("No space left on device")

    rig = Rig(Scripted(LINES))
    with pytest.raises(OSError, match="No space left"):
        rig.result(rig.client().export(full))


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (ResponseFailed([Failure(ConnectionLost())]), ServerUnreachable),
        (ResponseFailed([Failure(ConnectionDone()), Failure(_DataLoss())]), ServerUnreachable),
        (PotentialDataLoss(), ServerUnreachable),
        (ResponseFailed([Failure(ValueError("what is no chunk"))]), UnexpectedResponse),
        (ResponseDone(), None),
    ],
)
def test_a_body_that_is_not_whole_is_an_error(reason, error):
    """Its last chunk shows that it is whole."""
    parts: list[bytes] = []
    clock = Clock()
    download, transport = Download(clock, parts.append), StringTransport()
    download.makeConnection(transport)
    download.dataReceived(b"one\n")
    download.connectionLost(Failure(reason))
    outcomes: list[Any] = []
    download.finished.addBoth(outcomes.append)
    assert parts == [b"one\n"]
    assert clock.getDelayedCalls() == []
    if error is None:
        assert outcomes == [None]
        assert not transport.disconnecting
    else:
        assert outcomes[0].check(error)
