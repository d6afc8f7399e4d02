"""The command line of a benchmark: which scenarios, how many rounds, and what was missed."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import tools
from load import InvalidRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from table import Table


def main(
    about: str,
    scenarios: Mapping[str, Callable[[Path, int, float], Iterable[Table]]],
    where: Callable[[Path], str],
) -> int:
    """Run the scenarios that the command line names, and print their tables.

    :param scenarios: each measures in a directory of its own, for so many rounds of so
        many seconds.  Its tables are printed one by one, so that an invalid run does not
        lose those that are ready.
    :param where: says what runs where, given the directory; all must be built before.
    :returns: the exit status: 1 if a target was missed or a run was invalid.
    """
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(scenarios)}; all by default")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each run in a round")
    options = parser.parse_args()
    unknown = set(options.scenario).difference(scenarios)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    tools.BUILD.mkdir(exist_ok=True)
    # Not in /tmp, which may be in memory: a durable send shall wait for the disk.
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=tools.BUILD))
    missed: list[str] = []
    try:
        place = where(directory)
        print(f"Medians of {options.rounds} rounds of {options.seconds:g} s; {place}.\n")
        for name in options.scenario or scenarios:
            print(f"{name} …", file=sys.stderr, flush=True)
            own = directory / name
            own.mkdir()
            try:
                for table in scenarios[name](own, options.rounds, options.seconds):
                    print(table, end="\n\n", flush=True)
                    missed += table.missed
            except InvalidRunError as error:
                missed.append(f"{name}: {error}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print("Missed:\n- " + "\n- ".join(missed) if missed else "All targets are met.")
    return 1 if missed else 0
