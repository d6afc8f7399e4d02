"""Lines: what typed ones ask for, how messages become ones, and how they are completed."""

from __future__ import annotations

import time
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
    History,
    Mistake,
    More,
    Quit,
    Say,
    SayTo,
    Who,
    Withdraw,
    parse,
    quoted,
)
from chatter.terminal.completion import ChatCompleter
from chatter.terminal.lines import harmless, line_of, text_of

ZONE = timezone(timedelta(hours=2))
NOW = datetime(2026, 3, 1, 15, 0, tzinfo=ZONE)
AT_TWO = datetime(2026, 3, 1, 12, 5, tzinfo=timezone.utc)
NAMES = {1: "alice", 2: "Bob B.", 3: "carol"}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("hello", Say("hello")),
        ("  hello there  ", Say("  hello there")),
        ("\tif x:  # a \\ b", Say("\tif x:  # a \\ b")),
        ("    // a comment", Say("    // a comment")),
        ("//etc/hosts", Say("/etc/hosts")),
        ("/msg bob hi there", SayTo("bob", "hi there")),
        ('/msg "Bob B." hi', SayTo("Bob B.", "hi")),
        ('/msg  bob   it\'s "fine"  ', SayTo("bob", 'it\'s "fine"')),
        (r'/msg "a \"b\" \\" hi', SayTo(r'a "b" \\'[:-1], "hi")),
        ("/msg bob /who", SayTo("bob", "/who")),
        ("/who", Who()),
        ("/history", History()),
        ("/history bob", History("bob")),
        ('/history "Bob B."', History("Bob B.")),
        ("/help", Help()),
        ("/quit", Quit()),
        ("/quit now", Quit()),
        ("/withdraw", Withdraw()),
        ("/more", More()),
        ("", None),
        ("  \t", None),
    ],
)
def test_what_a_line_asks_for(line, command):
    """A line is said to everybody, unless it begins with the slash of a command."""
    assert parse(line) == command


@pytest.mark.parametrize(
    "line",
    [
        "/msg",
        "/msg bob",
        '/msg "Bob B." ',
        '/msg "Bob B.',
        "/msgs x",
        "/history a b",
        "/withdraw 3",
    ],
)
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


UNSEEN = "\ufeff\u200b\u200c\u200d\u2060\u00ad\u034f\u3164\u2800\u0301\u00a0\u3000\u202e\x00 \t"


@given(
    st.sampled_from("/\uff0f"),
    st.text(st.sampled_from(UNSEEN), max_size=4),
    st.text(st.sampled_from(UNSEEN), max_size=2),
)
def test_a_private_text_never_becomes_public(slash, before, inside):
    """Whatever nobody sees stands before the slash or in the command, it stays a command."""
    assert parse(f"{before}{slash}msg bob psst") == SayTo("bob", "psst")
    command = parse(f"{before}{slash}m{inside}sg bob psst")
    assert command == SayTo("bob", "psst") or isinstance(command, Mistake)
    command = parse(f"{before}{slash}msg{inside} {inside}bob psst")
    assert isinstance(command, (SayTo, Mistake))


@pytest.mark.parametrize(
    "before",
    [
        *("\x1b[0m", "\x1b[1;31m \x1b[K", "\x9b31m", "\x1b[?25l", "\x1b(B", "\x1bM", "\x1b[D"),
        *("\x1b]0;title\x07", "\x1b]8;;http://a/\x1b\\", "\x1bPq\x1b\\", "\x9d0;a\x9c", "\ufffd"),
        "\x1b[0m\ufffd\ufffd",
    ],
)
def test_what_a_terminal_would_obey_is_unseen(before):
    """The output of a program with colours, piped in, keeps its commands."""
    assert parse(f"{before}/msg bob psst") == SayTo("bob", "psst")
    assert parse(f"{before}hi") == Say(f"{before}hi")


@pytest.mark.parametrize(
    "line", ["/MSG bob psst", "\uff0f\uff4d\uff53\uff47 bob psst", "/Msg\u3000bob psst"]
)
def test_a_command_is_known_however_it_is_written(line):
    """Capitals, full-width letters and blanks come from keyboards, and mean the same."""
    assert parse(line) == SayTo("bob", "psst")


@pytest.mark.parametrize("slash", "\u2044\u2215\u29f8\u2571")
def test_what_looks_like_a_slash(slash):
    """A line that seems to begin with a command is not said to everybody."""
    assert isinstance(parse(f"{slash}msg bob psst"), Mistake)


