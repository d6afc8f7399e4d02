"""The server goes away and comes back; the page stays calm, and is current afterwards."""

from __future__ import annotations

import shutil

from playwright.sync_api import expect

from tests.page.others import filled, new_text, send, texts_of
from tests.page.people import eventually, new_name, people_in
from tests.postgres.proxy import Proxy


def test_a_short_loss_is_nobodys_concern(own_people, own_server):
    """A restart shows nothing, and what is said afterwards is there."""
    tab, _ = own_people.join("alice")
    other, _ = own_people.join("bob")
    tab.say("before")
    other.reads("before")
    tab.page.evaluate(
        """() => {
          window.said = "";
          const text = document.querySelector("#banner-text");
          new MutationObserver(() => { window.said += text.textContent; })
            .observe(text, { characterData: true, childList: true, subtree: true });
        }"""
    )
    # However long the start takes, to the page the loss is short.
    tab.stop_clock()
    with tab.page.expect_event("requestfailed"):
        own_server.kill()
    own_server.start()
    requests = []
    tab.page.on("request", lambda request: requests.append(request.url))

    # The time counts from when the page has noticed.
    def goes_on():
        tab.page.clock.run_for(100)
        return any("/events?" in url for url in requests)

    with tab.page.expect_response("**/events?*"):
        eventually(tab.page, goes_on)
    tab.page.clock.resume()
    other.say("after")
    tab.reads("after")
    assert tab.page.evaluate("window.said") == ""


def test_a_long_loss_is_said(own_people, own_server):
    """After five seconds there is a banner, which goes when the server is back."""
    tab, _ = own_people.join("alice")
    tab.page.clock.install()
    own_server.kill()
    banner = tab.page.get_by_role("status").filter(has_text="The connection is lost.")

    # The time counts from when the page has noticed.
    def is_said():
        tab.page.clock.fast_forward(1000)
        return banner.is_visible()

    eventually(tab.page, is_said)
    # By itself the page does not try again before the button is clicked.
    tab.stop_clock()
    tab.say("in the dark")
    own_server.start()
    tab.page.get_by_role("button", name="Try now").click()
    expect(tab.page.locator("#banner")).to_be_hidden()
    tab.page.clock.resume()
    tab.has_sent_everything()
    tab.reads("in the dark")


def test_a_page_that_is_opened_while_the_server_is_away(browser, own_server):
    """It says so, and goes on when the server is there."""
    with people_in(browser, f"{own_server.url}/") as people:
        tab, name = people.join("alice")
        tab.page.route("**/chats?*", lambda route: route.abort())
        tab.page.reload()
        waiting = tab.page.get_by_role("status").filter(has_text="cannot be reached")
        expect(waiting).to_be_visible()
        tab.page.unroute("**/chats?*")
        expect(tab.page.get_by_role("navigation")).to_contain_text(name)
        expect(waiting).to_be_hidden()


def test_a_network_that_hangs(browser, own_server):
    """Nothing comes through for a while: then all of it does, once."""
    with (
        Proxy(own_server.port) as proxy,
        people_in(browser, f"http://127.0.0.1:{proxy.port}/") as people,
    ):
        tab, _ = people.join("alice")
        writer = filled(own_server, 1)
        tab.reads(f"{writer['name']}: 0")
        proxy.hold()
        tab.say("through the jam")
        send(own_server, writer, "meanwhile")
        # Without the jam both would be through long before.
        tab.page.wait_for_timeout(500)
        expect(tab.pending).to_have_count(1)
        expect(tab.message("meanwhile")).to_have_count(0)
        assert "through the jam" not in texts_of(own_server)
        proxy.resume()
        tab.has_sent_everything()
        tab.reads("meanwhile")
        tab.reads("through the jam")


def test_a_slow_network(own_people, own_server):
    """What is written comes in its order and once, and nothing is said of a loss."""
    tab, _ = own_people.join("alice")
    session = tab.page.context.new_cdp_session(tab.page)
    slow = {"offline": False, "latency": 400, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", slow)
    texts = [f"slow {number}" for number in range(3)]
    for text in texts:
        tab.say(text)
    expect(tab.texts).to_have_text(texts)
    tab.has_sent_everything()
    expect(tab.page.locator("#banner")).to_be_hidden()
    assert texts_of(own_server) == texts


def test_a_dead_connection_is_replaced(browser, own_server):
    """A stream that has been silent for too long is not waited for."""
    with (
        Proxy(own_server.port) as proxy,
        people_in(browser, f"http://127.0.0.1:{proxy.port}/") as people,
    ):
        context = people.browser()
        tab = people.tab(context)
        tab.page.clock.install()
        tab.join("alice")
        writer = filled(own_server, 1)
        tab.reads(f"{writer['name']}: 0")
        proxy.hold()
        send(own_server, writer, "unheard")
        tab.page.clock.fast_forward(46_000)
        # The dead one is given up; a new one gets through.
        proxy.cut()
        proxy.resume()
        tab.page.clock.fast_forward(3_000)
        tab.reads("unheard")


def test_the_missed_messages_of_a_long_absence(memory_people, memory_server):
    """A page that comes back after thousands of messages shows the newest, and goes on."""
    tab, _ = memory_people.join("alice")
    expect(tab.box).to_be_visible()
    tab.hide(hidden=True)
    writer = filled(memory_server, 6000)
    tab.page.evaluate("Date.now = (now => () => now() + 60000)(Date.now)")
    tab.hide(hidden=False)
    tab.reads(f"{writer['name']}: 5999")
    send(memory_server, writer, "and then")
    tab.reads("and then")


def test_a_log_that_was_restored(own_people, own_server):
    """What the backup does not have goes; what is new has the same ids, and is there."""
    tab, _ = own_people.join("alice")
    writer = own_server.connect("writer")
    send(own_server, writer, "before the backup")
    tab.reads("before the backup")
    own_server.stop()
    database = own_server.folder / "chatter.sqlite"
    backup = own_server.folder / "backup.sqlite"
    shutil.copy(database, backup)
    own_server.start()
    for text in ("lost", "lost as well"):
        send(own_server, writer, text)
        tab.reads(text)
    tab.box.fill("a draft")
    # Nor does the page begin anew before all is there.
    tab.page.context.set_offline(True)
    own_server.kill()
    for file in own_server.folder.glob("chatter.sqlite*"):
        file.unlink()
    shutil.copy(backup, database)
    own_server.start()
    for text in ("new", "newer"):
        send(own_server, writer, text)
    tab.page.context.set_offline(False)
    expect(tab.texts).to_have_text(["before the backup", "new", "newer"])
    expect(tab.box).to_have_value("a draft")
    send(own_server, writer, "newest")
    tab.reads("newest")
    expect(tab.chat("General")).to_contain_text("newest")


def test_a_node_that_lags_behind_another(people, server):
    """The chats came from a node that is ahead of the one with the feed: that is the same log."""
    tab, _ = people.join("alice")
    writer = server.connect(new_name("writer"))
    asked = []

    def ahead(route):
        asked.append(route.request.url)
        response = route.fetch()
        chats = response.json()
        route.fulfill(response=response, json={**chats, "last_id": chats["last_id"] + 1})

    tab.page.route("**/chats?*", ahead)
    with tab.page.expect_request("**/events?*"):
        tab.page.reload()
    expect(tab.box).to_be_visible()
    first, second = map(new_text, ("first", "second"))
    send(server, writer, first)
    tab.reads(first)
    send(server, writer, second)
    tab.reads(second)
    assert len(asked) == 1
