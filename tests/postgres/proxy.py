"""The network between a node and its database, in the hands of a test.

A hang is the hardest of its failures: the connection stays open, and nothing comes through.
So what waits in the proxy while it holds everything is passed on later, as TCP would.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Coroutine

Result = TypeVar("Result")


class Proxy:
    """A TCP proxy on 127.0.0.1, in a thread of its own; it passes everything on at first.

    :param target: the port to which it leads.

    :ivar port: where it listens, and comes back to.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port()
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._do(self._start())

    def __enter__(self) -> Proxy:  # noqa: PYI034
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connections(self) -> int:
        """How many connections there are through it."""
        return len(self._connections)

    def cut(self) -> None:
        """End all connections at once; new ones may be made."""
        self._do(self._cut())

    def refuse(self) -> None:
        """End all connections, and refuse new ones."""
        self._do(self._refuse())

    def hold(self) -> None:
        """Accept everything and pass nothing on, the end of a connection included."""
        self._do(self._hold())

    def resume(self) -> None:
        """Pass on what waits and what comes, and accept connections."""
        self._do(self._resume())

    def close(self) -> None:
        """Be gone."""
        self._do(self._refuse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        assert not self._thread.is_alive(), "the proxy does not end"
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    # In the thread

    async def _start(self) -> None:
        self._passing = asyncio.Event()
        self._listener: socket.socket | None = None
        await self._resume()

    async def _resume(self) -> None:
        self._passing.set()
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._listener.setblocking(False)
            self._loop.add_reader(self._listener, self._accept, self._listener)

    async def _hold(self) -> None:
        self._passing.clear()

    async def _cut(self) -> None:
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _refuse(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        await self._cut()

    # Not by asyncio's own server: one that is closed in the turn of the loop after it has
    # accepted a connection forgets that one, open.
    def _accept(self, listener: socket.socket) -> None:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return  # who connected has left again
        accepted.setblocking(False)
        connection = self._loop.create_task(self._connect(accepted))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)
        # Here, for one that is cancelled before it has begun does nothing by itself.
        connection.add_done_callback(lambda _: accepted.close())

    async def _connect(self, accepted: socket.socket) -> None:
        writers = []
        try:
            reader, writer = await asyncio.open_connection(sock=accepted)
            writers.append(writer)
            await self._passing.wait()
            onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", self.target)
            writers.append(onward_writer)
            ways = [
                self._loop.create_task(self._pass_on(reader, onward_writer)),
                self._loop.create_task(self._pass_on(onward_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pass  # the target is away: whoever connected sees the end of the connection
        finally:
            for each in writers:
                each.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on in one direction, until the end of that."""
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
            await self._passing.wait()
