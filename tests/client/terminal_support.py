"""What the tests of the terminal share: a screen, somebody who sits at it, and the command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from twisted.internet.threads import deferToThread

from chatter.client import Retries
from chatter.terminal.commands import parse
from chatter.terminal.conversation import Conversation
from chatter.terminal.lines import PRIVATE, text_of
from chatter.terminal.long_texts import LongTexts
from chatter.terminal.outage import Outage, give_up
from chatter.terminal.people import People
from chatter.terminal.session import Session

CLIENT = Path(__file__).parents[2] / "client.py"

ONCE = Retries(attempts=1)


class Screen:
    """Remembers what it was to show.

    :ivar private: those of the lines that are marked as private by their style.
    :ivar styles: the styles in each of the lines.
    """

    def __init__(self):
        self.lines: list[str] = []
        self.private: list[str] = []
        self.told: list[str] = []
        self.styles: list[set[str]] = []

    def show(self, line):
        text = text_of(line)
        # The time of day in front of a message depends on where the test runs.
        self.lines.append(text.partition(" ")[2] if text[:2].isdigit() and text[2] == ":" else text)
        self.styles.append({style for styles, _ in line for style in styles.split()})
        if PRIVATE in self.styles[-1]:
            self.private.append(self.lines[-1])

    def tell(self, line):
        self.told.append(line)


class Seat:
    """Somebody at a terminal."""

    def __init__(self, rig, name, persistently=False, token=None):
        self.rig = rig
        self.screen = Screen()
        self.client = rig.client(retries=ONCE, token=token)
        self.people = People(self.client)
        me = rig.result(self.client.connect(name))
        outage = Outage(rig.clock, self.screen.tell)
        outage.add_memory(self.people.forget)
        outage.found()
        persist = outage.outlast if persistently else give_up
        self.conversation = Conversation(
            Session(
                self.client, rig.clock, me.user_id, self.people, self.screen, persist, LongTexts()
            )
        )

    def type(self, line):
        command = parse(line)
        assert command is not None
        self.rig.result(self.conversation.do(command))

    def look(self):
        self.rig.result(self.conversation.show_unread())
        return self.screen.lines


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
