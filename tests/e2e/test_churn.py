"""Listeners that come, stall and vanish at random, very many of them: nothing is left."""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
from functools import partial
from typing import Any

from twisted.internet import reactor as global_reactor
from twisted.internet.threads import deferToThread

from chatter.chat.chat import core_of
from tests.client.real_server import server as server_in_this_process
from tests.client.support import until
from tests.e2e.process import many_open_files, open_files, resident_bytes, wait_for_no_connections
from tests.e2e.server import Server

reactor: Any = global_reactor

LISTENERS = 2000
PER_USER = 16
FAITHFUL = 20
SECONDS = 6.0
MIB = 1024 * 1024
RESET = struct.pack("ii", 1, 0)
"""With this ``SO_LINGER`` a connection that is closed is reset."""

_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


def request(token, last):
    head = f"GET /events HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\n"
    return f"{head}Last-Event-ID: {last}\r\n\r\n".encode()


class Connection(asyncio.Protocol):
    """One connection of a listener, which keeps what comes only if it is asked to."""

    def __init__(self, data, reader=None):
        self.transport: Any = None
        self.status = b""
        self._data = data
        self._reader = reader

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self._data)

    def data_received(self, data):
        if not self.status:
            self.status = data[9:12]
        if self._reader is not None:
            self._reader.take(data)


async def come_true(condition, seconds=60):
    """Wait until a condition is true, and fail if it never is."""
    for _ in range(seconds * 50):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true")


class Reader:
    """Keeps the ids of whole events, over all connections of one listener."""

    def __init__(self):
        self.ids: list[int] = []
        self._rest = b""

    def begin(self):
        self._rest = b""

    def take(self, data):
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            self.ids += map(int, _ID.findall(event))


class Churn:
    """Listeners that behave as badly as they can, for a while."""

    def __init__(self, server, tokens, seed):
        self.server = server
        self.tokens = tokens
        self.random = random.Random(seed)
        self.connections = 0
        self.readers = [Reader() for _ in range(FAITHFUL)]

    async def run(self, seconds, send, start):
        """Have all of them listen, and send meanwhile; the id of the last message."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        readers = [*self.readers, *[None] * (LISTENERS - FAITHFUL)]
        lives = [
            asyncio.create_task(self.live(number, end, start, reader))
            for number, reader in enumerate(readers)
        ]
        last = start
        while loop.time() < end:
            last = await asyncio.to_thread(send)
            await asyncio.sleep(0.1)
        await asyncio.gather(*lives)
        for number, reader in enumerate(self.readers):
            await self.read_to_the_end(number, reader, start, last)
        return last

    async def live(self, number, end, start, reader):
        """Come and go until it is over, and once on a machine where that takes so long."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.random.uniform(0, 2))
        is_over = False
        while not is_over:
            last = start
            if reader is not None:
                last = reader.ids[-1] if reader.ids else start
                reader.begin()
            data = request(self.tokens[number // PER_USER], last)
            if reader is None and self.random.random() < 0.05:
                data = data[: self.random.randrange(len(data))]
            connection = await self.dial(Connection(data, reader))
            for act in self.random.choices(["take", "stall", "take"], k=2):
                if act == "stall" and not connection.transport.is_closing():
                    connection.transport.pause_reading()
                await asyncio.sleep(min(self.random.expovariate(1 / 1.5), end + 1 - loop.time()))
                if act == "stall" and not connection.transport.is_closing():
                    connection.transport.resume_reading()
            self.vanish(connection)
            is_over = loop.time() >= end

    async def dial(self, connection):
        self.connections += 1
        address = "127.0.0.1", self.server.port
        await asyncio.get_running_loop().create_connection(lambda: connection, *address)
        return connection

    def vanish(self, connection):
        """Go, and say so or not."""
        if self.random.random() < 0.5 and not connection.transport.is_closing():
            sock = connection.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.transport.abort()

    async def read_to_the_end(self, number, reader, start, last):
        if reader.ids and reader.ids[-1] == last:
            return
        reader.begin()
        data = request(self.tokens[number // PER_USER], reader.ids[-1] if reader.ids else start)
        connection = await self.dial(Connection(data, reader))
        await come_true(lambda: reader.ids and reader.ids[-1] >= last)
        connection.transport.abort()


async def all_at_once(server, tokens):
    """The status of as many streams as there may be, opened together."""
    loop = asyncio.get_running_loop()
    connections = []
    for number in range(LISTENERS):
        make = partial(Connection, request(tokens[number // PER_USER], 2**40))
        _, connected = await loop.create_connection(make, "127.0.0.1", server.port)
        connections.append(connected)
    await come_true(lambda: all(connection.status for connection in connections))
    for connection in connections:
        connection.transport.abort()
    return {connection.status for connection in connections}


def test_an_hour_of_churn_in_a_minute(tmp_path):
    """2,000 listeners come, stall and vanish: no memory, descriptor or stream is left over."""
    options = ("--max-streams", str(LISTENERS))
    with many_open_files(LISTENERS + 500), Server(tmp_path, *options) as server:
        tokens = [server.connect()["token"] for _ in range(LISTENERS // PER_USER)]

        def send():
            body = {"text": "x" * 500}
            last: int = server.request("POST", "/send", tokens[0], body)[1]["id"]
            return last

        start, sizes, files = send(), [], []
        for seed in range(2):
            churn = Churn(server, tokens, seed)
            last = asyncio.run(churn.run(SECONDS, send, start))
            for reader in churn.readers:
                assert reader.ids == list(range(start + 1, last + 1))
            start = last
            assert churn.connections > LISTENERS / 2
            wait_for_no_connections(server)
            sizes.append(resident_bytes(server))
            files.append(sorted(open_files(server)))
        assert sizes[1] - sizes[0] < 4 * MIB, sizes
        assert files[0] == files[1]
        # None of those that are gone is counted any more.
        assert asyncio.run(all_at_once(server, tokens)) == {b"200"}
        wait_for_no_connections(server)
    assert "Traceback" not in server.log.read_text()


def come(port, tokens, choose):
    """Open streams, and polls that wait."""
    connections = []
    for token in tokens:
        for _ in range(10):
            connection = socket.create_connection(("127.0.0.1", port), timeout=60)
            data = request(token, 0)
            if choose.random() < 0.3:
                data = data.replace(b"/events", b"/status?after=999999&wait=60")
            connection.sendall(data)
            connections.append(connection)
    return connections


def go(connections, choose):
    """Close them in one way or the other, whatever they have not taken."""
    for connection in connections:
        if choose.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.close()


async def test_churn_leaves_nothing_in_the_reactor(tmp_path):
    """Streams and waiting polls that came and went leave no timer and nobody to be woken."""
    choose = random.Random(1)
    async with server_in_this_process(tmp_path / "chat") as (chat, port):
        tokens = [(await chat.connect())[1] for _ in range(3)]
        user = await chat.join("alice")
        before = len(reactor.getDelayedCalls())
        for _ in range(10):
            connections = await deferToThread(come, port, tokens, choose)
            for _ in range(20):
                await chat.send(user, "x" * 4000)
            await deferToThread(go, connections, choose)

        def is_over():
            # The site's tick and the store's next save may be there.
            calls = len(reactor.getDelayedCalls())
            return len(core_of(chat).live.followers) == 0 and calls <= before + 2

        await until(is_over)
        assert not core_of(chat).presence._held
