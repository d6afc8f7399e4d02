"""``twistd chatter --store postgresql://…``: what an operator sees, and nobody else."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.e2e.server import TWISTD, Server
from tests.postgres.nodes import wait_until
from tests.postgres.server import PASSWORD


def test_the_password_is_seen_nowhere(postgres, database, tmp_path):
    """Neither in the log nor in the list of processes."""
    with Server(tmp_path, "--store", postgres.url(database)) as server:
        server.connect("alice")
        postgres.restart("immediate")
        # It hears of it a little later, and not any more once it is told to stop.
        wait_until(lambda: "is away for" in server.log.read_text())
        if Path("/proc").is_dir():
            arguments = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
            assert database.encode() in arguments
            assert PASSWORD.encode() not in arguments
    log = server.log.read_text()
    assert f"/{database} at message 0" in log
    assert PASSWORD not in log


def test_what_can_not_be_opened_is_said_in_a_line(postgres, tmp_path):
    """Before anything daemonises, and without the password."""
    store = postgres.url("missing")
    done = subprocess.run(
        [TWISTD, "--pidfile=", "chatter", "--store", store],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "can't be used" in done.stderr
    assert PASSWORD not in done.stdout + done.stderr
