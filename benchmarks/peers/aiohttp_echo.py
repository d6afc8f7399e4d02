"""aiohttp on uvloop: echoes the JSON of a POST, sends a constant; stores nothing.

``python aiohttp_echo.py PORT``.  It writes no access log.
"""

from __future__ import annotations

import sys

import uvloop
from aiohttp import web

# What chatter sends for a poll with nothing unread.
CONSTANT = b'{"messages":[],"cursor":123456,"more":false}'


async def send(request: web.Request) -> web.Response:
    text = (await request.json())["text"]
    return web.json_response(
        {
            "id": 123456,
            "sender_id": 42,
            "recipient_id": None,
            "text": text,
            "sent_at": "2026-01-01T12:00:00.123456Z",
        }
    )


async def status(_request: web.Request) -> web.Response:
    return web.Response(body=CONSTANT, content_type="application/json")


app = web.Application()
app.router.add_post("/send", send)
app.router.add_get("/status", status)
web.run_app(
    app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, loop=uvloop.new_event_loop()
)
