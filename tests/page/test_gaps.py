"""Messages that the server does not keep any more."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.page.others import filled, new_text, send
from tests.page.people import eventually, route_first


def test_the_beginning_of_what_is_kept(people, server):
    """Above the oldest message the page says that there were others."""
    filled(server, 3)
    tab, _ = people.join("alice")

    def cut(route):
        response = route.fetch()
        page = {**response.json(), "more": False, "kept_after": 1}
        route.fulfill(response=response, body=json.dumps(page))

    tab.page.route("**/status?chat_type=general*", cut)
    tab.page.reload()
    expect(tab.log).to_contain_text("What was written before is no longer kept.")


def test_a_gap_is_no_end(people, server):
    """Who was away for too long gets what there is, and goes on from there."""
    tab, _ = people.join("alice")
    writer = filled(server, 2)
    tab.reads(f"{writer['name']}: 1")
    # The gap is for another tab, and this one could be in need of a stream.
    tab.page.close()
    context = tab.page.context
    gap = 'retry: 1000\n\nid: 7\nevent: gap\ndata:{"after":1,"until":7}\n\n'
    headers = {"Content-Type": "text/event-stream"}
    route_first(context, "**/events?*", lambda route: route.fulfill(body=gap, headers=headers))
    loads = []
    context.on("request", lambda request: loads.append("/chats?" in request.url))
    tab = people.tab(context)
    # Once at the beginning, and once after the gap.
    eventually(tab.page, lambda: loads.count(True) == 2)
    text = new_text("after the gap")
    send(server, writer, text)
    tab.reads(text)
    tab.reads(f"{writer['name']}: 1")
    assert loads.count(True) == 2
