"""The command in a real terminal, which tmux is, against the real chat."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chatter.web import ChatResource
from tests.client.support import LongAgo, listening, make_chat, nothing_open, serving, until
from tests.ports import free_port

CLIENT = Path(__file__).parents[2] / "client.py"

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Terminal:
    """A terminal of 24 lines of 80 characters, with a shell in it."""

    def __init__(self, directory):
        self._tmux = ["tmux", "-S", str(directory / "tmux"), "-f", "/dev/null"]
        self.state = directory / "state"

    def open(self):
        kept = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(self.state)}
        locale = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.state)}
        self._run("new-session", "-d", "-x", "80", "-y", "24", "sh", env={**kept, **locale})

    def close(self):
        self._run("kill-server")

    def type(self, *keys):
        """Press keys, each a text or the name of one."""
        self._run("send-keys", *keys)

    def start(self, *arguments, term=None):
        """Start the client."""
        command = shlex.join([sys.executable, str(CLIENT), *arguments])
        if term is not None:
            command = f"TERM={term} {command}"
        self.type(f"PS1='$ '; clear; {command}; echo status $?", "Enter")

    def lines(self):
        """What is on the screen, without the date of the test's clock."""
        shown = self._run("capture-pane", "-p").splitlines()
        return [line.removeprefix("1970-01-01 00:00 ").rstrip() for line in shown if line.strip()]

    async def shows(self, *lines):
        """Wait until the last lines are these."""
        await until(lambda: self.lines()[-len(lines) :] == list(lines), seen=self.lines)

    def paste(self, text):
        """Paste a text, as a terminal does which says that it is pasted."""
        self._run("set-buffer", text)
        self._run("paste-buffer", "-p", "-r")

    def pipe_to(self, name):
        """Write what comes to the terminal from now on to a file of the state directory."""
        self._run("pipe-pane", f"cat > {shlex.quote(str(self.state / name))}")

    def client_id(self):
        """The process that the shell in the terminal runs."""
        shell = self._run("display-message", "-p", "#{pane_pid}").strip()
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text()
        return int(children.split()[0])

    def _run(self, *arguments, env=None):
        done = subprocess.run(
            [*self._tmux, *arguments], check=True, capture_output=True, text=True, env=env
        )
        return done.stdout


@pytest.fixture
def terminal(tmp_path):
    opened = Terminal(tmp_path)
    opened.state.mkdir()
    opened.open()
    yield opened
    opened.close()


async def test_an_incoming_line_does_not_disturb_the_one_being_typed(terminal):
    """It appears above; what is half typed stays, can be finished, and is sent whole."""
    chat = make_chat(LongAgo())
    async with serving(ChatResource(chat)) as url:
        bob, _ = await chat.connect("bob")
        terminal.start(url, "--name", "alice")
        await terminal.shows(
            "You are alice (--name NAME for another). /help lists the commands.", "alice>"
        )
        terminal.type("half a li")
        await terminal.shows("alice> half a li")
        await chat.send(bob, "incoming")
        await chat.send(bob, "and more")
        await terminal.shows("bob: incoming", "bob: and more", "alice> half a li")
        terminal.type("ne", "Enter")
        await terminal.shows("bob: and more", "alice: half a line", "alice>")
        terminal.type("/quit", "Enter")
        await terminal.shows("alice: half a line", "status 0", "$")


async def test_names_and_commands_are_completed(terminal):
    """The Tab key completes commands, and names with the quotes that they need."""
    chat = make_chat(LongAgo())
    async with serving(ChatResource(chat)) as url:
        bob, _ = await chat.connect("Bob B.")
        terminal.start(url, "--name", "alice")
        await terminal.shows("alice>")
        terminal.type("/ms", "Tab", "bo", "Tab", "psst")
        await terminal.shows('alice> /msg "Bob B." psst')
        terminal.type("Enter")
        await terminal.shows('[you → "Bob B."] psst', "alice>")
        assert [message.text for message in (await chat.poll(bob)).messages] == ["psst"]
        terminal.type("/wh", "Tab", "Enter")
        await terminal.shows('2 of 2 online: "Bob B.", alice', "alice>")
        terminal.type("C-d")
        await terminal.shows("status 0", "$")


