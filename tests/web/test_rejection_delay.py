"""Who is refused again and again waits for it."""

from __future__ import annotations

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from chatter.chat.limits.rate_limits import parse_limits
from chatter.web import ChatResource, rejection_delay
from chatter.web.site import ChatSite
from tests.results import result_of
from tests.web.conftest import Web

SEND = (
    b"POST /send HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %b\r\n"
    b'Content-Length: 13\r\n\r\n{"text":"hi"}'
)
HEALTH = b"GET /health HTTP/1.1\r\nHost: test\r\n\r\n"


@pytest.fixture
def web(chat, clock):
    """A chat of which a user may send one message in an hour."""
    resource = ChatResource(chat, limits=parse_limits(["none", "send=1/3600"]))
    return Web(ChatSite(resource, clock))


class Flooder:
    """A connection that sends without a pause."""

    def __init__(self, web):
        joined = web.call("POST", "/connect").json
        self.user_id, self._token = joined["user_id"], joined["token"].encode()
        self.protocol, self.transport = web.connect()

    def send(self, number=1):
        """How many responses there are at once."""
        self.transport.clear()
        for _ in range(number):
            self.protocol.dataReceived(SEND % self._token)
        return self.responses

    @property
    def responses(self):
        return self.transport.value().count(b"HTTP/1.1 429")

    def hang_up(self):
        self.protocol.connectionLost(Failure(ConnectionDone()))


@pytest.fixture
def flooder(web):
    """It has had all the rejections that it gets at once."""
    flooder = Flooder(web)
    assert flooder.send(1 + rejection_delay.AT_ONCE.count) == rejection_delay.AT_ONCE.count
    return flooder


def test_who_is_refused_again_and_again_waits_for_it(flooder, clock):
    """One rejection comes in a second, however many are asked for; and at once later."""
    assert flooder.send(3) == 0
    for number in (1, 2):
        clock.advance(rejection_delay.PAUSE - 0.01)
        assert flooder.responses == number - 1
        clock.advance(0.01)
        assert flooder.responses == number
    clock.advance(rejection_delay.AT_ONCE.seconds)
    assert flooder.send(10) == 10
    flooder.hang_up()


def test_what_is_no_rejection_does_not_wait(flooder):
    """Who floods still gets all else."""
    flooder.transport.clear()
    flooder.protocol.dataReceived(HEALTH)
    assert flooder.transport.value().startswith(b"HTTP/1.1 200")
    flooder.hang_up()


def test_nothing_is_left_of_one_who_does_not_wait(flooder, clock):
    """Neither for who is gone, nor when the server stops."""
    before = [*clock.getDelayedCalls()]
    assert flooder.send() == 0
    flooder.hang_up()
    assert [call for call in clock.getDelayedCalls() if call not in before] == []


def test_who_closed_the_sending_side_waits_too(flooder, clock):
    """And gets the response: it is not a client that is gone."""
    flooder.send()
    flooder.transport.stopReading = lambda: None
    flooder.protocol.readConnectionLost()
    assert not flooder.transport.disconnecting
    clock.advance(rejection_delay.PAUSE)
    assert flooder.responses == 1
    assert flooder.transport.disconnecting
    flooder.hang_up()


def test_who_is_banned_waits_too(chat, flooder, clock):
    """A ban is no reason to keep a server busy."""
    result_of(chat.moderation.moderate(None, flooder.user_id, "ban"))
    flooder.send()
    assert flooder.transport.value() == b""
    clock.advance(rejection_delay.PAUSE)
    assert b"urn:chatter:banned" in flooder.transport.value()
    flooder.hang_up()


def test_a_poll_that_a_ban_ends_does_not_wait_again(chat, web, flooder):
    """However many rejections others behind the same address have had."""
    joined = web.call("POST", "/connect").json
    poll = "GET /status?wait=60&after=1 HTTP/1.1\r\nHost: test"
    protocol, transport = web.connect()
    protocol.dataReceived(f"{poll}\r\nAuthorization: Bearer {joined['token']}\r\n\r\n".encode())
    assert transport.value() == b""
    result_of(chat.moderation.moderate(None, joined["user_id"], "ban"))
    assert b"urn:chatter:banned" in transport.value()
    protocol.connectionLost(Failure(ConnectionDone()))
    flooder.hang_up()
