"""The command with piped input, as its own process, against the real chat."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from chatter.web import ChatResource
from tests.client.support import (
    make_chat,
    serving,
    until,
)
from tests.client.terminal_support import CLIENT, printed, run


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


async def test_a_standard_output_that_takes_nothing(environment):
    """A full disk is one line, and Python does not try again at its end."""
    chat = make_chat(Clock())
    async with serving(ChatResource(chat)) as url:
        with open("/dev/full", "w") as full:  # noqa: ASYNC230, PTH123 - it is no file
            done = await deferToThread(
                subprocess.run,
                [sys.executable, str(CLIENT), url, "--name", "alice"],
                input="hello\n",
                text=True,
                stdout=full,
                stderr=subprocess.PIPE,
                env={**environment, "PYTHONUNBUFFERED": ""},
            )
    assert done.returncode == 1
    assert done.stderr == "chatter: No space left on device\n"


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


async def test_a_byte_order_mark_before_a_private_text(environment):
    """A file that begins with one, as some editors write it, tells nobody else."""
    chat = make_chat(Clock())
    bob, _ = await chat.connect("bob")
    async with serving(ChatResource(chat)) as url:
        lines = "\ufeff/msg bob one\n\u200b/msg bob two\n\uff0fmsg bob three\n"
        done = await run(environment, url, "--name", "alice", lines=lines)
    assert (done.returncode, done.stderr) == (0, "")
    assert [message.recipient_id for message in (await chat.poll(bob)).messages] == [bob.id] * 3


async def test_a_carriage_return_in_a_private_text(environment):
    """What follows it is told to nobody, and that is told."""
    chat = make_chat(Clock())
    bob, _ = await chat.connect("bob")
    async with serving(ChatResource(chat)) as url:
        lines = "/msg bob pw: 10%\rpw: hunter2\nhello\n"
        done = await run(environment, url, "--name", "alice", lines=lines)
    assert done.returncode == 1
    assert done.stderr.startswith("Only a carriage return separates this")
    assert printed(done) == ["[you → bob] pw: 10%", "alice: hello"]
    assert [message.text for message in (await chat.poll(bob)).messages] == ["pw: 10%", "hello"]
