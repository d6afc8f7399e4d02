"""The OpenAPI document, held against a running server by schemathesis."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.server import Server
from tests.schemathesis.environment import schemathesis

HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="This schemathesis needs Python 3.11; older ones err."
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server, which has logged no defect at the end."""
    with Server(tmp_path_factory.mktemp("schemathesis"), "--store", "memory:") as server:
        yield server
        log = server.log.read_text()
        assert "Traceback" not in log, log


def send_everything(server, *options):
    """Have schemathesis send all it can think of; how many operations and how often."""
    done = subprocess.run(
        [
            schemathesis(),
            *("--config-file", HERE / "schemathesis.toml"),
            *("run", f"http://127.0.0.1:{server.port}/openapi.json"),
            *("--no-color", *options),
        ],
        cwd=server.folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    operations = re.search(r"Tested: (\d+)", done.stdout)
    requests = re.search(r"(\d+) generated", done.stdout)
    assert operations, done.stdout
    assert requests, done.stdout
    return int(operations[1]), int(requests[1])


def test_every_response_is_in_the_document(server):
    """A user gets responses as described, what is valid is taken, and what is not is refused."""
    token = server.connect("alice")["token"]
    # Who comes to /connect with a token may call themselves what they like: it is ignored.
    header = f"Authorization: Bearer {token}"
    # /disconnect would revoke the token.
    others = ("--exclude-path", "/connect", "--exclude-path", "/disconnect")
    operations, requests = send_everything(server, "--header", header, *others)
    assert operations == 18
    assert requests > 300


def test_joining_is_as_described_too(server):
    """New users join with every name that is valid by the document, and with no other."""
    operations, requests = send_everything(server, "--include-path", "/connect")
    assert operations == 1
    assert requests > 60
    users = server.request("GET", "/users?limit=1000", server.connect()["token"])[1]["users"]
    assert any(not user["name"].startswith("guest-") for user in users)
