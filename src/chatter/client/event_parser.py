"""Server-Sent Events, read as the WHATWG specifies them.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

The work is linear in the bytes, whatever they are, and what is kept is at most one event.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_EVENT = 256 * 1024
"""The longest event that is read, in characters; the chat's are far shorter."""

_LINE_END = re.compile(r"\r\n|\n|\r")


class Event(Struct, frozen=True):
    """One event.

    :ivar id: the last id that the stream has named, up to and with this event.
    """

    name: str
    data: str
    id: str


class EventTooLong(Exception):
    """An event that does not end."""


class EventParser:
    """Makes events of bytes, however they were cut on the way.

    :ivar retry: the milliseconds that the server wants to be waited before the
        next connection, once it has said so.
    :ivar lines: how many lines have ended, those of comments included.
    """

    def __init__(self) -> None:
        self.retry: int | None = None
        self.lines = 0
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._is_begun = False
        self._ended_with_cr = False
        self._rest: list[str] = []
        self._rest_size = 0
        self._last_id = ""
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that end in some more bytes.

        :raises EventTooLong: if one is longer than :data:`MAX_EVENT`.
        """
        text = self._decode(data)
        if not text:
            return
        if not self._is_begun:
            self._is_begun = True
            text = text.removeprefix("\ufeff")
        if self._ended_with_cr:
            # CR has ended the line already; a LF that follows belongs to it.
            text = text.removeprefix("\n")
        self._ended_with_cr = text.endswith("\r")
        *lines, rest = _LINE_END.split(text)
        if lines:
            lines[0] = "".join(self._rest) + lines[0]
            self._rest.clear()
            self._rest_size = 0
            self.lines += len(lines)
        for line in lines:
            if line:
                self._take(line)
            elif self._data or self._name:
                event = self._dispatch()
                if event is not None:
                    yield event
        if rest:
            self._rest.append(rest)
            self._rest_size += len(rest)
        self._check_size()

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
                self._size += len(line)
                self._check_size()
            case "event":
                self._name = value
            case "id" if "\0" not in value:
                self._last_id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry = int(value[:9])

    def _check_size(self) -> None:
        if self._size + self._rest_size > MAX_EVENT:
            raise EventTooLong

    def _dispatch(self) -> Event | None:
        name, data = self._name or "message", self._data
        self._name, self._data, self._size = "", [], 0
        return Event(name, "\n".join(data), self._last_id) if data else None
