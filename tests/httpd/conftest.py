"""What is made anew for each test of the HTTP server."""

from __future__ import annotations

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from chatter.httpd import turns
from tests.httpd.held import LIMITS, Held
from tests.httpd.support import Server


@pytest.fixture(scope="module", autouse=True)
def turns_are_long():
    """However slow this machine is: what is sent in one piece gets its responses in one turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "CONNECTION_SECONDS", 600)
        patch.setattr(turns, "TURN_SECONDS", 600)
        yield


@pytest.fixture
def held():
    return Held()


@pytest.fixture
def server(held):
    server = Server(held, limits=LIMITS)
    yield server
    for connection in tuple(server.site.connections.open):
        connection.connectionLost(Failure(ConnectionDone()))
    assert server.clock.getDelayedCalls() == []
