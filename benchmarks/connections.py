"""How the rates go with the number of connections: they must grow, or hold.

Every connection is a user of its own.  The numbers take turns within each round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import load
import people
import servers
from rounds import Contender, interleaved
from table import RATE_COLUMNS, Table, Target, rate_cells

if TYPE_CHECKING:
    from pathlib import Path

    from rounds import Series

COUNTS = (1, 8, 64, 256, 1_000)

HOLDS = Target(0.85)
"""What counts as the rate of fewer connections, in spite of noise."""


def connections(directory: Path, rounds: int, seconds: float) -> list[Table]:
    """The rates of sends and of polls with nothing unread, by the number of connections."""
    command = servers.chatter("sqlite:chatter.sqlite")
    with servers.running("chatter", command, directory / "chatter") as server:
        tokens = people.join(server, max(COUNTS))
        polls = [[("poll", load.request("GET", "/status", token))] for token in tokens]
        sends = [load.sends(token) for token in tokens]
        tables = []
        for title, kind, requests in (
            ("GET /status, nothing unread", "poll", polls),
            ("POST /send, durable", "send", sends),
        ):
            contenders = [
                Contender(f"{count:,}", server, load.script(requests[:count]), kind)
                for count in COUNTS
            ]
            tables.append(_table(title, interleaved(contenders, rounds, seconds)))
        return tables


def _table(title: str, all_series: list[Series]) -> Table:
    table = Table(f"{title}, by connections", [*RATE_COLUMNS, "of the best with fewer"])
    best = all_series[0]
    table.add(*rate_cells(best), "")
    for series in all_series[1:]:
        ratio = series.ratio_to(best)
        table.add(*rate_cells(series), f"{ratio:.2f} x", figure=ratio, target=HOLDS)
        if series.median("per_second") > best.median("per_second"):
            best = series
    return table
