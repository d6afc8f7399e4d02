"""Measures several nodes on PostgreSQL: ``make bench-nodes``, or ``bench_nodes.py``.

README-nodes.md says what each table means.  The exit status is 1 if a target was missed, or
a run was invalid because a message did not arrive once at each listener.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import live_listen
import nodes_bans
import nodes_live
import nodes_sends
import scenarios
import tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from table import Table

SCENARIOS: dict[str, Callable[[Path, int, float], Iterable[Table]]] = {
    "sends": nodes_sends.durable_sends,
    "latency": nodes_live.latency,
    "costs": nodes_live.costs,
    "bans": nodes_bans.bans,
}
"""Each measures in a directory of its own, for so many rounds of so many seconds."""


def where(directory: Path) -> str:
    tools.compiled(tools.LOAD_SOURCE)
    tools.compiled(live_listen.SOURCE)
    live_listen.allow_open_files()
    nodes, others = tools.cores()
    return (
        f"nodes on core {nodes}, PostgreSQL and load on core {others}; a sync of the disk takes "
        f"{tools.sync_milliseconds(directory):.2f} ms"
    )


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS, where))
