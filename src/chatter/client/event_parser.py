"""Server-Sent Events, read as the WHATWG specifies them.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_EVENT = 256 * 1024
"""The longest event that is read, in characters; the chat's are far shorter."""


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
    """

    def __init__(self) -> None:
        self.retry: int | None = None
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._text = ""
        self._is_begun = False
        self._last_id = ""
        self._name = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that end in some more bytes.

        :raises EventTooLong: if one is longer than :data:`MAX_EVENT`.
        """
        self._text += self._decode(data)
        if not self._is_begun and self._text:
            self._is_begun = True
            self._text = self._text.removeprefix("\ufeff")
        while (line := self._next_line()) is not None:
            event = self._take(line)
            if event is not None:
                yield event
        if self._size + len(self._text) > MAX_EVENT:
            raise EventTooLong

    def _next_line(self) -> str | None:
        """The next whole line; one ends with LF, CR or both."""
        ends = [end for end in (self._text.find("\n"), self._text.find("\r")) if end >= 0]
        if not ends:
            return None
        end = min(ends)
        after = end + 1
        if self._text[end] == "\r":
            if after == len(self._text):
                return None  # a LF may follow, which belongs to it
            if self._text[after] == "\n":
                after += 1
        line, self._text = self._text[:end], self._text[after:]
        return line

    def _take(self, line: str) -> Event | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        self._size += len(line)
        match field:
            case "data":
                self._data.append(value)
            case "event":
                self._name = value
            case "id" if "\0" not in value:
                self._last_id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry = int(value[:9])
        return None

    def _dispatch(self) -> Event | None:
        name, data = self._name or "message", self._data
        self._name, self._data, self._size = "", [], 0
        return Event(name, "\n".join(data), self._last_id) if data else None
