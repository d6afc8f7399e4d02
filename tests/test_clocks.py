"""What waits goes by the monotonic clock; only times that people see are the wall clock's.

The clock of this machine can't be set in a test.  So ``time.time`` is replaced before
Twisted is imported, which is why these tests run in processes of their own.
"""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

from twisted.internet.task import Clock

from chatter.clocks import wall_clock

JUMPING = """
import time
system_time, offset = time.time, 0.0
time.time = lambda: system_time() + offset

def jump(seconds):
    global offset
    offset += seconds
"""


def run(script):
    """Run a script whose wall clock can ``jump``; it must end by itself, and soon."""
    subprocess.run(
        [sys.executable, "-c", JUMPING + dedent(script)], check=True, timeout=120, text=True
    )


def test_timers_go_on_when_the_wall_clock_jumps_back():
    """Timers made before and after the jump run in time, also those made before the switch."""
    run("""
    from twisted.internet import reactor
    from chatter.clocks import use_monotonic_time

    ran = set()

    def note(timer):
        ran.add(timer)
        if len(ran) == 4:
            reactor.stop()

    reactor.callLater(0.3, note, "before the switch")
    use_monotonic_time(reactor)
    use_monotonic_time(reactor)
    reactor.callLater(0.2, note, "before the jump")

    def go_back():
        note("first")
        jump(-3600)
        reactor.callLater(0.01, note, "after the jump")

    reactor.callLater(0.02, go_back)
    began = time.monotonic()
    reactor.run()
    assert time.monotonic() - began < 60
    assert ran == {"first", "after the jump", "before the jump", "before the switch"}, ran
    """)


def test_the_server_goes_on_when_the_wall_clock_jumps_back():
    """Waiting polls end, streams have their heartbeat, idle connections end, Date goes on."""
    run("""
    import socket
    from email.utils import parsedate_to_datetime
    from twisted.internet import reactor
    from twisted.internet.defer import Deferred
    from twisted.internet.threads import deferToThread
    from twisted.scripts.twistd import ServerOptions
    from chatter import tap
    from chatter.httpd import Limits
    from chatter.web import site
    from chatter.web.event_streams import streams

    streams.HEARTBEAT = 1.0
    site.LIMITS = Limits(idle=2)
    options = ServerOptions()
    port = "tcp:0:interface=127.0.0.1"
    options.parseOptions(["--nodaemon", "chatter", "--store", "memory:", "--port", port])
    service = tap.makeService(options.subOptions)

    def call(sock, request, *lines):
        head = [request + " HTTP/1.1", "Host: localhost", "Content-Length: 0", *lines, "", ""]
        sock.sendall("\\r\\n".join(head).encode())
        return sock.recv(65536).decode()

    def header(response, name):
        [value] = [line.split(": ")[1] for line in response.splitlines() if line.startswith(name)]
        return value

    def talk(port):
        def connected():
            return socket.create_connection(("127.0.0.1", port), timeout=60)

        idle, stream, other = connected(), connected(), connected()
        user = "Authorization: " + header(call(other, "POST /connect"), "Authorization")
        assert "200 OK" in call(stream, "GET /events", user)
        jump(-3600)
        began = time.monotonic()
        assert "200 OK" in call(other, "GET /status?wait=1", user)
        while not stream.recv(65536).endswith(b":\\n\\n"):
            pass
        assert idle.recv(1) == b""
        assert time.monotonic() - began < 60
        date = parsedate_to_datetime(header(call(connected(), "GET /health"), "Date"))
        assert abs(date.timestamp() - time.time()) < 30, date

    async def main():
        await service.startService()
        [port] = [reader for reader in reactor.getReaders() if hasattr(reader, "backlog")]
        await deferToThread(talk, port.getHost().port)
        await service.stopService()

    ended = Deferred.fromCoroutine(main())
    failures = []
    ended.addErrback(failures.append)
    ended.addBoth(lambda _: reactor.stop())
    reactor.run()
    for failure in failures:
        print(failure.getTraceback())
    assert not failures
    """)


def test_a_clock_of_a_test_is_its_own_wall_clock():
    """Whoever tests with a ``Clock`` sets both times with it."""
    clock = Clock()
    now = wall_clock(clock)
    clock.advance(1_000_000)
    assert now() == 1_000_000
