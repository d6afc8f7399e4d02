"""A store of one's own: SQLite's, which also tells how long each message took."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.task import react

from chatter import Chat
from chatter.protocol.model import Draft, Message
from chatter.stores.sqlite import SQLiteStore


class MeasuringStore(SQLiteStore):
    def __init__(self, path: Path, reactor: Any) -> None:
        super().__init__(path, reactor)
        self._clock = reactor

    async def append(self, draft: Draft) -> Message:
        began = self._clock.seconds()
        message = await super().append(draft)
        print(f"message {message.id}: {self._clock.seconds() - began:.6f} s")
        return message


async def main(reactor: Any, folder: str) -> None:
    """Send three messages."""
    chat = Chat(MeasuringStore(Path(folder) / "chat.sqlite", reactor), reactor)
    await chat.startService()
    user, _ = await chat.connect()
    for text in ("one", "two", "three"):
        await chat.send(user, text)
    await chat.stopService()


with TemporaryDirectory() as temporary:
    react(main, sys.argv[1:] or [temporary])
