"""A resource whose responses are held back, and time by hand."""

from __future__ import annotations

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from chatter.httpd import Limits

LIMITS = Limits(idle=60, receive=40, stall=30, linger=5)


class Held(Resource):
    """Responds when it is told to."""

    isLeaf = True

    def __init__(self):
        super().__init__()
        self.requests = []
        self.ends = []

    def render(self, request):
        self.requests.append(request)
        request.notifyFinish().addBoth(lambda result: self.ends.append((request.uri, result)))
        return NOT_DONE_YET


def advance(server, seconds):
    server.clock.pump([1] * seconds)
