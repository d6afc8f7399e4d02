"""What requests leave behind: nothing that only the garbage collector would find.

It has to look at all that lives, and everybody waits meanwhile.
"""

from __future__ import annotations

import gc

import pytest
from twisted.internet.threads import deferToThread

from tests.web.real import calling, one_connection

REQUESTS = {
    "send": (200, "POST", "/send", {"text": "Hello."}),
    "poll": (200, "GET", "/status"),
    "not at once": (404, "POST", "/send-private", {"text": "Hello.", "recipient_id": 99}),
    "the store": (409, "POST", "/connect", {"name": "alice"}),
    "at once": (400, "POST", "/send", {"text": ""}),
}


def unreachable_after(request, status, connection):
    """How many objects are left in circles by what is asked many times."""

    def call():
        assert connection.call_now(request)[0] == status

    for _ in range(5):
        call()
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            call()
        return gc.collect()
    finally:
        gc.enable()


@pytest.mark.parametrize("name", REQUESTS)
async def test_requests_leave_no_circles(tmp_path, name):
    """Neither those that wait for the store, nor those that fail."""
    status, method, path, *body = REQUESTS[name]
    async with one_connection(tmp_path) as (chat, connection):
        _, token = await chat.connect("alice")
        request = calling(method, path, None if path == "/connect" else token, *body)
        assert await deferToThread(unreachable_after, request, status, connection) == 0
