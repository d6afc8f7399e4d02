"""What a load of a chat's page costs over the wire, and when its first message is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import browsers
from browsers import COLUMNS, FIRST_MESSAGE, chatting, joined, task_seconds, writer
from page_sends import send_many
from table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import BrowserContext

KINDS = ("cold", "warm")
SETTLED_MILLISECONDS = 700
"""So long after its first message a page has loaded all that it loads."""


@dataclass
class Loads:
    """The loads of one page, cold (with nothing in the browser's cache) and warm.

    :ivar kilobytes: over the wire, heads of the responses included, for each kind.
    :ivar first_message: when it was shown after the navigation, in milliseconds.
    :ivar main_thread: the processor time of the page's main thread until all was loaded, in
        milliseconds, which says on a busy machine, too, what the page costs.
    """

    kilobytes: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    first_message: dict[str, list[float]] = field(
        default_factory=lambda: {kind: [] for kind in KINDS}
    )
    main_thread: dict[str, list[float]] = field(
        default_factory=lambda: {kind: [] for kind in KINDS}
    )

    def measure(self, context: BrowserContext, url: str, message: str) -> None:
        """Load a page twice in a browser whose user is signed in.

        :param message: the CSS selector of a message.
        """
        received: list[float] = []

        def note(loaded: dict[str, float]) -> None:
            received.append(loaded["encodedDataLength"])

        page = context.new_page()
        page.add_init_script(FIRST_MESSAGE.replace("SELECTOR", message))
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", note)
        session.send("Network.clearBrowserCache")
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        for kind in KINDS:
            # A URL with a fragment would not be loaded again.
            page.goto("about:blank")
            received.clear()
            before = task_seconds(session)
            page.goto(url)
            page.locator(message).first.wait_for()
            page.wait_for_timeout(SETTLED_MILLISECONDS)
            self.kilobytes[kind].append(sum(received) / 1000)
            self.first_message[kind].append(page.evaluate("firstMessage"))
            used = task_seconds(session) - before
            self.main_thread[kind].append(used * 1000)
        page.close()

    def add_to(self, table: Table, name: str = "", *, has_targets: bool) -> None:
        """Add what was measured to a table."""
        for kind in KINDS:
            what = f"{name} {kind}".strip()
            limit = 40 if has_targets and kind == "cold" else None
            browsers.add(table, f"{what}: KB", self.kilobytes[kind], limit, "KB")
            limit = 300 if has_targets else None
            browsers.add(table, f"{what}: first message, ms", self.first_message[kind], limit, "ms")
            browsers.add(table, f"{what}: main thread, ms", self.main_thread[kind], None, "ms")


def load(directory: Path, rounds: int, seconds: float) -> Iterator[Table]:
    """The page of chatter, with 200 messages in the chat."""
    del seconds
    loads = Loads()
    with chatting(directory) as (server, browser):
        send_many(server.port, writer(server), 200)
        for number in range(rounds):
            context, page = joined(browser, server, f"reader {number}")
            # What was read is marked once a second.
            page.wait_for_timeout(1500)
            page.close()
            loads.measure(context, f"http://127.0.0.1:{server.port}/", "#messages .message")
            context.close()
    table = Table("Loading the page", COLUMNS)
    loads.add_to(table, has_targets=True)
    yield table
