"""When the client tries again, and when it stops."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatter.client import Retries, ServerUnreachable
from chatter.protocol.errors import InternalError, StoreUnavailable, TooManyRequests
from tests.client.support import Rig, Scripted, problem

MESSAGE = (
    200,
    {"Content-Type": "application/json"},
    b'{"id":1,"sender_id":1,"recipient_id":null,"text":"x","sent_at":"2026-01-01T00:00:00Z"}',
)
BUSY = problem("too-many-requests", 429, Retry_After="7")
AWAY = problem("store-unavailable", 503, Retry_After="1")


class Latest(Random):
    """Randomness that always waits as long as it may."""

    def uniform(self, a, b):
        return b


@given(
    failed=st.integers(1, 5000),
    elapsed=st.floats(0, 100),
    retry_after=st.integers(0, 100),
    seed=st.integers(),
)
def test_a_wait_is_bounded(failed, elapsed, retry_after, seed):
    """It is at least what the server requests, at most the cap longer, and within patience."""
    retries = Retries(attempts=4000, patience=60, first_wait=0.5, longest_wait=10)
    wait = retries.wait(failed, elapsed, retry_after, Random(seed))
    if wait is None:
        assert failed >= 4000 or elapsed + retry_after + 10 > 60
    else:
        assert failed < 4000
        assert retry_after <= wait <= retry_after + 10
        assert elapsed + wait <= 60


def test_the_ceiling_of_waits_doubles_up_to_the_cap():
    """Each wait may be twice as long as the one before, until the longest."""
    retries = Retries(attempts=8, patience=1000, first_wait=0.5, longest_wait=5)
    waits = [retries.wait(failed, 0, 0, Latest()) for failed in range(1, 8)]
    assert waits == [0.5, 1, 2, 4, 5, 5, 5]


def test_waits_are_spread_over_their_whole_range():
    """Full jitter: clients that failed together don't come back together."""
    waits = [Retries().wait(5, 0, 0, Random(seed)) or 0.0 for seed in range(200)]
    assert min(waits) < 0.5
    assert max(waits) > 7


@pytest.mark.parametrize("response", [BUSY, AWAY])
def test_a_busy_server_is_asked_again(response):
    """429 and 503 mean later: the caller gets the response that comes in the end."""
    server = Scripted(response, response, MESSAGE)
    rig = Rig(server)
    assert rig.result(rig.client(token="t").send("x")).id == 1
    assert server.requests == 3


def test_retry_after_is_waited_for():
    """No attempt comes earlier than the server requested."""
    rig = Rig(Scripted(BUSY, BUSY, MESSAGE))
    rig.result(rig.client(token="t").send("x"))
    first, second, third = rig.times
    assert second - first >= 7
    assert third - second >= 7


def test_a_retry_has_the_key_of_the_first_attempt():
    """All attempts of one send carry one key, and another send another."""
    rig = Rig(Scripted(AWAY, AWAY, MESSAGE))
    client = rig.client(token="t")
    rig.result(client.send("x"))
    rig.result(client.send("x"))
    keys = [value[0] for value in rig.headers(b"Idempotency-Key")]
    assert len(set(keys[:3])) == 1
    assert keys[3] != keys[0]


def test_it_gives_up_after_so_many_attempts():
    """When no attempt is left, the last error of the server is raised."""
    server = Scripted(AWAY)
    rig = Rig(server)
    with pytest.raises(StoreUnavailable) as caught:
        rig.result(rig.client(token="t", retries=Retries(attempts=4)).send("x"))
    assert caught.value.retry_after == 1
    assert server.requests == 4


def test_it_gives_up_when_it_would_take_too_long():
    """A wait that goes beyond the patience is not begun."""
    rig = Rig(Scripted(problem("too-many-requests", 429, Retry_After="3600")))
    with pytest.raises(TooManyRequests) as caught:
        rig.result(rig.client(token="t").send("x"), within=0.5)
    assert caught.value.retry_after == 300


def test_patience_spans_all_attempts():
    """However many attempts there are, none begins later than the patience says."""
    rig = Rig(Scripted(AWAY))
    retries = Retries(attempts=1000, patience=20)
    with pytest.raises(StoreUnavailable):
        rig.result(rig.client(token="t", retries=retries).send("x"))
    # The test's clock goes in steps of a quarter of a second.
    assert 10 < rig.times[-1] <= 20.25


def test_a_failover_is_outlasted():
    """However many attempts it takes, a server that is back within two minutes is reached."""
    rig = Rig(Scripted(MESSAGE))
    rig.agent.refuse = 10**6
    _, results = rig.start(rig.client(token="t").send("x"))
    while rig.clock.seconds() < 100:
        rig.pass_time(0.25)
    assert results == []
    rig.agent.refuse = 0
    rig.pass_time(10)
    assert results[0].id == 1
    assert len(rig.times) > 6


class Heard:
    """Hears whether the server can be reached."""

    def __init__(self):
        self.errors: list[Exception] = []
        self.found_at: list[int] = []

    def lost(self, error):
        self.errors.append(error)

    def found(self):
        self.found_at.append(len(self.errors))


def test_a_watcher_hears_of_attempts_that_fail():
    """While a request is tried again its caller can tell the person who waits."""
    heard = Heard()
    rig = Rig(Scripted(AWAY, AWAY, MESSAGE))
    client = rig.client(token="t", watcher=heard)
    rig.result(client.send("x"))
    rig.result(client.send("x"))
    assert [type(error) for error in heard.errors] == [StoreUnavailable] * 2
    assert heard.found_at == [2]


def test_refused_connections_are_tried_again():
    """A server that starts a little later is reached."""
    rig = Rig(Scripted(MESSAGE))
    rig.agent.refuse = 3
    assert rig.result(rig.client(token="t").send("x")).id == 1


def test_a_server_that_never_comes_is_unreachable():
    """Connections that are refused to the end are one clear error."""
    rig = Rig(Scripted(MESSAGE))
    rig.agent.refuse = 100
    with pytest.raises(ServerUnreachable, match="can't be reached: Connection was refused") as e:
        rig.result(rig.client(token="t").send("x"))
    assert not e.value.may_have_arrived


def test_a_defect_of_the_server_is_not_tried_again():
    """Other errors are final: they would only come again."""
    server = Scripted(problem("internal-error", 500))
    rig = Rig(server)
    with pytest.raises(InternalError):
        rig.result(rig.client(token="t").send("x"))
    assert server.requests == 1


@pytest.mark.parametrize("slug", ["store-unavailable", "too-many-requests"])
def test_joining_is_tried_again_when_the_server_was_busy(slug):
    """Whom a busy server turned away has certainly not joined, and tries again."""
    connected: tuple[int, dict[str, str], bytes] = (
        200,
        {},
        b'{"status":"success","user_id":1,"name":"a","cursor":0,"token":"t"}',
    )
    server = Scripted(problem(slug, 503, Retry_After="1"), connected)
    rig = Rig(server)
    assert rig.result(rig.client().connect()).token == "t"
    assert server.requests == 2
