"""What is written: Enter, drafts, commands, and that each message is sent exactly once."""

from __future__ import annotations

import unicodedata

from playwright.sync_api import expect

from tests.page.others import id_of, new_text, texts_of
from tests.page.people import eventually, new_name, people_in, route_first
from tests.postgres.proxy import Proxy


def test_enter_sends_and_shift_enter_breaks(people, server):
    """A text of two lines is one message, and the box is empty again."""
    tab, _ = people.join("alice")
    text = new_text("two")
    tab.box.fill(text)
    tab.box.press("Shift+Enter")
    tab.box.type("lines")
    tab.box.press("Enter")
    expect(tab.texts.last).to_have_text(f"{text}\nlines")
    expect(tab.box).to_have_value("")
    tab.box.press("Enter")
    tab.box.fill("   \n ")
    tab.box.press("Enter")
    after = new_text("after")
    tab.say(after)
    tab.reads(after)
    tab.has_sent_everything()
    assert texts_of(server)[-2:] == [f"{text}\nlines", after]


def test_the_button_sends(people):
    """So it works without a keyboard, too."""
    tab, _ = people.join("alice")
    text = new_text("by button")
    tab.box.fill(text)
    tab.page.get_by_role("button", name="Send").click()
    tab.reads(text)


def test_a_draft_is_kept(people):
    """Each chat has its own, and it is there after a reload."""
    _, other = people.join("bob")
    tab, _ = people.join("alice")
    tab.box.fill("not finished")
    tab.go_to(other)
    expect(tab.box).to_have_value("")
    tab.box.fill("to bob")
    tab.go_to("General")
    expect(tab.box).to_have_value("not finished")
    tab.page.reload()
    expect(tab.box).to_have_value("not finished")
    tab.go_to(other)
    expect(tab.box).to_have_value("to bob")
    tab.page.reload()
    expect(tab.box).to_have_value("to bob")
    tab.go_to("General")
    expect(tab.box).to_have_value("not finished")


def test_a_text_goes_to_the_chat_that_is_shown(people, server):
    """Also if the page is too busy to draw it: who writes at once does not write to everybody."""
    bob, bob_name = people.join("bob")
    tab, name = people.join("alice")
    expect(tab.entry(bob_name).first).to_be_visible()
    tab.page.evaluate("window.requestAnimationFrame = () => 0")
    tab.go_to(bob_name)
    text = new_text("secret")
    tab.say(text)
    expect(bob.chat(name)).to_contain_text(text)
    assert text not in texts_of(server)


def test_msg_is_a_private_message(people, server):
    """It goes to the one who is named, with or without quotes, and nobody else sees it.

    However the name is written, the text begins behind it.
    """
    bob, bob_name = people.join("Bob Be\u0301e\u0301")
    tab, name = people.join("alice")
    composed = unicodedata.normalize("NFC", bob_name)
    for number, typed in enumerate(
        (f'"{bob_name}"', bob_name, bob_name.upper(), composed, composed.replace("b", "b\u2060"))
    ):
        tab.go_to("General")
        text = new_text(f"secret {number}")
        tab.say(f"/msg {typed} {text}")
        expect(tab.page.get_by_role("heading", name=bob_name, level=2)).to_be_visible()
        tab.reads(text)
        expect(bob.chat(name)).to_contain_text(text)
    assert not [text for text in texts_of(server) if "secret" in text or "/msg" in text]


def test_a_command_that_is_not_understood_is_explained(people, server):
    """Nothing is sent, and the text stays; two slashes send one."""
    tab, _ = people.join("alice")
    hint = tab.page.get_by_role("alert").filter(has_text="/msg NAME TEXT")
    for typed in ("/msg", "/msg bob", "/mgs bob hello", "/who"):
        tab.say(typed)
        expect(hint).to_be_visible()
        expect(tab.box).to_have_value(typed)
    tab.say("/msg nobody-at-all hello")
    expect(tab.page.get_by_role("alert").filter(has_text="Nobody is called")).to_be_visible()
    tab.say("//usr/bin is a folder")
    tab.reads("/usr/bin is a folder")
    assert not [text for text in texts_of(server, 6) if text.startswith(("/m", "/w"))]


