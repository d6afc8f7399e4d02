"""Who produces a response part by part does so while it is wanted."""

from __future__ import annotations

import pytest
from twisted.web.server import NOT_DONE_YET

from tests.httpd.calling import Calling, failures, made
from tests.httpd.support import Server, get

HEAD = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"


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


def test_a_producer_that_fails_cuts_the_response_off(logged):
    """The failure is logged once, and the client sees that the response is not whole."""
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
    first, second = connection.responses("HEAD", "GET")
    assert (first.header("content-length"), second.body) == ("3", b"abc")
    connection.lose()
