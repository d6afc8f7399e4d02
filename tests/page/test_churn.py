"""Hours of use in seconds: people come and go, write, edit; the page is hidden, and cut off.

What a page holds then is what it held before: memory, elements, listeners and requests. How many
messages are elements depends on when frames were drawn, so these have a bound of their own.
"""

from __future__ import annotations

import itertools

from tests.page.others import filled, id_of, new_text, send
from tests.page.people import eventually, new_name, people_in
from tests.postgres.proxy import Proxy

# Until as many elements and messages are there as the page keeps.
WARM_UP = 3
CYCLES = 6

# By so much more may be held after the cycles: by less than one row of a message for each.
TOLERANCE = {"kilobytes": 1000, "nodes": 60, "listeners": 3, "streams": 0}

# As in log.js, on a screen of this height.
MOST_ROWS = 160

DRAWN = "() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))"

NODES = """(selector) => {
  const nodes = document.createTreeWalker(document.querySelector(selector));
  let count = 0;
  while (nodes.nextNode()) count++;
  return count;
}"""

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
        self.tab.reads(f"{people['name']}: 39")
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

        eventually(self.page, is_back)

    def held(self):
        """What the page holds, after its garbage was collected: without messages that it shows."""
        # What was removed is held until then.
        self.page.evaluate(DRAWN)
        for _ in range(3):
            self.session.send("HeapProfiler.collectGarbage")
        counters = self.session.send("Memory.getDOMCounters")
        heap = self.session.send("Runtime.getHeapUsage")
        return {
            "kilobytes": heap["usedSize"] // 1000,
            "nodes": counters["nodes"] - self.page.evaluate(NODES, "#messages"),
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
        eventually(churn.page, lambda: churn.held()["streams"] == 1)
        before = churn.held()
        for _ in range(CYCLES):
            churn.once()
        held = []

        # What is still in use may be garbage a moment later.
        def is_no_more():
            now = churn.held()
            held.append({what: now[what] - before[what] for what in now})
            return all(held[-1][what] <= most for what, most in TOLERANCE.items())

        eventually(churn.page, is_no_more, told=lambda: f"More than {before}: {held[-1]}")
        assert churn.page.locator("#messages .message").count() <= MOST_ROWS
