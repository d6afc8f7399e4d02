"""What moderators do in the page, and what those see whom it concerns."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.admin.commands import succeed
from tests.e2e.server import Server
from tests.page.others import new_text
from tests.page.people import eventually, people_in
from tests.page.test_accessibility import AXE, LOOKS, nothing_is_wrong


@pytest.fixture(scope="module")
def moderated(tmp_path_factory):
    """A server with an operator, whom one joins by invitation."""
    folder = tmp_path_factory.mktemp("moderated")
    options = ("--store", "memory:", "--join", "invited", "--admin", "unix:admin")
    with Server(folder, *options) as server:
        yield server


@pytest.fixture
def operate(moderated):
    """Commands of the operator."""
    return lambda *words: succeed("--socket", moderated.folder / "admin", *words)


@pytest.fixture
def invited(browser, moderated):
    """People who join the moderated chat."""
    with people_in(browser, f"{moderated.url}/") as people:
        yield people


@pytest.fixture
def joined(invited, operate):
    """Have somebody join by the link of an invitation; their tab and name."""

    def join(name):
        token = operate("invite").split()[-1]
        tab = invited.tab(place=f"#invitation={token}")
        name = new_text(name)
        tab.join(name)
        return tab, name

    return join


def choose(tab, text, item):
    tab.open_menu(text)
    tab.page.get_by_role("button", name=item).click()
    return tab.page.get_by_role("dialog")


def test_an_invitation_by_link(joined, invited):
    """The link is enough; it is not in the address afterwards, and holds once."""
    tab, name = joined("alice")
    expect(tab.page.get_by_role("navigation")).to_contain_text(name)
    expect(tab.page).to_have_url(f"{invited.url}#general")
    text = new_text("I am in")
    tab.say(text)
    tab.reads(text)


def test_a_link_that_comes_later(invited, operate):
    """Who has opened the chat without an invitation opens the link in the same tab."""
    tab = invited.tab()
    alert = tab.page.get_by_role("alert")
    expect(alert).to_contain_text("ask for its link")
    tab.page.goto(f"{invited.url}#invitation={operate('invite').split()[-1]}")
    expect(alert).to_have_count(0)
    tab.join(new_text("late"))


def test_a_muted_user_reads_on(joined, operate):
    """The page says so at once and until when, and the box takes nothing, until it is over."""
    tab, name = joined("alice")
    other, _ = joined("bob")
    operate("mute", name, "--for", "1h")
    muted = tab.page.get_by_role("status").filter(has_text="You are muted until")
    expect(muted).to_be_visible()
    expect(tab.box).not_to_be_editable()
    text = new_text("can you read this")
    other.say(text)
    tab.reads(text)
    tab.page.reload()
    expect(muted).to_be_visible()
    operate("unmute", name)
    expect(muted).to_have_count(0)
    text = new_text("I can write")
    tab.say(text)
    other.reads(text)


def test_a_banned_user(joined, operate):
    """The page says so in words, and nothing else; and so does one that is opened later."""
    tab, name = joined("mallory")
    text = new_text("spam")
    tab.say(text)
    tab.reads(text)
    tab.has_sent_everything()
    operate("ban", name)
    banned = tab.page.get_by_role("status").filter(has_text="You are banned from this chat.")
    expect(banned).to_be_visible()
    tab.page.keyboard.press("Tab")
    nothing_focused = "document.activeElement === document.body"
    eventually(tab.page, lambda: tab.page.evaluate(nothing_focused))
    tab.page.reload()
    expect(banned).to_be_visible()
    operate("unban", name)
    tab.page.reload()
    expect(tab.box).to_be_visible()


def test_a_report(joined, operate):
    """A private message is shown to moderators by who has got it, and withdrawn there."""
    mod, mod_name = joined("mod")
    operate("role", mod_name, "moderator")
    other, other_name = joined("bob")
    tab, name = joined("mallory")
    tab.go_to(other_name)
    text = new_text("nasty")
    tab.say(text)
    other.go_to(name)
    other.reads(text)
    dialog = choose(other, text, "Report…")
    dialog.get_by_label("What is wrong with it").fill("he is nasty")
    dialog.get_by_role("button", name="Report").click()
    notice = other.page.get_by_role("dialog", name="Reported")
    notice.get_by_role("button", name="Close").click()
    mod.page.reload()
    mod.page.get_by_role("button", name="Menu").click()
    mod.page.get_by_role("button", name="Reports…").click()
    reports = mod.page.get_by_role("dialog", name="Reports")
    report = reports.get_by_role("listitem").filter(has_text=text)
    expect(report).to_contain_text(f"{name}, privately")
    expect(report).to_contain_text(f"Reported by {other_name}: he is nasty")
    report.get_by_role("button", name="Withdraw").click()
    sure = mod.page.get_by_role("dialog", name="Withdraw this message?")
    sure.get_by_role("button", name="Withdraw").click()
    expect(report).to_have_count(0)
    expect(other.page.get_by_text("Withdrawn by a moderator")).to_be_visible()


def test_a_moderator_acts_on_a_person(joined, operate):
    """Beside the name in a private chat, also if there is no message; while one is a moderator."""
    mod, mod_name = joined("mod")
    tab, name = joined("mallory")
    operate("role", mod_name, "moderator")
    mod.page.reload()
    mod.go_to(name)
    options = mod.page.get_by_role("button", name=f"Moderate {name}")
    options.click()
    mod.page.get_by_role("button", name=f"Mute {name}…").click()
    dialog = mod.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Mute").click()
    expect(tab.page.get_by_role("status").filter(has_text="You are muted until")).to_be_visible()
    options.click()
    mod.page.get_by_role("button", name=f"End restrictions of {name}").click()
    expect(tab.box).to_be_editable()
    mod.go_to("General")
    expect(options).to_be_hidden()
    mod.go_to(name)
    expect(options).to_be_visible()
    operate("role", mod_name, "member")
    expect(options).to_be_hidden()


def test_a_moderator_learns_the_name_of_somebody_new(joined, operate):
    """It is requested like anybody's, also where nobody is listed as online."""
    mod, mod_name = joined("mod")
    operate("role", mod_name, "moderator")
    nobody = {"users": [], "more": False}
    mod.page.route("**/users?online=true*", lambda route: route.fulfill(json=nobody))
    mod.page.reload()
    expect(mod.box).to_be_visible()
    tab, name = joined("newcomer")
    text = new_text("hello")
    tab.say(text)
    mod.reads(text)
    expect(mod.row(text)).to_contain_text(name)