def test_a_command_that_breaks_stops_no_other_text(people):
    """What is typed next is sent, without a reload."""
    tab, _ = people.join("alice")
    broken = 'export const run = async () => { throw new Error("broken"); };'
    tab.page.route(
        "**/commands.js",
        lambda route: route.fulfill(content_type="text/javascript", body=broken),
    )
    with tab.page.expect_event("pageerror"):
        tab.say("/msg nobody hello")
    people.expect_complaint("broken")
    text = new_text("said")
    tab.say(text)
    tab.reads(text)


def test_a_command_that_is_not_loaded_stops_no_other_text_for_long(people):
    """Nor does a server that takes connections, and says nothing."""
    tab, _ = people.join("alice")
    tab.page.route("**/commands.js", lambda route: route.abort())
    tab.page.route(people.url, lambda _: None)
    tab.page.evaluate(
        """() => {
          window.original = AbortSignal.timeout;
          AbortSignal.timeout = () => window.original.call(AbortSignal, 100);
        }"""
    )
    tab.say("/msg nobody hello")
    expect(tab.page.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()
    tab.page.evaluate("AbortSignal.timeout = window.original")
    text = new_text("said")
    tab.say(text)
    tab.reads(text)


def test_what_the_browser_puts_into_the_box_is_no_draft(people):
    """Some put there what was written before a reload, also if nobody is signed in any more."""
    tab = people.tab()
    expect(tab.name_box).to_be_visible()
    tab.page.evaluate(
        """() => {
          document.querySelector("textarea").value = "not finished";
          window.dispatchEvent(new Event("pagehide"));
        }"""
    )
    assert tab.page.evaluate("Object.keys(sessionStorage)") == []


def test_characters_are_counted_near_the_limit(people):
    """They are counted as the server does: what the browser takes for two may be one."""
    tab, _ = people.join("alice")
    count = tab.page.locator("#count")
    tab.box.fill("x" * 3000)
    expect(count).to_have_text("")
    tab.box.fill("🦊" * 4090)
    expect(count).to_have_text("6 left")
    tab.box.fill("🦊" * 4098)
    expect(count).to_have_text("2 too many")
    tab.box.press("Enter")
    expect(tab.page.get_by_role("alert").filter(has_text="2 characters too many")).to_be_visible()
    tab.box.fill("🦊" * 4096)
    tab.box.press("Enter")
    expect(tab.texts.last).to_have_text("🦊" * 4096)


def test_a_refused_message_can_be_tried_again_or_deleted(people):
    """It stays where it was written, with the reason."""
    tab, _ = people.join("alice")
    tab.page.goto(people.url + "#999999")
    expect(tab.log).to_contain_text("There is no user 999999.")
    tab.say("to nobody")
    failed = tab.log.locator(".failed")
    expect(failed).to_contain_text("Not sent. There is no user 999999.")
    failed.get_by_role("button", name="Try again").click()
    expect(failed).to_contain_text("Not sent.")
    tab.page.reload()
    failed.get_by_role("button", name="Delete").click()
    expect(failed).to_have_count(0)
    tab.page.reload()
    expect(tab.box).to_be_visible()
    expect(failed).to_have_count(0)


def test_a_limit_for_a_month_is_waited_for(people):
    """That is longer than a browser's timers take: what waits is not sent without a pause."""
    tab, _ = people.join("alice")
    asked = []

    def refuse(route):
        asked.append(route.request.url)
        route.fulfill(status=429, headers={"Retry-After": "2678400"}, json={})

    tab.page.route("**/send", refuse)
    tab.say("too much")
    eventually(tab.page, lambda: bool(asked))
    tab.page.wait_for_timeout(500)
    assert len(asked) == 1
    expect(tab.pending).to_have_count(1)


def test_what_is_sent_while_the_server_is_dead_arrives_once(own_people, own_server):
    """Messages wait, in their order, until a killed server is back."""
    tab, _ = own_people.join("alice")
    reader, _ = own_people.join("bob")
    tab.say("before")
    reader.reads("before")
    tab.has_sent_everything()
    own_server.kill()
    texts = [f"while it is dead {number}" for number in range(5)]
    for text in texts:
        tab.say(text)
    expect(tab.pending).to_have_count(5)
    expect(tab.pending.first).to_contain_text("Sending…")
    own_server.start()
    tab.has_sent_everything()
    for text in texts:
        reader.reads(text)
        tab.reads(text)
    assert texts_of(own_server) == ["before", *texts]


def test_a_lost_response_does_not_send_twice(browser, own_server):
    """The server has the message, but its response is lost: also with a reload it is sent once."""
    with (
        Proxy(own_server.port) as proxy,
        people_in(browser, f"http://127.0.0.1:{proxy.port}/") as people,
    ):
        tab, _ = people.join("alice")
        lost = []

        def lose(route):
            # The server has taken it before the connection breaks.
            lost.append(route.fetch().status)
            route.abort()

        route_first(tab.page, "**/send", lose, count=2)
        tab.say("once")
        expect(tab.log.get_by_text("once")).not_to_have_count(0)
        eventually(tab.page, lambda: bool(lost))
        tab.page.reload()
        tab.reads("once")
        tab.has_sent_everything()
        tab.reads("once")
        assert lost == [200, 200]
        assert texts_of(own_server) == ["once"]


def test_messages_through_a_network_that_cuts(browser, own_server):
    """Connections are cut again and again; everything arrives, in order and once."""
    with (
        Proxy(own_server.port) as proxy,
        people_in(browser, f"http://127.0.0.1:{proxy.port}/") as people,
    ):
        tab, _ = people.join("alice")
        reader, _ = people.join("bob")
        texts = [f"number {number}" for number in range(20)]
        for number, text in enumerate(texts):
            tab.say(text)
            if number % 4 == 0:
                proxy.cut()
        tab.has_sent_everything()
        reader.reads(texts[-1])
        assert texts_of(own_server) == texts
        expect(reader.texts).to_have_text(texts)
        expect(tab.texts).to_have_text(texts)


def test_the_name_in_the_box(people, server):
    """The box is named for whom the message reaches."""
    _, bob = people.join("bob")
    tab, _ = people.join("alice")
    expect(tab.page.get_by_role("textbox", name="Message everybody")).to_be_visible()
    someone = server.connect(new_name("someone"))
    tab.page.goto(f"{people.url}#{id_of(server, someone, bob)}")
    expect(tab.page.get_by_role("textbox", name=f"Message {bob}")).to_be_visible()


def test_what_is_written_outlives_a_gap(people):
    """The page begins anew with the text in its box and what waits; the browser keeps nothing."""
    context = people.browser()
    context.add_init_script(
        """Storage.prototype.setItem = () => { throw new Error("It is full."); };
        const request = window.fetch;
        window.streams = [];
        window.fetch = (path, options) => {
          if (!path.startsWith("events")) return request(path, options);
          const start = (stream) => void window.streams.push(stream);
          const headers = { "Content-Type": "text/event-stream" };
          return Promise.resolve(new Response(new ReadableStream({ start }), { headers }));
        };"""
    )
    context.route("**/send", lambda route: route.abort())
    tab = people.tab(context)
    tab.join(new_name("alice"))
    tab.say(new_text("waits"))
    expect(tab.pending).to_have_count(1)
    eventually(tab.page, lambda: tab.page.evaluate("streams.length") == 1)
    gap = r"streams[0].enqueue(new TextEncoder().encode('event: gap\ndata: {}\n\n'))"
    tab.box.fill("not finished")
    tab.page.evaluate(gap)
    eventually(tab.page, lambda: tab.page.evaluate("streams.length") == 2)
    expect(tab.box).to_have_value("not finished")
    expect(tab.pending).to_have_count(1)


def test_keys_that_compose_a_word_do_nothing_else(people):
    """Enter, arrows and Escape are those of an input method then, in the box and in the search."""
    _, other = people.join("Yuki")
    tab, _ = people.join("alice")
    composing = {"bubbles": True, "isComposing": True}
    # Some browsers have ended the composition by then, and tell it by the key's number.
    ending = {"bubbles": True, "key": "Enter", "keyCode": 229}
    tab.box.fill("にほ")
    tab.box.dispatch_event("keydown", {**composing, "key": "Enter"})
    tab.box.dispatch_event("keydown", ending)
    expect(tab.box).to_have_value("にほ")
    search = tab.page.get_by_role("searchbox", name="Find somebody")
    search.press_sequentially(other)
    expect(tab.page.locator("#found").get_by_role("link")).to_have_count(1)
    for key in ("ArrowDown", "Enter", "Escape"):
        search.dispatch_event("keydown", {**composing, "key": key})
    for key in ("ArrowDown", "Enter", "Escape"):
        search.dispatch_event("keydown", {**ending, "key": key})
    expect(search).to_be_focused()
    expect(search).to_have_value(other)
    expect(tab.box).to_have_value("にほ")
    search.press("Enter")
    expect(tab.page.get_by_role("heading", name=other, level=2)).to_be_visible()
