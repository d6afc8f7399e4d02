"""Many people at the servers of one chat, what befalls those, and what must hold in the end.

People send, edit, withdraw, moderate, are banned, revoke tokens and leave, and the begin of the
log goes, while others read all of it.
"""

from __future__ import annotations

import http.client
import itertools
import os
import sys
import threading
import time
from pathlib import Path

from tests.e2e.changing_people import (
    Changer,
    ChangesReader,
    LateReader,
    Leaver,
    Moderator,
    TokenOwner,
)
from tests.e2e.keeping_twistd import KEPT_AFTER
from tests.e2e.people import PATIENCE, LosslessReader, PlainReader, Sender, read_log
from tests.e2e.server import Server, call
from tests.ports import free_port

TIMES_AS_LONG = int(os.environ.get("CHATTER_TIMES_AS_LONG", "1"))
"""The tests of crashes and outages take so many times as long as usual."""

_ENOUGH = 20
"""So many messages each sender sends on average, or little was tested."""

_LOOKED_AT = 10
"""So many of the tokens that were revoked last are tried at each server."""


def eventually(look, is_right, seconds=PATIENCE):
    """Look until that which is found is right; if it never is, the error says what was found."""
    deadline = time.monotonic() + seconds
    while not is_right(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def is_status(status, *, instead):
    """Whether a response has a status already, instead of the only other one that it may have."""

    def is_right(response):
        assert response[0] in (status, instead), response
        return response[0] == status

    return is_right


class KeepingServer(Server):
    """A server that keeps what it is told to keep, and has an endpoint for its operator."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._admin_port = free_port()
        admin = f"tcp:{self._admin_port}:interface=127.0.0.1"
        program = str(Path(__file__).with_name("keeping_twistd.py"))
        more = ("--keep-messages", "1000000", "--admin", admin)
        super().__init__(folder, *options, *more, prefix=(sys.executable, program))

    def keep_after(self, until: int) -> None:
        """Have it keep nothing up to an id, soon."""
        new = self.folder / "new"
        new.write_text(f"{until}")
        new.replace(self.folder / KEPT_AFTER)

    def make_moderator(self, name: str) -> None:
        """Make somebody a moderator, as its operator does, who tries again after a 503."""
        connection = http.client.HTTPConnection("127.0.0.1", self._admin_port, timeout=60)
        body = {"name": name, "role": "moderator"}
        try:
            eventually(
                lambda: call(connection, "POST", "/role", body=body), is_status(200, instead=503)
            )
        finally:
            connection.close()


def _has_soon(server, token, log):
    """See that somebody reads exactly that at a server, which may have to catch up."""

    def difference():
        found = read_log(server, token)
        wrong = sorted(set(found) ^ set(log))[:10]
        return None if found == log else ("only one of both has", wrong, "or their order")

    eventually(difference, lambda found: found is None)


def _has_status_soon(server, token, status):
    """See what a token gets at a server, which may not have heard of it yet."""

    def look():
        return *server.request("GET", "/users?limit=1", token), server.url

    eventually(look, is_status(status, instead=200))


class Crowd:
    """Many people, who begin at one server each, and move on to the next when theirs is away.

    :param servers: they serve; all of one chat.
    :param senders: so many send, half of whom change what they have sent, too.
    :param readers: of each kind.

    :ivar gone: the texts that nobody may find any more, once all was checked.
    """

    def __init__(self, servers, senders, readers):
        self._servers = servers
        self._over = threading.Event()
        self._turns = itertools.count()
        self._kept_after = 0
        self.gone: set[str] = set()
        self._said: dict[int, str | None] = {}
        self.senders = [
            self._person(kind) for kind in (Sender, Changer) for _ in range(senders // 2)
        ]
        self._readers = [
            self._person(kind)
            for kind in (LosslessReader, PlainReader, ChangesReader, LateReader)
            for _ in range(readers)
        ]
        self._moderator = self._person(Moderator)
        self._servers[0].make_moderator(self._moderator.name)
        self._leavers = [self._person(Leaver) for _ in range(2)]
        self._owner = self._person(TokenOwner)
        self._people = [
            *self.senders,
            *self._readers,
            self._moderator,
            *self._leavers,
            self._owner,
        ]

    def _person(self, kind):
        number = next(self._turns)
        first = number % len(self._servers)
        order = self._servers[first:] + self._servers[:first]
        return kind(order, order[0].connect(f"person {number}"), self._over)

    def __enter__(self):
        for person in self._people:
            person.start()
        return self

    def __exit__(self, error, *_):
        self._over.set()
        for person in self._people:
            person.join(90)
            if error is None:
                assert person.failure is None, person.failure
                assert not person.is_alive(), person

    def wait_until_enough_is_said(self):
        """Wait for what a slow machine has not done while this and that befell the servers."""

        def said():
            failures = [person.failure for person in self._people if person.failure is not None]
            assert not failures, failures
            return sum(len(sender.acknowledged) for sender in self.senders)

        enough = _ENOUGH * len(self.senders)
        eventually(said, lambda number: number > enough, 2 * PATIENCE)

    def trim(self, chance):
        """Have some messages be kept no longer, but none that is not acknowledged: its key goes."""
        acknowledged = [sender.acknowledged[-1:] for sender in self.senders]
        until = min(last[0][0] if last else 0 for last in acknowledged)
        if until > self._kept_after:
            self._kept_after = chance.randint(self._kept_after, until)
            for server in self._servers:
                server.keep_after(self._kept_after)

    def check(self):
        """See that all servers have what was acknowledged, and all readers have read that."""
        changers = [sender for sender in self.senders if isinstance(sender, Changer)]
        wrote = [*self.senders, self._moderator, *self._leavers]
        said: dict[int, str | None] = {}
        for person in wrote:
            ids = [message_id for message_id, _ in person.acknowledged]
            assert ids == sorted(ids)
            said |= dict(person.acknowledged)
        assert len(said) > _ENOUGH * len(self.senders)
        changed = [i for person in (*changers, self._moderator) for i in person.changed]
        given = sum(len(person.acknowledged) for person in wrote) + len(changed)
        assert len({*changed, *said}) == given, "an id was given twice"
        texts = [each for person in wrote for each in person.acknowledged]
        texts += [each for changer in changers for each in changer.edits]
        for person in (*changers, self._moderator, *self._leavers):
            said |= person.said

        server = self._servers[0]
        reader = server.connect()["token"]
        log = self._log_of(said)
        for each in self._servers:
            _has_soon(each, reader, log)
        for changer in changers:
            assert all(message_id <= self._kept_after for message_id in changer.refused)
        self._check_changes(changed)
        self._said = said
        for person in self._readers:
            person.read_on()
            person.hang_up()
            if isinstance(person, LosslessReader):
                assert person.read == sorted(set(person.read))
            self.check_read(person.read, person.gaps)
            if isinstance(person, ChangesReader):
                view = {i: text for i, text in person.view.items() if i > self._kept_after}
                assert view == dict(log)
        self._check_tokens()
        now = {text for _, text in log}
        self.gone = {text for i, text in texts if i > self._kept_after} - now

    def _log_of(self, said):
        return [(i, said[i]) for i in sorted(said) if said[i] is not None and i > self._kept_after]

    def _check_changes(self, changed):
        """The log has each withdrawal and each standing that was acknowledged."""
        found, page = set(), {"cursor": 0, "more": True}
        while page["more"]:
            path = f"/status?after={page['cursor']}&limit=1000&changes=1"
            _, page = self._servers[0].request("GET", path, self._moderator.token)
            found |= {change["id"] for change in page.get("changes", ())}
        assert {i for i in changed if i > self._kept_after} <= found

    def check_read(self, ids, gaps):
        """See that somebody has read each message, unless it was withdrawn first or is in a gap."""
        assert set(ids) <= self._said.keys()
        for gap in gaps:
            assert gap["after"] < gap["until"] <= self._kept_after
        missed = {i for i, text in self._said.items() if text is not None}.difference(ids)
        assert all(
            any(gap["after"] < message_id <= gap["until"] for gap in gaps) for message_id in missed
        )

    def _check_tokens(self):
        """Tokens hold that nobody has revoked, and no others, and bans do, at each server soon."""
        for server in self._servers:
            for person in self._people:
                assert server.request("GET", "/users?limit=1", person.token)[0] == 200
                for token in getattr(person, "revoked", ())[-_LOOKED_AT:]:
                    _has_status_soon(server, token, 401)
            for token in self._moderator.banned[-_LOOKED_AT:]:
                _has_status_soon(server, token, 403)
            for leaver in self._leavers:
                for name in leaver.names[-_LOOKED_AT:]:
                    assert server.request("POST", "/connect", body={"name": name})[0] == 409
