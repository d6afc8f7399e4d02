"""Opens a page in a browser, and prints what it writes to its console, and the browser too.

browse.py CHROMIUM PAGE CHAT < token
"""

from __future__ import annotations

import sys

from playwright.sync_api import ConsoleMessage, sync_playwright

OPTIONS = [
    *("--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def report(message: ConsoleMessage) -> None:
    """Print what the page says, or what the browser says about it."""
    print(*([] if message.type == "log" else ["browser:"]), message.text, flush=True)


def main(chromium: str, page_url: str, chat_url: str, token: str) -> None:
    """Have the page follow, until this process is ended."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        page = browser.new_page()
        page.on("console", report)
        page.goto(page_url)
        page.evaluate("([chat, token]) => begin(chat, token)", [chat_url, token])
        while True:
            page.wait_for_timeout(60_000)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.stdin.read())
