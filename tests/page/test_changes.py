"""Edits and withdrawals: written in one browser, seen where they stand in all others."""

from __future__ import annotations

import socket

from playwright.sync_api import expect

from tests.page.others import filled, id_of, new_text, send, texts_of
from tests.page.people import eventually, new_name, people_in, route_first
from tests.postgres.proxy import Proxy


def change(server, person, path, message, **body):
    status, response = server.request(
        "POST", path, person["token"], {"message_id": message["id"], **body}
    )
    assert status == 200, response


def knows(tab, name):
    """Wait until somebody whose messages are shown has a name: it is requested when they are."""
    expect(tab.page.locator("#messages").get_by_text(name, exact=True).first).to_be_attached()


def gone(tab):
    return tab.page.locator("#messages .gone")


def test_arrow_up_edits_the_last_message(people, server):
    """What is saved stands where the message was, for both, with the time; also in the list."""
    bob, _ = people.join("bob")
    tab, name = people.join("alice")
    old, after, new = new_text("teh"), new_text("after"), new_text("the")
    tab.say(old)
    bob.reads(old)
    knows(bob, name)
    bob.say(after)
    tab.reads(after)
    tab.edit_last(old)
    tab.edit(new)
    for each in (tab, bob):
        each.reads(new)
        expect(each.message(old)).to_have_count(0)
        expect(each.row(new)).to_contain_text("Edited ")
        expect(each.texts.nth(-2)).to_have_text(new)
        expect(each.texts.last).to_have_text(after)
    expect(bob.announcer).to_contain_text(f"A message from {name} was edited: {new}")
    expect(tab.box).to_have_value("")
    assert texts_of(server)[-2:] == [new, after]
    bob.page.reload()
    expect(bob.row(new)).to_contain_text("Edited ")


def test_escape_leaves_an_edit(people, server):
    """Nothing is changed, and the draft is back; an edit is kept over a reload."""
    tab, _ = people.join("alice")
    text = new_text("as it is")
    tab.say(text)
    tab.reads(text)
    tab.box.fill("a draft")
    tab.open_menu(text)
    tab.page.get_by_role("button", name="Edit").click()
    expect(tab.box).to_have_value(text)
    tab.box.fill("half an edit")
    tab.page.reload()
    expect(tab.page.get_by_text("Editing a message")).to_be_visible()
    expect(tab.box).to_have_value("half an edit")
    tab.box.press("Escape")
    expect(tab.page.get_by_text("Editing a message")).to_have_count(0)
    expect(tab.box).to_have_value("a draft")
    tab.box.press("ArrowUp")
    expect(tab.box).to_have_value("a draft")
    assert texts_of(server)[-1] == text


def test_a_command_is_no_edit(people, server):
    """A text with a slash is edited with two, and a command is explained, and not said."""
    tab, _ = people.join("alice")
    text = new_text("/usr/bin")
    tab.say(f"/{text}")
    tab.reads(text)
    tab.box.press("ArrowUp")
    expect(tab.box).to_have_value(f"/{text}")
    tab.say("/msg bob secret")
    expect(tab.page.get_by_role("alert").filter(has_text="begins with two")).to_be_visible()
    tab.say("")
    expect(tab.page.get_by_role("alert").filter(has_text="withdrawn in its menu")).to_be_visible()
    tab.edit(f"/{text}!")
    tab.reads(f"{text}!")
    tab.has_sent_everything()
    assert texts_of(server)[-1] == f"{text}!"


