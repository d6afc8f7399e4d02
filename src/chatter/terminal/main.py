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
from chatter.protocol.errors import ChatError
from chatter.terminal.completion import ChatCompleter
from chatter.terminal.interactive import converse
from chatter.terminal.lines import harmless
from chatter.terminal.people import People
from chatter.terminal.piped import pipe
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
_SOME = Retries(attempts=6)
_INPUT, _OUTPUT = 0, 1


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Chat until it is over, and exit."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        url = checked_url(options.url if "://" in options.url else f"http://{options.url}")
    except ValueError as error:
        parser.error(str(error))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A text that the terminal has no characters for is no reason to stop.
            stream.reconfigure(errors="replace")
    # prompt_toolkit needs asyncio's loop, and so the reactor that runs on it.
    loop = asyncio.new_event_loop()
    asyncioreactor.install(loop)
    try:
        react(_run, (url, options.name))
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
    parser.add_argument("--version", action="version", version=f"chatter {__version__}")
    return parser


async def _run(reactor: Any, url: str, name: str | None) -> None:
    use_monotonic_time(reactor)
    running = Deferred.fromCoroutine(_chat(reactor, url, name))
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


async def _chat(reactor: Any, url: str, name: str | None) -> int:
    """Chat, and say what went wrong for good; the exit status."""
    # asyncio's loop runs only once the reactor does.
    await deferLater(reactor, 0)
    try:
        directory = state_directory(os.environ)
        tokens = TokenFile(directory / "tokens.json")
        is_terminal = os.isatty(_INPUT) and os.isatty(_OUTPUT)
        # A person is told early, while it goes on; nobody else waits after it gives up.
        client = ChatClient.for_url(reactor, url, retries=_FEW if is_terminal else _SOME)
        try:
            if is_terminal:
                people = People(client)
                terminal = _terminal(reactor, directory / "history", people)
                await converse(client, reactor, tokens, terminal, people, name)
                return 0
            return 0 if await pipe(client, reactor, tokens, _INPUT, name) else 1
        finally:
            await client.close()
    except BrokenPipeError:
        # Nobody reads any more; nor shall Python try to flush at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), _OUTPUT)
    except (ChatError, NoResponse, OSError, UnreadableTokens) as error:
        print(f"chatter: {harmless(str(error))}", file=sys.stderr)  # noqa: T201
    except CancelledError:
        pass
    return 1


def _terminal(reactor: Any, history: Path, people: People) -> Terminal:
    """The terminal as far as it can do it: with a line to edit, or with plain lines."""
    if is_dumb_terminal():
        return PlainScreen(reactor, _INPUT)
    return Screen(history, ChatCompleter(lambda: people.names))
