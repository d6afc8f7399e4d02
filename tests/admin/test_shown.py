"""What commands take and print, without a server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import pytest

from chatter.admin.arguments import duration
from chatter.admin.main import parser, run
from chatter.admin.operator_client import OperatorClient
from chatter.admin.output import table, until


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("90", 90), ("30m", 1800), ("3h", 10800), ("7d", 604_800)]
)
def test_durations(text, seconds):
    """A number and a unit; a number alone is seconds."""
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "0s", "0", "-1h", "1w", "1.5h", "1h ", "9999999999d"])
def test_what_is_no_duration(text):
    """The operator is told what to write."""
    with pytest.raises(ArgumentTypeError, match=r"such as 30d for 30 days|a second at least"):
        duration(text)


def test_tables():
    """Columns are as wide as needed, and nothing is left at the end of a line."""
    assert table(("id", "name"), [(1, "alice"), (10, "")]) == "id  name\n1   alice\n10"
    assert table(("", ""), [("a", 1)]) == "a  1"


def test_columns_stand_below_one_another():
    """Also where letters take two columns of a terminal, or none."""
    rows = [("日本", "x"), ("e\u0301", "x"), ("😀", "x"), ("abcd", "x")]
    shown = table(("", ""), rows).splitlines()
    assert shown == ["日本  x", "e\u0301     x", "😀    x", "abcd  x"]


def test_a_text_does_nothing_to_the_terminal():
    """Whatever somebody has written: no control sequence, no other line, no other direction."""
    assert table(("text",), [("a\x1b[2Jb\nc\u202ed\x9b",)]) == "text\na [2Jb c d"


@pytest.mark.parametrize(
    "name",
    [
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
        "\U0001f469\u200d\U0001f680",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
)
def test_a_name_that_is_copied_from_a_table_is_that_name(name):
    """Also where its script or an emoji needs what is invisible."""
    assert table(("name",), [(name,)]) == f"name\n{name}"


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "", "9" * 20])
def test_what_is_no_number(text, capsys):
    """It is said without the words of Python."""
    with pytest.raises(SystemExit):
        run(["withdraw", "--", text])
    assert f"argument ID: {text!r} is no number" in capsys.readouterr().err


@pytest.mark.parametrize(
    "place", ["", "99999", "9" * 5000, "127.0.0.1:8000", "http://127.0.0.1:8000", "unix:admin.sock"]
)
def test_what_is_no_place_of_an_endpoint(place, capsys, tmp_path, monkeypatch):
    """It is neither taken for a path that is missing, nor for the default."""
    monkeypatch.chdir(tmp_path)
    assert run(["--socket", place, "users"]) == 1
    said = capsys.readouterr().err
    assert said.endswith("write the path of a UNIX socket, or a port of 127.0.0.1.\n")


def test_until_when():
    """A ban without an end has no date."""
    assert until(None) == ""
    assert until("9999-12-31T23:59:59Z") == "for good"
    assert until("2026-11-26T05:00:00Z") == "until 2026-11-26T05:00:00Z"
    assert until("2026-11-26T05:00:00.123456Z") == "until 2026-11-26T05:00:00Z"


STANDING = {"role": "member", "muted_until": None, "banned_until": None}
BANNED = {**STANDING, "banned_until": "9999-12-31T23:59:59Z"}
MUTED = {**STANDING, "muted_until": "2026-11-26T05:00:00Z"}

TOKEN = {
    "id": 2,
    "label": "phone",
    "created_at": None,
    "seen_at": "2026-11-26T05:00:00Z",
    "expires_at": None,
}


@pytest.mark.parametrize(
    ("words", "request_made", "response", "said"),
    [
        (
            ["ban", "mallory", "--for", "3h", "--reason", "spam"],
            ("/moderate", {"name": "mallory", "action": "ban", "seconds": 10800, "reason": "spam"}),
            BANNED,
            "mallory is banned for good.",
        ),
        (
            ["mute", "mallory"],
            ("/moderate", {"name": "mallory", "action": "mute", "seconds": None, "reason": ""}),
            MUTED,
            "mallory is muted until 2026-11-26T05:00:00Z.",
        ),
        (
            ["unban", "mallory"],
            ("/moderate", {"name": "mallory", "action": "unban", "seconds": None, "reason": ""}),
            STANDING,
            "mallory is free.",
        ),
        (
            ["role", "alice", "moderator"],
            ("/role", {"name": "alice", "role": "moderator"}),
            {**STANDING, "role": "moderator"},
            "alice is a moderator.",
        ),
        (
            ["ban", "--address", "203.0.113.0/24", "--for", "7d"],
            ("/ban-address", {"network": "203.0.113.0/24", "seconds": 604_800, "reason": ""}),
            {"network": "203.0.113.0/24", "until": "2026-12-03T05:00:00.5Z"},
            "203.0.113.0/24 is banned until 2026-12-03T05:00:00Z.",
        ),
        (
            ["unban", "--address", "203.0.113.0/24"],
            ("/unban-address", {"network": "203.0.113.0/24"}),
            {"network": "203.0.113.0/24", "part_of": None},
            "203.0.113.0/24 is free.",
        ),
        (
            ["unban", "--address", "203.0.113.0/24"],
            ("/unban-address", {"network": "203.0.113.0/24"}),
            {"network": "203.0.113.0/24"},
            "203.0.113.0/24 is free.",
        ),
        (
            ["bans"],
            ("/banned-addresses", {}),
            {"addresses": [{"network": "10.0.0.0/8", "until": "9999-12-31T23:59:59Z"}]},
            "address     banned\n10.0.0.0/8  for good",
        ),
        (
            ["token", "alice", "--label", "phone"],
            ("/token", {"name": "alice", "label": "phone"}),
            {"id": 2, "label": "phone", "token": "5ec2e7"},
            "5ec2e7",
        ),
        (
            ["tokens", "alice"],
            ("/tokens", {"name": "alice"}),
            {"tokens": [TOKEN]},
            "id  label  made  last used             ends if not used\n"
            "2   phone        2026-11-26T05:00:00Z  never",
        ),
        (
            ["revoke", "alice"],
            ("/revoke", {"name": "alice", "id": None}),
            {"status": "success"},
            "All tokens of alice are revoked.",
        ),
        (
            ["revoke", "alice", "--id", "2"],
            ("/revoke", {"name": "alice", "id": 2}),
            {"status": "success"},
            "Token 2 of alice is revoked.",
        ),
        (
            ["invite", "--uses", "30", "--for", "7d"],
            ("/invite", {"uses": 30, "seconds": 604_800}),
            {"invitation": "c0ffee"},
            "c0ffee",
        ),
    ],
)
def test_a_command_is_one_request(monkeypatch, capsys, words, request_made, response, said):
    """Of the server, which says what is so now."""
    made: list[Any] = []

    def post(_, path, **body):
        made.append((path, body))
        return response

    monkeypatch.setattr(OperatorClient, "post", post)
    assert run(["--socket", "x", *words]) == 0
    assert made == [request_made]
    assert capsys.readouterr().out == f"{said}\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["mute"],
        ["mute", "x", "--for", "1w"],
        ["mute", "--address", "10.0.0.5"],
        ["ban"],
        ["ban", "x", "--address", "10.0.0.5"],
        ["role", "x"],
        ["role", "x", "king"],
    ],
)
def test_wrong_arguments(capsys, words):
    """The operator is told how the command is used."""
    with pytest.raises(SystemExit) as ended:
        run(words)
    assert ended.value.code == 2
    assert "usage: chatter-admin" in capsys.readouterr().err


COMMANDS = (
    *("users", "stats", "role", "mute", "ban", "unmute", "unban", "bans", "reports", "withdraw"),
    *("tokens", "token", "revoke", "invite", "export", "erase", "backup", "restore", "copy"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(capsys, command):
    """Of each command, and it is one that can be typed."""
    with pytest.raises(SystemExit) as ended:
        run([command, "--help"])
    assert ended.value.code == 0
    _, _, example = capsys.readouterr().out.partition("example:\n  chatter-admin ")
    options = parser().parse_args(example.split())
    assert options.command == command


def test_all_commands_are_in_the_help(capsys):
    """And no others."""
    with pytest.raises(SystemExit):
        run(["--help"])
    assert re.findall(r"^    (\w+) ", capsys.readouterr().out, re.MULTILINE) == [*COMMANDS]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--store", "sqlite:x", "users"], "users: This needs the server that runs"),
        (["copy", "sqlite:x"], "copy: name the store: chatter-admin --store sqlite:PATH copy"),
        (["restore", "x"], "restore: name the store: chatter-admin --store sqlite:PATH restore"),
        (["--store", "sqlite:x", "copy", "sqlite:x"], "copy: A store can't be copied into itself"),
    ],
)
def test_a_command_of_a_server_and_one_of_a_store(capsys, words, said):
    """The operator is told which of both a command needs."""
    assert run(words) == 1
    assert capsys.readouterr().err.startswith(f"chatter-admin {said}")


@pytest.mark.parametrize("words", [["stats"], ["stats", "--json"], ["export", "alice"], ["--help"]])
def test_nobody_reads_the_output(tmp_path, words):
    """The command ends as others do in a pipe that is closed early, and says nothing."""
    ours, theirs = os.pipe()
    os.close(ours)
    code = """
from chatter.admin import main, operator_client
operator_client.OperatorClient.get = lambda *_: {"users": 1}
operator_client.OperatorClient.download = lambda self, path, write, **_: write(b"{}\\n")
main.main()
"""
    command = [sys.executable, "-c", code, "--socket", str(tmp_path), *words]
    done = subprocess.run(command, check=False, stdout=theirs, stderr=subprocess.PIPE, timeout=60)
    os.close(theirs)
    assert done.stderr == b""
    assert done.returncode == (0 if words == ["--help"] else 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_result_that_cannot_be_printed_is_an_error():
    """Or a new token would be lost without a word."""
    code = """
from chatter.admin import main, operator_client
operator_client.OperatorClient.post = lambda *_, **__: {"token": "5ec2e7"}
main.main()
"""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, "--socket", "x", "token", "alice"],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    said = b"chatter-admin token: The result can't be printed: No space left on device.\n"
    assert (done.returncode, done.stderr) == (1, said)
