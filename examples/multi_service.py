"""A chat as one of the services of an application; another one says what time it is.

Run it, and see:  make client URL=http://127.0.0.1:8080
"""

import sys
from datetime import datetime
from typing import Any

from twisted.application.internet import TimerService
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from chatter import ChatService
from chatter.protocol.errors import StoreUnavailable


async def main(reactor: Any, port: str = "tcp:8080:interface=127.0.0.1") -> None:
    """Serve until the process is ended."""
    services = MultiService()
    chats = ChatService.for_store(reactor, "memory:", port)
    chats.setServiceParent(services)

    async def strike() -> None:
        try:
            clock = await chats.chat.join("clock")
            await chats.chat.send(clock, f"It is {datetime.now().astimezone():%H:%M}.")
        except StoreUnavailable:
            return  # A MultiService starts all at once: this one is sometimes too early.

    TimerService(3600, lambda: Deferred.fromCoroutine(strike())).setServiceParent(services)
    reactor.addSystemEventTrigger("before", "shutdown", services.stopService)
    services.startService()
    await Deferred()


react(main, sys.argv[1:])