async def test_what_was_typed_is_remembered(terminal):
    """The next start is the same user, shows what was missed, and has the old lines."""
    chat = make_chat(LongAgo())
    async with serving(ChatResource(chat)) as url:
        terminal.start(url)
        await terminal.shows("Your name (Enter for any):")
        terminal.type("alice", "Enter")
        await terminal.shows("alice>")
        terminal.type("hello", "Enter")
        await terminal.shows("alice: hello", "alice>")
        terminal.type("C-c")
        await terminal.shows("status 0", "$")
        bob, _ = await chat.connect("bob")
        await chat.send(bob, "you missed this")
        terminal.start(url)
        await terminal.shows(
            "You are alice (--name NAME for another). /help lists the commands.",
            "alice: hello",
            "bob: you missed this",
            "alice>",
        )
        terminal.type("Up")
        await terminal.shows("alice> hello")
        terminal.type("C-c")
        await terminal.shows("alice>")
        terminal.type("C-c")
        await terminal.shows("status 0", "$")
    kept = terminal.state / "chatter"
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {
        "history": 0o600,
        "tokens.json": 0o600,
        "tokens.lock": 0o600,
    }


async def test_a_name_that_is_taken_is_asked_for_again(terminal):
    """The person hears why, and can choose another."""
    chat = make_chat(LongAgo())
    await chat.connect("alice")
    async with serving(ChatResource(chat)) as url:
        terminal.start(url, "--name", "alice")
        await terminal.shows("Somebody has that name.", "Your name (Enter for any):")
        terminal.type("carol", "Enter")
        await terminal.shows("carol>")
        terminal.type("/quit", "Enter")
        await terminal.shows("status 0", "$")


async def test_a_server_that_goes_away_and_comes_back(terminal):
    """It is told once; what is typed meanwhile is sent, once, when the server is back."""
    chat = make_chat(LongAgo())
    async with nothing_open():
        async with listening(ChatResource(chat), free_port()) as url:
            terminal.start(url, "--name", "alice")
            await terminal.shows("alice>")
        await until(lambda: "Connection lost; reconnecting" in " ".join(terminal.lines()))
        terminal.type("still here", "Enter", "so am I", "Enter", "half a li")
        await terminal.shows("Waiting: still here", "Waiting: so am I", "alice> half a li")
        async with listening(ChatResource(chat), port=int(url.rpartition(":")[2])):
            await terminal.shows(
                "Connected again.", "alice: still here", "alice: so am I", "alice> half a li"
            )
            assert " ".join(terminal.lines()).count("reconnecting") == 1
            terminal.type("C-c")
            await terminal.shows("alice: so am I", "alice>")
            terminal.type("C-c")
            await terminal.shows("status 0", "$")


async def test_leaving_while_the_server_is_away(terminal):
    """It does not hang: after some seconds it tells that the last line was not sent."""
    chat = make_chat(LongAgo())
    async with nothing_open():
        async with listening(ChatResource(chat), free_port()) as url:
            terminal.start(url, "--name", "alice")
            await terminal.shows("alice>")
        terminal.type("lost", "Enter", "C-d")
        await terminal.shows("What you typed last may not have been sent (1).", "status 0", "$")


