"""The side of a request that says what its response will be: status, headers, cookies.

Nothing is made for what most responses do not have.
"""

from __future__ import annotations

from typing import Any

from twisted.web.http import datetimeToString
from twisted.web.http_headers import Headers
from twisted.web.server import Request

from chatter.httpd.head_bytes import USUAL_NAMES


class ResponseHeaders(Request):
    """A request as far as its response is described."""

    # What most responses never change is the class's, and costs them nothing.
    _response_headers: Headers | None = None
    _cookies: list[bytes] | None = None
    # What is set of the head, until that needs an object.
    _set: dict[bytes, bytes] | None = None
    # Whether the request, or what was set of the response, needs the general way.
    _is_special = False

    @property
    def responseHeaders(self) -> Headers:  # type: ignore[override]
        """The headers of the response, made an object when it is needed."""
        self._is_special = True
        headers = self._response_headers
        if headers is None:
            headers = self._response_headers = Headers()
            for name, value in (self._set or {}).items():
                headers.setRawHeaders(name, [value])
            self._set = None
        return headers

    @property
    def cookies(self) -> list[bytes]:
        """The cookies that are set, made a list when it is needed."""
        self._is_special = True
        if self._cookies is None:
            self._cookies = []
        return self._cookies

    @cookies.setter
    def cookies(self, cookies: list[bytes]) -> None:
        self._is_special = True
        self._cookies = cookies

    def setHeader(self, name: Any, value: Any) -> None:
        """Set a header of the response."""
        usual_name = USUAL_NAMES.get(name)
        if (
            usual_name is not None
            and self._response_headers is None
            and type(value) is bytes
            and b"\r" not in value
            and b"\n" not in value
        ):
            self._is_special = True
            if self._set is None:
                self._set = {}
            self._set[usual_name] = value
        else:
            # What is not plain is cleaned by Twisted.
            self.responseHeaders.setRawHeaders(name, [value])

    def setResponseCode(self, code: int, message: bytes | None = None) -> None:
        """Set the status."""
        self._is_special = True
        super().setResponseCode(code, message)

    def setLastModified(self, when: float) -> Any:
        """Set a header of the response, which may make it one without a body."""
        self._is_special = True
        return super().setLastModified(when)

    def setETag(self, etag: bytes) -> Any:
        """Set a header of the response, which may make it one without a body."""
        self._is_special = True
        return super().setETag(etag)

    def _all_headers(self) -> tuple[dict[bytes, bytes], list[tuple[bytes, list[bytes]]]]:
        """The headers that stand once, and those that stand more often."""
        if self.lastModified is not None:
            self.setHeader(b"Last-Modified", datetimeToString(self.lastModified))
        if self.etag is not None:
            self.setHeader(b"ETag", self.etag)
        repeated = [(b"Set-Cookie", self._cookies)] if self._cookies else []
        if self._response_headers is None:
            return self._set or {}, repeated
        headers = {}
        for name, values in self._response_headers.getAllRawHeaders():
            if len(values) == 1:
                headers[name] = values[0]
            else:
                repeated.append((name, list(values)))
        return headers, repeated
