"""The site: its access log, the server as a whole, and resources of Twisted's."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from twisted.web.pages import notFound

from tests.httpd.calling import Calling
from tests.httpd.support import Server, get


def test_the_access_log(tmp_path):
    """A line for each response is written where it is asked for, in the usual format."""
    path = tmp_path / "access.log"
    server = Server(Calling(lambda _: b"abc"), access_log=str(path))
    server.site.doStart()
    server.exchange(get("/a?b", "User-Agent: me", "Referer: there"))
    server.site.doStop()
    assert path.read_text().endswith('"GET /a?b HTTP/1.1" 200 3 "there" "me"\n')
    assert path.read_text().startswith('"192.0.2.1" - - [12/Jan/1970:13:46:40 +0000] ')
    assert server.clock.getDelayedCalls() == []


def test_without_an_access_log_nothing_is_logged(logged):
    """By default no request is logged, nor is a timer kept for it."""
    server = Server(Calling(lambda _: b"abc"))
    server.site.doStart()
    server.exchange(get())
    server.site.doStop()
    assert logged == []
    assert server.clock.getDelayedCalls() == []


def test_options_of_the_whole_server():
    """OPTIONS * gets a response; other methods are not for *."""
    server = Server()
    [options] = server.exchange(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
    [other] = server.exchange(b"GET * HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (options.status, other.status, other.header("allow")) == (200, 405, "OPTIONS")
    assert server.seen == []


def test_the_example_of_the_document():
    """It serves, stops, and ends without a complaint."""
    document = (Path(__file__).parents[2] / "docs/httpd.md").read_text()
    _, example, *_ = re.split("```(?:python)?\n", document)
    program = example.replace("tcp:8080:", "tcp:0:")
    assert program != example
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_files(tmp_path):
    """twisted.web.static.File serves whole files, ranges, HEAD and what is not modified."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from twisted.web.static import File
    content = bytes(range(256)) * 2000
    (tmp_path / "file.bin").write_bytes(content)

    class Files(File):
        childNotFound: Any = notFound()

    for raw, status, body in (
        (get("/file.bin"), 200, content),
        (get("/file.bin", "Range: bytes=1-3"), 206, content[1:4]),
        (get("/file.bin", "Range: bytes=999999-"), 416, b""),
        (b"HEAD /file.bin HTTP/1.1\r\nHost: x\r\n\r\n", 200, b""),
        (get("/file.bin", "If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT"), 304, b""),
        (get("/none"), 404, None),
    ):
        server = Server(Files(str(tmp_path)))
        connection = server.connect()
        connection.send(raw)
        server.clock.pump([0] * 50)
        [found] = connection.responses(raw.split()[0].decode())
        assert found.status == status
        assert body is None or found.body == body
        assert found.whole
        connection.lose()
        assert server.clock.getDelayedCalls() == []
