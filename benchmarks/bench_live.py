"""Measures live delivery: ``make bench-live``, or ``python benchmarks/bench_live.py``.

README-live.md says what each table means.  The exit status is 1 if a target was missed, or
a run was invalid because a message did not arrive once at each listener.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import live_costs
import live_fanout
import live_listen
import scenarios
import tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from table import Table

SCENARIOS: dict[str, Callable[[Path, int, float], Iterable[Table]]] = {
    "fanout": live_fanout.fan_out,
    "latency": live_costs.latency,
    "fairness": live_costs.fairness,
    "idle": live_costs.idle_memory,
    "stalled": live_costs.stalled_memory,
}
"""Each measures in a directory of its own, for so many rounds of so many seconds."""


def where(directory: Path) -> str:
    del directory
    tools.compiled(live_listen.SOURCE)
    files = live_listen.allow_open_files()
    server, listeners = tools.cores()
    return f"server on core {server}, listeners on core {listeners}; {files} open files"


if __name__ == "__main__":
    sys.exit(scenarios.main(__doc__, SCENARIOS, where))
