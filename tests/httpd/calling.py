"""A resource that is a function, and what comes of a request to it."""

from __future__ import annotations

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.httpd.support import Server, get


class Calling(Resource):
    """Responds with what a function makes of the request."""

    isLeaf = True

    def __init__(self, response):
        super().__init__()
        self.response = response
        self.requests = []

    def render(self, request):
        self.requests.append(request)
        return self.response(request)


def response_of(response, raw=None, **options):
    """The one response that a function gives to a request."""
    [found] = Server(Calling(response), **options).exchange(raw or get("/a/b?c=d"))
    return found


def failures(logged):
    return [event["log_failure"].type for event in logged if event.get("log_failure")]


def made(raw, *, stock=False, **options):
    """A request as a resource gets it, which has no response yet."""
    resource = Calling(lambda _: NOT_DONE_YET)
    server = Server(resource, stock=stock, **options)
    connection = server.connect()
    connection.send(raw)
    [request] = resource.requests
    return request, connection
