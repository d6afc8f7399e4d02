"""Hours of use in seconds: people come and go, write, edit; the page is hidden, and cut off.

What a page holds then is what it held before: memory, elements, listeners and requests.
"""

from __future__ import annotations

import itertools
import json

from tests.page.others import filled, id_of, new_text, send
from tests.page.people import LONG_PATIENCE, eventually, new_name, people_in
from tests.postgres.proxy import Proxy

# Until as many elements and messages are there as the page keeps.
WARM_UP = 3
CYCLES = 6

ids = itertools.count(1_000_000)


class Churn:
    """Somebody's tab, behind a proxy, and a friend who writes to it.

    :ivar open: the requests that have begun and not ended, by their paths.
    """

    def __init__(self, people, server, proxy):
        self.server = server
        self.proxy = proxy
        self.tab, name = people.join("alice")
        self.page = self.tab.page
        self.friend = server.connect(new_name("friend"))
        self.alice = id_of(server, self.friend, name)
        self.open = []
        self.page.on("request", self._began)
        for end in ("requestfinished", "requestfailed"):
            self.page.on(end, self._ended)
        self.page.route("**/users?online=true*", others_are_online)
        self.session = self.page.context.new_cdp_session(self.page)

    def _began(self, request):
        self.open.append(request)

    def _ended(self, request):
        if request in self.open:
            self.open.remove(request)

    def once(self):
        """What happens in some minutes of a busy chat."""
        people = filled(self.server, 40)
        self.tab.reads(f"{people['name']}: 39", LONG_PATIENCE)
        first = send(self.server, self.friend, new_text("to you"), self.alice)
        self.tab.go_to(self.friend["name"])
        self.tab.reads(first["text"])
        body = {"message_id": first["id"], "text": new_text("edited")}
        status, _ = self.server.request("POST", "/edit", self.friend["token"], body)
        assert status == 200
        said = new_text("thanks")
        self.tab.say(said)
        self.tab.reads(said)
        self.tab.go_to("General")
        self.tab.hide(hidden=True)
        self.proxy.cut()
        missed = send(self.server, self.friend, new_text("missed"))
        self.tab.hide(hidden=False)

        # As a browser says that the network is there again: there is no pause to wait for.
        def is_back():
            self.page.evaluate("dispatchEvent(new Event('online'))")
            return self.tab.message(missed["text"]).count() == 1

        eventually(self.page, is_back, LONG_PATIENCE)

    def held(self):
        """What the page holds, after its garbage was collected."""
        for _ in range(3):
            self.session.send("HeapProfiler.collectGarbage")
        counters = self.session.send("Memory.getDOMCounters")
        heap = self.session.send("Runtime.getHeapUsage")
        return {
            "kilobytes": heap["usedSize"] // 1000,
            "nodes": counters["nodes"],
            "listeners": counters["jsEventListeners"],
            "streams": sum("/events?" in request.url for request in self.open),
        }


def others_are_online(route):
    """Fifty people who were not there before."""
    users = [{"id": next(ids), "name": "somebody", "online": True} for _ in range(50)]
    route.fulfill(json={"users": users, "more": True})


def test_a_page_holds_after_hours_what_it_held_before(browser, own_server):
    """Neither people, messages and edits, nor lost connections and hidden times leave anything."""
    with (
        Proxy(own_server.port) as proxy,
        people_in(browser, f"http://127.0.0.1:{proxy.port}/") as people,
    ):
        churn = Churn(people, own_server, proxy)
        for _ in range(WARM_UP):
            churn.once()
        before = churn.held()
        for _ in range(CYCLES):
            churn.once()
        after = churn.held()
        told = json.dumps([before, after])
        assert after["streams"] <= before["streams"] == 1, told
        assert after["nodes"] - before["nodes"] < 200, told
        assert after["listeners"] - before["listeners"] < 4, told
        assert after["kilobytes"] - before["kilobytes"] < 1000, told
