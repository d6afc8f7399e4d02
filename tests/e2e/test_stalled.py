"""Listeners that take nothing, on real sockets: the server keeps nothing for them.

The same with 1,000 of them and 100,000 messages is ``bench_live.py stalled``.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.process import resident_bytes, wait_for_no_connections
from tests.e2e.server import Server, call

STALLED = 50
BEFORE = 2400
MESSAGES = 600
"""Fewer than a busy machine sends in a minute: who takes nothing for so long is cut off."""
SENDERS = 6
TEXT = "x" * 4000
MIB = 1024 * 1024


def listen(server, token, last=0):
    """A stream of somebody whose own buffer takes next to nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(
        f"GET /events HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\n"
        f"Last-Event-ID: {last}\r\n\r\n".encode()
    )
    assert connection.recv(15) == b"HTTP/1.1 200 OK"
    return connection


def send_all(server, token, count):
    """Send from several at once, so that it does not take long."""

    def send():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(count // SENDERS):
            status, _ = call(connection, "POST", "/send", token, {"text": TEXT})
            assert status == 200
        connection.close()

    senders = [threading.Thread(target=send, daemon=True) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(300)
        assert not sender.is_alive()


def messages_of(connection, count):
    """Read a stream on until it has brought so many messages; the ids."""
    ids = []
    with connection.makefile("rb") as lines:
        for line in lines:
            if line.startswith(b"data: "):
                ids.append(json.loads(line[6:])["id"])
                if len(ids) == count:
                    break
    return ids


def test_listeners_that_take_nothing_cost_nothing(tmp_path):
    """50 of them leave 115 MiB untaken; the server does not grow, and who reads on has it all."""
    with Server(tmp_path) as server:
        alice, *others = (server.connect()["token"] for _ in range(1 + STALLED // 10))
        # What the log itself takes, and the newest events, is there before.
        reading = listen(server, alice)
        with ThreadPoolExecutor(1) as threads:
            read = threads.submit(messages_of, reading, BEFORE)
            send_all(server, alice, BEFORE)
            assert read.result(60) == list(range(1, BEFORE + 1))
        reading.close()
        stalled = [listen(server, token, BEFORE) for token in others for _ in range(10)]
        before = resident_bytes(server)
        send_all(server, alice, MESSAGES)
        grown = resident_bytes(server) - before
        assert grown < 8 * MIB, f"it has grown by {grown / MIB:.0f} MiB"
        for connection in stalled[2:]:
            connection.close()
        for connection in stalled[:2]:
            expected = list(range(BEFORE + 1, BEFORE + MESSAGES + 1))
            assert messages_of(connection, MESSAGES) == expected
            connection.close()
        wait_for_no_connections(server)
    assert "Traceback" not in server.log.read_text()
