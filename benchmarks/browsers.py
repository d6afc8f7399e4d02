"""The browser that the page is measured in, and people in it."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING

import servers
from load import InvalidRunError
from people import Caller
from playwright.sync_api import Error as BrowserError
from playwright.sync_api import sync_playwright
from table import Table, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, CDPSession, Page
    from servers import Server

    Scenario = Callable[[Path, int, float], Iterable[Table]]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-component-update"),
    *("--disable-background-networking", "--enable-precise-memory-info"),
]
COLUMNS = ("what", "median", "lowest to highest")
START_SECONDS = 20

# Notes when the first message is in the page, which is when the next frame shows it.
FIRST_MESSAGE = """new MutationObserver((_, observer) => {
  if (!document.querySelector("SELECTOR")) return;
  observer.disconnect();
  requestAnimationFrame(() => { window.firstMessage = performance.now(); });
}).observe(document, { childList: true, subtree: true });"""


def guarded(scenario: Scenario) -> Scenario:
    """A scenario whose errors of the browser, or of a server, make its run invalid.

    So the scenarios after it are run all the same.
    """

    def run(directory: Path, rounds: int, seconds: float) -> Iterator[Table]:
        try:
            yield from scenario(directory, rounds, seconds)
        except (BrowserError, RuntimeError, OSError, subprocess.SubprocessError) as error:
            raise InvalidRunError(" ".join(str(error).split())[:500]) from error

    return run


def chromium() -> str:
    """Where it is.

    :raises RuntimeError: if it is missing.
    """
    if CHROMIUM is None:
        raise RuntimeError("chromium is missing")
    return CHROMIUM


@contextmanager
def a_browser() -> Iterator[Browser]:
    """A browser without anything in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        yield browser
        browser.close()


@contextmanager
def chatting(directory: Path) -> Iterator[tuple[Server, Browser]]:
    """A server, and a browser."""
    command = servers.chatter("memory:")
    with servers.running("chatter", command, directory) as server, a_browser() as browser:
        yield server, browser


@contextmanager
def with_a_profile(profile: Path) -> Iterator[int]:
    """A browser of its own process; other programs may use it, too, at a port of the debugger."""
    command = [chromium(), *OPTIONS, "--headless=new", f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        [*command, "--remote-debugging-port=0", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        noted = profile / "DevToolsActivePort"
        began = time.perf_counter()
        while not noted.exists() or not noted.read_text().partition("\n")[1]:
            if process.poll() is not None or time.perf_counter() > began + START_SECONDS:
                raise RuntimeError("chromium did not start")
            time.sleep(0.05)
        yield int(noted.read_text().partition("\n")[0])
    finally:
        process.terminate()
        process.wait()


def join(page: Page, server: Server, name: str) -> None:
    """Join the chat, and wait until its box is there."""
    page.goto(f"http://127.0.0.1:{server.port}/")
    page.get_by_role("textbox", name="Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    page.get_by_role("textbox", name="Message everybody").wait_for()


def joined(browser: Browser, server: Server, name: str) -> tuple[BrowserContext, Page]:
    """Somebody who has joined, in a browser of their own."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    join(page, server, name)
    return context, page


def writer(server: Server) -> str:
    """The token of somebody who writes without a browser."""
    token: str = Caller(server).ask("POST", "/connect", body={"name": "writer"})["token"]
    return token


def add(table: Table, what: str, values: list[float], limit: float | None, unit: str) -> None:
    """Add a figure, and what it may be at most."""
    middle = median(values)
    target = None if limit is None else Target(limit, at_least=False, unit=unit)
    span = f"{min(values):,.0f} to {max(values):,.0f}"
    table.add(what, f"{middle:,.0f}", span, figure=middle, target=target)


def task_seconds(session: CDPSession) -> float:
    """How long the main thread has worked up to now."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))
