"""Ports for the servers of tests."""

from __future__ import annotations

import os
import random
import socket
from contextlib import suppress

# Below those that the system gives to connections, and to whoever asks for any port; above those
# that browsers refuse.  Each worker of pytest-xdist has its own, so that none takes a port that
# another one has chosen and not bound yet.
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = range(11_000 + _WORKER, 32_000, _WORKERS)
_given: set[int] = set()
_chance = random.SystemRandom()


def free_port() -> int:
    """A port that nobody listens on, and that nobody gets by chance while its server is away."""
    while True:
        port = _chance.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port
