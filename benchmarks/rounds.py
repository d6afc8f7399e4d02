"""Interleaved rounds: all contenders in turn, again and again, so that a noisy minute hits all.

A round that is invalid is told and left out; the others count.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeVar

import load
from load import InvalidRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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


Run = TypeVar("Run")


def told(error: InvalidRunError) -> None:
    """Tell at once of a round that is left out."""
    print(f"  left out: {error}", file=sys.stderr, flush=True)


def valid_runs(measures: Iterable[Callable[[], Run]]) -> list[Run]:
    """What each of some measurements gives, but for those that are invalid.

    :raises InvalidRunError: the last one, if all are.
    """
    runs: list[Run] = []
    last: InvalidRunError | None = None
    for measure in measures:
        try:
            runs.append(measure())
        except InvalidRunError as error:
            told(error)
            last = error
    if last is not None and not runs:
        raise last
    return runs


def pairs_of(ours: Mapping[int, Run], its: Mapping[int, Run]) -> list[tuple[Run, Run]]:
    """What two contenders measured in the rounds that were valid for both.

    :raises InvalidRunError: if there is none.
    """
    pairs = [(ours[number], its[number]) for number in ours if number in its]
    if not pairs:
        raise InvalidRunError("No round was valid for both.")
    return pairs


@dataclass(frozen=True)
class Series:
    """One contender's results, by the number of the round."""

    contender: Contender
    results: dict[int, load.Result]

    def median(self, figure: str) -> float:
        """The median of one of the figures of :class:`load.Result`.

        :raises InvalidRunError: if no round was valid.
        """
        figures: list[float] = [getattr(result, figure) for result in self.results.values()]
        if not figures:
            raise InvalidRunError(f"{self.contender.name}: no round was valid.")
        return median(figures)

    def rates(self) -> list[float]:
        """The requests a second of each round, lowest first."""
        return sorted(result.per_second for result in self.results.values())

    def ratio_to(self, other: Series, figure: str = "per_second") -> float:
        """How many times the other's figure this is: the median of the rounds' own ratios."""
        pairs = pairs_of(self.results, other.results)
        ratios: list[float] = [getattr(a, figure) / getattr(b, figure) for a, b in pairs]
        return median(ratios)


def interleaved(contenders: Sequence[Contender], rounds: int, seconds: float) -> list[Series]:
    """Measure each contender once a round, in a closed loop."""
    all_series = [Series(contender, {}) for contender in contenders]
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for series in all_series:
            contender = series.contender
            try:
                results = load.run(contender.server, contender.script, seconds)
            except InvalidRunError as error:
                told(error)
            else:
                series.results[number] = results[contender.kind]
    return all_series
