"""Measures chatter beside its peers: ``make bench``, or ``python benchmarks/bench.py``.

README.md says what each table means.  The exit status is 1 if a target was missed, or a
run was invalid because a request failed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import connections
import large_log
import latency
import layers
import polls
import scenarios
import sends
import tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from table import Table

SCENARIOS: dict[str, Callable[[Path, int, float], Iterable[Table]]] = {
    "sends": sends.durable_sends,
    "latency": latency.latency,
    "polls": polls.polls,
    "layers": layers.layers,
    "connections": connections.connections,
    "log": large_log.long_log,
}
"""Each measures in a directory of its own, for so many rounds of so many seconds."""


def where(directory: Path) -> str:
    tools.compiled(tools.LOAD_SOURCE)
    tools.install_peers()
    server, load = tools.cores()
    return (
        f"server on core {server}, load on core {load}; a sync of the disk takes "
        f"{tools.sync_milliseconds(directory):.2f} ms"
    )


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS, where))
