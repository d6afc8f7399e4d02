"""Where a server listens: what strings are taken, and a UNIX socket that was left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactor

from chatter.httpd.endpoints import server_endpoint

LISTEN = """
import sys
from twisted.internet import reactor
from twisted.internet.protocol import Factory
from chatter.httpd.endpoints import server_endpoint

def told(word):
    print(word, flush=True)

for where in sys.argv[1:]:
    server_endpoint(reactor, where).listen(Factory()).addCallbacks(
        lambda _: told("listens"), lambda failure: told("refused"))
input()
"""


class Counting(Factory):
    """A factory that knows whether it serves."""

    protocol = Protocol


def leave_behind(path):
    """A socket whose process is gone."""
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
        killed.listen()


def start_listening(*paths):
    """A process that tries to listen, and tells how that went."""
    return subprocess.Popen(
        [sys.executable, "-c", LISTEN, *(f"unix:{path}" for path in paths)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def ended(port):
    stopping: Any = port.stopListening()
    await stopping


def told_by(process):
    return process.communicate("\n")[0]


@pytest.mark.parametrize(
    ("description", "port", "interface", "backlog"),
    [
        ("9105", 9105, "127.0.0.1", 1024),
        ("0", 0, "127.0.0.1", 1024),
        ("tcp:9105", 9105, "", 1024),
        ("tcp:port=9105:interface=127.0.0.2", 9105, "127.0.0.2", 1024),
        ("tcp:9105:127.0.0.1:5", 9105, "127.0.0.1", 5),
        ("tcp:9105:backlog=5", 9105, "", 5),
        ("tcp6:9105:interface=\\:\\:1", 9105, "::1", 1024),
    ],
)
async def test_a_tcp_port(description, port, interface, backlog):
    """A number is a port of the loopback interface; a description says all itself."""
    clock = MemoryReactor()
    await server_endpoint(clock, description).listen(Counting())
    [(got_port, _, got_backlog, got_interface)] = clock.tcpServers
    assert (got_port, got_interface, got_backlog) == (port, interface, backlog)


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("", "9105"),
        ("-1", "9105"),
        ("٩١٠٥", "9105"),
        ("127.0.0.1:8000", "tcp:9105:interface=0.0.0.0"),
        ("nonsense:1", "unix:/run/chatter.sock"),
        ("tcp", "0 to 65535"),
        ("tcp:x", "0 to 65535"),
        ("99999", "0 to 65535"),
        ("tcp:70000", "0 to 65535"),
        ("tcp:8000:colour=blue", "tcp:9105"),
        ("unix:", "unix:/run"),
        ("unix", "unix:/run"),
        ("ssl:443:privateKey=missing.pem", "missing.pem can't be read: No such file or directory."),
        ("ssl:443:privateKey={garbage}", "its key or its certificate can't be used."),
    ],
)
def test_what_is_no_endpoint_is_refused_with_the_right_forms(description, reason, tmp_path):
    """The text names the forms that are taken, and has no words of Python's."""
    (tmp_path / "garbage.pem").write_text("garbage")
    with pytest.raises(ValueError) as refused:
        server_endpoint(MemoryReactor(), description.format(garbage=tmp_path / "garbage.pem"))
    assert reason in str(refused.value)
    assert "invalid literal" not in str(refused.value)


def connects(path):
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
        return True


async def test_a_unix_socket(tmp_path):
    """It is made with its mode, no lock stays beside it, and it is gone after the end."""
    path = tmp_path / "a:b.sock"
    escaped = str(path).replace(":", "\\:")
    port = await server_endpoint(reactor, f"unix:{escaped}:mode=600").listen(Counting())
    assert connects(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
    await ended(port)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lock", [None, "{pid}", "1", "garbage"])
async def test_a_unix_socket_that_was_left_behind_is_replaced(tmp_path, lock):
    """Whatever a lock of an earlier version says, nobody listens there."""
    path = tmp_path / "chat.sock"
    leave_behind(path)
    if lock is not None:
        (tmp_path / "chat.sock.lock").symlink_to(lock.format(pid=os.getpid()))
    port = await server_endpoint(reactor, f"unix:{path}:lockfile=1").listen(Counting())
    assert connects(path)
    await ended(port)


@pytest.mark.parametrize("backlog", [5, 0])
async def test_a_unix_socket_in_use_is_left_alone(tmp_path, backlog):
    """Somebody who listens there goes on, also one whose backlog is full."""
    path = tmp_path / "chat.sock"
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as waiting:
        other.bind(str(path))
        other.listen(backlog)
        if not backlog:
            waiting.connect(str(path))
        for _ in range(2):
            with pytest.raises(CannotListenError, match=r"unix:.*chat.sock: another process"):
                await server_endpoint(reactor, f"unix:{path}").listen(Counting())
        assert path.exists()
        other.accept()[0].close()


def test_what_is_no_socket_is_left_alone(tmp_path):
    """A file that was named by mistake is not removed, nor is what a link names."""
    path, link = tmp_path / "notes.txt", tmp_path / "link"
    path.write_text("notes")
    link.symlink_to(path)
    wrong = (path, link, tmp_path, tmp_path / "missing" / "chat.sock")
    assert told_by(start_listening(*wrong)) == "refused\n" * len(wrong)
    assert path.read_text() == "notes"
    assert link.is_symlink()


def test_two_that_start_at_once(tmp_path):
    """Of many processes that find a socket left behind, one listens."""
    path = tmp_path / "chat.sock"
    leave_behind(path)
    starting = [start_listening(path) for _ in range(4)]
    said = [process.stdout.readline() for process in starting]
    for process in starting:
        told_by(process)
    assert sorted(said) == ["listens\n", *["refused\n"] * 3]


async def test_an_abstract_unix_socket():
    """A socket without a file has nothing to be left behind."""
    name = f"\0chatter-test-{os.getpid()}"
    if not sys.platform.startswith("linux"):
        pytest.skip("Only Linux has them.")
    port = await server_endpoint(reactor, f"unix:{name}").listen(Counting())
    assert connects(name)
    await ended(port)
