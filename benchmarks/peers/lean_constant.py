"""chatter's HTTP server with a resource that sends the same bytes to everybody.

``python lean_constant.py PORT``.  It shows what of a request is HTTP's, and not the chat's.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from chatter.httpd import LeanSite

FIELDS = ((b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store"))
BODY = b'{"messages":[],"cursor":123456,"more":false}'


class Constant(Resource):
    """Answers at once, in one write."""

    isLeaf = True  # noqa: N815

    def render(self, request: Any) -> int:
        request.respond(FIELDS, BODY)
        return NOT_DONE_YET


root = Resource()
for path in (b"status", b"send"):
    root.putChild(path, Constant())
site = LeanSite(root, reactor)
site.sockets.take_over(reactor.listenTCP(int(sys.argv[1]), site, interface="127.0.0.1"))
gc.collect()
gc.freeze()
reactor.run()
