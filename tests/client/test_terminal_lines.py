"""Lines: what typed ones ask for, how messages become ones, and how they are completed."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from chatter.protocol.errors import InvalidRequest
from chatter.protocol.model import Message
from chatter.protocol.names import check
from chatter.terminal.commands import (
    COMMANDS,
    HELP,
    Help,
    Mistake,
    Quit,
    Say,
    SayTo,
    Who,
    parse,
    quoted,
)
from chatter.terminal.completion import ChatCompleter
from chatter.terminal.lines import harmless, line_of

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2026, 3, 1, 15, 0, tzinfo=ZONE)
AT_TWO = datetime(2026, 3, 1, 12, 5, tzinfo=timezone.utc)
NAMES = {1: "alice", 2: "Bob B.", 3: "carol"}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("hello", Say("hello")),
        ("  hello there  ", Say("hello there")),
        ("//etc/hosts", Say("/etc/hosts")),
        ("/msg bob hi there", SayTo("bob", "hi there")),
        ('/msg "Bob B." hi', SayTo("Bob B.", "hi")),
        ('/msg  bob   it\'s "fine"  ', SayTo("bob", 'it\'s "fine"')),
        (r'/msg "a \"b\" \\" hi', SayTo(r'a "b" \\'[:-1], "hi")),
        ("/msg bob /who", SayTo("bob", "/who")),
        ("/who", Who()),
        ("/help", Help()),
        ("/quit", Quit()),
        ("/quit now", Quit()),
        ("", None),
        ("  \t", None),
    ],
)
def test_what_a_line_asks_for(line, command):
    """A line is said to everybody, unless it begins with the slash of a command."""
    assert parse(line) == command


@pytest.mark.parametrize("line", ["/msg", "/msg bob", '/msg "Bob B." ', '/msg "Bob B.', "/msgs x"])
def test_what_is_no_command(line):
    """A command that is not understood is said to nobody."""
    assert isinstance(parse(line), Mistake)


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1, max_size=32))
@example('"')
@example("\\")
@example('say "hi"')
@example('x"y z')
def test_every_name_can_be_written_to(name):
    """The form in which a name is completed is understood, whatever the name."""
    try:
        check(name)
    except InvalidRequest:
        return
    assert parse(f"/msg {quoted(name)} hi") == SayTo(name, "hi")


def test_help_lists_every_command():
    """No command is missing from the help."""
    assert all(any(line.startswith(command) for line in HELP) for command in COMMANDS)


def shown(sender_id, recipient_id, text, sent_at=AT_TWO, me=1):
    message = Message(9, sender_id, recipient_id, text, sent_at)
    return line_of(message, me, NAMES.__getitem__, NOW)


def test_how_messages_look():
    """A message has its time, who said it, and how private it is."""
    assert shown(2, None, "hi") == "14:05 Bob B.: hi"
    assert shown(1, None, "hi") == "14:05 alice: hi"
    assert shown(2, 1, "hi") == "14:05 [Bob B. → you] hi"
    assert shown(1, 2, "hi") == "14:05 [you → Bob B.] hi"


def test_a_message_of_another_day_has_its_date():
    """What was missed for days can be told from what is new, by the reader's own calendar."""
    late = datetime(2026, 2, 28, 22, 30, tzinfo=timezone.utc)
    assert shown(2, None, "hi", late) == "00:30 Bob B.: hi"
    assert shown(2, None, "hi", late - timedelta(hours=1)) == "2026-02-28 23:30 Bob B.: hi"


def test_further_lines_of_a_message_are_indented():
    """Nobody can begin a line as if it were somebody else's message."""
    assert shown(2, None, "hi\n14:05 alice: I owe Bob 100") == (
        "14:05 Bob B.: hi\n      14:05 alice: I owe Bob 100"
    )
    assert shown(2, None, "a\r\nb\x0bc\u2028d").splitlines()[1:] == [
        "      b",
        "      c",
        "      d",
    ]


@pytest.mark.parametrize(
    "attack",
    [
        "\x1b]0;title\x07",
        "\x1b[2J",
        "\x9b31m",
        "\r14:05 alice: hi",
        "\x08\x08",
        "\u202eevil",
        "\u2066x\u2069",
        "\x00",
        "\x7f",
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(attack):
    """Control characters and overrides of the writing direction become visible marks."""
    harmful = [c for c in attack if not c.isprintable()]
    safe = harmless(attack)
    assert not set(harmful) & set(safe)
    assert safe.count("\N{REPLACEMENT CHARACTER}") == len(harmful)


@given(st.text())
def test_no_text_controls_the_terminal(text):
    """Whatever somebody writes, the only control character on the screen is our line break."""
    line = shown(2, 1, text)
    assert all(c == "\n" or unicodedata.category(c) not in ("Cc", "Zl", "Zp", "Cs") for c in line)


def test_ordinary_text_is_shown_as_it_is():
    """Other scripts and joined emoji are left alone."""
    text = "Grüße, مرحبا, 你好, 👩\u200d🚀"
    assert harmless(text) == text


def completions(typed):
    completer = ChatCompleter(lambda: ["alice", "Alan", "Bob B."])
    document = Document(typed)
    found = completer.get_completions(document, CompleteEvent(completion_requested=True))
    return [typed[: len(typed) + c.start_position] + c.text for c in found]


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("/w", ["/who"]),
        ("/m", ["/msg "]),
        ("/", ["/msg ", "/who", "/help", "/quit"]),
        ("/x", []),
        ("/msg a", ["/msg Alan ", "/msg alice "]),
        ("/msg B", ['/msg "Bob B." ']),
        ('/msg "bob b', ['/msg "Bob B." ']),
        ("/msg ", ["/msg Alan ", '/msg "Bob B." ', "/msg alice "]),
        ("/msg alice al", []),
        ("al", ["Alan", "alice"]),
        ("thanks, ali", ["thanks, alice"]),
        ("thanks ", []),
    ],
)
def test_what_is_completed(typed, completed):
    """Commands at the beginning of a line, recipients after /msg, and names anywhere else."""
    assert completions(typed) == completed