async def test_a_signal_leaves_the_terminal_as_it_was(terminal):
    """After SIGTERM the shell's terminal echoes what is typed, and nothing else is on it."""
    async with serving(ChatResource(make_chat(LongAgo()))) as url:
        terminal.start(url)
        await terminal.shows("Your name (Enter for any):")
        os.kill(terminal.client_id(), signal.SIGTERM)
        await terminal.shows("status 1", "$")
        assert terminal.lines() == ["status 1", "$"]
        terminal.start(url, "--name", "alice")
        await terminal.shows("alice>")
        os.kill(terminal.client_id(), signal.SIGTERM)
        await terminal.shows("status 1", "$")
        assert terminal.lines() == [
            "You are alice (--name NAME for another). /help lists the commands.",
            "status 1",
            "$",
        ]
        terminal.type("stty -a | grep -ow -e -icanon -e -echo; echo checked", "Enter")
        await until(lambda: "checked" in terminal.lines())
        assert not {"-icanon", "-echo"} & set(terminal.lines())


async def test_what_others_wrote_does_not_control_the_terminal(terminal):
    """A text that would clear the screen or set the title is shown with marks instead."""
    chat = make_chat(LongAgo())
    mallory, _ = await chat.connect("mallory")
    await chat.send(mallory, "\x1b[2J\x1b]0;owned\x07\rfake: hi")
    async with serving(ChatResource(chat)) as url:
        terminal.start(url, "--name", "alice")
        await terminal.shows(
            "You are alice (--name NAME for another). /help lists the commands.",
            "mallory: \ufffd[2J\ufffd]0;owned\ufffd",
            "      fake: hi",
            "alice>",
        )
        terminal.type("C-d")
        await terminal.shows("status 0", "$")


async def test_a_terminal_that_knows_no_escape_sequences(terminal):
    """With ``TERM=dumb`` lines are plain; a person is asked for a name and reads what comes."""
    chat = make_chat(LongAgo())
    async with serving(ChatResource(chat)) as url:
        terminal.start(url, term="dumb")
        await terminal.shows("Your name (Enter for any):")
        terminal.pipe_to("plain")
        terminal.type("alice", "Enter")
        await until(lambda: any(line.startswith("You are alice") for line in terminal.lines()))
        bob, _ = await chat.connect("bob")
        await chat.send(bob, "hi alice")
        await terminal.shows("bob: hi alice")
        terminal.type("hi", "Enter")
        await terminal.shows("bob: hi alice", "hi", "alice: hi")
        terminal.type("C-d")
        await terminal.shows("status 0", "$")
    assert "\x1b" not in (terminal.state / "plain").read_text().split("status")[0]


async def test_a_text_that_is_padded_to_the_width(terminal):
    """What would stand at the first column of the next row stands behind blanks."""
    chat = make_chat(LongAgo())
    mallory, _ = await chat.connect("mallory")
    start = "1970-01-01 00:00 mallory: "
    await chat.send(mallory, "hi".ljust(80 - len(start)) + "14:05 alice: I owe mallory 100")
    async with serving(ChatResource(chat)) as url:
        terminal.start(url, "--name", "alice")
        await terminal.shows("mallory: hi", "      14:05 alice: I owe mallory 100", "alice>")
        terminal.type("C-d")
        await terminal.shows("status 0", "$")


async def test_several_lines_that_are_pasted(terminal):
    """They are one text, with their indentation; behind ``/msg`` all of them are private."""
    chat = make_chat(LongAgo())
    async with serving(ChatResource(chat)) as url:
        bob, _ = await chat.connect("bob")
        terminal.start(url, "--name", "alice")
        await terminal.shows("alice>")
        terminal.paste("  if x:\n      y")
        terminal.type("Enter")
        await terminal.shows("alice:   if x:", "            y", "alice>")
        terminal.paste("/msg bob one\ntwo")
        terminal.type("Enter")
        await terminal.shows("[you → bob] one", "      two", "alice>")
        texts = [(m.recipient_id, m.text) for m in (await chat.poll(bob)).messages]
        assert texts == [(None, "  if x:\n      y"), (bob.id, "one\ntwo")]
        terminal.type("C-d")
        await terminal.shows("status 0", "$")
