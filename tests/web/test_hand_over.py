"""A plain poll counts as read once the operating system has all of it: under Twisted's own site."""

from __future__ import annotations

import json

import pytest
from twisted.web.server import Site

from chatter.chat.chat import core_of
from chatter.web import ChatResource
from tests.results import result_of
from tests.web.conftest import Response
from tests.web.wire import Wire


@pytest.fixture
def alice(chat):
    """A user with more to read than a socket takes at once, and the user's token."""
    user, token = result_of(chat.connect("alice"))
    for number in range(100):
        result_of(chat.send(user, f"{number} " + "x" * 4000))
    return user, token


@pytest.fixture
def wire(chat, clock):
    wire = Wire(Site(ChatResource(chat), reactor=clock), clock)
    yield wire
    wire.close()


def poll(token, path="/status"):
    return f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def cursor(chat, user):
    return result_of(core_of(chat).store.cursor(user.id))


def test_it_is_read_when_all_of_it_is_handed_over(chat, wire, alice):
    """And not while a part of it is left, however much was taken."""
    user, token = alice
    wire.send(poll(token))
    received = wire.read(200_000)
    assert cursor(chat, user) == 0
    received += wire.read()
    assert cursor(chat, user) == 100
    assert len(Response(received).json["messages"]) == 100


def test_what_was_not_handed_over_is_read_again(chat, clock, wire, alice):
    """A connection that breaks in the middle moves nothing."""
    user, token = alice
    wire.send(poll(token))
    wire.read(200_000)
    wire.close()
    assert cursor(chat, user) == 0
    again = Wire(Site(ChatResource(chat), reactor=clock), clock)
    again.send(poll(token))
    assert len(Response(again.read()).json["messages"]) == 100
    again.close()


def test_the_connection_serves_on(chat, wire, alice):
    """After a hand-over the connection is as it was, also for what was pipelined."""
    user, token = alice
    wire.send(poll(token, "/status?limit=60") + poll(token, "/status?limit=60") + poll(token))
    received = wire.read()
    bodies = [
        json.loads(part.partition(b"\r\n\r\n")[2]) for part in received.split(b"HTTP/1.1 ")[1:]
    ]
    assert [len(body["messages"]) for body in bodies] == [60, 40, 0]
    result_of(chat.send(user, "more"))
    wire.send(poll(token))
    assert [message["text"] for message in Response(wire.read()).json["messages"]] == ["more"]
    assert cursor(chat, user) == 101


def test_a_small_response_is_read_at_once(chat, wire):
    """What the socket takes as a whole is handed over as it is written."""
    user, token = result_of(chat.connect("bob"))
    result_of(chat.send(user, "a"))
    wire.send(poll(token))
    wire.work()
    assert cursor(chat, user) == 1


def test_the_socket_is_given_back(wire, alice):
    """After the hand-over Twisted's channel is again what the socket tells of its state."""
    _, token = alice
    before = wire.producer
    wire.send(poll(token))
    assert wire.producer is not before
    wire.read()
    assert wire.producer is before
