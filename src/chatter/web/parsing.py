"""The body of a request and the parameters of its URL, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from chatter.protocol.bodies import MAX_BODY
from chatter.protocol.errors import ContentTooLarge, InvalidRequest, UnsupportedMediaType
from chatter.protocol.validation import checked_query
from chatter.web.lean import LeanRequest, query_of

if TYPE_CHECKING:
    from twisted.web.server import Request

Value = TypeVar("Value")

MAX_PARAMETERS = 100
"""To parse more parameters than that in a URL would cost more than any response."""

_KNOWN_QUERIES = 1000
_LONGEST_KNOWN_QUERY = 200
_known_queries: dict[tuple[type, bytes], Any] = {}
"""Queries that were parsed lately: most clients read on after one of a few ids."""


def body_of(request: Request) -> bytes:
    """The whole body of a request.

    :raises ContentTooLarge: if it is too large, and the server did not refuse it
        before it was read.
    :raises UnsupportedMediaType: if it is compressed, or encoded in another way.
    """
    if isinstance(request, LeanRequest):
        # It is as it was sent, whatever a resource on the way has done to the headers.
        body = request.whole_body
        encodings = request.request_head.headers.get(b"content-encoding")
        encoding = None if encodings is None else encodings[-1]
    else:
        assert request.content is not None
        # It may be of any size, but need not be read whole to be refused.
        body = request.content.read(MAX_BODY + 1)
        encoding = request.getHeader(b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in (b"", b"identity"):
        raise UnsupportedMediaType("A body must come without Content-Encoding.")
    if len(body) > MAX_BODY:
        raise ContentTooLarge(f"A body has at most {MAX_BODY} bytes.")
    return body


def parsed_query(request: Request, query: type[Value]) -> Value:
    """The parameters in the URL of a request.  Unknown ones are ignored.

    :raises InvalidRequest: if they are not valid.
    """
    raw = query_of(request)
    # A resource on the way may have given the request other parameters than it came with.
    is_as_sent = isinstance(request, LeanRequest) and not request.args_may_differ
    if is_as_sent:
        known: Value | None = _known_queries.get((query, raw))
        if known is not None:
            return known
    if len(raw) > MAX_PARAMETERS and raw.count(b"&") + raw.count(b";") >= MAX_PARAMETERS:
        raise InvalidRequest(f"A URL has at most {MAX_PARAMETERS} parameters.")
    arguments: dict[bytes, list[bytes]] = request.args or {}
    parameters: dict[str, Any] = {}
    try:
        for name, values in arguments.items():
            if len(values) > 1:
                raise InvalidRequest("A parameter stands in the URL twice.")
            parameters[name.decode()] = values[0].decode()
    except UnicodeDecodeError:
        raise InvalidRequest("The parameters in the URL are not UTF-8.") from None
    parsed = checked_query(parameters, query)
    if is_as_sent and len(raw) <= _LONGEST_KNOWN_QUERY:
        if len(_known_queries) >= _KNOWN_QUERIES:
            _known_queries.clear()
        _known_queries[query, raw] = parsed
    return parsed
