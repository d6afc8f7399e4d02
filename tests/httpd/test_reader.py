"""The parser of a connection: what it costs to read a request in pieces."""

from unittest.mock import Mock

from chatter.httpd import reader
from chatter.httpd.limits import Limits
from chatter.httpd.reader import RequestReader
from chatter.httpd.request_head import check_sizes


def test_what_comes_in_single_bytes_is_not_measured_again_with_each(monkeypatch):
    """Over TLS each byte may be a record of its own, and some hundred of them come in a turn."""
    measured = Mock(side_effect=check_sizes)
    monkeypatch.setattr(reader, "check_sizes", measured)
    headers = b"".join(b"h%d: v\r\n" % number for number in range(50))
    head = b"POST / HTTP/1.1\r\nHost: a\r\n%bTransfer-Encoding: chunked\r\n\r\n" % headers
    body = b"1;extension\r\nx\r\n" * 100
    reading = RequestReader(Limits())
    for byte in head + body + b"0\r\nTrailing: 1\r\n\r\n":
        reading.feed(bytes([byte]))
    [(_, received)] = reading.ready
    assert received == b"x" * 100
    assert measured.call_count < 60
