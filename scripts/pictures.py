"""Makes the pictures of the page in ``docs/``: ``make pictures``.

It runs a server with an empty chat, has some people talk in it, and looks at it with Chromium.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).parents[1] / "docs"
SIZE: Any = {"width": 1200, "height": 760}
LOOKS = {"page.png": "light", "page-dark.png": "dark"}

# The pictures shall not depend on how plain the fonts of this machine are.
FONT = ":root { font-family: Inter, system-ui, sans-serif !important }"

MYSELF = "Ada Lovelace"

GENERAL = [
    ("Grace Hopper", "Good morning! The new release is out: https://example.org/releases/4.2"),
    ("Grace Hopper", "The upgrade took two minutes, and nobody had to log in again."),
    ("Linus", "Nice. Did the backup run before?"),
    ("Grace Hopper", "It did, and I restored it on the other machine to be sure. 🎉"),
    (MYSELF, "Then I'll write the announcement."),
    (MYSELF, "Does anybody mind if I move the meeting to 14:30?"),
    ("Zoë", "Fine with me."),
    ("محمد", "صباح الخير! أنا أيضا موافق."),
    ("Linus", "14:30 it is. I'll bring the disk with the old data along."),
]
PRIVATE = [("Zoë", "Are you coming to lunch?"), ("Zoë", "We are at the door at 12:15.")]


class Server:
    """A server with an empty chat, in a folder that is thrown away."""

    def __init__(self, folder: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [str(Path(sys.executable).parent / "twistd"), "-n", "--pidfile=", "chatter"]
        options = ["--store", "memory:", "--port", f"tcp:{self.port}:interface=127.0.0.1"]
        self.process = subprocess.Popen(
            [*command, *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def wait(self) -> None:
        """Wait until it serves."""
        for _ in range(300):
            try:
                self.ask("GET", "/health")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError("The server does not start.")

    def ask(self, method: str, path: str, token: str | None = None, body: object = None) -> Any:
        """The JSON of a response."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, path, json.dumps(body), headers)
        return json.loads(connection.getresponse().read())


def main(chromium: str) -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(folder)
        try:
            server.wait()
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            context = browser.new_context(
                viewport=SIZE, locale="en-GB", bypass_csp=True, reduced_motion="reduce"
            )
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{server.port}/")
            page.get_by_role("textbox", name="Your name").fill(MYSELF)
            page.get_by_role("button", name="Join").click()
            box = page.get_by_role("textbox", name="Message everybody")
            box.wait_for()
            names = dict.fromkeys(name for name, _ in GENERAL if name != MYSELF)
            users = {n: server.ask("POST", "/connect", body={"name": n}) for n in names}
            for name, text in GENERAL:
                if name == MYSELF:
                    box.fill(text)
                    box.press("Enter")
                else:
                    server.ask("POST", "/send", users[name]["token"], {"text": text})
                page.get_by_role("log").get_by_text(text.split(" https:")[0]).wait_for()
            for name, text in PRIVATE:
                body = {"text": text, "recipient_id": 1}
                server.ask("POST", "/send-private", users[name]["token"], body)
            page.reload()
            page.get_by_text(GENERAL[-1][1]).last.wait_for()
            page.get_by_text(PRIVATE[-1][1]).wait_for()
            page.add_style_tag(content=FONT)
            page.wait_for_timeout(1500)
            for file, scheme in LOOKS.items():
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.screenshot(path=DOCS / file)
                print(f"docs/{file}")
            browser.close()
        finally:
            server.process.terminate()
            server.process.wait()


if __name__ == "__main__":
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    sys.exit("chromium is missing") if found is None else main(found)
