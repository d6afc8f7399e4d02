"""Where the page may be: below another path, behind a proxy, in an application with accounts."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.nginx import Nginx, needs_nginx
from tests.e2e.server import TWISTD, Server
from tests.page.others import filled, new_text, send
from tests.page.people import people_in
from tests.ports import free_port

ACCOUNTS = Path(__file__).parents[2] / "examples" / "accounts.py"

# A proxy that removes the first part of the path, and buffers nothing.
CONFIGURATION = """
server {{
    listen 127.0.0.1:{port};
    location /talk/here/ {{
        proxy_pass http://127.0.0.1:{target}/;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        proxy_buffering off;
    }}
}}
"""


class Application(Server):
    """The example of an application whose accounts are the users of its chat."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        program = folder / "accounts.py"
        program.write_text(ACCOUNTS.read_text().replace("tcp:8080:", f"tcp:{self.port}:"))
        self._command = [TWISTD, "-n", "--pidfile=", "--python", str(program)]

    def request(self, method, path, *arguments, **options):
        return super().request(method, "/chat" + path, *arguments, **options)


@needs_nginx
def test_below_a_path_behind_nginx(browser, server, tmp_path):
    """A proxy removes a part of the path, which the page knows nothing of."""
    port = free_port()
    with Nginx(tmp_path, CONFIGURATION.format(port=port, target=server.port), port):
        url = f"http://127.0.0.1:{port}/talk/here/"
        with people_in(browser, url) as people:
            tab, name = people.join("alice")
            writer = filled(server, 1)
            tab.reads(f"{writer['name']}: 0")
            text = new_text("behind a proxy")
            tab.say(text)
            tab.reads(text)
            tab.has_sent_everything()
            (cookie,) = tab.page.context.cookies()
            assert cookie["path"] == "/talk/here"
            # Without the slash it leads to the same.
            tab.page.goto(url.rstrip("/"))
            expect(tab.page.get_by_role("navigation")).to_contain_text(name)
            assert tab.page.url.startswith(url)
            live = new_text("live")
            send(server, writer, live)
            tab.reads(live)


def test_in_an_application_with_accounts(browser, tmp_path):
    """Whoever is signed in there is in the chat; others are told so, and cannot join."""
    with Application(tmp_path) as application:
        url = f"http://127.0.0.1:{application.port}/"
        with people_in(browser, url + "chat/") as people:
            tab = people.tab()
            expect(tab.page.get_by_role("heading", name="You are not signed in")).to_be_visible()
            expect(tab.name_box).to_be_hidden()
            tab.page.context.request.post(url + "login?name=alice")
            tab.page.get_by_role("button", name="Try again").click()
            expect(tab.page.get_by_role("navigation")).to_contain_text("alice")
            tab.say("hello")
            tab.reads("hello")
            # The account is the application's: here nobody signs out.
            tab.page.get_by_role("button", name="Menu").click()
            expect(tab.page.get_by_label("Notify me of private messages")).to_be_visible()
            expect(tab.page.get_by_role("button", name="Sign out…")).to_be_hidden()
