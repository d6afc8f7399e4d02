"""The command with piped input, as its own process, against the real chat."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.internet.task import Clock, deferLater
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

CLIENT = Path(__file__).parents[2] / "client.py"


@pytest.fixture
def environment(tmp_path):
    """A state directory of the test's own, and nothing but the checkout to import from."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "XDG_STATE_HOME": str(tmp_path), "TZ": "UTC", "PYTHONIOENCODING": "utf-8"}


def run(environment, *arguments, lines=""):
    """Run the client to its end; to be awaited."""
    return deferToThread(
        subprocess.run,
        [sys.executable, "-W", "error", str(CLIENT), *arguments],
        input=lines,
        text=True,
        encoding="utf-8",
        capture_output=True,
        env=environment,
        cwd="/",
        timeout=60,
        check=False,
    )


def printed(done):
    """The lines on standard output, without the date and the time of the test's clock."""
    return [line.removeprefix("1970-01-01 00:00 ") for line in done.stdout.splitlines()]


async def test_lines_are_sent_in_order(environment):
    """Each line is sent, what there is to read is printed, and that is all: status 0."""
    async with serving(ChatResource(make_chat(Clock()))) as url:
        done = await run(environment, url, "--name", "alice", lines="hello\nGrüße 🎉\n\n/who")
    assert (done.returncode, done.stderr) == (0, "")
    assert printed(done) == ["alice: hello", "alice: Grüße 🎉", "1 of 1 online: alice"]


async def test_no_lines_print_what_was_missed(environment):
    """The next start is the same user, and prints what came meanwhile, once."""
    chat = make_chat(Clock())
    async with serving(ChatResource(chat)) as url:
        await run(environment, url, "--name", "alice", lines="hello\n")
        bob, _ = await chat.connect("bob")
        await chat.send(bob, "while you were away")
        second = await run(environment, url)
        third = await run(environment, url)
    assert printed(second) == ["bob: while you were away"]
    assert printed(third) == []
    assert (second.returncode, second.stderr) == (0, "")


async def test_the_token_is_its_owners_alone(environment, tmp_path):
    """The command makes the file and its directory for nobody else."""
    async with serving(ChatResource(make_chat(Clock()))) as url:
        done = await run(environment, url)
    assert done.returncode == 0
    kept = tmp_path / "chatter"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    assert stat.S_IMODE((kept / "tokens.json").stat().st_mode) == 0o600


async def test_a_line_that_can_not_be_sent(environment):
    """It is told on standard error and in the status, and the other lines are sent."""
    async with serving(ChatResource(make_chat(Clock()))) as url:
        done = await run(environment, url, "--name", "al", lines="/msg bob hi\n/hlep\nhello\n")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "There is nobody called bob.",
        "There is no /hlep. /help lists the commands; //TEXT says /TEXT.",
    ]
    assert printed(done) == ["al: hello"]


async def test_quit_ends_before_the_end_of_the_input(environment):
    """What comes after /quit is not sent."""
    chat = make_chat(Clock())
    async with serving(ChatResource(chat)) as url:
        done = await run(environment, url, "--name", "al", lines="one\n/quit\ntwo\n")
    assert done.returncode == 0
    assert printed(done) == ["al: one"]


