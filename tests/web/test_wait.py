"""``GET /status?wait=``: the poll that gets its response as soon as there is something."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from chatter.chat.chat import core_of
from tests.web.conftest import Response


class Poll:
    """A poll whose connection stays open."""

    def __init__(self, web, token, query):
        self._protocol, self._transport = web.connect()
        head = f"GET /status?{query} HTTP/1.1\r\nHost: test\r\nAuthorization: {token}\r\n\r\n"
        self._protocol.dataReceived(head.encode())

    def response(self) -> Any:
        """The response until now; nothing, or all."""
        raw = self._transport.value()
        return Response(raw) if raw else None

    def leave(self):
        """Break the connection."""
        self._protocol.connectionLost(Failure(ConnectionDone()))


@pytest.fixture
def begin(web):
    """Begins polls, whose connections are closed at the end."""
    polls = []

    def begin(token, query):
        polls.append(Poll(web, token, query))
        return polls[-1]

    yield begin
    for poll in polls:
        poll.leave()


def test_what_is_unread_comes_at_once(web, begin):
    """Who waits does so only if there is nothing."""
    token = web.join()
    sent = web.send(token)
    assert begin(token, "wait=60").response().json["messages"] == [sent]


@pytest.mark.parametrize("query", ["wait=60", "wait=60&after=0"])
def test_it_gets_its_response_when_something_is_sent(web, clock, begin, query):
    """The response comes right after the message, and a plain one counts as read then."""
    alice, bob = web.join("alice"), web.join("bob")
    poll = begin(alice, query)
    clock.advance(30)
    assert poll.response() is None
    sent = web.send_private(bob, 1)
    clock.advance(0)
    assert poll.response().json == {"messages": [sent], "cursor": sent["id"], "more": False}
    read = 0 if "after" in query else sent["id"]
    assert web.call("POST", "/connect", alice).json["cursor"] == read


def test_others_private_messages_are_nothing(web, clock, begin):
    """A poll does not even notice what is not for its user."""
    alice, bob = web.join("alice"), web.join("bob")
    poll = begin(web.join("eve"), "wait=60")
    web.send_private(alice, 2)
    web.send_private(bob, 1)
    clock.advance(1)
    assert poll.response() is None


def test_it_gets_an_empty_response_when_the_time_is_over(web, clock, begin):
    """If nothing comes, there are no messages after so many seconds."""
    poll = begin(web.join(), "wait=1.5")
    clock.advance(1.4)
    assert poll.response() is None
    clock.advance(0.1)
    assert poll.response().json == {"messages": [], "cursor": 0, "more": False}


def test_a_poll_that_is_given_up_reads_nothing(web, chat, clock, begin):
    """When the client is gone nothing waits any more, and what comes then is unread."""
    token = web.join()
    begin(token, "wait=60").leave()
    assert len(core_of(chat).live.followers) == 0
    sent = web.send(token)
    clock.advance(0)
    assert web.call("GET", "/status", token).json["messages"] == [sent]
