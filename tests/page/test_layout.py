"""Small screens, large print, right to left, and a keyboard alone."""

from __future__ import annotations

from functools import partial

import pytest
from playwright.sync_api import expect

from tests.page.others import filled, id_of, new_text, send
from tests.page.people import eventually, new_name

WIDE = "() => document.scrollingElement.scrollWidth - innerWidth"

# The width of the screen, and where the box and the messages begin and end.
SIDES = """() => {
  const sides = (where) => {
    const { left, right } = document.querySelector(where).getBoundingClientRect();
    return [left, right];
  };
  return [document.documentElement.clientWidth, sides(".composer .row"), sides("#messages")];
}"""


def is_as_wide_as(tab, width):
    return tab.page.evaluate(SIDES)[0] == width


def test_a_phone_shows_the_list_or_the_chat(people):
    """The browser's own Back leads from the chat to the list."""
    _, other = people.join("bob")
    tab, _ = people.join("alice", viewport={"width": 390, "height": 844}, has_touch=True)
    navigation = tab.page.get_by_role("navigation")
    expect(navigation).to_be_hidden()
    tab.page.get_by_role("link", name="All chats").click()
    expect(navigation).to_be_visible()
    expect(tab.box).to_be_hidden()
    tab.go_to(other)
    expect(navigation).to_be_hidden()
    tab.page.go_back()
    expect(navigation).to_be_visible()
    tab.page.reload()
    expect(navigation).to_be_visible()
    expect(tab.box).to_be_hidden()


def test_the_number_of_unread_messages_leaves_the_way_back_in_sight(people, server):
    """On a phone it stands beside the arrow, also if it is 99+."""
    tab, name = people.join("alice", viewport={"width": 320, "height": 640}, has_touch=True)
    writer = filled(server, 1)
    alice = id_of(server, writer, name)
    for number in range(100):
        send(server, writer, f"unread {number}", alice)
    back = tab.page.get_by_role("link", name="All chats")
    expect(back).to_contain_text("99+")
    arrow = back.locator("svg").bounding_box()
    badge = back.locator(".badge").bounding_box()
    assert arrow["x"] + arrow["width"] <= badge["x"]
    assert badge["x"] + badge["width"] <= tab.page.locator("#chat-avatar").bounding_box()["x"]
    assert tab.page.evaluate(WIDE) <= 0


def test_what_is_sent_begins_and_ends_where_the_box_does(people):
    """The messages have room for a scrollbar beside them, and so has the box; on any screen."""
    tab, _ = people.join("alice")
    own = new_text("own")
    tab.say(own)
    tab.reads(own)
    tab.has_sent_everything()
    for width in (320, 1000, 1800):
        tab.page.set_viewport_size({"width": width, "height": 600})
        # The page has the new size a moment later.
        eventually(tab.page, partial(is_as_wide_as, tab, width))
        _, row, messages = tab.page.evaluate(SIDES)
        assert row == messages


def test_a_long_name_makes_the_box_no_higher(people, server):
    """It is cut off there: the whole name is above."""
    tab, _ = people.join("alice", viewport={"width": 320, "height": 640})
    height = tab.box.bounding_box()["height"]
    writer = server.connect("W" * 28 + new_name("")[-4:])
    tab.page.goto(f"{people.url}#{writer['user_id']}")
    expect(tab.page.get_by_role("textbox", name=f"Message {writer['name']}")).to_be_visible()
    assert tab.box.bounding_box()["height"] == height


def test_an_emoji_that_is_a_character_of_the_font_is_seen(people):
    """It has no bubble, so it is not white as other own texts are."""
    tab, _ = people.join("alice", color_scheme="light")
    text = "\u2714"
    tab.say(text)
    tab.reads(text)
    colours = "e => [getComputedStyle(e).color, getComputedStyle(document.body).color]"
    own, usual = tab.message(text).evaluate(colours)
    assert own == usual


