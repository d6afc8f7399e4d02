"""The examples run, as they stand."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from tests.e2e.server import free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "embedding.py"


@pytest.fixture
def application():
    """The running example, asked by an account."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLE), f"tcp:{port}:interface=127.0.0.1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"

    def ask(account, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"Authorization": "Basic " + b64encode(account.encode()).decode()}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        status, content = response.status, response.read()
        connection.close()
        return status, content

    yield ask, process.stdout
    process.terminate()
    assert process.wait(10) is not None
    process.stdout.close()


def test_the_application_and_its_chat(application):
    """Its pages, its accounts as users of the chat, its bot and its audit log."""
    ask, output = application
    assert ask("alice:secret", "GET", "/")[1].startswith(b"The application")
    assert ask("alice:wrong", "GET", "/chat/status")[0] == 401
    assert ask("carol:secret", "POST", "/chat/connect")[0] == 401
    status, content = ask("alice:secret", "POST", "/chat/connect")
    connected = json.loads(content)
    assert (status, connected["name"]) == (200, "alice")
    assert "token" not in connected
    assert ask("alice:secret", "POST", "/chat/send", {"text": "help"})[0] == 200
    assert output.readline() == f"message 1 from user {connected['user_id']}\n"
    assert output.readline().startswith("message 2 from user ")
    page = json.loads(ask("alice:secret", "GET", "/chat/status")[1])
    assert [message["text"] for message in page["messages"]][-1].startswith("Ask in general")
    bob = json.loads(ask("bob:hidden", "GET", "/chat/status")[1])
    assert [message["text"] for message in bob["messages"]] == ["help"]
