"""People who chat in browsers."""

from __future__ import annotations

import itertools
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route

_numbers = itertools.count(1)

# What a page says on its console when its server is away, which is no fault of the page.
_OF_THE_NETWORK = "Failed to load resource"

# What is on its way is kept at once, and drawn with the next frame.
_HAS_SENT = "Object.keys(sessionStorage).every((name) => !name.endsWith(' outbox'))"

PATIENCE = 60_000
"""For everything, in milliseconds: a machine that does much else at the same time is no fault."""

expect.set_options(timeout=PATIENCE)


class Tab:
    """A tab with the chat, by what a person sees and does in it.

    :ivar complaints: what the page has written to its console, and its errors.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, message: Any) -> None:
        if message.type in {"error", "warning"} and _OF_THE_NETWORK not in message.text:
            self.complaints.append(message.text)

    @property
    def name_box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Your name")

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message ")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def chats(self) -> Locator:
        return self.page.get_by_role("region", name="Chats")

    @property
    def texts(self) -> Locator:
        """The texts of the messages, from the oldest to the newest."""
        return self.page.locator("#messages .text")

    @property
    def pending(self) -> Locator:
        return self.page.locator("#pending .message")

    def message(self, text: str) -> Locator:
        """The message with a text, if the server has it."""
        return self.page.locator("#messages").get_by_text(text, exact=True)

    @property
    def announcer(self) -> Locator:
        """What screen readers are told."""
        return self.page.locator("#announcer")

    def open_menu(self, text: str) -> None:
        """Open the menu of the message with a text."""
        # The message is another element once the name of its sender is known.
        expect(self.row(text).locator("bdi").first).not_to_be_empty()
        self.row(text).hover()
        self.row(text).get_by_role("button", name="Options").click()
        expect(self.page.get_by_role("group", name="Options")).to_be_visible()

    def row(self, text: str) -> Locator:
        """The message with a text, and what is beside that."""
        return self.page.locator("#messages .message").filter(
            has=self.page.get_by_text(text, exact=True)
        )

    def edit_last(self, text: str) -> None:
        """Begin to edit the own message that was sent last, which has a text."""
        self.reads(text)
        self.box.press("ArrowUp")
        expect(self.box).to_have_value(text)

    def edit(self, text: str) -> None:
        """Give the message that is being edited another text."""
        expect(self.page.get_by_text("Editing a message")).to_be_visible()
        self.say(text)

    def withdraw(self, text: str) -> None:
        """Withdraw the own message with a text."""
        self.open_menu(text)
        self.page.get_by_role("button", name="Withdraw…").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()

    def join(self, name: str) -> None:
        self.name_box.fill(name)
        self.page.get_by_role("button", name="Join").click()
        expect(self.box).to_be_visible()

    def say(self, text: str) -> None:
        """Write and send something to the chat that is shown."""
        self.box.fill(text)
        self.box.press("Enter")

    def reads(self, text: str) -> None:
        """Wait until a message is there, exactly once."""
        expect(self.message(text)).to_have_count(1)

    def go_to(self, name: str) -> None:
        """Open a chat of the list, or the one with somebody who is online."""
        self.entry(name).first.click()
        expect(self.page.get_by_role("heading", name=name, level=2)).to_be_visible()

    def entry(self, name: str) -> Locator:
        """The links to a chat: in the list of chats, of who is online, and of who was found."""
        exactly = re.compile(f"^{re.escape(name)}$")
        return self.page.get_by_role("link").filter(
            has=self.page.locator(".entry-name", has_text=exactly)
        )

    def chat(self, name: str) -> Locator:
        """An entry in the list of chats."""
        return self.chats.get_by_role("listitem").filter(has=self.entry(name))

    def hide(self, *, hidden: bool) -> None:
        """Have the page believe that it is hidden, or seen again: no browser here does it."""
        self.page.evaluate(
            """hidden => {
              Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
              document.dispatchEvent(new Event("visibilitychange"));
            }""",
            hidden,
        )

    def stop_clock(self) -> None:
        """Have the page's time stand still, and go on as the test says."""
        self.page.clock.install()
        # It cannot stop at a time that is over, so this one is later than any delay.
        self.page.clock.pause_at(self.page.evaluate("Date.now() / 1000 + 20"))

    def token(self) -> str:
        """The token of the user, which the page itself can't read."""
        return next(
            cookie["value"]
            for cookie in self.page.context.cookies()
            if cookie["name"].startswith("chatter")
        )

    def has_sent_everything(self) -> None:
        """Wait until nothing is on its way any more, whether that is drawn yet or not."""
        eventually(self.page, lambda: bool(self.page.evaluate(_HAS_SENT)))
        expect(self.pending).to_have_count(0)


def route_first(
    target: Page | BrowserContext, pattern: str, handle: Callable[[Route], object], count: int = 1
) -> None:
    """Handle the first requests for something; those that follow reach the server.

    Playwright's ``times`` ends the interception while the last of them is being handled.  On a
    busy machine that one reached the server, too, or what came next was held for ever.
    """
    numbers = itertools.count()

    def route_it(route: Route) -> None:
        if next(numbers) < count:
            handle(route)
        else:
            route.continue_()

    target.route(pattern, route_it)


def eventually(
    page: Page,
    holds: Callable[[], bool],
    told: Callable[[], str] = lambda: "It did not come true in time.",
) -> None:
    """Wait until something holds that no locator can tell; what the page reports is taken in."""
    deadline = time.monotonic() + PATIENCE / 1000
    while not holds():
        assert time.monotonic() < deadline, told()
        page.wait_for_timeout(50)


def new_name(name: str) -> str:
    """A name that nobody in the shared server has yet."""
    return f"{name} {next(_numbers)}"


class People:
    """The people of one test.

    :param url: where the chat is.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self.url = url
        self._contexts: list[BrowserContext] = []
        self._tabs: list[Tab] = []

    def browser(self, **options: Any) -> BrowserContext:
        """A browser of somebody's own."""
        context = self._browser.new_context(**{"reduced_motion": "reduce", **options})
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        return context

    def tab(self, context: BrowserContext | None = None, place: str = "", **options: Any) -> Tab:
        """A tab with the chat in it, in a new browser if none is given."""
        page = (context or self.browser(**options)).new_page()
        tab = Tab(page)
        self._tabs.append(tab)
        page.goto(self.url + place)
        return tab

    def join(self, name: str, **options: Any) -> tuple[Tab, str]:
        """Somebody who has just joined in a new browser, with the name that they got."""
        tab = self.tab(**options)
        name = new_name(name)
        tab.join(name)
        return tab, name

    def expect_complaint(self, part: str) -> None:
        """A complaint with that part is none."""
        for tab in self._tabs:
            tab.complaints = [each for each in tab.complaints if part not in each]

    def close(self) -> None:
        """Close everything; no page may have complained."""
        complaints = [complaint for tab in self._tabs for complaint in tab.complaints]
        for context in self._contexts:
            context.close()
        assert not complaints, complaints


@contextmanager
def people_in(browser: Browser, url: str) -> Iterator[People]:
    """People in a chat, whose pages are closed in the end."""
    people = People(browser, url)
    try:
        yield people
    finally:
        people.close()
