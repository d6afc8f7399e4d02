"""Joining, staying signed in, and leaving."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.page.others import id_of, new_text, send, texts_of
from tests.page.people import eventually, new_name, route_first


def test_somebody_joins_with_a_name(people):
    """After joining, the general chat is there, and the box has the focus."""
    tab, name = people.join("alice")
    expect(tab.page.get_by_role("heading", name="General", level=2)).to_be_visible()
    expect(tab.box).to_be_focused()
    expect(tab.page.get_by_role("navigation")).to_contain_text(name)


def test_a_browser_stays_signed_in(people):
    """After a reload, and in another tab, it is the same user."""
    tab, name = people.join("alice")
    tab.page.reload()
    expect(tab.page.get_by_role("navigation")).to_contain_text(name)
    other = people.tab(tab.page.context)
    expect(other.page.get_by_role("navigation")).to_contain_text(name)


def test_no_script_can_read_the_token(people):
    """The cookie is the browser's alone."""
    tab, _ = people.join("alice")
    (cookie,) = tab.page.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert tab.page.evaluate("document.cookie") == ""
    assert cookie["value"] not in tab.page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}])"
    )


def test_a_name_that_is_taken(people):
    """The form says so, and the name can be changed."""
    _, taken = people.join("alice")
    tab = people.tab()
    tab.name_box.fill(taken.upper())
    tab.name_box.press("Enter")
    expect(tab.page.get_by_role("alert").filter(has_text="already")).to_be_visible()
    expect(tab.name_box).to_have_attribute("aria-invalid", "true")
    expect(tab.name_box).to_be_focused()
    tab.join(new_name("bob"))


def test_joining_again_after_the_response_was_lost(people):
    """The name is not taken by oneself: the second attempt finds who has joined with the first."""
    tab = people.tab()

    def lose(route):
        # The server gets it, and the browser not a word.
        context = tab.page.context
        response = context.request.fetch(route.request, max_retries=0)
        assert response.ok
        context.clear_cookies()
        route.abort()

    route_first(tab.page, "**/connect", lose)
    name = new_name("alice")
    tab.name_box.fill(name)
    tab.name_box.press("Enter")
    expect(tab.page.locator("#name-error")).to_contain_text("cannot be reached")
    tab.name_box.press("Enter")
    expect(tab.box).to_be_focused()
    expect(tab.page.get_by_role("navigation")).to_contain_text(name)


def test_names_that_nobody_can_have(people):
    """What is wrong with a name is said before or after the server is asked."""
    tab = people.tab()
    for name, reason in (
        ("  ", "type a name"),
        ("x" * 33, "1 characters too many"),
        ("a\u200bb", "printable"),
    ):
        tab.name_box.fill(name)
        tab.name_box.press("Enter")
        expect(tab.page.locator("#name-error")).to_contain_text(reason)


def test_leaving_is_asked_for_twice(people):
    """Nobody loses the name by one click; who leaves sees the form."""
    tab, _ = people.join("alice")
    menu = tab.page.get_by_role("button", name="Menu")
    menu.click()
    tab.page.get_by_role("button", name="Sign out…").click()
    tab.page.get_by_role("button", name="Stay").click()
    expect(tab.box).to_be_visible()
    menu.click()
    tab.page.get_by_role("button", name="Sign out…").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(tab.name_box).to_be_visible()
    tab.page.reload()
    expect(tab.name_box).to_be_visible()


def choose(tab, item):
    # A tab behind another one gets a frame a second, for which a click waits.
    tab.page.bring_to_front()
    tab.page.get_by_role("button", name="Menu").click()
    tab.page.get_by_role("button", name=item).click()


def test_signing_out_leaves_nothing_in_the_browser(people):
    """Neither drafts nor settings are there for who uses the browser next."""
    _, other = people.join("bob")
    tab, _ = people.join("alice")
    tab.go_to(other)
    tab.box.fill("my secret draft")
    tab.go_to("General")
    text = new_text("said")
    tab.say(text)
    tab.reads(text)
    tab.has_sent_everything()
    tab.box.press("ArrowUp")
    expect(tab.page.get_by_text("Editing a message")).to_be_visible()
    tab.box.fill("my secret edit")
    choose(tab, "Sign out…")
    tab.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(tab.name_box).to_be_visible()
    tab.page.reload()
    expect(tab.name_box).to_be_visible()
    kept = tab.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "secret" not in kept


def load_everything(tab):
    """Have a tab load what it loads after two seconds; the last of it is asked for by itself."""
    tab.page.clock.install()
    with tab.page.expect_response("**/upgrade.js"):
        tab.page.reload()
        expect(tab.box).to_be_visible()
        tab.page.clock.fast_forward(2_000)


