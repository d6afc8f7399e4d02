"""Measures the page in a headless Chromium: ``make bench-page``.

- load: what a load costs over the wire, and when the first message is on the screen.
- back: a reader goes back through 100,000 messages: memory, and the time of the frames.
- busy: how busy the page's main thread is while 100 messages come each second.
- missed: a tab that was hidden comes back after 20,000 messages.
- lighthouse: its scores, if npm has it.
- lounge: a load beside one of The Lounge, if npm has it.

The server runs on one core, the browser on the others. The exit status is 1 if a target was
missed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import scenarios
from browsers import CHROMIUM, COLUMNS, add, chatting, guarded, joined, task_seconds, writer
from page_lighthouse import lighthouse
from page_load import load
from page_lounge import lounge
from page_sends import send_many, send_steadily
from table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

# Scrolls back as a person does who cannot wait, and notes how long each frame took.
SCROLL_BACK = """async target => {
  const scroller = document.getElementById("scroller");
  const frames = [];
  let last = performance.now();
  const first = () => document.querySelector("#messages .message .text").textContent;
  while (Number(first().split(" ").at(-1)) > target) {
    scroller.scrollTop -= 600;
    const now = await new Promise((resolve) => requestAnimationFrame(resolve));
    frames.push(now - last);
    last = now;
  }
  const p95 = frames.sort((a, b) => a - b)[Math.floor(frames.length * 0.95)];
  return [p95, frames.length];
}"""

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def back(directory: Path, rounds: int, seconds: float) -> Iterator[Table]:
    """Once: it takes a while."""
    del rounds, seconds
    with chatting(directory) as (server, browser):
        send_many(server.port, writer(server), 100_000)
        context, page = joined(browser, server, "reader")
        page.locator("#messages .message").first.wait_for()
        session = context.new_cdp_session(page)
        # Time in which the thread waits for a core is not its own.
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        before = task_seconds(session)
        p95, frames = page.evaluate(SCROLL_BACK, 0)
        work = 1000 * (task_seconds(session) - before) / frames
        session.send("HeapProfiler.collectGarbage")
        memory = renderer_megabytes(browser)
        elements = page.evaluate("document.querySelectorAll('*').length")
    table = Table("Back through 100,000 messages", COLUMNS)
    add(table, "memory of the renderer, MB", [memory], 200, "MB")
    add(table, "frame p95, ms", [p95], 25, "ms")
    add(table, "main thread for a frame, ms", [work], None, "ms")
    add(table, "elements", [elements], None, "")
    yield table


def busy(directory: Path, rounds: int, seconds: float) -> Iterator[Table]:
    """At the end of the chat, far from it, and in another chat."""
    shares: dict[str, list[float]] = {"at the end": [], "scrolled back": [], "other chat": []}
    with chatting(directory) as (server, browser):
        token = writer(server)
        send_many(server.port, token, 1000)
        context, page = joined(browser, server, "reader")
        page.locator("#messages .message").first.wait_for()
        session = context.new_cdp_session(page)
        # Time in which the thread waits for a core is not its own.
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        for _ in range(rounds):
            for place, shown in shares.items():
                page.goto(f"http://127.0.0.1:{server.port}/#{2 if place[0] == 'o' else 'general'}")
                page.wait_for_timeout(500)
                if place == "scrolled back":
                    page.evaluate("document.getElementById('scroller').scrollTop = -3000")
                with steadily(server.port, token, seconds + 1):
                    page.wait_for_timeout(500)
                    before, began = task_seconds(session), time.perf_counter()
                    page.wait_for_timeout(seconds * 1000)
                    used = task_seconds(session) - before
                    shown.append(100 * used / (time.perf_counter() - began))
    table = Table("100 messages a second: the main thread", COLUMNS)
    for place, values in shares.items():
        add(table, f"{place}: busy, %", values, 30, "%")
    yield table


def missed(directory: Path, rounds: int, seconds: float) -> Iterator[Table]:
    """From when the tab is looked at again to when the newest message is in the page."""
    del seconds
    times: list[float] = []
    with chatting(directory) as (server, browser):
        token = writer(server)
        context, page = joined(browser, server, "reader")
        other = context.new_page()
        other.goto(page.url)
        other.get_by_role("textbox", name="Message everybody").wait_for()
        for number in range(rounds):
            # The other one is the one that has a stream in the background.
            other.evaluate(HIDE, arg=True)
            other.wait_for_timeout(500)
            page.evaluate(HIDE, arg=True)
            page.wait_for_timeout(11_000)
            send_many(server.port, token, 20_000, f"round {number}:")
            # A tab behind another one gets a frame a second, whatever it believes.
            page.bring_to_front()
            began = time.perf_counter()
            page.evaluate(HIDE, arg=False)
            page.get_by_text(f"round {number}: 19999").last.wait_for()
            times.append((time.perf_counter() - began) * 1000)
            other.evaluate(HIDE, arg=False)
    table = Table("20,000 missed messages", COLUMNS)
    add(table, "current after, ms", times, 1000, "ms")
    yield table


def renderer_megabytes(browser: Browser) -> float:
    """The memory of the largest renderer, without what it shares with others."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    sizes = []
    for process in processes:
        if process["type"] == "renderer":
            with open(f"/proc/{process['id']}/smaps_rollup") as rollup:  # noqa: PTH123
                pss = next(line for line in rollup if line.startswith("Pss:"))
            sizes.append(int(pss.split()[1]) / 1000)
    return max(sizes)


@contextmanager
def steadily(port: int, token: str, seconds: float) -> Iterator[None]:
    """100 messages a second meanwhile."""
    thread = threading.Thread(target=send_steadily, args=(port, token, 100, seconds))
    thread.start()
    yield
    thread.join()


def place() -> str:
    """Where it runs, and what else runs there: all of the page's times grow with that."""
    return f"Chromium at {CHROMIUM}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


MEASURES = {
    "load": load,
    "back": back,
    "busy": busy,
    "missed": missed,
    "lighthouse": lighthouse,
    "lounge": lounge,
}
SCENARIOS = {name: guarded(measure) for name, measure in MEASURES.items()}

if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__ or "", SCENARIOS, lambda _: place()))
