"""People who go on whatever happens to their servers, and what must hold for them at the end."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
import traceback

from tests.e2e.server import call

PATIENCE = 30
"""So many seconds people go on once they are to come to an end, until they have their responses."""


class Person(threading.Thread):
    """Somebody who goes on whatever happens to the servers.

    :param servers: whom to ask; the next one when one is away.
    :param over: an event that ends it.
    """

    def __init__(self, servers, connected, over):
        super().__init__(daemon=True)
        self._servers = itertools.cycle(servers)
        self.server = next(self._servers)
        self.token = connected["token"]
        self.user_id = connected["user_id"]
        self.name = connected["name"]
        self.cursor = connected["cursor"]
        self.over = over
        self.failure: str | None = None
        self._connection: http.client.HTTPConnection | None = None

    def run(self):
        try:
            while not self.over.is_set():
                self.do_something()
        except BaseException:  # noqa: BLE001 - the test raises it
            self.failure = traceback.format_exc()
        finally:
            self.hang_up()

    def do_something(self):
        raise NotImplementedError

    def go_elsewhere(self):
        self.hang_up()
        self.server = next(self._servers)
        time.sleep(0.01)

    def hang_up(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def try_once(self, method, path, body=None, headers=None, token=None):
        """The status and the response, or ``None`` if none came from a chat that can serve.

        :param token: another one than this person's own; empty for none.
        """
        token = self.token if token is None else token or None
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    "127.0.0.1", self.server.port, timeout=60
                )
            status, response = call(self._connection, method, path, token, body, headers)
        except (OSError, http.client.HTTPException, ValueError):
            self.go_elsewhere()
            return None
        if status == 503:
            self.go_elsewhere()
            return None
        return status, response

    def call(self, method, path, body=None, headers=None):
        """The response, or ``None`` if none came."""
        got = self.try_once(method, path, body, headers)
        if got is None:
            return None
        status, response = got
        assert status == 200, (status, response)
        return response

    def insist(self, method, path, body=None, headers=None, token=None, rejections=()):
        """Repeat a request until there is a response; its status, and the response.

        :param rejections: statuses other than 200 that are right.
        """
        deadline = None
        while (got := self.try_once(method, path, body, headers, token)) is None:
            if self.over.is_set():
                deadline = deadline or time.monotonic() + PATIENCE
                assert time.monotonic() < deadline, "the servers did not come back"
        status, response = got
        assert status == 200 or status in rejections, (status, path, response)
        return status, response


class Sender(Person):
    """Sends numbered texts, each until it is acknowledged, with a key of its own."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.acknowledged = []
        self.number = 0

    def do_something(self):
        text = f"<{self.user_id}:{self.number}>"
        key = f"{self.number}"
        _, message = self.insist("POST", "/send", {"text": text}, {"Idempotency-Key": key})
        assert message["text"] == text
        self.acknowledged.append((message["id"], text))
        self.number += 1


class Reader(Person):
    """Polls again and again.

    :cvar pause: so many seconds after each poll.

    :ivar read: the ids of the messages.
    :ivar gaps: what it was told that it has missed.
    """

    pause = 0.01

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.read = []
        self.gaps = []

    @property
    def path(self):
        """What it requests next."""
        raise NotImplementedError

    def do_something(self):
        page = self.call("GET", self.path)
        if page is not None:
            self.take(page)
            time.sleep(self.pause)

    def take(self, page):
        self.read += [message["id"] for message in page["messages"]]
        self.cursor = page["cursor"]
        if "gap" in page:
            self.gaps.append(page["gap"])

    def read_on(self):
        """Read all that there is now."""
        begun = None
        while begun != self.cursor:
            begun = self.cursor
            self.take(self.call("GET", self.path))


class LosslessReader(Reader):
    """Polls with ``after``, as a client does.

    :cvar query: what else is requested.
    """

    query = ""

    @property
    def path(self):
        return f"/status?after={self.cursor}&limit=1000{self.query}"


class PlainReader(Reader):
    """Polls plainly; after a crash it may read something twice, but misses nothing."""

    path = "/status?limit=1000"


def check_log(server, senders):
    """The log has each acknowledged message once, and each sender's in order; its ids."""
    log = read_log(server, senders[0].token)
    ids = [number for number, _ in log]
    assert ids == sorted(set(ids))
    acknowledged = [message for sender in senders for message in sender.acknowledged]
    assert set(acknowledged) == set(log)
    assert len(acknowledged) == len(log), "a retried send was appended twice"
    for sender in senders:
        own = [text for _, text in log if text.startswith(f"<{sender.user_id}:")]
        assert own == [f"<{sender.user_id}:{number}>" for number in range(len(own))]
    return ids


def read_log(server, token):
    """What somebody may read of all that is there, as pairs of ids and texts."""
    log = []
    page = {"cursor": 0, "more": True}
    while page["more"]:
        path = f"/status?after={page['cursor']}&limit=1000"
        _, page = server.request("GET", path, token)
        log += [(message["id"], message["text"]) for message in page["messages"]]
    return log
