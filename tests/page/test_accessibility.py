"""axe-core finds nothing wrong with the page, whatever its state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.page.others import filled, id_of, new_text, send
from tests.page.people import new_name

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is missing: make lint-page installs it"
)

RUN = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .flatMap(({ id, nodes }) => nodes.map(({ html, any }) => [id, html, any[0]?.message]))"""

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
}


@pytest.fixture
def tab(people, look):
    """A tab with the form for joining."""
    context = people.browser(**LOOKS[look])
    context.add_init_script(path=AXE)
    tab = people.tab(context)
    expect(tab.name_box).to_be_visible()
    return tab


def nothing_is_wrong(tab):
    assert tab.page.evaluate(RUN) == []


def changes_are_right(tab, own, unwanted):
    """While a message is edited, its menu, the question, and what is edited and withdrawn."""
    for text in (own, unwanted):
        tab.say(text)
        tab.reads(text)
    tab.open_menu(own)
    nothing_is_wrong(tab)
    tab.page.get_by_role("button", name="Edit").click()
    nothing_is_wrong(tab)
    tab.edit(f"{own}!")
    tab.reads(f"{own}!")
    tab.open_menu(unwanted)
    tab.page.get_by_role("button", name="Withdraw…").click()
    nothing_is_wrong(tab)
    tab.page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
    expect(tab.page.locator("#messages .gone")).to_have_count(1)
    nothing_is_wrong(tab)


@pytest.mark.parametrize("look", LOOKS)
def test_in_every_state(tab, people, server):
    """Joining, reading, what is new, changed, found, refused, too long, menus and dialogs."""
    nothing_is_wrong(tab)
    tab.name_box.press("Enter")
    expect(tab.name_box).to_have_attribute("aria-invalid", "true")
    nothing_is_wrong(tab)
    tab.page.get_by_role("button", name="Sign in with a token").click()
    nothing_is_wrong(tab)
    tab.page.get_by_role("button", name="Join with a new name").click()
    name = new_name("alice")
    tab.join(name)
    writer = filled(server, 3)
    for text in ("https://example.org", "line\n" * 50, "🎉", new_text("psst")):
        send(server, writer, text)
        send(server, writer, text, id_of(server, writer, name))
    changes_are_right(tab, new_text("own"), new_text("unwanted"))
    tab.page.keyboard.press("PageUp")
    nothing_is_wrong(tab)
    tab.page.goto(people.url + f"#{id_of(server, writer, writer['name'])}")
    expect(tab.page.get_by_role("separator", name="New messages")).to_be_visible()
    nothing_is_wrong(tab)
    tab.page.goto(people.url + "#999999")
    tab.say("to nobody")
    expect(tab.log.locator(".failed")).to_contain_text("Not sent.")
    tab.box.fill("x" * 4097)
    tab.box.press("Enter")
    nothing_is_wrong(tab)
    tab.box.fill("")
    if tab.page.get_by_role("link", name="All chats").is_visible():
        tab.page.get_by_role("link", name="All chats").click()
        nothing_is_wrong(tab)
    tab.page.get_by_role("searchbox").fill(writer["name"])
    expect(tab.page.locator("#found").get_by_role("link")).to_have_count(1)
    nothing_is_wrong(tab)
    tab.page.get_by_role("button", name="Menu").click()
    nothing_is_wrong(tab)
    tab.page.get_by_role("button", name="Your devices…").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Link another device").click()
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    nothing_is_wrong(tab)
    dialog.get_by_role("button", name="Close").click()
    for item in ("Download your data…", "Leave for good…", "Sign out…"):
        tab.page.get_by_role("button", name="Menu").click()
        tab.page.get_by_role("button", name=item).click()
        expect(dialog).to_be_visible()
        nothing_is_wrong(tab)
        tab.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_while_the_server_is_away(tab, people):
    """The banner, and a message that waits."""
    tab.join(new_name("alice"))
    tab.page.clock.install()
    for path in ("send", "events?*"):
        tab.page.route(f"**/{path}", lambda route: route.abort())
    tab.page.evaluate("dispatchEvent(new Event('online'))")
    tab.say("waits")
    expect(tab.log.locator(".sending")).to_be_visible()
    nothing_is_wrong(tab)
