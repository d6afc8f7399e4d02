"""What a page asks for when it is opened, and that nothing is missing in what it shows then."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.others import new_text, send
from tests.page.people import new_name

HISTORY = "**/status?chat_type=general*"
CHATS = "**/chats?*"


def test_what_is_sent_while_a_page_is_opened_is_not_missed(people, server):
    """The messages are asked for beside the chats; what came between the two is there as well."""
    tab, _ = people.join("alice")
    writer = server.connect(new_name("writer"))
    before, between, after = map(new_text, ("before", "between", "after"))
    send(server, writer, before)
    tab.reads(before)
    held = []

    def hold(route):
        held.append(route)

    tab.page.route(CHATS, hold)
    with tab.page.expect_response(HISTORY):
        tab.page.reload()
    send(server, writer, between)
    for route in held:
        route.continue_()
    tab.page.unroute(CHATS)
    tab.reads(between)
    send(server, writer, after)
    tab.reads(after)
    assert tab.texts.all_inner_texts()[-3:] == [before, between, after]


def test_nobody_asks_for_messages_before_joining(people):
    """A browser in which nobody is signed in gets no error when the page is opened."""
    context = people.browser()
    statuses = []
    context.on("response", lambda response: statuses.append(response.status))
    tab = people.tab(context)
    expect(tab.name_box).to_be_visible()
    assert max(statuses) < 400
    tab.join(new_name("alice"))
    with tab.page.expect_response(CHATS):
        tab.page.get_by_role("button", name="Menu").click()
        tab.page.get_by_role("button", name="Sign out…").click()
        tab.page.get_by_role("button", name="Sign out", exact=True).click()
    statuses.clear()
    tab.page.reload()
    expect(tab.name_box).to_be_visible()
    assert max(statuses) < 400


def test_a_page_whose_server_has_a_newer_version(people):
    """Files of the old version are gone: the page is loaded again, and works."""
    context = people.browser()
    asked = []

    def miss_once(route):
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(status=404)
        else:
            route.continue_()

    context.route("**/door.js", miss_once)
    tab = people.tab(context)
    tab.join(new_name("alice"))
    assert len(asked) == 2
