"""Readers of an event stream whose connection a test holds in its hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import json

from chatter.httpd import LeanRequest
from chatter.protocol.model import Change, Gap, Message
from tests.results import result_of

if TYPE_CHECKING:
    from chatter.protocol.model import User
    from chatter.web.event_streams.streams import Streams


class Reader(LeanRequest):
    """A request that has become a stream, and the client at its other end.

    :ivar paused: whether the client takes nothing; what was written before is on
        its way.
    :ivar received: the messages that have arrived.
    :ivar changes: the changes that have arrived.
    :ivar gaps: those that it was told of.
    :ivar last_id: the id of the newest event.
    """

    def __init__(self, streams: Streams, user: User, cursor: int, *, changes: bool = False) -> None:
        # It has nothing of a request but that it becomes a stream.
        self.paused = False
        self.is_closed = False
        self.retry = 0
        self._room = 1.0
        self._rest = b""
        self.comments = 0
        self.writes = 0
        self.received: list[Message] = []
        self.changes: list[Change] = []
        self.gaps: list[Gap] = []
        self.last_id = cursor
        self._owner: Any = None
        result_of(streams.admit(user))
        streams.open(user, cursor, self, changes=changes, addresses=())

    def begin_stream(self, owner: Any) -> Any:
        """Become a stream, as a request does."""
        self._owner = owner
        return self

    def write(self, data: bytes) -> None:
        """Take what the server writes."""
        assert not self.paused, "nothing may be written for a reader who takes nothing"
        self.writes += 1
        for block in data.split(b"\n\n"):
            fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"retry" in fields:
                self.retry = int(fields[b"retry"])
            if fields.get(b"event") == b"closed":
                continue
            if fields.get(b"event") == b"change":
                change = json.decode(block.partition(b"\ndata:")[2], type=Change)
                assert self.last_id < int(fields[b"id"]) == change.id
                self.last_id = change.id
                self.changes.append(change)
            elif fields.get(b"event") == b"gap":
                gap = json.decode(block.partition(b"\ndata:")[2], type=Gap)
                assert self.last_id <= gap.after < int(fields[b"id"]) == gap.until
                self.last_id = gap.until
                self.gaps.append(gap)
            elif b"data" in fields:
                assert fields[b"event"] == b"message"
                message = json.decode(fields[b"data"], type=Message)
                assert self.last_id < int(fields[b"id"]) == message.id
                self.last_id = message.id
                self.received.append(message)
            elif block.startswith(b":"):
                self.comments += 1

    def send(self, data: bytes) -> int:
        """Take what the server sends to many, as far as there is room."""
        if self._room == 0:
            raise BlockingIOError
        if self._room < 1:
            return int(len(data) * self._room)
        self.write(data)
        return len(data)

    def keep_rest(self, data: bytes, sent: int) -> None:
        """Keep what was not taken."""
        assert sent < len(data)
        self._rest = data
        self.stall()

    def stall(self) -> None:
        """Take nothing from now on."""
        self.paused = True
        self._owner.stream_paused()

    def choke(self, room: float) -> None:
        """Have room for such a part of what is sent next."""
        self._room = room

    def go_on(self) -> None:
        """Take everything again."""
        rest, self._rest = self._rest, b""
        self.paused = False
        self._room = 1.0
        if rest:
            self.write(rest)
        self._owner.stream_resumed()

    def close(self) -> None:
        """Hear that the response has ended."""
        self.is_closed = True

    def abort(self) -> None:
        """Hear that the connection was closed at once."""
        self.is_closed = True

    def break_off(self) -> None:
        """Lose the connection."""
        self._owner.stream_lost()
