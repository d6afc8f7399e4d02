"""Measures chatter beside its peers: ``make bench``, or ``python benchmarks/bench.py``.

README.md says what each table means.  The exit status is 1 if a target was missed, or a
run was invalid because a request failed.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import connections
import large_log
import latency
import polls
import sends
import tools
from load import InvalidRunError

if TYPE_CHECKING:
    from collections.abc import Callable

    from table import Table

SCENARIOS: dict[str, Callable[[Path, int, float], list[Table]]] = {
    "sends": sends.durable_sends,
    "latency": latency.latency,
    "polls": polls.polls,
    "connections": connections.connections,
    "log": large_log.long_log,
}
"""Each measures in a directory of its own, for so many rounds of so many seconds."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(SCENARIOS)}; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each run in a round")
    options = parser.parse_args()
    unknown = set(options.scenario).difference(SCENARIOS)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    tools.compile_load()
    tools.install_peers()
    # Not in /tmp, which may be in memory: a durable send shall wait for the disk.
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=tools.BUILD))
    missed: list[str] = []
    try:
        print(
            f"Medians of {options.rounds} rounds of {options.seconds:g} s; server on core "
            f"{tools.cores()[0]}, load on core {tools.cores()[1]}; a sync of the disk takes "
            f"{tools.sync_milliseconds(directory):.2f} ms.\n",
        )
        for name in options.scenario or SCENARIOS:
            print(f"{name} …", file=sys.stderr, flush=True)
            place = directory / name
            place.mkdir()
            try:
                tables = SCENARIOS[name](place, options.rounds, options.seconds)
            except InvalidRunError as error:
                missed.append(f"{name}: {error}")
                continue
            for table in tables:
                print(table, end="\n\n", flush=True)
                missed += table.missed
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print("Missed:\n- " + "\n- ".join(missed) if missed else "All targets are met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
