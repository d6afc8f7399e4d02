"""Joining, staying signed in, and leaving."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.page.people import new_name


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

    tab.page.route("**/connect", lose, times=1)
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


def test_a_tab_of_somebody_who_has_left_shows_the_form(people):
    """Another tab signs out: this one notices when it is looked at again."""
    tab, _ = people.join("alice")
    other = people.tab(tab.page.context)
    expect(other.box).to_be_visible()
    tab.page.evaluate("fetch('disconnect', {method: 'POST', headers: {'Chatter-Page': '1'}})")
    other.page.reload()
    expect(other.name_box).to_be_visible()
