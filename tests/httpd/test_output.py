"""Bytes out: in order, and told what is left of them."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.tcp import Connection
from twisted.internet.testing import StringTransport

from chatter.httpd.outbox import Outbox
from chatter.httpd.output import SLICE, SocketOutput, TransportOutput, output_for


class Owner:
    def __init__(self):
        self.told = []

    def output_paused(self):
        self.told.append("paused")

    def output_progressed(self):
        self.told.append("progressed")

    def output_resumed(self):
        self.told.append("resumed")


class Socket:
    """A socket that takes so many bytes, or fails."""

    def __init__(self, room):
        self.room = room
        self.sent = b""

    def send(self, data):
        if self.room < 0:
            raise BrokenPipeError
        if self.room == 0:
            raise BlockingIOError
        taken = data[: self.room]
        self.room -= len(taken)
        self.sent += taken
        return len(taken)


class Descriptor:
    """What Twisted's socket transport does with a pull producer."""

    def __init__(self, sock):
        self.socket = sock
        self.producer = None
        self.written = b""
        self.done = []

    def getHandle(self):
        return self.socket

    def registerProducer(self, producer, streaming):
        assert self.producer is None
        assert not streaming
        self.producer = producer
        producer.resumeProducing()

    def unregisterProducer(self):
        self.producer = None

    def write(self, data):
        assert len(data) <= SLICE
        self.written += data

    def flush(self):
        """Send what was written, and ask for more."""
        self.socket.sent += self.written
        self.written = b""
        if self.producer is not None:
            self.producer.resumeProducing()

    def loseConnection(self):
        self.done.append("closed")

    def loseWriteConnection(self):
        self.done.append("ended")


def descriptor(sock) -> Any:
    return Descriptor(sock)


def memory() -> Any:
    return StringTransport()


@pytest.fixture
def owner():
    return Owner()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def outbox(clock):
    outbox = Outbox(clock)
    outbox.gathers = True
    return outbox


def test_what_the_socket_takes_is_sent_at_once(owner, outbox):
    """Nothing is left to the transport, and nothing is told, if all was sent."""
    sock = Socket(100)
    output = SocketOutput(descriptor(sock), owner, outbox)
    output.write(b"abc")
    output.write(b"def")
    assert sock.sent == b"abcdef"
    assert owner.told == []
    assert not output.paused


@pytest.mark.parametrize("room", [0, 1, 5])
def test_what_it_does_not_take_is_sent_in_order(owner, outbox, room):
    """The rest, and what is written meanwhile, goes out in slices, each one told."""
    sock = Socket(room)
    transport = descriptor(sock)
    output = SocketOutput(transport, owner, outbox)
    parts = [bytes([n]) * (SLICE + 1) for n in range(1, 4)]
    for part in parts:
        output.write(part)
    assert output.paused
    assert owner.told == ["paused", "progressed"]
    sock.room = 10**9
    while transport.producer is not None:
        transport.flush()
    assert sock.sent == b"".join(parts)
    assert owner.told[-1] == "resumed"
    assert owner.told.count("progressed") >= 4
    output.write(b"more")
    assert sock.sent.endswith(b"more")


def test_a_socket_that_fails_leaves_the_rest_to_the_transport(owner, outbox):
    """Which finds out what is wrong, and says it in connectionLost."""
    transport = descriptor(Socket(-1))
    output = SocketOutput(transport, owner, outbox)
    output.write(b"abc")
    assert transport.written == b"abc"
    output.stopProducing()
    transport.flush()
    assert not output.paused


@pytest.mark.parametrize(("how", "done"), [("close", "closed"), ("end", "ended")])
def test_a_socket_is_closed_when_all_is_sent(owner, outbox, how, done):
    """Closing waits for what is left, if something is."""
    transport = descriptor(Socket(100))
    getattr(SocketOutput(transport, owner, outbox), how)()
    assert transport.done == [done]
    transport = descriptor(Socket(0))
    output = SocketOutput(transport, owner, outbox)
    output.write(b"abc")
    getattr(output, how)()
    assert transport.done == []
    transport.flush()
    assert transport.done == [done]


def test_an_owner_may_write_when_all_is_sent(owner, outbox):
    """Writing inside output_resumed is a new beginning."""
    sock = Socket(0)
    transport = descriptor(sock)
    output = SocketOutput(transport, owner, outbox)
    owner.output_resumed = lambda: output.write(b"!" * 5) if len(sock.sent) < 20 else None
    output.write(b"abcde")
    for _ in range(10):
        transport.flush()
    assert sock.sent == b"abcde" + b"!" * 15
    assert not output.paused


def test_another_transport_is_given_slices_until_it_says_stop(owner):
    """What a transport that tells little has not been given is counted as it takes it."""
    transport = memory()
    output = TransportOutput(transport, owner)
    written = []

    def write(data):
        written.append(data)
        if len(written) % 2 == 0:
            transport.producer.pauseProducing()

    transport.write = write
    data = bytes(range(256)) * 1024
    output.write(data)
    output.write(b"end")
    assert output.paused
    assert len(written) == 2
    output.close()
    assert transport.producer is output
    for _ in range(20):
        output.resumeProducing()
    assert b"".join(written) == data + b"end"
    assert owner.told[0] == "paused"
    assert owner.told[-1] == "resumed"
    assert "progressed" in owner.told
    assert transport.disconnecting
    assert transport.producer is None