def test_signing_out_in_one_tab_leaves_nothing_in_the_others(people):
    """Neither in one that notices at once, nor in one whose connection is lost."""
    tab, _ = people.join("alice")
    connected, lost, new = (people.tab(tab.page.context) for _ in range(3))
    lost.page.route("**/events?*", lambda route: route.abort())
    for other in (connected, lost):
        load_everything(other)
    # It has not loaded yet what the other two have.
    new.page.route("**/account.js", lambda route: route.abort())
    new.page.reload()
    for other in (connected, lost, new):
        other.box.fill("my secret draft")
    new.page.reload()
    expect(new.box).to_have_value("my secret draft")
    sign_out(tab)
    for other in (connected, lost, new):
        expect(other.name_box).to_be_visible()
        assert "secret" not in other.page.evaluate("JSON.stringify({...sessionStorage})")


def test_a_device_that_is_signed_out_by_another_keeps_nothing(people, server):
    """Nobody has its token again."""
    tab, _ = people.join("alice")
    load_everything(tab)
    tab.box.fill("my secret draft")
    assert server.request("POST", "/disconnect", tab.token(), {})[0] == 200
    expect(tab.name_box).to_be_visible()
    assert "secret" not in tab.page.evaluate("JSON.stringify({...sessionStorage})")


HANG = """() => {
  const fetchNow = window.fetch;
  window.fetch = (path, options) => {
    if (path !== "disconnect") return fetchNow(path, options);
    window.hangs = true;
    return new Promise(() => {});
  };
}"""


def sign_out_in_vain(tab):
    """Sign out over a network that hangs."""
    tab.page.evaluate(HANG)
    choose(tab, "Sign out…")
    tab.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    eventually(tab.page, lambda: bool(tab.page.evaluate("window.hangs")))


@pytest.mark.parametrize("is_told", [True, False])
def test_who_could_not_sign_out_keeps_the_drafts_of_other_tabs(people, is_told):
    """They are there after a reload, too, also if the tab that has tried is closed meanwhile."""
    tab, _ = people.join("alice")
    other = people.tab(tab.page.context)
    load_everything(other)
    other.box.fill("my draft")
    if is_told:
        tab.page.route("**/disconnect", lambda route: route.abort())
        choose(tab, "Sign out…")
        tab.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
        tab.page.get_by_role("dialog", name="That did not work").get_by_role("button").click()
    else:
        sign_out_in_vain(tab)
        tab.page.close()
    other.page.wait_for_timeout(200)
    other.page.reload()
    expect(other.box).to_have_value("my draft")


def test_who_is_not_signed_out_yet_keeps_what_was_written(people):
    """A page that is loaded anew before there is a response has the draft again."""
    tab, name = people.join("alice")
    tab.box.fill("my draft")
    sign_out_in_vain(tab)
    tab.page.reload()
    expect(tab.page.get_by_role("navigation")).to_contain_text(name)
    expect(tab.box).to_have_value("my draft")


def sign_out(tab):
    choose(tab, "Sign out…")
    tab.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(tab.name_box).to_be_visible()


def test_who_signs_out_at_once_is_nobody(people):
    """What the page does a little later for its user does not make another one."""
    tab = people.tab()
    tab.page.clock.install()
    tab.join(new_name("alice"))
    sign_out(tab)
    tab.page.clock.fast_forward(3000)
    tab.page.reload()
    expect(tab.name_box).to_be_visible()
    assert tab.page.context.cookies() == []


def test_a_message_that_waits_is_not_sent_as_somebody_else(people, server):
    """Who signs out gives it up: the browser's next user has not written it."""
    tab = people.tab()
    tab.page.clock.install()
    tab.join(new_name("alice"))
    route_first(
        tab.page,
        "**/send",
        lambda route: route.fulfill(status=429, headers={"Retry-After": "60"}, json={}),
    )
    text = new_text("my secret")
    with tab.page.expect_response("**/send"):
        tab.say(text)
    sign_out(tab)
    kept = tab.page.evaluate("JSON.stringify({...sessionStorage})")
    next_user = people.tab(tab.page.context)
    next_user.join(new_name("bob"))
    tab.page.clock.fast_forward(61_000)
    last = new_text("last")
    next_user.say(last)
    next_user.has_sent_everything()
    next_user.reads(last)
    tab.page.wait_for_timeout(200)
    assert text not in texts_of(server)
    assert text not in kept


@pytest.mark.parametrize("looks_away", [False, True])
def test_a_slow_erasure_leaves_nothing_in_the_browser(people, looks_away):
    """The user is no more when it begins, and the page has to know what was theirs in the end."""
    tab, name = people.join("alice")
    tab.box.fill("my secret draft")
    held = []
    tab.page.route("**/erase", lambda route: held.append((route, route.fetch())))
    choose(tab, "Leave for good…")
    dialog = tab.page.get_by_role("dialog", name="Leave for good?")
    dialog.get_by_label("Type your name").fill(name)
    dialog.get_by_role("button", name="Leave for good").click()
    eventually(tab.page, lambda: len(held) == 1)
    if looks_away:
        tab.hide(hidden=True)
        tab.page.evaluate("Date.now = (now => () => now() + 60000)(Date.now)")
        tab.hide(hidden=False)
    else:
        # A stream is refused at once, and a page that has noticed shows the form.
        tab.page.wait_for_timeout(2000)
        route, response = held[0]
        route.fulfill(response=response)
    expect(tab.name_box).to_be_visible()
    kept = tab.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "secret" not in kept