# 400 % of 1280 pixels is a screen of 320.
@pytest.mark.parametrize("size", [(320, 256), (320, 640), (640, 400)])
def test_nothing_is_wider_than_the_screen(people, server, size):
    """Long words, long names and marks stay where they are; so at 400 % zoom."""
    writer = server.connect("W" * 28 + new_name("")[-4:])
    word = new_text("end").replace(" ", "x") + "x" * 500
    for text in (
        *("a" + "\u0301" * 500, "\u202eright to left", "https://x.org/" + "y" * 300),
        *("line\n" * 50, word),
    ):
        send(server, writer, text)
    tab, _ = people.join("W" * 20, viewport={"width": size[0], "height": size[1]})
    tab.reads(word)
    tab.box.fill("\n" * 30)
    assert tab.page.evaluate(WIDE) <= 0
    expect(tab.page.get_by_role("button", name="Send")).to_be_in_viewport()
    assert tab.log.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert tab.log.bounding_box()["height"] >= 60
    tab.page.get_by_role("link", name="All chats").click()
    expect(tab.page.get_by_role("navigation")).to_be_visible()
    assert tab.page.evaluate(WIDE) <= 0


def test_a_menu_is_no_higher_than_the_screen(people):
    """At 400 % zoom its last item is reached by scrolling, and by keyboard."""
    tab, _ = people.join("alice", viewport={"width": 320, "height": 256})
    tab.page.get_by_role("link", name="All chats").click()
    tab.page.get_by_role("button", name="Menu").click()
    menu = tab.page.get_by_role("group", name="You")
    box = menu.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 256
    tab.page.keyboard.press("ArrowUp")
    last = menu.get_by_role("button").last
    expect(last).to_be_focused()
    expect(last).to_be_in_viewport(ratio=0.9)


def test_right_to_left(people):
    """Each text has its own direction; a page in such a language is laid out so."""
    tab, _ = people.join("محمد")
    text = new_text("مرحبا بالجميع")
    tab.say(text)
    tab.reads(text)
    direction = "e => getComputedStyle(e).direction"
    assert tab.message(text).evaluate(direction) == "rtl"
    text = new_text("hello")
    tab.say(text)
    tab.reads(text)
    assert tab.message(text).evaluate(direction) == "ltr"
    tab.page.evaluate("document.documentElement.dir = 'rtl'")
    navigation = tab.page.get_by_role("navigation").bounding_box()
    assert navigation["x"] > tab.log.bounding_box()["x"]
    assert tab.page.evaluate(WIDE) <= 0


def test_all_by_keyboard(people, server):
    """Join, find somebody, write, read back and return without a mouse."""
    _, other = people.join("bob")
    filled(server, 40)
    tab = people.tab()
    keys = tab.page.keyboard
    expect(tab.name_box).to_be_focused()
    keys.type(new_name("alice"))
    keys.press("Enter")
    expect(tab.box).to_be_focused()
    keys.press("Control+k")
    keys.type(other)
    expect(tab.page.locator("#found").get_by_role("link")).to_have_count(1)
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(tab.page.get_by_role("textbox", name=f"Message {other}")).to_be_focused()
    text = new_text("typed")
    keys.type(text)
    keys.press("Enter")
    tab.reads(text)
    keys.press("Alt+ArrowUp")
    expect(tab.page.get_by_role("heading", name="General", level=2)).to_be_visible()
    expect(tab.page.get_by_role("button", name="Newest messages")).to_be_hidden()
    keys.press("PageUp")
    expect(tab.page.get_by_role("button", name="Newest messages")).to_be_visible()
    keys.press("Escape")
    expect(tab.page.get_by_role("button", name="Newest messages")).to_be_hidden()
    tab.log.focus()
    keys.type("here")
    expect(tab.box).to_have_value("here")


@pytest.mark.parametrize("has_touch", [True, False], ids=["touch", "keyboard"])
def test_the_focus_goes_to_what_is_shown(people, server, has_touch):
    """Who goes from the list to a chat and back is not at the beginning of the page again."""
    size = {"width": 320, "height": 640}
    tab, name = people.join("alice", viewport=size, has_touch=has_touch)
    writer = server.connect(new_name("writer"))
    send(server, writer, "hello", id_of(server, writer, name))
    back = tab.page.get_by_role("link", name="All chats")
    back.focus()
    back.press("Enter")
    expect(tab.entry("General").first).to_be_focused()
    link = tab.chat(writer["name"]).get_by_role("link")
    link.focus()
    link.press("Enter")
    expect(tab.log if has_touch else tab.box).to_be_focused()
    back.focus()
    back.press("Enter")
    expect(link).to_be_focused()
