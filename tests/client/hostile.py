"""A server on a loopback socket that sends what no chat server would, as fast as it can."""

from __future__ import annotations

import resource
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol

from chatter.client import ChatClient, NoResponse
from tests.client.support import nothing_open, reactor

MEGABYTE = 1024 * 1024


class Flood(Protocol):
    """Responds to each request with a beginning, and then the same bytes for ever."""

    transport: Any

    def __init__(self, beginning, endless):
        self._beginning = beginning
        self._endless = endless
        self._is_sending = False

    def dataReceived(self, data):
        self.transport.write(self._beginning)
        if self._endless and not self._is_sending:
            self._is_sending = True
            self.transport.registerProducer(self, streaming=False)

    def resumeProducing(self):
        self.transport.write(self._endless)

    def stopProducing(self):
        pass


@asynccontextmanager
async def flooded(beginning, endless=b""):
    """A client of a server that responds so; it is closed at the end."""
    factory = Factory.forProtocol(partial(Flood, beginning, endless))
    async with nothing_open():
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        url = f"http://127.0.0.1:{port.getHost().port}"
        try:
            async with ChatClient.for_url(reactor, url, token="t") as client:
                client.cursor = 0
                yield client
        finally:
            await port.stopListening()


async def error_of(deferred, seconds=3, megabytes=60):
    """What it fails with, within so much processor time and memory (both ends of the socket)."""
    began, before = time.process_time(), _resident()
    with pytest.raises(NoResponse) as caught:
        await deferred
    assert "\n" not in caught.value.detail
    assert time.process_time() - began < seconds
    assert _resident() - before < megabytes * MEGABYTE
    return caught.value


def _resident():
    """The most memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