def test_a_withdrawn_message_leaves_its_place(people, server):
    """By keyboard alone, after a question; for both, and in the list of chats."""
    bob, _ = people.join("bob")
    tab, name = people.join("alice")
    text, after = new_text("oops"), new_text("after")
    tab.say(text)
    tab.say(after)
    for each in (tab, bob):
        each.reads(after)
    knows(bob, name)
    tab.has_sent_everything()
    tab.log.focus()
    keys = tab.page.keyboard
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    keys.press("Enter")
    expect(tab.page.get_by_role("button", name="Edit")).to_be_focused()
    keys.press("ArrowDown")
    keys.press("Enter")
    dialog = tab.page.get_by_role("dialog", name="Withdraw this message?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    keys.press("Enter")
    expect(dialog).to_have_count(0)
    expect(tab.box).to_be_focused()
    tab.withdraw(text)
    for each in (tab, bob):
        expect(gone(each)).to_have_text("Message withdrawn")
        expect(each.message(text)).to_have_count(0)
        each.reads(after)
    expect(bob.announcer).to_contain_text(f"A message from {name} was withdrawn")
    tab.withdraw(after)
    expect(bob.chat("General")).to_contain_text("Message withdrawn")
    assert not {text, after} & set(texts_of(server))


def test_changes_reach_all_tabs(people, server):
    """Other tabs of the same user, and the list of a chat that is not shown."""
    bob, bob_name = people.join("bob")
    tab, name = people.join("alice")
    second = people.tab(tab.page.context)
    expect(second.box).to_be_visible()
    tab.page.bring_to_front()
    tab.page.goto(f"{people.url}#{id_of(server, server.connect(), bob_name)}")
    expect(tab.page.get_by_role("textbox", name=f"Message {bob_name}")).to_be_visible()
    one, two = new_text("psst"), new_text("psst")
    tab.say(one)
    tab.say(two)
    expect(bob.chat(name).locator(".badge")).to_have_text("2")
    tab.edit_last(two)
    tab.edit(f"{two}!")
    expect(second.chat(bob_name)).to_contain_text(f"{two}!")
    expect(bob.chat(name)).to_contain_text(f"{two}!")
    tab.withdraw(f"{two}!")
    expect(bob.chat(name)).to_contain_text("Message withdrawn")
    expect(bob.chat(name).locator(".badge")).to_have_text("1")
    bob.go_to(name)
    bob.reads(one)
    expect(bob.message(f"{two}!")).to_have_count(0)


def test_a_change_while_the_connection_is_lost(browser, own_server):
    """Who was away sees the message as it is now."""
    with (
        Proxy(own_server.port) as proxy,
        people_in(browser, f"http://127.0.0.1:{proxy.port}/") as people,
    ):
        tab, _ = people.join("alice")
        writer = own_server.connect("writer")
        edited, withdrawn = (send(own_server, writer, text) for text in ("old", "unwanted"))
        tab.reads("unwanted")
        proxy.hold()
        change(own_server, writer, "/edit", edited, text="newer")
        change(own_server, writer, "/edit", edited, text="newest")
        change(own_server, writer, "/withdraw", withdrawn)
        proxy.cut()
        proxy.resume()
        tab.page.evaluate("dispatchEvent(new Event('online'))")
        expect(tab.texts).to_have_text(["newest", "Message withdrawn"])


def test_changes_while_the_server_is_dead(own_people, own_server):
    """They wait where the messages stand, over a reload, and are made once."""
    tab, _ = own_people.join("alice")
    reader, _ = own_people.join("bob")
    tab.say("one")
    reader.reads("one")
    tab.open_menu("one")
    tab.page.keyboard.press("Escape")
    tab.say("two")
    for each in (tab, reader):
        each.reads("two")
    tab.has_sent_everything()
    own_server.kill()
    tab.edit_last("two")
    tab.edit("too")
    expect(tab.row("too")).to_contain_text("Saving…")
    tab.edit_last("too")
    tab.edit("2")
    expect(tab.row("2")).to_contain_text("Saving…")
    tab.withdraw("one")
    expect(tab.row("one")).to_contain_text("Withdrawing…")
    own_server.start()
    for each in (tab, reader):
        expect(each.texts).to_have_text(["Message withdrawn", "2"])
    assert texts_of(own_server) == ["2"]


def test_an_edit_that_comes_too_late(people, server):
    """The message was withdrawn in another tab: the text is not lost, and it is said."""
    tab, _ = people.join("alice")
    second = people.tab(tab.page.context)
    text = new_text("one of two tabs")
    tab.say(text)
    second.reads(text)
    tab.page.bring_to_front()
    tab.edit_last(text)
    second.page.bring_to_front()
    second.withdraw(text)
    tab.page.bring_to_front()
    expect(gone(tab)).to_have_count(1)
    tab.edit("too late")
    failed = tab.log.locator(".failed")
    expect(failed).to_contain_text("too late")
    expect(failed).to_contain_text("The edit was not saved.")
    failed.get_by_role("button", name="Delete").click()
    expect(failed).to_have_count(0)


# What is drawn because of a scrolling is there by then.
STILL = """async row => {
  for (let [frames, place] = [0, NaN]; frames < 20; frames++) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const { top } = row.getBoundingClientRect();
    if (top !== place) [frames, place] = [0, top];
  }
}"""


def test_a_message_far_back_is_changed_where_it_stands(people, server):
    """Also one from a page of the history; what is read does not move."""
    writer = filled(server, 120)
    first = send(server, writer, new_text("far back"))
    filled(server, 120)
    tab, _ = people.join("alice")
    row = tab.row(first["text"])

    def is_there():
        tab.log.evaluate("log => log.scrollBy(0, -2000)")
        return row.count() == 1

    eventually(tab.page, is_there)
    # It is the first one that is seen, partly.
    row.evaluate(
        "row => row.closest('[role=log]').scrollBy(0, row.getBoundingClientRect().bottom"
        " - row.closest('[role=log]').getBoundingClientRect().top - 10)"
    )
    row.evaluate(STILL)
    below = "row => row.nextElementSibling.getBoundingClientRect().top"
    before = row.evaluate(below)
    change(server, writer, "/edit", first, text="line\n" * 5 + first["text"])
    edited = tab.page.locator("#messages .message", has_text="line")
    expect(edited).to_have_count(1)
    assert abs(edited.evaluate(below) - before) <= 1
    change(server, writer, "/withdraw", first)
    expect(gone(tab)).to_have_count(1)


def test_a_change_that_overtakes_the_history(people, server):
    """It comes on the stream while the page with the old text is on its way."""
    writer = server.connect(new_name("writer"))
    tab, name = people.join("alice")
    alice = id_of(server, writer, name)
    old, unwanted = (send(server, writer, new_text(text), alice) for text in ("old", "unwanted"))
    expect(tab.chat(writer["name"])).to_contain_text(unwanted["text"])
    text = new_text("new")

    def delay(route):
        response = route.fetch()
        change(server, writer, "/edit", old, text=text)
        change(server, writer, "/withdraw", unwanted)
        # The list shows it when it has come on the stream.
        expect(tab.chat(writer["name"])).to_contain_text("Message withdrawn")
        route.fulfill(response=response)

    route_first(tab.page, "**/status?chat_type=private*", delay)
    tab.go_to(writer["name"])
    expect(tab.texts).to_have_text([text, "Message withdrawn"])


def test_the_menu_by_touch(people, server):
    """Where nobody can point, the buttons are seen; others' messages have a menu, too."""
    bob, bob_name = people.join("bob")
    tab, _ = people.join("alice", viewport={"width": 390, "height": 700}, has_touch=True)
    text = new_text("from bob")
    bob.say(text)
    tab.reads(text)
    knows(tab, bob_name)
    tab.row(text).get_by_role("button", name="Options").tap()
    tab.page.get_by_role("button", name=f"Write to {bob_name}").tap()
    expect(tab.page.get_by_role("heading", name=bob_name, level=2)).to_be_visible()


def test_a_stream_that_a_newer_one_ends(people, server):
    """A user has sixteen streams. The page goes on by polling, and takes no place from others."""
    tab = people.tab()
    with tab.page.expect_response("**/events?*"):
        tab.join(new_name("alice"))
    tab.page.clock.install()
    head = f"GET /events?peek=true HTTP/1.1\r\nHost: a\r\nAuthorization: {tab.token()}\r\n\r\n"
    streams = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(16)]
    for stream in streams:
        stream.sendall(head.encode())
        assert stream.recv(4096).startswith(b"HTTP/1.1 200")
    text = new_text("by poll")
    with tab.page.expect_response("**/status?after=*"):
        pass
    send(server, server.connect(), text)
    tab.page.clock.fast_forward(6000)
    tab.reads(text)
    for stream in streams:
        stream.close()


def test_somebody_leaves_for_good(people, server):
    """All messages of the user are withdrawn, and the name is gone, where it is shown too."""
    tab, _ = people.join("alice")
    writer = server.connect(new_name("writer"))
    texts = [send(server, writer, new_text("soon gone"))["text"] for _ in range(2)]
    tab.reads(texts[1])
    expect(tab.log).to_contain_text(writer["name"])
    status, _ = server.request("POST", "/erase", writer["token"], {"name": writer["name"]})
    assert status == 200
    expect(gone(tab)).to_have_count(2)
    expect(tab.log).not_to_contain_text(writer["name"])
    expect(tab.chat("General")).to_contain_text("Message withdrawn")