async def test_a_name_that_is_taken(environment):
    """Where nobody can be asked for another, it is an error."""
    chat = make_chat(Clock())
    await chat.connect("alice")
    async with serving(ChatResource(chat)) as url:
        done = await run(environment, url, "--name", "Alice", lines="hello\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "chatter: Somebody has that name.\n"


async def test_a_token_that_is_not_known_any_more(environment):
    """Against a server that forgot everything it joins anew, and tells so."""
    chats = [make_chat(Clock()), make_chat(Clock())]
    async with serving(ChatResource(chats[0])) as url:
        await run(environment, url, "--name", "alice")
        token_file = Path(environment["XDG_STATE_HOME"]) / "chatter" / "tokens.json"
        old = token_file.read_text()
    async with serving(ChatResource(chats[1])) as new_url:
        token_file.write_text(old.replace(url, new_url))
        done = await run(environment, new_url, lines="back\n")
    assert done.returncode == 0
    assert "does not know your token any more" in done.stderr
    assert printed(done) == ["alice: back"]


async def test_what_others_wrote_does_not_control_the_terminal(environment):
    """Escape sequences are printed as marks."""
    chat = make_chat(Clock())
    mallory, _ = await chat.connect("mallory")
    await chat.send(mallory, "\x1b[2Jgone\x07")
    async with serving(ChatResource(chat)) as url:
        done = await run(environment, url)
    assert printed(done) == ["mallory: \ufffd[2Jgone\ufffd"]


async def test_a_server_that_is_not_there(environment, tmp_path):
    """It is told at once, tried for a while, and then an error and a status; nothing is kept."""
    async with serving(ChatResource(make_chat(Clock()))) as url:
        pass
    done = await run(environment, url, "--patience", "1", lines="hello\n")
    assert (done.returncode, done.stdout) == (1, "")
    away, error = done.stderr.splitlines()
    assert away.startswith(f"{url} can't be reached: Connection was refused")
    assert away.endswith("Trying again for 1 seconds.")
    assert error.startswith(f"chatter: {url} can't be reached: Connection was refused")
    assert list((tmp_path / "chatter").iterdir()) == []


async def test_a_server_that_comes_back(environment):
    """A pipe waits for it, and every line is sent once."""
    chat = make_chat(Clock())
    async with serving(ChatResource(chat)) as url:
        pass
    running = run(environment, url, "--name", "al", lines="one\ntwo\n")
    await deferLater(reactor, 2)
    async with nothing_open(), listening(ChatResource(chat), port=int(url.rpartition(":")[2])):
        done = await running
    assert (done.returncode, printed(done)) == (0, ["al: one", "al: two"])
    assert done.stderr.splitlines()[1:] == ["Connected."]


@pytest.mark.parametrize("seconds", ["x", "-1", "nan", "inf"])
async def test_what_is_no_patience(environment, seconds):
    """It is told as a wrong argument."""
    done = await run(environment, f"--patience={seconds}")
    assert done.returncode == 2
    assert "argument --patience" in done.stderr


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


async def test_lines_that_come_slowly(environment):
    """A pipe that stays open is a conversation: lines go out and come in as they are said."""
    chat = make_chat(Clock())
    async with serving(ChatResource(chat)) as url:
        process = subprocess.Popen(  # noqa: ASYNC220 - it only starts it
            [sys.executable, str(CLIENT), url, "--name", "alice"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        try:
            process.stdin.write(b"any")
            process.stdin.flush()
            process.stdin.write(b"body there?\n")
            process.stdin.flush()
            first = await until(process.stdout.readline)
            bob, _ = await chat.connect("bob")
            await chat.send(bob, "me")
            second = await until(process.stdout.readline)
            process.stdin.close()
            await until(lambda: process.poll() is not None)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()
    assert first.endswith(b"alice: anybody there?\n")
    assert second.endswith(b"bob: me\n")
    assert process.returncode == 0


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


async def test_lines_from_a_file(environment, tmp_path):
    """A file is as good as a pipe."""
    lines = tmp_path / "lines"
    lines.write_bytes(b"from a file\r\nnot \xff UTF-8")
    async with serving(ChatResource(make_chat(Clock()))) as url:
        with lines.open("rb") as file:
            done = await deferToThread(
                subprocess.run,
                [sys.executable, str(CLIENT), url, "--name", "al"],
                stdin=file,
                capture_output=True,
                encoding="utf-8",
                env=environment,
                timeout=60,
                check=False,
            )
    assert printed(done) == ["al: from a file", "al: not \ufffd UTF-8"]


async def test_a_terminal_without_the_characters(environment):
    """What can't be shown is replaced, and the rest goes on."""
    ascii_only = {**environment, "PYTHONIOENCODING": "ascii"}
    async with serving(ChatResource(make_chat(Clock()))) as url:
        done = await run(ascii_only, url, "--name", "al", lines="Grüße\nplain\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert printed(done) == ["al: Gr??e", "al: plain"]


async def test_a_line_that_is_too_long(environment):
    """It is refused, told of, and the next one is sent."""
    async with serving(ChatResource(make_chat(Clock()))) as url:
        done = await run(environment, url, "--name", "al", lines=f"{'x' * 300_000}\nshort\n")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert printed(done) == ["al: short"]


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


async def test_a_byte_order_mark_before_a_private_text(environment):
    """A file that begins with one, as some editors write it, tells nobody else."""
    chat = make_chat(Clock())
    bob, _ = await chat.connect("bob")
    async with serving(ChatResource(chat)) as url:
        lines = "\ufeff/msg bob one\n\u200b/msg bob two\n\uff0fmsg bob three\n"
        done = await run(environment, url, "--name", "alice", lines=lines)
    assert (done.returncode, done.stderr) == (0, "")
    assert [message.recipient_id for message in (await chat.poll(bob)).messages] == [bob.id] * 3


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
