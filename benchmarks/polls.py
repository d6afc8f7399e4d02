"""``GET /status`` with nothing unread and with 20 unread, beside servers of constant bytes.

The 20 unread are the newest 20 of the log, asked for with ``after``: whoever asks
again has them unread again, as that cursor moves only to what ``after`` says.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import load
import people
import servers
from rounds import Contender, interleaved
from table import Table, Target, rate_table

if TYPE_CHECKING:
    from pathlib import Path

CONNECTIONS = 64
UNREAD = 20

TARGETS = {
    "nothing unread / plain twisted.web": Target(3),
    "20 unread / plain twisted.web": Target(1.5),
}


def polls(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """The rate of polls, side by side with the peers."""
    peers = {
        "plain twisted.web": servers.plain_twisted(),
        "the same without access log": servers.plain_twisted("none"),
        "the same, access log to a file": servers.plain_twisted("file"),
        "aiohttp": servers.aiohttp_echo(),
    }
    with ExitStack() as stack:
        command = servers.chatter("sqlite:chatter.sqlite")
        chatter = stack.enter_context(servers.running("chatter", command, directory / "chatter"))
        tokens = people.join(chatter, CONNECTIONS)
        caller = people.Caller(chatter)
        sent = [
            caller.ask("POST", "/send", tokens[0], {"text": f"Hello, everybody! This is {n}."})
            for n in range(100)
        ]
        caller.close()
        unread_path = f"/status?after={sent[-UNREAD - 1]['id']}"
        people.expect_unread(chatter, tokens, f"/status?after={sent[-1]['id']}", 0)
        people.expect_unread(chatter, tokens, "/status", 0)
        people.expect_unread(chatter, tokens, unread_path, UNREAD)
        nothing = load.script([[("poll", load.request("GET", "/status", t))] for t in tokens])
        unread = load.script([[("poll", load.request("GET", unread_path, t))] for t in tokens])
        contenders = [
            Contender("nothing unread", chatter, nothing, "poll"),
            Contender("20 unread", chatter, unread, "poll"),
        ]
        for number, (name, command) in enumerate(peers.items()):
            running = servers.running(name, command, directory / str(number))
            contenders.append(Contender(name, stack.enter_context(running), nothing, "poll"))
        all_series = interleaved(contenders, rounds, seconds)
    title = f"GET /status, {CONNECTIONS} connections"
    return [rate_table(title, all_series[:2], all_series[2:], TARGETS)]
