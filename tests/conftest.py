"""What every test is watched for: it leaves nothing behind in the reactor."""

from __future__ import annotations

import gc
import signal
import threading
from itertools import chain, zip_longest
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from xdist.scheduler import LoadScopeScheduling

from chatter.testing import memory_chat
from tests.postgres.server import PostgresServer

# A shell that runs the tests in the background has them ignore it, and with them all the
# servers that they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# An example takes longer on a machine that has much else to do.  Every run has the same examples,
# so that none fails by chance; ``--hypothesis-seed=random`` looks at others.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


# What takes longest begins first, so that in the end no worker waits for another one.
INSTALLING = ("packaging",)
WAITING = ("postgres", "e2e", "examples", "client")
BUSY = ("page", "eventsource", "schemathesis", "property")


def pytest_collection_modifyitems(items):
    """Put the files of the folders that take longest first.

    Those in which servers and databases are waited for take turns with those that keep the
    processors busy, such as browsers, so that the workers do some of both at any time.
    """
    files: dict[Any, list[Any]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)

    def of(folders):
        found = [file for file in files if file.parent.name in folders]
        return sorted(found, key=lambda file: folders.index(file.parent.name))

    in_turn = chain.from_iterable(zip_longest(of(BUSY), of(WAITING)))
    order = dict.fromkeys([*of(INSTALLING), *filter(None, in_turn), *files])
    items[:] = chain.from_iterable(files[file] for file in order)


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """Gives the workers whole files, for the tests of a file may share a server.

    Those of the packaging go to one: they share a checkout, whose environment takes long to make.
    """

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return "packaging" if file.startswith("tests/packaging/") else file

    def remove_node(self, node):
        """Have what a worker has not done be done by others, but for the test that has ended it.

        That has hung, most likely, and would hang in each of them.
        """
        for tests in self.assigned_work[node].values():
            for test, is_done in tests.items():
                if not is_done:
                    tests[test] = True
                    super().remove_node(node)
                    return test
        return super().remove_node(node)


def pytest_collection_finish(session):
    """Have later collections of garbage pass over what the imports have made, for good."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def nothing_open_in_the_garbage():
    """Fail a file whose tests leave something open that nobody has any more.

    It warns when it is collected, which without this would be in another file.
    """
    yield
    gc.collect()


def pytest_xdist_make_scheduler(config, log):
    return Together(config, log)


@pytest.fixture
def logged():
    """What is logged."""
    events: list[Any] = []
    observe: Any = events.append
    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """Fail a test that leaves a DelayedCall, a reader, a writer or a thread.

    What was left is taken out of the reactor, so that it does not begin anew in the tests that
    follow, and one fault makes one test fail.
    """
    calls = set(reactor.getDelayedCalls())
    selectables = set(reactor.getReaders()) | set(reactor.getWriters())
    threads = set(threading.enumerate())
    yield
    left_calls = [call for call in reactor.getDelayedCalls() if call not in calls]
    left = {
        selectable
        for selectable in (set(reactor.getReaders()) | set(reactor.getWriters())) - selectables
        # The reactor makes its own when it first runs.
        if not type(selectable).__name__.endswith("Waker")
    }
    left_threads = [
        thread
        for thread in threading.enumerate()
        # A pool of threads is named after its owner: PoolThread-chatter SQLite writer-1.
        if "chatter" in thread.name and thread not in threads
    ]
    told = [
        *(f"DelayedCall: {call}" for call in left_calls),
        *(f"reader or writer: {selectable}" for selectable in left),
        *(f"thread: {thread}" for thread in left_threads),
    ]
    for call in left_calls:
        call.cancel()
    for selectable in left:
        either: Any = selectable
        reactor.removeReader(either)
        reactor.removeWriter(either)
    assert not told, f"left behind: {told}"


@pytest.fixture
def clock():
    """Time that the test moves; it is some day of 2023."""
    clock = Clock()
    clock.advance(1_700_000_000)
    return clock


@pytest.fixture
def chat(clock):
    """A chat in memory, open."""
    return memory_chat(clock)


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL server; a test that stops it starts it again."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database(postgres):
    """The name of an empty database of the test's own."""
    with postgres.lent_database() as name:
        yield name
