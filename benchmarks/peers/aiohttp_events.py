"""aiohttp: ``POST /send`` writes a message to all event streams of ``GET /events``.

``python aiohttp_events.py PORT``.  It runs on asyncio's own loop.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from contextlib import suppress
from datetime import datetime, timezone

from aiohttp import web

HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}

listeners: set[web.StreamResponse] = set()
ids = itertools.count(1)


async def send(request: web.Request) -> web.Response:
    message = {
        "id": next(ids),
        "sender_id": 42,
        "recipient_id": None,
        "text": (await request.json())["text"],
        "sent_at": datetime.now(timezone.utc).isoformat(),
    }
    event = f"id: {message['id']}\nevent: message\ndata: {json.dumps(message)}\n\n".encode()
    for listener in tuple(listeners):
        # One that has just gone.
        with suppress(ConnectionError):
            await listener.write(event)
    return web.json_response(message)


async def events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    await response.write(b"retry: 1000\n\n")
    listeners.add(response)
    try:
        await asyncio.Event().wait()
    finally:
        listeners.discard(response)
    return response


app = web.Application()
app.router.add_post("/send", send)
app.router.add_get("/events", events)
web.run_app(
    app,
    host="127.0.0.1",
    port=int(sys.argv[1]),
    access_log=None,
    backlog=4096,
    handler_cancellation=True,
    print=None,
)