@pytest.mark.parametrize("line", ["\ufeff", "\u200b \u200b", "\ufeff\r"])
def test_a_line_that_shows_nothing_is_no_text(line):
    """An empty line is not sent, also if it holds what nobody sees."""
    assert parse(line) is None


def test_a_byte_order_mark_is_no_part_of_a_text():
    """It says how a file is written; joiners and marks elsewhere belong to the text."""
    assert parse("\ufeffhello") == Say("hello")
    assert parse("\u200f\u05d0 \u2764\ufe0f\u200d\U0001f525") == Say(
        "\u200f\u05d0 \u2764\ufe0f\u200d\U0001f525"
    )


def test_help_lists_every_command():
    """No command is missing from the help."""
    assert all(any(line.startswith(command) for line in HELP) for command in COMMANDS)


def shown(sender_id, recipient_id, text, sent_at=AT_TWO, me=1):
    message = Message(9, sender_id, recipient_id, text, sent_at)
    return text_of(line_of(message, me, NAMES.get, NOW, ZONE))


def test_how_messages_look():
    """A message has its time, who said it, and how private it is."""
    assert shown(3, None, "hi") == "14:05 carol: hi"
    assert shown(1, None, "hi") == "14:05 alice: hi"
    assert shown(2, 1, "hi") == '14:05 ["Bob B." → you] hi'
    assert shown(1, 2, "hi") == '14:05 [you → "Bob B."] hi'
    assert shown(7, None, "hi") == "14:05 #7: hi"


def test_the_blanks_of_pasted_source_are_shown():
    """Its indentation is part of it."""
    assert shown(3, None, "    if x:\n\t    y") == "14:05 carol:     if x:\n              y"


def test_a_message_of_another_day_has_its_date():
    """What was missed for days can be told from what is new, by the reader's own calendar."""
    late = datetime(2026, 2, 28, 22, 30, tzinfo=timezone.utc)
    assert shown(3, None, "hi", late) == "00:30 carol: hi"
    assert shown(3, None, "hi", late - timedelta(hours=1)) == "2026-02-28 23:30 carol: hi"


def test_a_time_has_the_offset_of_its_own_date(monkeypatch):
    """A message of July that is read in November has the summer time at which it was sent."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        july = Message(9, 3, None, "hi", datetime(2026, 7, 1, 12, 0, tzinfo=timezone.utc))
        november = datetime(2026, 11, 26, 12, 0, tzinfo=timezone.utc)
        line = line_of(july, 1, NAMES.get, november)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert text_of(line) == "2026-07-01 14:00 carol: hi"


@pytest.mark.parametrize("year", [1, 9999])
def test_any_time_can_be_shown(year):
    """A server that sends the first or the last of all days ends nothing."""
    sent_at = NOW.replace(year=year, month=1 if year == 1 else 12, day=1 if year == 1 else 31)
    for hours in (-14, 14):
        message = Message(9, 3, None, "hi", sent_at.replace(hour=12, tzinfo=timezone.utc))
        line = line_of(message, 1, NAMES.get, NOW, timezone(timedelta(hours=hours)))
        assert text_of(line).endswith("carol: hi")


def test_further_lines_of_a_message_are_indented():
    """Nobody can begin a line as if it were somebody else's message."""
    assert shown(3, None, "hi\n14:05 alice: I owe Bob 100") == (
        "14:05 carol: hi\n      14:05 alice: I owe Bob 100"
    )
    assert shown(3, None, "a\r\nb\x0bc\u2028d").splitlines()[1:] == [
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
        ("/wh", ["/who"]),
        ("/h", ["/history ", "/help"]),
        ("/m", ["/msg ", "/more", "/mute "]),
        ("/un", ["/unmute ", "/unban "]),
        ("/mute a", ["/mute Alan ", "/mute alice "]),
        ("/report B", ['/report "Bob B." ']),
        ("/x", []),
        ("/msg a", ["/msg Alan ", "/msg alice "]),
        ("/msg B", ['/msg "Bob B." ']),
        ('/msg "bob b', ['/msg "Bob B." ']),
        ("/msg ", ["/msg Alan ", '/msg "Bob B." ', "/msg alice "]),
        ("/msg alice al", []),
        ("/history B", ['/history "Bob B." ']),
        ("al", ["Alan", "alice"]),
        ("thanks, ali", ["thanks, alice"]),
        ("thanks ", []),
    ],
)
def test_what_is_completed(typed, completed):
    """Commands at the beginning of a line, recipients after /msg, and names anywhere else."""
    assert completions(typed) == completed
