"""Interleaved rounds: all contenders in turn, again and again, so that a noisy minute hits all."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from servers import Server


@dataclass(frozen=True)
class Contender:
    """What is measured in each round.

    :ivar kind: of which of its script's requests the figures are taken.
    """

    name: str
    server: Server
    script: bytes
    kind: str


@dataclass(frozen=True)
class Series:
    """One contender's results, in the order of the rounds."""

    contender: Contender
    results: list[load.Result]

    def median(self, figure: str) -> float:
        """The median of one of the figures of :class:`load.Result`."""
        figures: list[float] = [getattr(result, figure) for result in self.results]
        return median(figures)

    def rates(self) -> list[float]:
        """The requests a second of each round, lowest first."""
        return sorted(result.per_second for result in self.results)

    def ratio_to(self, other: Series, figure: str = "per_second") -> float:
        """How many times the other's figure this is: the median of the rounds' own ratios."""
        pairs = zip(self.results, other.results, strict=True)
        ratios: list[float] = [getattr(a, figure) / getattr(b, figure) for a, b in pairs]
        return median(ratios)


def interleaved(contenders: Sequence[Contender], rounds: int, seconds: float) -> list[Series]:
    """Measure each contender once a round, in a closed loop."""
    all_series = [Series(contender, []) for contender in contenders]
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for series in all_series:
            contender = series.contender
            results = load.run(contender.server, contender.script, seconds)
            series.results.append(results[contender.kind])
    return all_series
