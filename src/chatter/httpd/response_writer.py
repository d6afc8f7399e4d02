"""The side of a request that is written to: the response, in steps or whole.

The head and the first part of the body leave in one write.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger
from twisted.web.http import NO_BODY_CODES

from chatter.httpd.head_bytes import serialise_head
from chatter.httpd.producers import OnceSent
from chatter.httpd.response_headers import ResponseHeaders

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.python.failure import Failure

    from chatter.httpd.stream import Stream, StreamOwner


class ResponseWriter(ResponseHeaders):
    """A request as far as it is responded to.

    :ivar channel: the connection; ``None`` once it is sent or lost.
    """

    channel: Any
    _log = Logger()

    # What most responses never change is the class's, and costs them nothing.
    _encoder_in_use: Any = None
    _bodiless = False
    _gone = False
    _is_head = False

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Pause and resume somebody who writes the body."""
        self._is_special = True
        super().registerProducer(producer, streaming)

    def write(self, data: Any) -> None:
        """Send a part of the body, after the head if it is the first.

        :raises RuntimeError: if the response is finished.
        :raises TypeError: if it is text.
        """
        if self.finished:
            raise RuntimeError("Request.write called on a request after Request.finish was called.")
        if isinstance(data, str):
            raise TypeError("A body is made of bytes.")
        if self._gone:
            return
        if self._encoder_in_use is not None:
            data = self._encoder_in_use.encode(data)
        self._write(data)

    def _write(self, data: bytes) -> None:
        if self.startedWriting:
            if data and not self._bodiless:
                self.sentLength += len(data)
                self.channel.write(self._framed(data))
            return
        head = self._head()
        self._is_special = True
        self.startedWriting = 1
        if self._bodiless or not data:
            self.channel.write(head)
        else:
            self.sentLength = len(data)
            self.channel.write(head + self._framed(data))

    def _framed(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data

    def _head(self) -> bytes:
        headers, repeated = self._all_headers()
        if self.code in NO_BODY_CODES:
            headers.pop(b"Content-Length", None)
            self._bodiless = True
        elif self._is_head:
            self._bodiless = True
        elif b"Content-Length" not in headers:
            if self.clientproto == b"HTTP/1.1":
                self.chunked = 1
                headers[b"Transfer-Encoding"] = b"chunked"
            else:
                self.channel.close_after_response()
        if (
            b"Content-Type" not in headers
            and self.defaultContentType is not None
            and self.code not in NO_BODY_CODES
            and headers.get(b"Content-Length") != b"0"
        ):
            headers[b"Content-Type"] = self.defaultContentType
        if headers.get(b"Connection", b"").lower() == b"close":
            self.channel.close_after_response()
        elif not self.channel.persistent:
            headers[b"Connection"] = b"close"
        elif self.clientproto == b"HTTP/1.0":
            headers[b"Connection"] = b"keep-alive"
        start = self.channel.connections.heads.status_line(self.code, self.code_message)
        return serialise_head(start, headers, repeated)

    def finish(self) -> None:
        """End the response.

        :raises RuntimeError: if the connection was lost; ``notifyFinish`` reports that.
        """
        if self._gone:
            raise RuntimeError("Request.finish called on a request after its connection was lost.")
        if self.finished:
            warnings.warn("Request.finish called twice.", stacklevel=2)
            return
        self._end_body()
        self._end()

    def _end_body(self) -> None:
        """Write what is still due."""
        if self._encoder_in_use is not None:
            rest = self._encoder_in_use.finish()
            if rest:
                self._write(rest)
        if not self.startedWriting:
            if self.code not in NO_BODY_CODES and not self._is_head:
                self.setHeader(b"Content-Length", b"0")
            self._write(b"")
        if self.chunked:
            self.channel.write(b"0\r\n\r\n")

    def _end(self) -> None:
        self.finished = 1
        if self.producer is not None:
            self._log.error("A producer of {uri} was not unregistered.", uri=self.uri)
            self.unregisterProducer()
        self._let_go()

    def respond(
        self,
        headers: tuple[tuple[bytes, bytes], ...],
        body: bytes,
        delivered: Callable[[], None] | None = None,
    ) -> None:
        """Respond with 200, some headers and a body.

        It is to set the headers and the length, to write the body and to finish, all in
        one, for much less.

        :param headers: from the program, not from a client: they are sent as they stand,
            and how they look as bytes is remembered.  Not among them may be
            ``Content-Length``, ``Connection``, ``Date`` or ``Server``.
        :param delivered: called once the operating system has all of the response; not
            called if the connection breaks before, or for a response without its body.
            Over TLS, a rest may be left then.
        :raises RuntimeError: as :meth:`write` and :meth:`finish` do.
        """
        channel = self.channel
        if channel is not None and channel.persistent and not self._is_special:
            heads = channel.connections.heads
            head = heads.whole.get(headers) or heads.head_with(headers)
            self.startedWriting = 1
            self.sentLength = size = len(body)
            whole = b"%bContent-Length: %d\r\n\r\n%b" % (head, size, body)
            if delivered is None:
                self.finished = 1
                channel.output.write_soon(whole)
                self._let_go()
                return
            channel.output.write(whole)
        else:
            for name, value in headers:
                self.setHeader(name, value)
            self.setHeader(b"Content-Length", b"%d" % len(body))
            self.write(body)
        if delivered is None or self._gone or self._bodiless:
            self.finish()
            return
        self._end_body()
        if self.channel.has_sent_all:
            self._end_delivered(delivered)
        else:
            self.registerProducer(OnceSent(partial(self._end_sent, delivered)), True)

    def _end_sent(self, delivered: Callable[[], None]) -> None:
        self.unregisterProducer()
        self._end_delivered(delivered)

    def _end_delivered(self, delivered: Callable[[], None]) -> None:
        try:
            delivered()
        finally:
            self._end()

    def _let_go(self) -> None:
        """Give the connection back, and fire the Deferreds of ``notifyFinish``."""
        channel, self.channel = self.channel, None
        try:
            channel.site.log(self)
        finally:
            channel.request_done()
            if self.notifications:
                notifications, self.notifications = self.notifications, []
                for notification in notifications:
                    notification.callback(None)

    def begin_stream(self, owner: StreamOwner) -> Stream | None:
        """Send the head of a response that ends with its connection, and let go of it.

        :returns: what to write it to; ``None`` if this transport can't, so that it
            has to be written like any other response.
        """
        stream: Stream | None = self.channel.stream_for(owner)
        if stream is None:
            return None
        self.channel.close_after_response()
        self.setHeader(b"Connection", b"close")
        # Without this header the end of the connection is the end of the response.
        self.clientproto, proto = b"HTTP/1.0", self.clientproto
        self._write(b"")
        self.clientproto = proto
        self.finished = 1
        channel, self.channel = self.channel, None
        channel.site.log(self)
        channel.become(stream)
        return stream

    def connectionLost(self, reason: Failure) -> None:
        """Fail the Deferreds of ``notifyFinish``: the client is gone."""
        self._gone = True
        super().connectionLost(reason)