def test_who_could_not_leave_stays(people, server):
    """After an erasure that failed the page goes on, with its feed and what was written."""
    tab, name = people.join("alice")
    tab.box.fill("a draft")
    tab.page.route("**/erase", lambda route: route.abort())
    choose(tab, "Leave for good…")
    dialog = tab.page.get_by_role("dialog", name="Leave for good?")
    dialog.get_by_label("Type your name").fill(name)
    dialog.get_by_role("button", name="Leave for good").click()
    notice = tab.page.get_by_role("dialog", name="That did not work")
    notice.get_by_role("button", name="Close").click()
    text = new_text("still here")
    send(server, server.connect(new_name("writer")), text)
    tab.reads(text)
    tab.page.reload()
    expect(tab.box).to_have_value("a draft")


def test_who_could_not_be_signed_out_is_told(people):
    """Nobody goes away from a browser that is still signed in, and believes that it is not."""
    tab, name = people.join("alice")
    tab.page.route("**/disconnect", lambda route: route.abort())
    choose(tab, "Sign out…")
    tab.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    notice = tab.page.get_by_role("dialog", name="That did not work")
    expect(notice).to_contain_text("cannot be reached")
    notice.get_by_role("button", name="Close").click()
    expect(tab.page.get_by_role("navigation")).to_contain_text(name)


def test_somebody_downloads_what_the_chat_has_of_them(people, server):
    """A file with their name and their messages, and the private ones to them."""
    tab, name = people.join("alice")
    writer = server.connect(new_name("writer"))
    said, heard, secret = map(new_text, ("said", "heard", "secret"))
    tab.say(said)
    tab.reads(said)
    tab.has_sent_everything()
    send(server, writer, secret, id_of(server, writer, name))
    send(server, writer, heard)
    choose(tab, "Download your data…")
    dialog = tab.page.get_by_role("dialog", name="Download your data")
    with tab.page.expect_download() as download:
        dialog.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == "chat.ndjson"
    lines = [json.loads(line) for line in download.value.path().read_text().splitlines()]
    assert lines[0]["user"]["name"] == name
    texts = [line["message"]["text"] for line in lines if "message" in line]
    assert texts == [said, secret]
    expect(dialog.get_by_role("status")).to_contain_text("has the file")
    tab.page.route("**/export", lambda route: route.abort())
    dialog.get_by_role("button", name="Download", exact=True).click()
    expect(dialog.get_by_role("status")).to_contain_text("cannot be reached")


def test_somebody_leaves_for_good(people, server):
    """The own name has to be typed; then all that was written is withdrawn, and nobody is there."""
    reader, _ = people.join("bob")
    tab, name = people.join("alice")
    text = new_text("soon gone")
    tab.say(text)
    reader.reads(text)
    dialog = tab.page.get_by_role("dialog", name="Leave for good?")
    choose(tab, "Leave for good…")
    dialog.get_by_role("button", name="Leave for good").click()
    notice = tab.page.get_by_role("dialog", name="That did not work")
    expect(notice).to_contain_text("not the user's own name")
    notice.get_by_role("button", name="Close").click()
    choose(tab, "Leave for good…")
    dialog.get_by_label("Type your name").fill(name.upper())
    dialog.get_by_role("button", name="Leave for good").click()
    expect(tab.name_box).to_be_visible()
    expect(reader.message(text)).to_have_count(0)
    assert tab.page.context.cookies() == []
    tab.name_box.fill(name)
    tab.name_box.press("Enter")
    expect(tab.page.get_by_role("alert").filter(has_text="already")).to_be_visible()


def test_a_tab_of_somebody_who_has_left_shows_the_form(people):
    """Another tab signs out: this one notices when it is looked at again."""
    tab, _ = people.join("alice")
    other = people.tab(tab.page.context)
    # It has no stream, with which it would notice by itself.
    other.page.route("**/events?*", lambda route: route.abort())
    other.page.reload()
    expect(other.box).to_be_visible()
    tab.page.evaluate("fetch('disconnect', {method: 'POST', headers: {'Chatter-Page': '1'}})")
    other.page.reload()
    expect(other.name_box).to_be_visible()


def test_a_tab_that_ended_before_it_was_signed_out_keeps_nothing(people, server):
    """Such as one that was loaded anew in that moment: it forgets the drafts when it is back."""
    tab, _ = people.join("alice")
    tab.box.fill("not finished")
    token = tab.token()
    tab.page.goto("about:blank")
    status, _ = server.request("POST", "/disconnect", token, {})
    assert status == 200
    tab.page.goto(people.url)
    expect(tab.name_box).to_be_visible()
    assert tab.page.evaluate("Object.keys(sessionStorage)") == []
