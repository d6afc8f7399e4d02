"""The options of ``twistd chatter``: what they take, and what is said of the others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from twisted.scripts._twistd_unix import ServerOptions

from chatter.chat.limits.rate_limits import parse_limits
from chatter.chat.rates import Rate, parse_rate
from chatter.process.twistd_service import CannotStart
from chatter.service import DEFAULT_PORT
from chatter.tap import makeService
from tests.web.conftest import Web


def parsed(*words):
    """The options of a command line."""
    options = ServerOptions()
    options.parseOptions(["-n", "--pidfile=", "chatter", *words])
    return options.subOptions


def test_the_defaults():
    """Without options it listens on the loopback interface."""
    options = parsed("--store", "memory:")
    assert options["port"] == [DEFAULT_PORT]
    assert options["history"] == 20
    assert options["max-streams"] > 0
    assert options["origin"] == []
    assert not options["no-page"]
    assert options["keep"] is options["keep-messages"] is None


def test_a_time_is_written_in_one_way_everywhere():
    """Seconds, or a number with its unit."""
    for time, hour in ("90d", "1h"), ("7776000", "3600"), ("7776000s", "60m"):
        options = parsed(
            *("--store", "memory:", "--keep", time, "--token-lifetime", time),
            *("--reports", f"3/{hour}", "--limit", f"general=20/{hour}"),
        )
        assert options["keep"] == timedelta(days=90)
        assert options["token-lifetime"] == 7_776_000
        assert parse_rate(options["reports"]) == Rate(3, 3600)
        assert parse_limits(options["limit"]).general == Rate(20, 3600)


def test_what_is_taken():
    """Numbers, ports and origins, several of them."""
    options = parsed(
        *("--store", "memory:", "--port", "9105", "-p", "unix:/run/chat.sock"),
        *("--origin", "https://chat.example.org", "--origin", "http://localhost:3000"),
        *("--history", "0", "--max-streams", "5", "--reports", "3/14400"),
        *("--keep", "30d", "--keep-messages", "5000"),
    )
    assert (options["keep"], options["keep-messages"]) == (timedelta(days=30), 5000)
    assert options["reports"] == "3/14400"
    assert options["port"] == ["9105", "unix:/run/chat.sock"]
    assert options["origin"] == ["https://chat.example.org", "http://localhost:3000"]
    assert (options["history"], options["max-streams"]) == (0, 5)
    assert parsed("--store", "memory:", "--origin", "*")["origin"] == ["*"]
    extension = "chrome-extension://abcdef"
    makeService(parsed("--store", "memory:", "--origin", extension))


@pytest.mark.parametrize(("words", "status"), [((), 200), (("--no-page",), 404)])
def test_the_page_can_be_left_out(words, status):
    """Where there is one, it is at the root; the endpoints stay where they are."""
    service: Any = makeService(parsed("--store", "memory:", *words))
    web = Web(service._site)
    local = {"Host": "localhost:8000"}
    assert web.call("GET", "/", headers=local).status == status
    assert web.call("GET", "/openapi.json", headers=local).status == 200


@pytest.mark.parametrize(
    ("option", "value", "right"),
    [
        ("--keep", "30x", "30d for 30 days"),
        ("--keep", "10m", "for an hour at least"),
        ("--token-lifetime", "4m", "for 300 seconds at least, and 36500 days at most."),
        ("--token-lifetime", "36501d", "for 300 seconds at least, and 36500 days at most."),
        ("--keep-messages", "0", "from 1 to 999999999"),
        ("--keep-messages", "30d", "from 1 to 999999999"),
        ("--port", "nonsense:1", "tcp:9105:interface=0.0.0.0"),
        ("--port", "tcp:x", "from 0 to 65535"),
        ("--port", "127.0.0.1:80", "write a port (9105)"),
        ("--port", "http://127.0.0.1:80", "write a port (9105)"),
        ("--port", "tcp:9105:interface=::", r"a backslash: tcp:9105:interface=\:\:1."),
        ("--host", "b\u00fccher.example", "in ASCII"),
        ("--history", "many", "a number from 0 to 999, such as --history 50"),
        ("--history", "-1", "a number from 0 to 999"),
        ("--history", "1000", "a number from 0 to 999"),
        ("--history", "5_0", "a number from 0 to 999"),
        ("--history", "9" * 5000, "a number from 0 to 999"),
        ("--max-streams", "x", "a number from 0 to"),
        ("--origin", "chat.example.org", "https://chat.example.org"),
        ("--origin", "https://chat.example.org/", "https://chat.example.org"),
        ("--origin", "", "https://chat.example.org"),
        ("--origin", "chrome-extension://abc/page.html", "https://chat.example.org"),
        ("--origin", "https://b\u00fccher.example", "in ASCII"),
        ("--reports", "3", "COUNT/TIME, such as 3/4h"),
        ("--reports", "0/60", "a rate is from 1 to 10000 in 1 to 31536000 seconds"),
        ("--limit", "send=3", "COUNT/TIME, such as 3/4h"),
        ("--store", "mysql:x", "there are:"),
        ("--store", "sqlite:", "sqlite:PATH"),
        ("--store", "sqlite:missing/chat", "missing: No such file or directory."),
        ("--admin", "9105x", "unix:/run/chatter/admin.sock, or a number"),
    ],
)
def test_what_is_refused(option, value, right):
    """One line names the option and what it takes, in no words of Python's."""
    with pytest.raises(CannotStart) as refused:
        parsed(*(() if option == "--store" else ("--store", "memory:")), option, value)
    said = str(refused.value)
    assert said.startswith("chatter: ")
    assert right in said
    assert "\n" not in said
    for foreign in ("invalid literal", "Errno", "Error", "endpoint type"):
        assert foreign not in said


def test_the_operator_has_an_endpoint_that_others_can_not_reach():
    """There is none by default, and none on an address that other machines reach."""
    assert parsed("--store", "memory:")["admin"] is None
    assert parsed("--store", "memory:", "--admin", "unix:admin.sock")["admin"] == "unix:admin.sock"
    with pytest.raises(CannotStart, match="chatter: --admin 'tcp:9000': others could reach it"):
        parsed("--store", "memory:", "--admin", "tcp:9000")