def test_a_moderator_acts_in_the_menu_of_a_message(joined, operate):
    """Withdraws, mutes, ends that, and bans; a member sees nothing of these."""
    mod, mod_name = joined("mod")
    tab, name = joined("mallory")
    text = new_text("spam")
    tab.say(text)
    mod.reads(text)
    mod.open_menu(text)
    expect(mod.page.get_by_role("button", name=f"Write to {name}")).to_be_visible()
    expect(mod.page.get_by_role("button", name="Mute")).to_have_count(0)
    mod.page.keyboard.press("Escape")
    operate("role", mod_name, "moderator")
    mod.page.reload()
    mod.reads(text)
    dialog = choose(mod, text, f"Mute {name}…")
    dialog.get_by_label("For how long").select_option("1 day")
    dialog.get_by_label("Reason").fill("spam")
    dialog.get_by_role("button", name="Mute").click()
    expect(tab.page.get_by_role("status").filter(has_text="You are muted until")).to_be_visible()
    choose(mod, text, f"End restrictions of {name}")
    expect(tab.box).to_be_editable()
    dialog = choose(mod, text, "Withdraw…")
    dialog.get_by_role("button", name="Withdraw").click()
    for each in (mod, tab):
        expect(each.page.get_by_text("Withdrawn by a moderator").last).to_be_visible()
    text = new_text("more spam")
    tab.say(text)
    mod.reads(text)
    dialog = choose(mod, text, f"Ban {name}…")
    dialog.get_by_label("For how long").select_option("Until it is ended")
    dialog.get_by_role("button", name="Ban").click()
    expect(tab.page.get_by_role("status").filter(has_text="You are banned")).to_be_visible()


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is missing: make lint-page installs it")
@pytest.mark.parametrize("look", ["dark", "phone"])
def test_nothing_is_wrong_with_it(invited, joined, operate, look):
    """The menu, the dialogs and the reports of a moderator, and a muted user's page."""
    tab, name = joined("mallory")
    text = new_text("spam" * 200)
    tab.say(text)
    context = invited.browser(**LOOKS[look])
    context.add_init_script(path=AXE)
    mod = invited.tab(context, f"#invitation={operate('invite').split()[-1]}")
    mod_name = new_text("mod")
    mod.join(mod_name)
    operate("role", mod_name, "moderator")
    mod.page.reload()
    mod.reads(text)
    dialog = choose(mod, text, "Report…")
    nothing_is_wrong(mod)
    dialog.get_by_role("button", name="Report").click()
    mod.page.get_by_role("dialog", name="Reported").get_by_role("button", name="Close").click()
    mod.open_menu(text)
    nothing_is_wrong(mod)
    mod.page.get_by_role("button", name=f"Mute {name}…").click()
    nothing_is_wrong(mod)
    dialog.get_by_role("button", name="Cancel").click()
    mod.open_menu(text)
    mod.page.get_by_role("button", name=f"Write to {name}").click()
    mod.page.get_by_role("button", name=f"Moderate {name}").click()
    nothing_is_wrong(mod)
    mod.page.keyboard.press("Escape")
    if mod.page.get_by_role("link", name="All chats").is_visible():
        mod.page.get_by_role("link", name="All chats").click()
    mod.page.get_by_role("button", name="Menu").click()
    mod.page.get_by_role("button", name="Reports…").click()
    reports = mod.page.get_by_role("dialog", name="Reports")
    expect(reports.get_by_role("listitem").filter(has_text=text)).to_have_count(1)
    nothing_is_wrong(mod)
    mod.page.keyboard.press("Escape")
    operate("role", mod_name, "member")
    operate("mute", mod_name)
    mod.page.goto(f"{invited.url}#general")
    expect(mod.page.get_by_role("status").filter(has_text="You are muted")).to_be_visible()
    nothing_is_wrong(mod)
