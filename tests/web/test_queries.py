"""The parameters of URLs, which are kept for those who send the same again."""

from __future__ import annotations

import pytest
from twisted.web.resource import Resource

from chatter.web import ChatResource
from chatter.web.parsing import _KNOWN_QUERIES, _known_queries


def test_the_same_url_is_another_request(web):
    """What was parsed is kept, and nothing else."""
    alice = web.join("alice")
    for number in range(3):
        web.send(alice)
        assert len(web.call("GET", "/status?after=0", alice).json["messages"]) == number + 1
    users = web.call("GET", "/users?after=0", alice).json
    assert [user["name"] for user in users["users"]] == ["alice"]


@pytest.mark.parametrize("query", ["after=x", "after=1&after=2", "limit=0", "after=%ff"])
def test_what_is_wrong_stays_wrong(web, query):
    """Each time."""
    alice = web.join("alice")
    for _ in range(3):
        assert web.call("GET", f"/status?{query}", alice).status == 400


def test_not_too_many_are_kept(web):
    """Nor long ones."""
    alice = web.join("alice")
    for number in range(_KNOWN_QUERIES + 10):
        assert web.call("GET", f"/status?after={number}", alice).status == 200
    assert len(_known_queries) <= _KNOWN_QUERIES
    long = "x=" + "y" * 1000
    assert web.call("GET", f"/status?after=0&{long}", alice).status == 200
    assert max(len(raw) for _, raw in _known_queries) < 1000


class Rewriting(Resource):
    """A resource on the way that has the chat see other parameters, if it is told to."""

    after: bytes | None = None

    def __init__(self, chat):
        super().__init__()
        self.chat = ChatResource(chat)

    def getChild(self, path, request):
        if self.after is not None:
            request.args[b"after"] = [self.after]
        return self.chat.getChildWithDefault(path, request)


def test_a_resource_on_the_way_may_change_the_parameters(make_web, chat):
    """What it has made of them counts, whatever is known of the URL."""
    rewriting = Rewriting(chat)
    web = make_web(rewriting)
    alice = web.join("alice")
    for _ in range(3):
        web.send(alice)
    for after, count in ((None, 0), (b"0", 3), (b"1", 2), (None, 0)):
        rewriting.after = after
        page = web.call("GET", "/status?after=3", alice).json
        assert len(page["messages"]) == count
