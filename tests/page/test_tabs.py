"""Many tabs, hidden ones, and what tells of messages that nobody looks at."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.server import Server
from tests.page.others import filled, id_of, new_text, send
from tests.page.people import eventually, new_name, people_in


def places_of(tab):
    """Which of the places of streams the tabs of a browser hold."""
    held = tab.page.evaluate(
        "async () => (await navigator.locks.query()).held.map((lock) => lock.name)"
    )
    return [found[0] for found in map(re.compile("place|background").search, held) if found]


def test_seven_tabs_all_work(people, server):
    """A browser has six connections; no more than four are streams, and all tabs are current."""
    tab, _ = people.join("alice")
    tabs = [tab, *(people.tab(tab.page.context) for _ in range(6))]
    for each in tabs:
        expect(each.box).to_be_visible()
    assert len(places_of(tab)) <= 4
    text = new_text("to all tabs")
    tabs[-1].say(text)
    for each in tabs:
        each.reads(text)


def test_a_hidden_tab_lets_go_of_its_stream(people, server):
    """After ten seconds it is one of the background, of which one has a stream."""
    context = people.browser()
    first = people.tab(context)
    first.join(new_name("alice"))
    tabs = [first, *(people.tab(context) for _ in range(2))]
    for each in tabs:
        expect(each.box).to_be_visible()
        each.page.clock.install()
    eventually(first.page, lambda: places_of(first) == ["place"] * 3)
    for each in tabs:
        each.hide(hidden=True)
        each.page.clock.fast_forward(11_000)
    eventually(first.page, lambda: places_of(first) == ["background"])
    writer = filled(server, 1)
    for each in tabs:
        each.hide(hidden=False)
        each.page.clock.fast_forward(1000)
        each.reads(f"{writer['name']}: 0")
    eventually(first.page, lambda: places_of(first) == ["place"] * 3)


@pytest.fixture
def far_people(browser, tmp_path):
    """People whose pages come over plain http from another machine, as far as a browser knows."""
    with (
        Server(tmp_path, "--store", "memory:", "--host", "chat.test") as server,
        people_in(browser, f"http://chat.test:{server.port}/") as people,
    ):
        yield people
        # Of such a page a browser says that it has ignored a header.
        people.expect_complaint("Cross-Origin-Opener-Policy")


def test_seven_tabs_over_plain_http(far_people):
    """Browsers have no locks there; all the same at most three are streams, and all work."""
    tab, _ = far_people.join("alice")
    assert not tab.page.evaluate("isSecureContext || 'locks' in navigator")
    held = "Object.keys(localStorage).filter((key) => key.includes('place')).length"
    tabs = [tab]

    def have_places():
        return tab.page.evaluate(held) == min(3, len(tabs))

    # One after the other: two that begin in the same moment may have the same place.
    while len(tabs) < 7:
        eventually(tab.page, have_places)
        tabs.append(far_people.tab(tab.page.context))
        expect(tabs[-1].box).to_be_visible()
    assert have_places()
    text = new_text("to all tabs")
    tabs[-1].say(text)
    for each in tabs:
        each.reads(text)
    for each in tabs[:-1]:
        each.page.close()
    eventually(tabs[-1].page, lambda: tabs[-1].page.evaluate(held) == 0)


def go_away(tab):
    """Hide the only tab, and wait until it is one of the background."""
    tab.hide(hidden=True)
    tab.page.clock.fast_forward(11_000)
    eventually(tab.page, lambda: places_of(tab) == ["background"])


def want_notifications(tab):
    """Have private messages notified."""
    tab.page.get_by_role("button", name="Menu").click()
    tab.page.get_by_label("Notify me of private messages").check()
    tab.page.keyboard.press("Escape")


NOTES = """() => {
  window.notes = new Map();
  window.Notification = class {
    constructor(title, { body, tag }) {
      notes.set(tag, [title, body]);
      Object.assign(this, { tag });
      window.newest = this;
    }
    close() { notes.delete(this.tag); setTimeout(() => this.onclose?.()); }
    static permission = "granted";
    static requestPermission = async () => "granted";
  };
}"""


def test_a_private_message_is_notified_by_choice(people, server):
    """Only if the user has chosen so, and only while no tab is looked at."""
    context = people.browser()
    context.add_init_script(f"({NOTES})()")
    tab = people.tab(context)
    name = new_name("alice")
    tab.join(name)
    writer = filled(server, 1)
    alice = id_of(server, writer, name)
    notes = "[...notes.values()]"
    tab.reads(f"{writer['name']}: 0")
    want_notifications(tab)
    send(server, writer, "while seen", alice)
    expect(tab.chat(writer["name"])).to_contain_text("while seen")
    tab.page.clock.install()
    go_away(tab)
    send(server, writer, "to everybody")
    send(server, writer, "while hidden", alice)

    def is_notified():
        tab.page.clock.fast_forward(100)
        return bool(tab.page.evaluate(notes))

    eventually(tab.page, is_notified)
    assert tab.page.evaluate(notes) == [[writer["name"], "while hidden"]]
    tab.page.clock.fast_forward(1000)
    expect(tab.page).to_have_title("(3) General")
    tab.hide(hidden=False)
    assert tab.page.evaluate(notes) == []


def notified(people, server, text):
    """A hidden tab whose user wants notifications; somebody new, and what that one has sent."""
    context = people.browser()
    context.add_init_script(f"({NOTES})()")
    tab = people.tab(context)
    tab.page.clock.install()
    name = new_name("alice")
    tab.join(name)
    want_notifications(tab)
    go_away(tab)
    writer = server.connect(new_name("writer"))
    return tab, writer, send(server, writer, text, id_of(server, writer, name))


def test_a_notification_says_what_the_message_says_now(people, server):
    """Also who says it, if that is somebody new; it goes with a message that is withdrawn."""
    tab, writer, message = notified(people, server, "my mistake")

    def is_shown(*texts):
        tab.page.clock.fast_forward(100)
        return tab.page.evaluate("[...notes.values()]") == [[writer["name"], t] for t in texts]

    eventually(tab.page, lambda: is_shown("my mistake"))
    about = {"message_id": message["id"]}
    server.request("POST", "/edit", writer["token"], {**about, "text": "mended"})
    eventually(tab.page, lambda: is_shown("mended"))
    server.request("POST", "/withdraw", writer["token"], about)
    eventually(tab.page, is_shown)


@pytest.mark.parametrize("why", ["dismissed", "not wanted"])
def test_an_edit_shows_no_notification_again(people, server, why):
    """Neither one that the user has dismissed, nor to who wants none any more."""
    tab, writer, message = notified(people, server, "before")

    def texts():
        tab.page.clock.fast_forward(100)
        return [text for _, text in tab.page.evaluate("[...notes.values()]")]

    eventually(tab.page, lambda: texts() == ["before"])
    if why == "dismissed":
        tab.page.evaluate("newest.close()")
        tab.page.clock.fast_forward(100)
    else:
        tab.page.evaluate("Notification.permission = 'denied'")
    server.request("POST", "/edit", writer["token"], {"message_id": message["id"], "text": "after"})
    expect(tab.chat(writer["name"])).to_contain_text("after")
    eventually(tab.page, lambda: texts() == [])
    tab.page.wait_for_timeout(200)
    assert texts() == []


def test_what_comes_while_hidden_is_new(people, server):
    """A reader who comes back finds a line above what came meanwhile."""
    tab, _ = people.join("alice")
    writer = filled(server, 2)
    tab.reads(f"{writer['name']}: 1")
    new = tab.page.get_by_role("separator", name="New messages")
    expect(new).to_have_count(0)
    tab.hide(hidden=True)
    text = new_text("while you were away")
    send(server, writer, text)
    expect(tab.page).to_have_title("(1) General")
    tab.hide(hidden=False)
    tab.reads(text)
    expect(tab.page.locator(".message", has=new)).to_contain_text(text)
    tab.say(new_text("back"))
    expect(new).to_have_count(0)


# The text of the newest message of the general chat that the page has, drawn or not.
NEWEST = """async () => {
  const main = document.querySelector("script[src$='/main.js']").src;
  return (await import(new URL("chats.js", main).href)).chatWith(0).last.text;
}"""


def test_new_messages_are_announced(people, server):
    """A screen reader is told of each, and of many only the number."""
    tab, _ = people.join("alice")
    announcer = tab.page.locator("#announcer")
    writer = server.connect(new_name("writer"))
    text = new_text("listen")
    send(server, writer, text)
    expect(announcer).to_contain_text(text)
    # However long it takes until all are there, to the page that is less than a second.
    tab.stop_clock()
    texts = [new_text("many") for _ in range(20)]
    for text in texts:
        send(server, writer, text)
    eventually(tab.page, lambda: tab.page.evaluate(NEWEST) == texts[-1])
    tab.page.clock.run_for(1000)
    expect(announcer).to_have_text("20 new messages")
    expect(tab.log).to_have_attribute("aria-live", "off")


@pytest.mark.parametrize(
    "browser_has",
    [
        "delete window.Notification",
        "Notification = class { constructor() { throw new TypeError('Illegal constructor'); } }",
    ],
    ids=["none", "only those of service workers"],
)
def test_a_browser_without_notifications_of_pages(people, browser_has):
    """The menu says so, and does not offer what never comes."""
    context = people.browser()
    context.add_init_script(browser_has)
    tab = people.tab(context)
    tab.join(new_name("alice"))
    tab.page.get_by_role("button", name="Menu").click()
    expect(tab.page.get_by_label("Notify me of private messages")).to_be_disabled()
    expect(tab.page.get_by_text("This browser shows no notifications of pages.")).to_be_visible()


def test_a_notification_that_the_browser_refuses(people, server):
    """It is no error, and the menu does not say any more that there will be some."""
    tab, writer, message = notified(people, server, "before")

    def holds(expression):
        tab.page.clock.fast_forward(100)
        return tab.page.evaluate(expression)

    eventually(tab.page, lambda: holds("notes.size") == 1)
    tab.page.evaluate(
        """() => {
          window.Notification = class {
            static permission = "granted";
            constructor() { window.refused = true; throw new TypeError(); }
          };
        }"""
    )
    send(server, writer, "after", message["recipient_id"])
    eventually(tab.page, lambda: holds("window.refused === true"))
    tab.hide(hidden=False)
    tab.page.get_by_role("button", name="Menu").click()
    expect(tab.page.get_by_label("Notify me of private messages")).not_to_be_checked()
