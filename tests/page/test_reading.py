"""What is read: live, in order, once, and back to the first message."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.page.others import filled, id_of, new_text, send
from tests.page.people import eventually, new_name


def test_two_people_read_each_other(people):
    """What one says is at the other at once, in order and once, with the name."""
    alice, name = people.join("alice")
    bob, _ = people.join("bob")
    texts = [new_text("hello") for _ in range(5)]
    for text in texts:
        alice.say(text)
    for text in texts:
        bob.reads(text)
        alice.reads(text)
    assert bob.texts.all_inner_texts()[-5:] == texts
    first = bob.page.locator(".message", has_text=texts[0])
    expect(first.locator(".name")).to_have_text(name)


def test_a_private_message_reaches_two(people, server):
    """It is in the list of the recipient with a count, and nobody else has it."""
    carol, _ = people.join("carol")
    bob, bob_name = people.join("bob")
    alice, alice_name = people.join("alice")
    alice.go_to(bob_name)
    secret = new_text("psst")
    alice.say(secret)
    alice.reads(secret)
    entry = bob.chat(alice_name)
    expect(entry).to_contain_text(secret)
    expect(entry.locator(".badge")).to_have_text("1")
    expect(bob.page).to_have_title("(1) General")
    bob.go_to(alice_name)
    bob.reads(secret)
    expect(entry.locator(".badge")).to_be_hidden()
    expect(bob.page).to_have_title(alice_name)
    assert secret not in carol.page.content()


def test_what_is_new_begins_at_a_line(people, server):
    """Who comes back to a chat finds a line above what was not read; the list has a count."""
    tab, name = people.join("alice")
    writer = filled(server, 1)
    alice = id_of(server, writer, name)
    for number in range(3):
        send(server, writer, f"to you {number}", alice)
    entry = tab.chat(writer["name"])
    expect(entry.locator(".badge")).to_have_text("3")

    # What is read of the general chat goes to the server in a request of its own.
    def marks_it(request):
        return request.url.endswith("/read") and request.post_data_json["recipient_id"] is not None

    with tab.page.expect_request_finished(marks_it):
        tab.go_to(writer["name"])
    new = tab.page.get_by_role("separator", name="New messages")
    expect(new).to_have_count(1)
    expect(tab.page.locator(".message", has=new)).to_contain_text("to you 0")
    # What was read stays read, after a reload too.
    expect(entry.locator(".badge")).to_be_hidden()
    tab.page.reload()
    tab.reads("to you 2")
    expect(new).to_have_count(0)
    expect(tab.chat(writer["name"]).locator(".badge")).to_be_hidden()


def test_read_in_one_tab_is_read_in_the_other(people, server):
    """The count of unread messages goes in all tabs of the browser."""
    tab, name = people.join("alice")
    other = people.tab(tab.page.context)
    writer = filled(server, 1)
    send(server, writer, "to you", id_of(server, writer, name))
    for each in (tab, other):
        expect(each.chat(writer["name"]).locator(".badge")).to_have_text("1")
    tab.go_to(writer["name"])
    expect(other.chat(writer["name"]).locator(".badge")).to_be_hidden()


def test_back_to_the_first_message_without_a_jump(memory_people, memory_server):
    """Older messages come while the reader scrolls; what is seen stays, and few are elements."""
    person = filled(memory_server, 450)
    writer = person["name"]
    tab, _ = memory_people.join("alice")
    tab.reads(f"{writer}: 449")
    # All are drawn anew with the name.
    expect(tab.row(f"{writer}: 449").locator("bdi")).to_have_text(writer)
    first = tab.message(f"{writer}: 0")
    while first.count() == 0 or first.bounding_box()["y"] < tab.log.bounding_box()["y"]:
        moved = tab.page.evaluate(SCROLLED_UP, 900)
        # What is on the screen has moved by what was scrolled, and not by what came above it.
        assert abs(moved["seen"] - moved["scrolled"]) <= 2, moved
        assert moved["elements"] <= 200
    expect(first).to_be_in_viewport()
    expect(tab.log).to_contain_text("The chat begins here.")
    tab.page.get_by_role("button", name="Newest messages").click()
    expect(tab.message(f"{writer}: 449")).to_be_in_viewport()
    # Each message that comes moves all that are elements, so only those near the end stay.
    send(memory_server, person, "at the end")
    tab.reads("at the end")
    assert tab.texts.count() <= 100


# Scrolls up, and after the page has drawn what it wants to says by how much which text moved.
SCROLLED_UP = """async by => {
  const scroller = document.getElementById("scroller");
  const top = scroller.getBoundingClientRect().top;
  const frames = async (count) => {
    while (count--) await new Promise((resolve) => requestAnimationFrame(resolve));
  };
  await frames(2);
  const texts = () => [...scroller.querySelectorAll("#messages .text")];
  const bottomOf = (one) => one.getBoundingClientRect().bottom;
  const seen = texts().find((one) => bottomOf(one) > top);
  const text = seen.textContent;
  const [before, from] = [bottomOf(seen), scroller.scrollTop];
  scroller.scrollTop -= by;
  const scrolled = from - scroller.scrollTop;
  await frames(12);
  // By now its message may be another element, since there is one before it.
  const now = texts().find((one) => one.textContent === text);
  return { seen: bottomOf(now) - before, scrolled, elements: texts().length, text };
}"""


# The ids of the messages that the page has of the general chat, and whether there are later ones.
KEPT = """async () => {
  const main = document.querySelector("script[src$='/main.js']").src;
  const { messages, later } = (await import(new URL("chats.js", main).href)).chatWith(0);
  return [messages.map(({ id }) => id), later !== null];
}"""

# Scrolls as far as there are elements, for a second, and says whether a text is there.
SCROLLED_TO = """async ([by, text]) => {
  const isThere = () =>
    [...document.querySelectorAll("#messages .text")].some((one) => one.textContent === text);
  for (let frames = 0; frames < 60 && !isThere(); frames++) {
    document.getElementById("scroller").scrollBy(0, by);
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  return isThere();
}"""


def scroll_to(tab, by, text):
    eventually(tab.page, lambda: tab.page.evaluate(SCROLLED_TO, [by, text]))


def test_a_chat_of_any_length_is_not_kept_whole(memory_people, memory_server):
    """Far back, the newest messages are dropped; on the way to them they are loaded again."""
    writer = filled(memory_server, 3300)
    tab, _ = memory_people.join("alice")
    tab.reads(f"{writer['name']}: 3299")
    scroll_to(tab, -1e6, f"{writer['name']}: 0")
    ids, has_later = tab.page.evaluate(KEPT)
    assert has_later
    assert len(ids) <= 3000
    for number in range(3):
        send(memory_server, writer, f"meanwhile {number}")
    expect(tab.page.get_by_role("button", name="3 new")).to_be_visible()
    scroll_to(tab, 1e6, "meanwhile 2")
    ids, has_later = tab.page.evaluate(KEPT)
    assert not has_later
    assert len(ids) <= 3000
    assert ids == list(range(ids[0], ids[-1] + 1))
    send(memory_server, writer, "live again")
    tab.reads("live again")
    scroll_to(tab, -1e6, f"{writer['name']}: 0")
    # Whatever is unread by now, it leads to the end.
    tab.page.locator("#to-end").click()
    expect(tab.message("live again")).to_be_in_viewport()
    expect(tab.chat("General").locator(".badge")).to_be_hidden()


def test_who_waits_for_older_messages_is_not_moved(people, server):
    """What is seen stays, though the oldest message that was there loses its heading."""
    filler = filled(server, 60)["name"]
    tab, _ = people.join("alice")
    tab.reads(f"{filler}: 59")
    expect(tab.row(f"{filler}: 59").locator("bdi")).to_have_text(filler)
    held = []
    tab.page.route("**/status?*before=*", lambda route: held.append(route))  # noqa: PLW0108
    while (moved := tab.page.evaluate(SCROLLED_UP, 900))["scrolled"]:
        assert abs(moved["seen"] - moved["scrolled"]) <= 2, moved
    seen, before = tab.message(moved["text"]), tab.message(moved["text"]).bounding_box()
    eventually(tab.page, lambda: bool(held))
    held.pop().continue_()
    eventually(tab.page, lambda: tab.texts.count() > moved["elements"])
    after = seen.bounding_box()
    assert abs(before["y"] - after["y"]) <= 1, (before, after)


def test_a_reader_of_older_messages_is_not_moved(people, server):
    """What comes meanwhile is counted on a button, which leads to it."""
    filler = filled(server, 60)["name"]
    tab, _ = people.join("alice")
    tab.reads(f"{filler}: 59")
    writer = server.connect(new_name("writer"))
    seen = tab.message(tab.page.evaluate(SCROLLED_UP, 800)["text"])
    before = seen.bounding_box()
    texts = [new_text("meanwhile") for _ in range(3)]
    for text in texts:
        send(server, writer, text)
    button = tab.page.get_by_role("button", name="3 new")
    expect(button).to_be_visible()
    after = seen.bounding_box()
    assert abs(before["y"] - after["y"]) <= 1, (before, after)
    button.click()
    expect(tab.message(texts[-1])).to_be_in_viewport()
    expect(button).to_be_hidden()


HTML = """<img src=x onerror="document.title='broken'"><b>bold</b> &amp; **x** <script>1</script>"""


def test_nothing_but_addresses_is_interpreted(people):
    """HTML is text; an address is a link, without what ends the sentence."""
    tab, _ = people.join("alice")
    html = HTML + new_text("")
    tab.say(html)
    tab.reads(html)
    assert tab.page.title() != "broken"
    tab.say(
        "see https://example.org/a_(b)?c=d&e#f, (http://localhost:1/x). javascript:alert(1) "
        "https://\u202egro.elpmaxe https:// x"
    )
    links = tab.page.locator("#messages .message").last.get_by_role("link")
    expect(links).to_have_count(2)
    assert [link.get_attribute("href") for link in links.all()] == [
        "https://example.org/a_(b)?c=d&e#f",
        "http://localhost:1/x",
    ]
    assert links.first.get_attribute("rel") == "noopener noreferrer nofollow"


def test_a_long_text_is_folded(people):
    """All of it is shown on demand, and it stays where it begins."""
    tab, _ = people.join("alice")
    tab.say("\n".join(f"line {number}" for number in range(100)))
    message = tab.page.locator("#messages .message").last
    text = message.locator(".text")
    expect(text).to_contain_text("line 99")
    assert text.bounding_box()["height"] < 300
    message.get_by_role("button", name="Show all").click()
    assert text.bounding_box()["height"] > 2000
    assert abs(text.bounding_box()["y"] - tab.log.bounding_box()["y"]) < 600
    message.get_by_role("button", name="Show less").click()
    assert text.bounding_box()["height"] < 300


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_times_are_the_readers_own(own_people, zone):
    """Times have the reader's time zone and language, and each day has a heading."""
    # In a chat of their own: what is far above the screen is no element, and has no heading.
    tab, _ = own_people.join("alice", timezone_id=zone, locale="de-DE")
    text = new_text("now")
    tab.say(text)
    tab.reads(text)
    message = tab.page.locator("#messages .message").last
    sent_at = message.locator("time").get_attribute("datetime")
    shown = tab.page.evaluate(
        "at => new Date(at).toLocaleTimeString('de-DE', {timeStyle: 'short'})", sent_at
    )
    expect(message.locator("time")).to_have_text(shown)
    expect(tab.log.get_by_role("heading", name="Today")).to_have_count(1)


def test_somebody_is_found_by_the_beginning_of_the_name(people):
    """The search lists who begins so; Enter opens the chat with the first."""
    _, name = people.join("Zoë Ünal")
    tab, _ = people.join("alice")
    search = tab.page.get_by_role("searchbox", name="Find somebody")
    search.fill("zoë ünal" + name.removeprefix("Zoë Ünal"))
    expect(tab.page.locator("#found").get_by_role("link")).to_have_count(1)
    search.press("Enter")
    expect(tab.page.get_by_role("textbox", name=f"Message {name}")).to_be_focused()
    expect(tab.log).to_contain_text(f"Only you and {name} can read this.")
    tab.page.get_by_role("searchbox").fill("nobody begins so")
    expect(tab.page.get_by_text("Nobody has a name that begins so.")).to_be_visible()


def test_somebody_with_very_many_chats(memory_people, memory_server):
    """The newest are listed, and on demand all others, also if an old one was opened before."""
    tab, name = memory_people.join("alice")
    alice = id_of(memory_server, memory_server.connect(), name)
    friends = [memory_server.connect() for _ in range(60)]
    for friend in friends:
        send(memory_server, friend, f"to you {friend['user_id']}", alice)
    tab.page.goto(f"{memory_people.url}#{friends[0]['user_id']}")
    tab.page.reload()
    entries = tab.chats.get_by_role("listitem")
    expect(tab.chats).to_contain_text(f"to you {friends[0]['user_id']}")
    expect(entries).to_have_count(52)
    tab.page.get_by_role("button", name="Older chats").click()
    expect(entries).to_have_count(61)
    expect(tab.page.get_by_role("button", name="Older chats")).to_be_hidden()


def test_a_chat_with_nobody(people):
    """An address with the id of nobody says so."""
    tab, _ = people.join("alice")
    tab.page.goto(people.url + "#999999")
    expect(tab.log).to_contain_text("There is no user 999999.")


# Notes each attribute that is set to what it was already.
SET_ANEW = """() => {
  window.setAnew = [];
  new MutationObserver((records) => {
    for (const { target, attributeName, oldValue } of records)
      if (target.getAttribute(attributeName) === oldValue)
        setAnew.push(`${target.id || target.className}: ${attributeName}`);
  }).observe(document, { subtree: true, attributes: true, attributeOldValue: true });
}"""


def test_a_message_sets_nothing_anew(people, server):
    """What stays as it is is left alone: else each message would cost a frame."""
    tab, _ = people.join("alice")
    writer = server.connect(new_name("writer"))
    first = new_text("first")
    send(server, writer, first)
    tab.reads(first)
    tab.page.evaluate(SET_ANEW)
    for _ in range(3):
        text = new_text("another")
        send(server, writer, text)
        tab.reads(text)
    assert tab.page.evaluate("window.setAnew") == []


def test_a_copy_of_messages_is_what_people_wrote(people, server):
    """Who, when and what; neither the letters of avatars nor the buttons."""
    tab, _ = people.join("alice")
    writer = server.connect(new_name("Yuki"))
    theirs, own = new_text("theirs"), new_text("mine")
    send(server, writer, theirs)
    tab.reads(theirs)
    tab.say(own)
    tab.reads(own)
    copied = tab.page.evaluate(
        """() => {
          const [from, to] = [...document.querySelectorAll("#messages .message")].slice(-2);
          getSelection().setBaseAndExtent(from, 0, to, to.childNodes.length);
          return getSelection().toString();
        }"""
    )
    lines = copied.split()
    for part in (writer["name"], theirs, "You", own):
        assert part in copied
    assert "Y" not in lines, copied
    assert "⋯" not in lines, copied


def test_a_chat_with_oneself(people, server):
    """A place for notes, which nobody else can read."""
    tab, name = people.join("alice")
    number = id_of(server, server.connect(), name)
    tab.page.evaluate("number => { location.hash = number; }", number)
    expect(tab.log).to_contain_text("Only you can read this.")
    note = new_text("note")
    tab.say(note)
    tab.reads(note)