def test_a_late_stop_is_heard(owner):
    """A transport may say stop at any time; what is written then waits."""
    transport = memory()
    output = TransportOutput(transport, owner)
    output.write(b"a")
    output.pauseProducing()
    output.pauseProducing()
    output.write(b"b")
    assert transport.value() == b"a"
    output.resumeProducing()
    output.resumeProducing()
    assert transport.value() == b"ab"
    assert owner.told == ["paused", "resumed"]


def test_a_plain_socket_is_written_to_itself(owner, outbox):
    """TCP and UNIX connections are; TLS and everything else is written through Twisted."""
    first, second = socket.socketpair()
    transport = Connection(first, Protocol())
    output = output_for(transport, owner, outbox)
    assert isinstance(output, SocketOutput)
    output.write(b"abc")
    assert second.recv(10) == b"abc"
    assert isinstance(output_for(StringTransport(), owner, outbox), TransportOutput)
    first.close()
    second.close()


def test_what_is_to_be_sent_soon_is_sent_when_the_turn_ends(owner, outbox, clock):
    """All of it then, and once; nothing is left to be done after that."""
    socks = [Socket(100), Socket(100)]
    for sock in socks:
        SocketOutput(descriptor(sock), owner, outbox).write_soon(b"abc")
    assert [sock.sent for sock in socks] == [b"", b""]
    assert len(clock.getDelayedCalls()) == 1
    clock.advance(0)
    assert [sock.sent for sock in socks] == [b"abc", b"abc"]
    assert not clock.getDelayedCalls()
    assert owner.told == []


def test_where_few_are_asking_it_is_sent_at_once(owner, clock):
    """So that nobody waits for another one's response."""
    sock = Socket(100)
    SocketOutput(descriptor(sock), owner, Outbox(clock)).write_soon(b"abc")
    assert sock.sent == b"abc"
    assert not clock.getDelayedCalls()


@pytest.mark.parametrize("how", ["write", "write_soon"])
def test_what_is_written_after_it_is_sent_after_it(owner, outbox, clock, how):
    """And at once, so that what waits for the end of the turn is never much."""
    sock = Socket(100)
    output = SocketOutput(descriptor(sock), owner, outbox)
    output.write_soon(b"abc")
    getattr(output, how)(b"def")
    assert sock.sent == b"abcdef"
    clock.advance(0)
    assert sock.sent == b"abcdef"


@pytest.mark.parametrize(("how", "done"), [("close", "closed"), ("end", "ended")])
def test_it_is_sent_before_the_end(owner, outbox, how, done):
    """Who closes does not lose it."""
    sock = Socket(100)
    transport = descriptor(sock)
    output = SocketOutput(transport, owner, outbox)
    output.write_soon(b"abc")
    getattr(output, how)()
    assert sock.sent == b"abc"
    assert transport.done == [done]


def test_what_the_socket_does_not_take_then_is_told(owner, outbox, clock):
    """As if it had been written at once."""
    sock = Socket(1)
    transport = descriptor(sock)
    output = SocketOutput(transport, owner, outbox)
    output.write_soon(b"abc")
    clock.advance(0)
    output.write_soon(b"def")
    assert owner.told == ["paused", "progressed"]
    while transport.producer is not None:
        transport.flush()
    assert sock.sent == b"abcdef"
    assert owner.told[-1] == "resumed"


def test_a_lost_connection_is_sent_nothing(owner, outbox, clock):
    """Neither then nor later."""
    sock = Socket(100)
    output = SocketOutput(descriptor(sock), owner, outbox)
    output.write_soon(b"abc")
    output.lost()
    clock.advance(0)
    assert sock.sent == b""


def test_one_that_fails_keeps_no_other_from_sending(owner, outbox, clock, logged):
    """It is logged."""
    broken, sound = Socket(0), Socket(100)

    def fail():
        raise RuntimeError("A defect.")

    owner.output_paused = fail
    for sock in (broken, sound):
        SocketOutput(descriptor(sock), owner, outbox).write_soon(b"abc")
    clock.advance(0)
    assert sound.sent == b"abc"
    assert [e["log_failure"].getErrorMessage() for e in logged if "log_failure" in e] == [
        "A defect."
    ]


def test_an_outbox_that_ends_leaves_no_timer(owner, outbox, clock):
    """When the last connection is lost before the turn ends; it may be used again."""
    sock = Socket(100)
    output = SocketOutput(descriptor(sock), owner, outbox)
    output.write_soon(b"abc")
    output.lost()
    outbox.end()
    assert not clock.getDelayedCalls()
    outbox.end()
    output.write_soon(b"def")
    clock.advance(0)
    assert sock.sent == b"def"
