"""``chatter [URL]``: the command."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from prompt_toolkit.utils import is_dumb_terminal
from twisted.internet import asyncioreactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater, react

from chatter.client import DEFAULT_URL, ChatClient, NoResponse, Retries
from chatter.client.urls import checked_url
from chatter.clocks import use_monotonic_time
from chatter.interrupts import handle_interrupts
from chatter.protocol.durations import parse_duration
from chatter.protocol.errors import ChatError
from chatter.standard_streams import discard, open_standard_streams
from chatter.system_errors import reason_of
from chatter.terminal.completion import ChatCompleter
from chatter.terminal.interactive import converse
from chatter.terminal.lines import remark
from chatter.terminal.outage import Outage
from chatter.terminal.people import People
from chatter.terminal.piped import Plain, pipe
from chatter.terminal.plain_screen import PlainScreen
from chatter.terminal.screen import Screen
from chatter.terminal.tokens import TokenFile, UnreadableTokens, state_directory
from chatter.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import NoReturn

    from chatter.terminal.interactive import Terminal

_FEW = Retries(attempts=3)
"""For a person the first message comes early, while retries go on."""

_INPUT, _OUTPUT = 0, 1


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Chat until it is over, and exit."""
    open_standard_streams()
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        options.url = checked_url(options.url if "://" in options.url else f"http://{options.url}")
    except ValueError as error:
        parser.error(str(error))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A text that the terminal has no characters for is no reason to stop.
            stream.reconfigure(errors="replace")
    # prompt_toolkit needs asyncio's loop, and so the reactor that runs on it.
    loop = asyncio.new_event_loop()
    asyncioreactor.install(loop)
    handle_interrupts()
    try:
        react(_run, (options,))
    finally:
        loop.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chatter",
        description="Chat in the terminal. With piped input, send its lines and show what is new.",
    )
    parser.add_argument(
        "url",
        metavar="URL",
        nargs="?",
        default=DEFAULT_URL,
        help=f"the server, {DEFAULT_URL} by default; without http:// it is that",
    )
    parser.add_argument("--name", help="who to be; without it, who you were last time")
    parser.add_argument(
        "--invitation", help="with which to join a chat that is not open to everybody"
    )
    parser.add_argument(
        "--ca",
        metavar="FILE",
        help="for https: trust the authorities in this file (PEM), instead of the system's or "
        "those in the file that SSL_CERT_FILE names",
    )
    parser.add_argument(
        "--patience",
        metavar="TIME",
        type=_seconds,
        default=Retries().patience,
        help="with piped input, how long to wait for a server that is away "
        f"({Retries().patience:g} seconds by default; 10m, 2h); at a terminal it goes on until you "
        "leave",
    )
    parser.add_argument("--version", action="version", version=f"chatter {__version__}")
    return parser


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None


async def _run(reactor: Any, options: argparse.Namespace) -> None:
    use_monotonic_time(reactor)
    running = Deferred.fromCoroutine(_chat(reactor, options))
    ended: Deferred[None] = Deferred()

    def end() -> Deferred[None]:
        # A signal leaves the terminal as it was before.
        running.cancel()
        return ended

    reactor.addSystemEventTrigger("before", "shutdown", end)
    try:
        status = await running
    finally:
        ended.callback(None)
    raise SystemExit(status)


async def _chat(reactor: Any, options: argparse.Namespace) -> int:
    """Chat, and say what went wrong for good; the exit status."""
    # asyncio's loop runs only once the reactor does.
    await deferLater(reactor, 0)
    try:
        directory = state_directory(os.environ)
        tokens = TokenFile(directory / "tokens.json")
        if os.isatty(_INPUT) and os.isatty(_OUTPUT):
            client = ChatClient.for_url(reactor, options.url, retries=_FEW, ca=options.ca)
            async with client:
                people = People(client)
                terminal = _terminal(reactor, directory / "history", people)
                who = (options.name, options.invitation)
                await converse(client, reactor, tokens, terminal, people, *who)
                return 0
        retries = Retries(patience=options.patience)
        how_long = f"for {options.patience:g} seconds"
        watcher = Outage(reactor, Plain().tell, how_long)
        client = ChatClient.for_url(
            reactor, options.url, retries=retries, watcher=watcher, ca=options.ca
        )
        people = People(client)
        watcher.add_memory(people.forget)
        async with client:
            who = (options.name, options.invitation)
            return 0 if await pipe(client, reactor, tokens, people, _INPUT, *who) else 1
    except BrokenPipeError:
        # Nobody reads any more.
        discard(_OUTPUT)
    except (ChatError, NoResponse, OSError, UnreadableTokens, ValueError) as error:
        print(f"chatter: {remark(reason_of(error))}", file=sys.stderr)  # noqa: T201
        # If that is why, Python shall not try again at its end.
        discard(_OUTPUT)
    except CancelledError:
        pass
    return 1


def _terminal(reactor: Any, history: Path, people: People) -> Terminal:
    """The terminal as far as it can do it: with a line to edit, or with plain lines."""
    if is_dumb_terminal():
        return PlainScreen(reactor, _INPUT)
    return Screen(history, ChatCompleter(lambda: people.names))
