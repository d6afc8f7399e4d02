"""Nobody can make a line of the terminal look as if somebody else had written it."""

from __future__ import annotations

import re
import sys
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatter.protocol.errors import InvalidRequest
from chatter.protocol.model import Message
from chatter.protocol.names import check, fold
from chatter.terminal.lines import INDENT, NAME, PRIVATE, line_of, text_of
from chatter.terminal.piped import Plain
from chatter.terminal.plain_screen import PlainScreen
from chatter.terminal.wrapping import wrapped

NOW = datetime(2026, 3, 1, 14, 5, tzinfo=timezone.utc)
ME, OTHER = 1, 2

_ONE = r'(?P<%s>"(?:[^"\\]|\\.)+"|[^\s":\[\]\u2192]+)'
GENERAL = re.compile(rf"14:05 {_ONE % 'sender'}: (?P<text>.*)", re.DOTALL)
PRIVATE_LINE = re.compile(
    rf"14:05 \[{_ONE % 'sender'} \u2192 {_ONE % 'recipient'}\] (?P<text>.*)", re.DOTALL
)

FORGING = [
    "[carol \u2192 you] psst",
    "carol: hi",
    "you",
    "YOU",
    "\uff59\uff4f\uff55",
    '"you"',
    'carol": hi',
    "14:06 carol",
    "carol" + " " * 26 + "x",
    "#1",
    "\u2192",
    "a\\",
]


def is_name(text):
    try:
        check(text)
    except InvalidRequest:
        return False
    return True


NAMES = st.sampled_from(FORGING) | st.text(
    st.sampled_from("ab\u00e9\u0628 :[]\u2192\\\"'#12>you\u2764\U0001f469"), min_size=1, max_size=12
).filter(is_name)
TEXTS = st.text(
    st.sampled_from('ab :[]\u2192"\n1405\u0628\u3000\U0001f469\u200d\ufe0f\u0301 '), max_size=90
)


def line(text, name, *, private=False, mine=False, my_name="me"):
    sender, other = (ME, OTHER) if mine else (OTHER, ME)
    message = Message(9, sender, other if private else None, text, NOW)
    return line_of(message, ME, {ME: my_name, OTHER: name}.get, NOW, timezone.utc)


def unquoted(name):
    return re.sub(r"\\(.)", r"\1", name[1:-1]) if name.startswith('"') else name


@given(NAMES, TEXTS)
def test_the_form_of_a_line_says_who_said_it(name, text):
    """A line has one reading: whether it is private, whose it is, and what was said."""
    found = GENERAL.fullmatch(text_of(line(text, name)))
    assert found
    assert unquoted(found["sender"]) == name
    assert not PRIVATE_LINE.fullmatch(text_of(line(text, name)))
    private = PRIVATE_LINE.fullmatch(text_of(line(text, name, private=True)))
    assert private
    assert (unquoted(private["sender"]), private["recipient"]) == (name, "you")
    assert not GENERAL.fullmatch(text_of(line(text, name, private=True)))


@pytest.mark.parametrize("name", [name for name in FORGING if fold(name) == "you"])
def test_a_user_who_is_called_you(name):
    """Only the reader is called you without quotes."""
    assert text_of(line("hi", name, private=True)) == f'14:05 ["{name}" \u2192 you] hi'
    assert text_of(line("hi", name, private=True, mine=True)) == f'14:05 [you \u2192 "{name}"] hi'
    assert text_of(line("hi", "bob", private=True, my_name=name)) == "14:05 [bob \u2192 you] hi"


@pytest.mark.parametrize("name", ["y\u043eu", "yo\u057d", "\u10e7ou", "\u0430lice"])
def test_a_name_that_looks_like_another(name):
    """A word of two alphabets stands in quotes; one of a single alphabet does not."""
    assert text_of(line("hi", name, private=True)) == f'14:05 ["{name}" \u2192 you] hi'
    assert text_of(line("hi", "\u041e\u043b\u044c\u0433\u0430")).startswith("14:05 \u041e")
    assert text_of(line("hi", "Zo\u00eb")) == "14:05 Zo\u00eb: hi"


@given(NAMES, TEXTS, st.booleans())
def test_names_stand_apart_by_their_colour(name, text, private):
    """What is in the style of a name is the name, and no part of a text."""
    styled = [part for style, part in line(text, name, private=private) if NAME in style]
    assert unquoted(styled[0]) == name
    assert styled[1:] == (["you"] if private else [])
    styles = {style for style, _ in line(text, name, private=private)}
    assert any(PRIVATE in style for style in styles) == private


@given(NAMES, TEXTS, st.booleans(), st.integers(1, 60))
def test_no_row_of_the_terminal_begins_with_what_others_wrote(name, text, private, columns):
    """What is padded to the width goes on behind blanks, and all of it is there."""
    whole = line(text, name, private=private)
    rows = re.sub("[\u2068\u2069]", "", text_of(wrapped(whole, columns))).split("\n")
    assert rows[0].startswith("14:05 ")
    assert all(row.startswith(INDENT) for row in rows[1:])
    shown = "".join([rows[0], *(row.removeprefix(INDENT) for row in rows[1:])])
    assert shown == text_of(whole).replace(f"\n{INDENT}", "")


@given(TEXTS, st.integers(12, 60))
def test_no_row_is_wider_than_the_terminal(text, columns):
    """Else the terminal would break it by itself, at the first column."""
    for row in text_of(wrapped(line(text, "bob"), columns)).split("\n"):
        plain = re.sub("[\u2068\u2069\u200d\u0301]", "", row)
        wide = sum(character in "\u3000\U0001f469" for character in plain)
        assert len(plain) + wide <= columns


def test_words_are_kept_whole_where_they_fit():
    """A row ends behind a blank; only what is longer than a row is broken."""
    assert text_of(wrapped(line("some words and more", "bob"), 20)).split("\n") == [
        "14:05 bob: some ",
        "      words and more",
    ]
    assert text_of(wrapped(line("https://example.org/a", "bob"), 20)).split("\n") == [
        "14:05 bob: ",
        "      https://exampl",
        "      e.org/a",
    ]


def test_a_name_from_right_to_left_does_not_turn_the_line():
    """Where the terminal knows of directions, the name and the text turn for themselves."""
    assert text_of(wrapped(line("\u05d0\u05d1", "\u0628"), 80)) == (
        "14:05 \u2068\u0628\u2069: \u2068\u05d0\u05d1\u2069"
    )


@pytest.mark.parametrize(
    "name", ["alice\ufe0f", "al\u034fice", "\u3164", "\x1b[2J", "x" * 5000, ""]
)
def test_names_that_no_server_gives_today(name):
    """A name of an older or a hostile server can't look like another, or control anything."""
    shown = text_of(line("hi", name))
    assert shown != text_of(line("hi", "alice"))
    assert shown.isprintable()
    assert len(shown) < 60


@pytest.mark.parametrize("terminal", [lambda: PlainScreen(None, 0), Plain])
def test_what_a_server_says_begins_no_row_either(monkeypatch, capsys, terminal):
    """The reason of an error is padded to the width as easily as a text."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("chatter.terminal.plain_screen.TypedLines", lambda *_: None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    terminal().tell("x" * 40 + "14:05 alice: hi")
    said = "".join(capsys.readouterr())
    assert said == "x" * 40 + f"\n{INDENT}14:05 alice: hi\n"
