"""The client of a chat server, on treq::

    async with ChatClient.for_url(reactor, "http://127.0.0.1:8000") as client:
        await client.connect("alice")
        await client.send("Hello, everybody!")
        async for message in client.unread():
            print(message.text)

Its methods return Deferreds, so that ``client.connect("alice").addCallback(…)`` does, too.
The errors of the chat are the exceptions of :mod:`chatter.protocol.errors`; what goes
wrong on the way to it is a :class:`NoResponse`.  Importing this installs no reactor.
"""

from chatter.client.backoff import Retries
from chatter.client.chat_client import ChatClient
from chatter.client.errors import (
    ClientClosed,
    NoResponse,
    ServerUnreachable,
    UnexpectedResponse,
    UntrustedServer,
)
from chatter.client.session import DEFAULT_URL
from chatter.client.subscription import Subscription
from chatter.client.urls import checked_url
from chatter.client.watcher import Watcher

__all__ = [
    "DEFAULT_URL",
    "ChatClient",
    "ClientClosed",
    "NoResponse",
    "Retries",
    "ServerUnreachable",
    "Subscription",
    "UnexpectedResponse",
    "UntrustedServer",
    "Watcher",
    "checked_url",
]
