"""What the pages of other sites can do to somebody who uses the chat: nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.page.others import new_text, texts_of
from tests.page.people import eventually
from tests.page.site import OtherSite


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_site_can_do_nothing(people, server, host):
    """Neither another port, which has the same cookies, nor another host reads or sends."""
    other, other_name = people.join("bob")
    tab, name = people.join("alice")
    tab.go_to(other_name)
    text = new_text("unread")
    other.say(text)
    expect(tab.chat("General").locator(".badge")).to_have_text("1")
    with OtherSite(people.url) as site:
        attack = tab.page.context.new_page()
        attack.goto(f"http://{host}:{site.port}/")
        done = attack.evaluate("all")
        expect(attack.frame_locator("iframe").first.get_by_role("textbox")).to_have_count(0)
        attack.close()
    assert len(done) == 19
    # Nothing could be read; what was sent without looking at the response has done nothing.
    assert not [entry for entry in done if entry[1] not in {"opaque", "refused"}], done
    assert not [sent for sent in texts_of(server) if "forged" in sent]
    # Nothing was marked as read, no position moved, and nobody was signed out.
    tab.page.reload()
    expect(tab.page.get_by_role("navigation")).to_contain_text(name)
    expect(tab.chat("General").locator(".badge")).to_have_text("1")


def test_the_page_runs_no_other_script(people):
    """The policy of the page refuses what somebody might get into it."""
    tab, _ = people.join("alice")
    outcome = tab.page.evaluate(
        """() => {
          const tried = [];
          try { document.body.innerHTML = "<b>x</b>"; tried.push("html"); } catch { }
          const script = document.createElement("script");
          try { script.textContent = "window.ran = true"; document.body.append(script); } catch { }
          return [tried, window.ran];
        }"""
    )
    assert outcome == [[], None]
    # The browser says of both that it has blocked them, which it may do later.
    eventually(tab.page, lambda: len(tab.complaints) >= 2)
    tab.complaints.clear()
