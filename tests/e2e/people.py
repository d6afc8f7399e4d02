"""People who go on whatever happens to their servers, and what must hold for them at the end."""

from __future__ import annotations

import http.client
import itertools
import threading
import time

from tests.e2e.server import ask


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
        self.cursor = connected["cursor"]
        self.over = over
        self.failure: BaseException | None = None
        self._connection: http.client.HTTPConnection | None = None

    def run(self):
        try:
            while not self.over.is_set():
                self.do_something()
        except BaseException as failure:  # noqa: BLE001 - the test raises it
            self.failure = failure
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

    def ask(self, method, path, body=None, headers=None):
        """The response, or ``None`` if none came."""
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    "127.0.0.1", self.server.port, timeout=60
                )
            status, response = ask(self._connection, method, path, self.token, body, headers)
        except (OSError, http.client.HTTPException, ValueError):
            self.go_elsewhere()
            return None
        if status == 503:
            self.go_elsewhere()
            return None
        assert status == 200, (status, response)
        return response


class Sender(Person):
    """Sends numbered texts, each until it is acknowledged, with a key of its own."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.acknowledged = []
        self.number = 0

    def do_something(self):
        text = f"{self.user_id}:{self.number}"
        while not self.over.is_set():
            response = self.ask(
                "POST", "/send", body={"text": text}, headers={"Idempotency-Key": text}
            )
            if response is not None:
                assert response["text"] == text
                self.acknowledged.append((response["id"], text))
                break
        self.number += 1


class LosslessReader(Person):
    """Polls with ``after``, as a client does.

    :cvar pause: so many seconds after each poll.
    """

    pause = 0.01

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.read = []

    def do_something(self):
        page = self.ask("GET", f"/status?after={self.cursor}&limit=1000")
        if page is not None:
            self.read += [message["id"] for message in page["messages"]]
            self.cursor = page["cursor"]
            time.sleep(self.pause)


class PlainReader(Person):
    """Polls plainly; after a crash it may read something twice, but misses nothing."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.read = set()

    def do_something(self):
        page = self.ask("GET", "/status?limit=1000")
        if page is not None:
            self.read |= {message["id"] for message in page["messages"]}
            time.sleep(0.01)


def check_log(server, senders):
    """The log has each acknowledged message once, and each sender's in order; its ids."""
    log = []
    page = {"cursor": 0, "more": True}
    while page["more"]:
        path = f"/status?after={page['cursor']}&limit=1000"
        _, page = server.request("GET", path, senders[0].token)
        log += [(message["id"], message["text"]) for message in page["messages"]]
    ids = [number for number, _ in log]
    texts = [text for _, text in log]
    assert ids == sorted(set(ids))
    assert len(texts) == len(set(texts)), "a retried send was appended twice"
    acknowledged = [message for sender in senders for message in sender.acknowledged]
    assert len(acknowledged) > 20 * len(senders)
    assert set(acknowledged) <= set(log)
    for sender in senders:
        own = [text for text in texts if text.startswith(f"{sender.user_id}:")]
        assert own == [f"{sender.user_id}:{number}" for number in range(len(own))]
    return ids


def check_person(server, person, ids):
    """The token still works, and a reader has read all there is."""
    status, _ = server.request("POST", "/connect", person.token)
    assert status == 200, "a token has been lost"
    if isinstance(person, LosslessReader):
        while (page := person.ask("GET", f"/status?after={person.cursor}"))["messages"]:
            person.read += [message["id"] for message in page["messages"]]
            person.cursor = page["cursor"]
        assert person.read == ids
    elif isinstance(person, PlainReader):
        while (page := person.ask("GET", "/status"))["messages"]:
            person.read |= {message["id"] for message in page["messages"]}
        assert sorted(person.read) == ids
