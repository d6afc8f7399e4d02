"""A client without async: the methods return Deferreds, as everywhere in Twisted.

Run it beside a server:  python callbacks.py http://127.0.0.1:8000
"""

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from chatter import ChatClient


def main(reactor: Any, url: str = "http://127.0.0.1:8000") -> Deferred[object]:
    """Join, send, and tell what came of it."""
    client = ChatClient.for_url(reactor, url)

    def close(result: object) -> Deferred[object]:
        return client.close().addCallback(lambda _: result)

    sent = client.connect().addCallback(lambda me: client.send(f"{me.name} was here."))
    told = sent.addCallback(lambda message: print(f"message {message.id}: {message.text}"))
    return told.addBoth(close)


react(main, sys.argv[1:])
