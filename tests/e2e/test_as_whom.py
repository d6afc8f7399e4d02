"""Where and as whom a server runs, and what a killed one left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.server import SOON, TWISTD, Server

NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


class TwistdServer(Server):
    """A server with further options of twistd's own."""

    def __init__(self, folder, twistd_options, *options):
        super().__init__(folder, *options)
        at = self._command.index("chatter")
        self._command[at:at] = twistd_options


def refused(folder, *words):
    """Start in a way that must fail; the only line that says why."""
    done = subprocess.run(
        [TWISTD, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done
    [line] = [line for line in done.stderr.splitlines() if "chatter: " in line]
    assert "Traceback" not in done.stderr
    return line


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_in_another_folder(tmp_path):
    """With --rundir all relative paths are in that folder, and nothing is made elsewhere."""
    run = tmp_path / "run"
    run.mkdir()
    before = names_in(tmp_path)
    options = ("--port", "unix:chat.sock", "--access-log", "access.log")
    with TwistdServer(tmp_path, ["--rundir", "run"], *options) as server:
        server.connect("alice")
        assert {"chatter.sqlite", "access.log", "chat.sock"} <= set(names_in(run))
    assert names_in(tmp_path) == sorted([*before, "server.log"])


def test_what_can_not_work_in_another_folder(tmp_path):
    """The store is looked for where the server would run."""
    run = tmp_path / "run"
    run.mkdir()
    (run / "notes.txt").write_text("These are notes." * 100)
    options = ("--rundir", "run", "chatter", "--port", "0", "--store", "sqlite:notes.txt")
    assert "not a database" in refused(tmp_path, "-n", "--pidfile=", *options)
    assert "not a database" in refused(tmp_path, *options)
    assert names_in(run) == ["notes.txt"]


@as_root
def test_as_somebody_else():
    """With --uid the store is made by and for that user."""
    # Nobody may look into a folder of pytest's.
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        run = folder / "run"
        run.mkdir()
        os.chown(run, NOBODY, NOBODY)
        with TwistdServer(folder, ["--rundir", "run", f"--uid={NOBODY}"]) as server:
            server.connect("alice")
        assert (run / "chatter.sqlite").stat().st_uid == NOBODY


@as_root
def test_a_folder_that_the_user_may_not_write(tmp_path):
    """That is told before anything is made, also by a daemon."""
    words = (f"--uid={NOBODY}", "chatter", "--port", "0")
    assert "Permission denied" in refused(tmp_path, "-n", "--pidfile=", *words)
    assert "Permission denied" in refused(tmp_path, *words)
    assert names_in(tmp_path) == []


@as_root
def test_a_socket_that_the_user_may_not_remove(tmp_path):
    """The end comes in order, and the next start is not stopped by the socket."""
    socket = tmp_path / "chat.sock"
    options = ("--port", "unix:chat.sock", "--store", "memory:")
    server = TwistdServer(tmp_path, [f"--uid={NOBODY}"], *options)
    for _ in range(2):
        with server:
            server.connect("alice")
            assert server.stop() < SOON
        assert socket.exists()
        assert "chatter has stopped" in server.log.read_text()


@as_root
def test_with_another_root(tmp_path):
    """With --chroot the store is looked for and made there."""
    root = tmp_path / "root"
    (root / "dev").mkdir(parents=True)
    # Twisted keeps it open, for when files run out.
    os.mknod(root / "dev" / "null", 0o20666, os.makedev(1, 3))
    with TwistdServer(tmp_path, ["--chroot", "root"], "--store", "sqlite:/chat.sqlite") as server:
        token = server.connect("alice")["token"]
        assert server.request("POST", "/send", token, {"text": "hello"})[0] == 200
        assert server.request("POST", "/nothing", token)[0] == 404
    assert (root / "chat.sqlite").exists()


@pytest.mark.parametrize("content", ["{stranger}", "", "4194304\n"])
def test_a_pid_file_that_was_left_behind(tmp_path, content):
    """A process that got the id of a killed server does not stop the next start."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        pid_file = tmp_path / "twistd.pid"
        pid_file.write_text(content.format(stranger=stranger.pid))
        server = Server(tmp_path, "--store", "memory:")
        server._command.remove("--pidfile=")
        with server:
            assert int(pid_file.read_text()) == server.process.pid
        assert stranger.poll() is None
        stranger.communicate(b"\n")


def test_a_pid_file_that_means_something(tmp_path):
    """A second server in one folder is still refused, and what is no pid file is left alone."""
    server = Server(tmp_path, "--store", "memory:")
    server._command.remove("--pidfile=")
    words = (TWISTD, "-n", "chatter", "--port", "0", "--store", "memory:")
    with server:
        assert subprocess.run(words, cwd=tmp_path, timeout=60, check=False).returncode == 1
        assert server.request("GET", "/health")[0] == 200
    (tmp_path / "twistd.pid").write_text("my notes")
    assert subprocess.run(words, cwd=tmp_path, timeout=60, check=False).returncode == 1
    assert (tmp_path / "twistd.pid").read_text() == "my notes"


def test_a_killed_server_with_a_unix_socket(tmp_path):
    """It is started again at once, though its lock of earlier versions names somebody else."""
    server = Server(tmp_path, "--port", f"unix:{tmp_path}/chat.sock", "--store", "memory:")
    server.start()
    server.kill()
    assert (tmp_path / "chat.sock").exists()
    (tmp_path / "chat.sock.lock").symlink_to(str(os.getpid()))
    with server:
        server.connect("alice")
        line = refused(
            tmp_path,
            "-n",
            "--pidfile=",
            "chatter",
            "--port",
            "unix:chat.sock",
            "--store",
            "memory:",
        )
        assert "another process listens there" in line
    assert not (tmp_path / "chat.sock").exists()
