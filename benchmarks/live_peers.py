"""Who takes part in live delivery: how each is started, listened to and sent to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import load
import people
import servers
import tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers import Command, Server

HERE = Path(__file__).parent
NODE_MODULES = tools.BUILD / "node" / "node_modules"
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

STREAMS_PER_USER = 16
SENDERS = 16
TEXT = "^0000000 Hello, everybody! How are you today?"
MESSAGE = {
    "id": 123456,
    "sender_id": 42,
    "recipient_id": None,
    "text": TEXT,
    "sent_at": "2026-01-01T12:00:00.123456Z",
}
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
# The masked text frame "40": hello, in the protocol of Socket.IO.
HELLO = b"\x81\x82\x00\x00\x00\x0040"


@dataclass(frozen=True)
class Requests:
    """What the listeners and the senders ask a server.

    :ivar ready: what a stream brings once it is open.
    :ivar hello: what it says before that, once it is answered.
    :ivar stream_ports: where the streams are opened, by turns; 0 is the server's own port.
    :ivar sender_ports: the same for the senders.
    """

    ready: str
    streams: list[bytes]
    senders: list[bytes]
    hello: bytes = b""
    stream_ports: tuple[int, ...] = (0,)
    sender_ports: tuple[int, ...] = (0,)

    def script(self) -> bytes:
        """What ``listen.c`` reads."""
        lines = bytearray(f"ready {self.ready}\n".encode())
        kinds = {
            "hello": ([self.hello], (0,)),
            "stream": (self.streams, self.stream_ports),
            "sender": (self.senders, self.sender_ports),
        }
        for kind, (requests, ports) in kinds.items():
            for number, content in enumerate(requests):
                lines += f"port {ports[number % len(ports)]}\n".encode()
                lines += f"{kind} {len(content)}\n".encode() + content + b"\n"
        return bytes(lines) + b"open\n"


@dataclass(frozen=True)
class Peer:
    """A server that delivers what is sent to it to all who listen.

    :ivar requests: what so many listeners ask a running one, who begin at its end.
    :ivar may_outrun: whether it may be faster than the listeners; its rate is then too low.
    """

    name: str
    command: Command
    requests: Callable[[Server, int], Requests]
    may_outrun: bool = False


def chatter_requests(server: Server, count: int) -> Requests:
    """Sixteen streams a user, as many as one may have."""
    tokens = people.join(server, max(SENDERS, -(-count // STREAMS_PER_USER)))
    caller = people.Caller(server)
    end = caller.ask("POST", "/send", tokens[0], {"text": "the end"})["id"]
    caller.close()
    listen = [load.request("GET", f"/events?after={end}", token) for token in tokens]
    return Requests(
        ready="retry:",
        streams=[listen[number // STREAMS_PER_USER] for number in range(count)],
        senders=[_send(token) for token in tokens[:SENDERS]],
    )


def _nchan_requests(_: Server, count: int) -> Requests:
    listen = load.request("GET", "/events", "-").replace(
        b"\r\n\r\n", b"\r\nAccept: text/event-stream\r\n\r\n"
    )
    return Requests(
        ": hi", [listen] * count, [load.request("POST", "/send", "-", MESSAGE)] * SENDERS
    )


def _event_stream_requests(_: Server, count: int) -> Requests:
    return Requests("retry:", [load.request("GET", "/events", "-")] * count, [_send("-")] * SENDERS)


def _ws_requests(_: Server, count: int) -> Requests:
    listen = f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}".encode()
    return Requests("ready", [listen] * count, [_send("-")] * SENDERS)


def _socket_io_requests(_: Server, count: int) -> Requests:
    path = "/socket.io/?EIO=4&transport=websocket"
    listen = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{UPGRADE}".encode()
    return Requests('42["ready"]', [listen] * count, [_send("-")] * SENDERS, HELLO)


def _send(token: str) -> bytes:
    return load.request("POST", "/send", token, {"text": TEXT})


def chatter(store: str) -> Peer:
    """The server that all this is about."""
    return Peer("chatter", servers.chatter(store), chatter_requests)


def installed() -> Iterator[Peer]:
    """Those of the peers that can run here; what is missing is said."""
    if NCHAN.exists():
        make = 'sed "s/@port@/$0/" "$1" >nginx.conf; exec nginx -p "$PWD" -c "$PWD/nginx.conf"'
        command = ["sh", "-c", make, "PORT", str(HERE / "peers" / "nchan.conf")]
        yield Peer("nginx with nchan", command, _nchan_requests)
    else:
        print("nchan is missing: apt install libnginx-mod-nchan", file=sys.stderr)
    if _has_node_modules():
        node = ["env", f"NODE_PATH={NODE_MODULES}", "node", str(HERE / "peers" / "broadcast.js")]
        yield Peer("Socket.IO", [*node, "socket.io", "PORT"], _socket_io_requests)
        yield Peer("ws", [*node, "ws", "PORT"], _ws_requests)
    tools.install_peers()
    command = [str(tools.PEERS_PYTHON), str(HERE / "peers" / "aiohttp_events.py"), "PORT"]
    yield Peer("aiohttp", command, _event_stream_requests)
    floor = tools.compiled(HERE / "peers" / "floor.c")
    yield Peer("a loop in C", [str(floor), "PORT"], _event_stream_requests, may_outrun=True)


def _has_node_modules() -> bool:
    """Install what the peers on node need, if it is not there."""
    wanted = HERE / "peers" / "package.json"
    place = NODE_MODULES.parent
    if shutil.which("npm") is None:
        print("ws and Socket.IO are missing: they need node and npm", file=sys.stderr)
        return False
    done = place / "package.json"
    if NODE_MODULES.exists() and json.loads(done.read_text()) == json.loads(wanted.read_text()):
        return True
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(wanted, done)
    print("Installing ws and Socket.IO …", file=sys.stderr, flush=True)
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock"]
    return subprocess.run(command, cwd=place, check=False).returncode == 0
