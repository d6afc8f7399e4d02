"""A disk that is really full: nothing acknowledged is lost, nothing refused appears."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.e2e.server import Server

# A file system of 2 MB that only the server sees: as root, or as root of a user
# namespace of its own, which most systems allow to everybody.
NAMESPACE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--mount", "-r")
MOUNT = "mount -t tmpfs -o size=2m none disk && exec"


def can_mount(folder):
    if shutil.which("unshare") is None:
        return False
    command = [*NAMESPACE, "sh", "-c", "mount -t tmpfs -o size=2m none disk"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def test_a_full_disk(tmp_path):
    """503 while the disk is full, and everything goes on once there is room."""
    (tmp_path / "disk").mkdir()
    if not can_mount(tmp_path):
        pytest.skip("a file system can't be mounted here, not even in a namespace")
    prefix = (*NAMESPACE, "sh", "-c", f'{MOUNT} "$@"', "sh")
    with Server(tmp_path, "--store", "sqlite:disk/chat", prefix=prefix) as server:
        alice = server.connect("alice")
        # The server's own view of its file system, from outside of its namespace.
        disk = f"/proc/{server.process.pid}/cwd/disk"
        ballast = f"{disk}/ballast"
        with open(ballast, "wb") as file:  # noqa: PTH123
            file.write(bytes(600_000))
        acknowledged, refused = fill(server, alice["token"])
        assert refused == 10
        assert server.request("GET", "/health")[0] == 503
        assert server.request("GET", "/status", alice["token"])[0] == 200, "reading goes on"
        os.remove(ballast)  # noqa: PTH107
        assert server.request("GET", "/health")[0] == 200
        status, message = server.request("POST", "/send", alice["token"], {"text": "room again"})
        assert status == 200
        acknowledged.append(message["id"])
        log = read_all(server, alice["token"])
        assert [message["id"] for message in log] == acknowledged
        assert not [message for message in log if message["text"].startswith("refused")]
        written = server.log.read_text()
        assert "disk is full" in written
        assert "can be written again" in written


def fill(server, token):
    """Send until ten sends in a row were refused."""
    acknowledged = []
    refused = 0
    while refused < 10:
        text = ("refused" if refused else "text") + "x" * 3000
        status, result = server.request("POST", "/send", token, {"text": text})
        if status == 200:
            assert not refused, "a rejection must last as long as there is no room"
            acknowledged.append(result["id"])
        else:
            assert status == 503
            assert result["type"] == "urn:chatter:store-unavailable"
            refused += 1
        assert len(acknowledged) < 5000
    return acknowledged, refused


def read_all(server, token):
    log = []
    page = {"cursor": 0, "more": True}
    while page["more"]:
        _, page = server.request("GET", f"/status?after={page['cursor']}&limit=1000", token)
        log += page["messages"]
    return log
