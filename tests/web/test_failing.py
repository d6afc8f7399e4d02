"""A defect of ours: the client is told, or let go, and others are served."""

from __future__ import annotations

import asyncio
import json

import pytest
from twisted.internet.defer import CancelledError, Deferred

from chatter.protocol.errors import NotFound
from chatter.web.endpoint import JSONResource
from chatter.web.responses import Response
from tests.httpd.calling import failures
from tests.httpd.support import Server, get


class Waiting(JSONResource):
    """Responds when it may, with what a function returns or raises."""

    isLeaf = True
    methods = (b"GET",)

    def __init__(self, outcome):
        super().__init__()
        self.outcome = outcome
        self.may_go_on: Deferred[None] = Deferred()

    async def respond(self, request):
        await self.may_go_on
        return self.outcome()


class AtOnce(Waiting):
    """Answers at once."""

    async def respond(self, request):
        return self.outcome()


@pytest.mark.parametrize("kind", [Waiting, AtOnce])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("It is not here."), 404),
        (ZeroDivisionError(), 500),
        # Raised by what an application waits for, and not because the client is gone.
        (CancelledError(), 500),
        # No ``Exception``.
        (asyncio.CancelledError(), 500),
    ],
)
def test_what_is_raised_gets_a_response(kind, error, status, logged):
    """A problem of the chat as itself, anything else as 500; that is logged."""

    def fail():
        raise error

    resource = kind(fail)
    connection = Server(resource).connect()
    connection.send(get())
    resource.may_go_on.callback(None)
    [response] = connection.responses()
    assert (response.status, json.loads(response.body)["status"]) == (status, status)
    assert failures(logged) == ([type(error)] if status == 500 else [])
    connection.lose()


def test_who_can_get_no_response_is_cut_off(logged):
    """Or the client would wait for ever."""

    def begin(request):
        request.write(b"begun")
        raise ZeroDivisionError

    resource = Waiting(lambda: Response(b"", begin=begin))
    connection = Server(resource).connect()
    connection.send(get())
    resource.may_go_on.callback(None)
    assert connection.transport.aborted
    assert failures(logged) == [ZeroDivisionError]
    connection.lose()


def test_who_is_gone_gets_no_response(logged):
    """The work goes on to its end."""
    done = []

    def work():
        done.append(1)
        return Response(b"")

    resource = Waiting(work)
    connection = Server(resource).connect()
    connection.send(get())
    connection.lose()
    resource.may_go_on.callback(None)
    assert done
    assert not failures(logged)
