"""Plain ``twisted.web``, as its tutorial has it: echoes the JSON of a POST, sends a constant.

It stores nothing and knows nobody.  ``python twisted_plain.py PORT default|none|file``: where
the access log goes.  By default nobody has set up any logging, yet ``Site`` words each line;
``none`` turns that off, ``file`` is what ``twistd`` does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.python import log
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

# What chatter sends for a poll with nothing unread.
CONSTANT = b'{"messages":[],"cursor":123456,"more":false}'


class Send(Resource):
    """Takes a text, sends what looks like chatter's message."""

    isLeaf = True  # noqa: N815

    def render_POST(self, request: Request) -> bytes:  # noqa: N802
        text = json.loads(request.content.read())["text"]
        message = {
            "id": 123456,
            "sender_id": 42,
            "recipient_id": None,
            "text": text,
            "sent_at": "2026-01-01T12:00:00.123456Z",
        }
        request.setHeader(b"Content-Type", b"application/json")
        return json.dumps(message).encode()


class Status(Resource):
    """Answers the same bytes to everybody."""

    isLeaf = True  # noqa: N815

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        request.setHeader(b"Content-Type", b"application/json")
        return CONSTANT


port, access_log = int(sys.argv[1]), sys.argv[2]
root = Resource()
root.putChild(b"send", Send())
root.putChild(b"status", Status())
site = Site(root)
if access_log == "file":
    log.startLogging(Path("access.log").open("a"))  # noqa: SIM115
elif access_log == "none":
    site.log = lambda _request: None
reactor.listenTCP(port, site, interface="127.0.0.1")
reactor.run()
