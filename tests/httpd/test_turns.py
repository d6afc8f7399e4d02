"""What one connection, and one turn of the reactor, may take of the server's time."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from chatter.httpd import Limits, turns
from tests.httpd.support import Server, get


class Slow(Resource):
    """Takes a while for each request, by a clock of its own; notes whose it is."""

    isLeaf = True

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds
        self.now = 0.0
        self.seen = []

    def render(self, request):
        self.now += self.seconds
        self.seen.append(request.path.decode())
        return b"done"


@pytest.fixture
def slow(monkeypatch):
    resource = Slow(0.001)
    monkeypatch.setattr(turns, "monotonic", lambda: resource.now)
    monkeypatch.setattr("chatter.httpd.channel.monotonic", lambda: resource.now)
    monkeypatch.setattr(turns, "CONNECTION_SECONDS", 0.002)
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.01)
    return resource


def next_turn(server):
    """Run what is due now, but not what that makes due."""
    for call in [c for c in server.clock.getDelayedCalls() if c.getTime() <= server.clock.rightNow]:
        run, arguments = call.func, call.args
        call.cancel()
        run(*arguments)


def all_turns(server):
    server.clock.advance(0)


def test_one_connection_has_its_time_in_a_turn(slow):
    """Of many pipelined requests some get responses at once, and the rest in later turns."""
    server = Server(slow)
    connection = server.connect()
    connection.send(get("/a") * 10)
    assert len(slow.seen) == 3
    next_turn(server)
    assert len(slow.seen) == 6
    all_turns(server)
    assert len(connection.responses()) == 10


def test_others_have_their_turn_first(slow):
    """A request that comes while another connection's rest waits is served at once."""
    server = Server(slow)
    connection, other = server.connect(), server.connect()
    connection.send(get("/a") * 10)
    other.send(get("/b"))
    assert other.responses()
    assert slow.seen.count("/a") == 3


def test_a_turn_ends_however_many_have_more_to_do(slow):
    """Together they have one turn's time; whoever had none in it is the first in the next."""
    server = Server(slow)
    connections = [server.connect() for _ in range(10)]
    for number, connection in enumerate(connections):
        connection.send(get(f"/{number}") * 40)
    for _ in range(4):
        before, had = slow.now, len(slow.seen)
        next_turn(server)
        assert slow.now - before <= 0.010 + 0.003
        assert len(set(slow.seen[had:])) >= 3
    counts = [slow.seen.count(f"/{number}") for number in range(10)]
    assert max(counts) - min(counts) <= 8
    all_turns(server)
    assert all(len(connection.responses()) == 40 for connection in connections)


def test_what_comes_while_some_wait_goes_behind_them(slow):
    """The responses are in the order of the requests, also of those that came meanwhile."""
    server = Server(slow)
    connection = server.connect()
    connection.send(b"".join(get(f"/{number}") for number in range(8)))
    connection.send(get("/8"))
    connection.send(get("/9"))
    all_turns(server)
    assert slow.seen == [f"/{number}" for number in range(10)]


def test_a_client_whose_requests_wait_is_not_read(slow):
    """No more than a slice waits; reading goes on when it is done."""
    server = Server(slow)
    connection = server.connect()
    connection.send(get("/a") * 1000)
    assert connection.transport.producerState == "paused"
    all_turns(server)
    assert connection.transport.producerState == "producing"
    assert len(connection.responses()) == 1000


def test_who_goes_while_its_requests_wait_is_forgotten(slow):
    """Nothing is done for a connection that is lost."""
    server = Server(slow)
    connection = server.connect()
    connection.send(get("/a") * 10)
    connection.lose()
    all_turns(server)
    assert len(slow.seen) == 3
    assert server.clock.getDelayedCalls() == []


def test_a_failing_connection_does_not_stop_the_others(logged):
    """What one of those that wait raises is logged, and the others have their turn."""

    class Worker:
        turns = 0

        def take_turn(self):
            self.turns += 1
            raise ZeroDivisionError

    clock = Clock()
    waiting = turns.Turns(clock)
    workers = [Worker(), Worker()]
    for worker in workers:
        waiting.add(worker)
    clock.advance(0)
    assert [worker.turns for worker in workers] == [1, 1]
    assert [event["log_failure"].type for event in logged] == [ZeroDivisionError] * 2
    assert clock.getDelayedCalls() == []


def test_a_response_that_comes_later_lets_some_more_follow(slow):
    """Behind a request that had to wait for something, the same bound holds."""
    waiting: list[Deferred[None]] = []

    class SometimesLater(Slow):
        def render(self, request):
            super().render(request)
            if request.path == b"/later":
                done: Deferred[None] = Deferred()
                done.addCallback(lambda _: request.finish())
                waiting.append(done)
                return NOT_DONE_YET
            slow.now += self.seconds
            return b"done"

    resource = SometimesLater(0.001)
    server = Server(resource)
    connection = server.connect()
    connection.send(get("/later") + get("/a") * 10)
    waiting[0].callback(None)
    assert 1 <= resource.seen.count("/a") < 10
    all_turns(server)
    assert resource.seen.count("/a") == 10


def test_a_path_of_thousands_of_parts_is_not_looked_for(slow):
    """Each part would be looked up by itself: it gets 414, as a path that is too long."""
    server = Server(slow, limits=Limits(segments=10))
    [response] = server.exchange(get("/" * 10))
    assert response.status == 200
    [response] = server.exchange(get("/" * 11))
    assert response.status == 414
    assert len(slow.seen) == 1


def test_a_query_is_parsed_when_somebody_wants_its_parameters(slow, monkeypatch):
    """A resource that does not look at the parameters costs no parsing."""
    parsed: list[bytes] = []

    def parse(query, keep_blank_values):
        parsed.append(query)
        return {b"a": [b"1"]}

    monkeypatch.setattr("chatter.httpd.request.parse_qs", parse)
    server = Server(slow)
    server.exchange(get("/?a=1"))
    assert not parsed
    found: list[dict[bytes, list[bytes]]] = []

    def look(request):
        found.append(request.args)
        return b""

    slow.render = look
    server.exchange(get("/?a=1"), get("/"))
    assert found == [{b"a": [b"1"]}, {}]
    assert parsed == [b"a=1"]
