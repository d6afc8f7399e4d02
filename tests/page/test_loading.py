"""What a page asks for when it is opened, and that nothing is missing in what it shows then."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.page.others import new_text, send
from tests.page.people import eventually, new_name, route_first

HISTORY = "**/status?chat_type=general*"
CHATS = "**/chats?*"
ONLINE = "**/users?online=true*"


def let_go(page, held):
    """Let the request for the chats go on, once it is there."""
    eventually(page, lambda: bool(held))
    held.pop().continue_()
    page.unroute(CHATS)


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
    let_go(tab.page, held)
    tab.reads(between)
    send(server, writer, after)
    tab.reads(after)
    assert tab.texts.all_inner_texts()[-3:] == [before, between, after]


def test_nobody_asks_for_messages_before_joining(people):
    """A browser in which nobody is signed in gets no error when the page is opened."""
    context = people.browser()
    refused = []

    def note(response):
        if response.status >= 400:
            refused.append((response.status, response.url))

    context.on("response", note)
    tab = people.tab(context)
    expect(tab.name_box).to_be_visible()
    assert refused == []
    tab.join(new_name("alice"))
    tab.page.get_by_role("button", name="Menu").click()
    tab.page.get_by_role("button", name="Sign out…").click()
    tab.page.get_by_role("button", name="Sign out", exact=True).click()
    expect(tab.name_box).to_be_visible()
    # The page was loaded anew then, and knew that nobody is signed in.
    assert [url for _, url in refused if "chat_type=" in url] == []
    refused.clear()
    tab.page.reload()
    expect(tab.name_box).to_be_visible()
    assert refused == []


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


def test_a_page_that_is_older_than_its_server_is_loaded_anew(people):
    """Once nobody looks at it, and no draft would be lost."""
    context = people.browser()
    tab = people.tab(context)
    tab.page.clock.install()
    looked = []

    def is_gone(route):
        looked.append(route.request.method)
        route.fulfill(status=404)

    with tab.page.expect_response("**/upgrade.js"):
        tab.join(new_name("alice"))
        tab.page.clock.fast_forward(2_000)
    context.route("**/upgrade.js", is_gone)
    tab.page.evaluate("window.isOld = true")
    tab.box.fill("a draft")
    tab.hide(hidden=True)
    tab.page.clock.fast_forward(3_700_000)
    tab.hide(hidden=False)
    tab.box.fill("")
    assert not looked
    tab.hide(hidden=True)
    with tab.page.expect_event("load"):
        tab.page.clock.fast_forward(61_000)
    # The page that is loaded anew gets the file, sooner or later.
    assert looked.count("HEAD") == 1
    expect(tab.box).to_be_visible()
    assert tab.page.evaluate("window.isOld") is None


def test_a_menu_that_an_older_page_has_not_loaded(people):
    """The page is loaded anew then, and what was written is there again."""
    context = people.browser()
    tab = people.tab(context)

    def is_gone(route):
        route.fulfill(status=404)

    for file in ("menu", "account"):
        context.route(f"**/{file}.js", is_gone)
    with tab.page.expect_response("**/upgrade.js"):
        tab.join(new_name("alice"))
    tab.box.fill("a draft")
    with tab.page.expect_event("load"):
        tab.page.get_by_role("button", name="Menu").click()
    expect(tab.box).to_have_value("a draft")


def test_who_joins_while_the_page_begins_is_online_soon(people, server):
    """It does not take the half minute after which is looked again."""
    tab = people.tab()
    tab.stop_clock()
    with tab.page.expect_response(ONLINE):
        tab.join(new_name("alice"))
    writer = server.connect(new_name("writer"))

    # The server reads its list once a second.
    def is_listed():
        _, online = server.request("GET", "/users?online=true", writer["token"])
        return writer["user_id"] in [user["id"] for user in online["users"]]

    eventually(tab.page, is_listed)
    with tab.page.expect_response(ONLINE):
        tab.page.clock.run_for(2_000)
    tab.page.clock.resume()
    expect(tab.entry(writer["name"])).to_be_visible()


def test_who_is_online_is_known_with_the_first_messages(people, server):
    """It is asked for beside the chats and the messages, and whom it names is not asked for."""
    tab, _ = people.join("alice")
    writer = server.connect(new_name("writer"))
    text = new_text("hello")
    send(server, writer, text)
    tab.reads(text)
    asked = []
    held = []

    def hold(route):
        held.append(route)

    # The server reads its list once a second, so the writer may be missing in it for a moment.
    person = {"id": writer["user_id"], "name": writer["name"], "online": True}
    people_online = {"users": [person], "more": False}
    tab.page.route(ONLINE, lambda route: route.fulfill(json=people_online))
    tab.page.route(CHATS, hold)
    with tab.page.expect_response(ONLINE):
        tab.page.reload()
    tab.page.on("request", lambda request: asked.append(request.url))
    let_go(tab.page, held)
    tab.reads(text)
    expect(tab.page.locator("#chats").get_by_text(writer["name"])).to_be_visible()
    by_id = [url.partition("ids=")[2].split(",") for url in asked if "users?ids=" in url]
    assert str(writer["user_id"]) not in [one for ids in by_id for one in ids]


def has_a_menu(tab, _other):
    tab.page.get_by_role("button", name="Menu").click()
    expect(tab.page.get_by_role("group", name="You")).to_be_visible()


def finds(tab, other):
    tab.page.get_by_role("searchbox").fill(other)
    expect(tab.page.locator("#found").get_by_role("link")).to_have_count(1)


def has_kept_the_command(tab, other):
    tab.box.press("Enter")
    expect(tab.page.get_by_role("heading", name=other, level=2)).to_be_visible()


@pytest.mark.parametrize(
    ("file", "begin", "works"),
    [
        ("account", lambda tab, _: tab.page.get_by_role("button", name="Menu").click(), has_a_menu),
        ("search", lambda tab, _: tab.page.get_by_role("searchbox").focus(), finds),
        ("commands", lambda tab, other: tab.say(f"/msg {other} hello"), has_kept_the_command),
    ],
    ids=["menu", "search", "command"],
)
def test_what_could_not_be_loaded_once_is_loaded_with_the_page(people, server, file, begin, works):
    """Browsers do not load it again: it would be missing for as long as the page is there."""
    context = people.browser()
    route_first(context, f"**/{file}.js", lambda route: route.abort())
    tab = people.tab(context)
    tab.join(new_name("alice"))
    other = server.connect(new_name("Yuki"))["name"]
    with tab.page.expect_event("load"):
        begin(tab, other)
    works(tab, other)


MENU = "**/account.js"
SEARCH = "**/search.js"


def is_told(tab, text):
    expect(tab.page.get_by_role("alert").filter(has_text=text)).to_be_visible()


def test_a_browser_that_keeps_nothing_loses_nothing_for_a_menu(people):
    """The page is not loaded anew then, unless its user does it."""
    context = people.browser()
    context.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); };")
    context.route(MENU, lambda route: route.abort())
    tab = people.tab(context)
    tab.join(new_name("alice"))
    tab.box.fill("a draft")
    tab.page.get_by_role("button", name="Menu").click()
    is_told(tab, "Please reload the page")
    expect(tab.box).to_have_value("a draft")


def test_a_part_that_is_never_loaded_has_the_page_loaded_anew_once(people):
    """Such as one that the browser blocks."""
    context = people.browser()
    context.route(SEARCH, lambda route: route.abort())
    tab = people.tab(context)
    tab.join(new_name("alice"))
    with tab.page.expect_event("load"):
        tab.page.get_by_role("searchbox").focus()
    tab.box.fill("a draft")
    tab.page.get_by_role("searchbox").focus()
    is_told(tab, "Please reload the page")
    expect(tab.box).to_have_value("a draft")


def test_a_search_without_a_server_is_explained(people):
    """As a menu is. The page stays: it could not be loaded anew."""
    context = people.browser()
    tab = people.tab(context)
    with tab.page.expect_response("**/upgrade.js"):
        tab.join(new_name("alice"))
    context.route(SEARCH, lambda route: route.abort())
    context.route(people.url, lambda route: route.abort())
    tab.page.get_by_role("searchbox").focus()
    is_told(tab, "cannot be reached")
