"""Several devices of one user, and chats that not everybody joins."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.server import Server
from tests.page.others import new_text, texts_of
from tests.page.people import eventually, new_name, people_in


def open_devices(tab):
    tab.page.get_by_role("button", name="Menu").click()
    tab.page.get_by_role("button", name="Your devices…").click()
    return tab.page.get_by_role("dialog", name="Your devices")


def sign_in(tab, token):
    tab.page.get_by_role("button", name="Sign in with a token").click()
    tab.page.get_by_label("Your token").fill(token)
    tab.page.get_by_role("button", name="Sign in", exact=True).click()


def link_device(tab, label):
    dialog = open_devices(tab)
    dialog.get_by_role("textbox", name="Name of the other device").fill(label)
    dialog.get_by_role("button", name="Link another device").click()
    token = dialog.get_by_role("textbox", name="Token for the other device")
    expect(token).to_have_value(re.compile("^[0-9a-f]{64}$"))
    return token.input_value()


def test_another_device_is_linked_and_signed_out(people):
    """Its token is shown once; the other browser is the same user, until it is revoked."""
    tab, name = people.join("alice")
    token = link_device(tab, "phone")
    dialog = tab.page.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    dialog.get_by_role("button", name="Close").click()
    other = people.tab()
    sign_in(other, token)
    expect(other.page.get_by_role("navigation")).to_contain_text(name)
    text = new_text("from the phone")
    other.say(text)
    tab.reads(text)
    dialog = open_devices(tab)
    expect(dialog.get_by_role("textbox", name="Token for the other device")).to_have_count(0)
    dialog.get_by_role("button", name="Sign out phone").click()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    expect(other.name_box).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    text = new_text("still here")
    tab.say(text)
    tab.reads(text)


def test_a_token_that_is_revoked_while_the_page_begins(people):
    """What the page does by itself after a while must not make the browser somebody new."""
    tab, name = people.join("alice")
    token = link_device(tab, "phone")
    other = people.tab()
    kept = []

    # Once a month a page has its cookie set again; here that takes until the token is revoked.
    def keep(route):
        if "authorization" in route.request.headers:
            route.continue_()
        else:
            kept.append(route)

    other.page.route("**/connect", keep)
    sign_in(other, token)
    expect(other.page.get_by_role("navigation")).to_contain_text(name)
    eventually(other.page, lambda: len(kept) == 1)
    # The stream, which is cut now, comes back when that is through.
    other.page.route("**/events?*", lambda route: route.abort())
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Sign out phone").click()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    with other.page.expect_response("**/connect") as refused:
        kept[0].continue_()
    assert refused.value.status == 401
    other.page.unroute("**/events?*")
    other.page.unroute("**/connect")
    expect(other.name_box).to_be_visible()


def test_a_tab_of_somebody_who_is_signed_in_no_more(people, server):
    """Somebody else joins in another tab: what is written in this one is not said by them."""
    tab, name = people.join("alice")
    text = new_text("still here")
    # The tab does not see it: it has no stream.
    tab.page.route("**/events?*", lambda route: route.abort())
    tab.page.reload()
    expect(tab.page.get_by_role("navigation")).to_contain_text(name)
    another = tab.page.context.new_page()
    another.goto(f"{people.url}health")
    another.evaluate(
        """async name => {
          const asked = { method: "POST", body: JSON.stringify({ name, cookie: true }),
            headers: { "Content-Type": "application/json" } };
          await fetch("disconnect", { method: "POST", headers: { "Chatter-Page": "1" } });
          await fetch("connect", asked);
        }""",
        new_name("bob"),
    )
    another.close()
    tab.say(text)
    expect(tab.log.locator(".failed")).to_contain_text("Somebody else is signed in by now.")
    tab.page.unroute("**/events?*")
    expect(tab.page.get_by_role("navigation")).to_contain_text("bob")
    assert text not in texts_of(server)


def test_a_token_that_nobody_has(people):
    """It is refused in words, and one can still join with a name."""
    tab = people.tab()
    sign_in(tab, "0" * 64)
    expect(tab.page.get_by_role("alert")).to_contain_text("Nobody has this token.")
    sign_in_with = tab.page.get_by_label("Your token")
    sign_in_with.fill("two words")
    sign_in_with.press("Enter")
    expect(tab.page.get_by_role("alert")).to_contain_text("This is no token.")
    tab.page.get_by_role("button", name="Join with a new name").click()
    tab.join("newcomer")


def test_signing_out_of_one_of_two_devices(people):
    """Who has another device is not told that it is for good."""
    tab, name = people.join("alice")
    token = link_device(tab, "laptop")
    tab.page.get_by_role("dialog").get_by_role("button", name="Close").click()
    tab.page.get_by_role("button", name="Menu").click()
    tab.page.get_by_role("button", name="Sign out…").click()
    dialog = tab.page.get_by_role("dialog", name="Sign out here?")
    dialog.get_by_role("button", name="Sign out").click()
    expect(tab.name_box).to_be_visible()
    sign_in(tab, token)
    expect(tab.page.get_by_role("navigation")).to_contain_text(name)


@pytest.mark.parametrize("policy", ["invited", "closed"])
def test_a_chat_that_not_everybody_joins(browser, tmp_path, policy):
    """The page says how one joins, if at all; who has a token signs in."""
    with (
        Server(tmp_path, "--join", policy) as server,
        people_in(browser, f"{server.url}/") as people,
    ):
        tab = people.tab(place="#invitation=no-such-invitation")
        if policy == "closed":
            expect(tab.page.get_by_role("alert")).to_contain_text("takes no new people")
            expect(tab.page.get_by_label("Your token")).to_be_visible()
        else:
            tab.name_box.fill("alice")
            tab.name_box.press("Enter")
            expect(tab.page.get_by_role("alert")).to_contain_text("ask for its link")
            expect(tab.name_box).to_be_focused()
