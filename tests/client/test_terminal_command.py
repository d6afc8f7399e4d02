"""The command: its options, its files, and servers that are away or no chat."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource

from chatter.client import ChatClient
from chatter.version import __version__
from chatter.web import ChatResource
from tests.client.support import (
    Scripted,
    listening,
    make_chat,
    nothing_open,
    reactor,
    serving,
    until,
)
from tests.client.terminal_support import CLIENT, printed, run
from tests.ports import free_port


async def test_the_token_is_its_owners_alone(environment, tmp_path):
    """The command makes the file and its directory for nobody else."""
    async with serving(ChatResource(make_chat(Clock()))) as url:
        done = await run(environment, url)
    assert done.returncode == 0
    kept = tmp_path / "chatter"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert stat.S_IMODE((kept / "tokens.json").stat().st_mode) == 0o600


async def test_a_server_that_is_not_there(environment, tmp_path):
    """It is told at once, tried for a while, and then an error and a status; nothing is kept."""
    url = f"http://127.0.0.1:{free_port()}"
    done = await run(environment, url, "--patience", "1", lines="hello\n")
    assert (done.returncode, done.stdout) == (1, "")
    away, error = done.stderr.splitlines()
    assert away.startswith(f"{url} can't be reached: Connection was refused")
    assert away.endswith("Trying again for 1 seconds.")
    assert error.startswith(f"chatter: {url} can't be reached: Connection was refused")
    assert list((tmp_path / "chatter").iterdir()) == []


class Away(Factory):
    """Where a server is not there yet: every connection ends at once.

    :ivar tried: whether there was one.
    """

    noisy = False
    tried = False

    def buildProtocol(self, addr):
        self.tried = True


async def test_a_server_that_comes_back(environment):
    """A pipe waits for it, and every line is sent once."""
    away = Away()
    port = free_port()
    bound = reactor.listenTCP(port, away, interface="127.0.0.1")
    running = run(environment, f"http://127.0.0.1:{port}", "--name", "al", lines="one\ntwo\n")
    await until(lambda: away.tried)
    await bound.stopListening()
    async with nothing_open(), listening(ChatResource(make_chat(Clock())), port=port):
        done = await running
    assert (done.returncode, printed(done)) == (0, ["al: one", "al: two"])
    assert done.stderr.splitlines()[1:] == ["Connected."]


@pytest.mark.parametrize("seconds", ["x", "-1", "1.5"])
async def test_what_is_no_patience(environment, seconds):
    """It is told as a wrong argument, and what a right one looks like."""
    done = await run(environment, f"--patience={seconds}")
    assert done.returncode == 2
    assert f"argument --patience: {seconds!r}: write a number and s, m, h or d" in done.stderr


async def test_a_file_of_authorities_that_is_none(environment, tmp_path):
    """It is one line on standard error."""
    for file in (tmp_path / "missing.pem", CLIENT):
        done = await run(environment, "https://127.0.0.1:1", "--ca", str(file))
        assert (done.returncode, done.stdout) == (1, "")
        assert len(done.stderr.splitlines()) == 1
        assert file.name in done.stderr


async def test_what_is_no_url(environment):
    """It is told as a wrong argument, without repeating what may be a password."""
    done = await run(environment, "http://user:secret@host")
    assert done.returncode == 2
    assert "chatter: error: The URL of a chat server has no password" in done.stderr
    assert "secret" not in done.stderr


async def test_nobody_reads_the_output(environment):
    """A reader that goes away ends it without a traceback."""
    chat = make_chat(Clock())
    async with serving(ChatResource(chat)) as url:
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = await deferToThread(
                subprocess.run,
                [sys.executable, str(CLIENT), url],
                input=b"hello\n",
                stdout=writing,
                stderr=subprocess.PIPE,
                env=environment,
                timeout=60,
                check=False,
            )
        finally:
            os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


async def test_no_standard_input(environment):
    """Without standard input there is nothing to send, and what was missed is printed."""
    async with serving(ChatResource(make_chat(Clock()))) as url:
        done = await deferToThread(
            subprocess.run,
            f"{sys.executable} {CLIENT} {url} <&-",
            shell=True,
            capture_output=True,
            env=environment,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


async def test_a_file_of_tokens_that_is_not_one(environment, tmp_path):
    """It is one line on standard error, and the file is left alone."""
    (tmp_path / "chatter").mkdir()
    (tmp_path / "chatter" / "tokens.json").write_text("my diary")
    async with serving(ChatResource(make_chat(Clock()))) as url:
        done = await run(environment, url, lines="hello\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("tokens.json does not hold tokens; move it away.\n")
    assert (tmp_path / "chatter" / "tokens.json").read_text() == "my diary"


async def test_version_and_help(environment):
    """The command says what it is and what it takes."""
    version, usage = await run(environment, "--version"), await run(environment, "--help")
    assert version.stdout == f"chatter {__version__}\n"
    assert "--name" in usage.stdout
    assert "URL" in usage.stdout


async def test_two_ways_to_the_same_user(environment):
    """The token that the command kept is good for the library too."""
    async with serving(ChatResource(make_chat(Clock()))) as url:
        await run(environment, url, "--name", "alice", lines="hello\n")
        kept = (Path(environment["XDG_STATE_HOME"]) / "chatter" / "tokens.json").read_text()
        token = kept.split('"token": "')[1].partition('"')[0]
        client = ChatClient.for_url(reactor, url, token=token)
        try:
            assert (await client.connect()).name == "alice"
        finally:
            await client.close()


async def test_a_server_without_a_scheme(environment):
    """A host and a port are enough."""
    async with serving(ChatResource(make_chat(Clock()))) as url:
        address = url.removeprefix("http://")
        done = await run(environment, address, "--name", "alice", lines="hello\n")
        again = await run(environment, url, lines="again\n")
    assert (done.returncode, printed(done)) == (0, ["alice: hello"])
    assert printed(again) == ["alice: again"]


async def test_a_python_that_lacks_what_is_needed(environment, tmp_path):
    """It is told what to run instead, in one line and without a traceback."""
    done = await deferToThread(
        subprocess.run,
        [sys.executable, "-S", "-E", str(CLIENT)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=CLIENT.parent,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "make client" in done.stderr


class Hostile(Resource):
    """Gives a user a name that no chat gives, and sends what no chat sends."""

    def __init__(self, body):
        super().__init__()
        name = "\\u001b[2J" + "x" * 100_000
        user = f'"name":"{name}","online":true,"last_seen":"2026-01-01T00:00:00Z"'
        responses = {
            "connect": f'{{"status":"success","user_id":1,"name":"{name}","cursor":0,"token":"t"}}',
            "users": f'{{"users":[{{"id":1,{user}}}],"more":false}}',
            "status": body,
        }
        for path, response in responses.items():
            self.putChild(path.encode(), Scripted((200, {}, response.encode())))


LONG_AGO = '{"id":1,"sender_id":1,"recipient_id":null,"text":"hi","sent_at":"0001-01-01T00:00:00Z"}'


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "x" * 100_000,
        '{"messages":[],"cursor":0,"more":true}',
        f'{{"messages":[{LONG_AGO}],"cursor":1,"more":true}}',
    ],
)
async def test_a_server_that_is_no_chat(environment, tmp_path, body):
    """It ends with one line that controls nothing, and keeps no more than a name."""
    async with serving(Hostile(body)) as url:
        done = await run(environment, url, lines="")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert len(done.stderr) < 700
    assert "\x1b" not in done.stderr + done.stdout
    assert len(done.stdout) < 200
    assert (tmp_path / "chatter/tokens.json").stat().st_size < 1000
