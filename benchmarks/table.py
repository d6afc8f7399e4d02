"""The tables that are printed: Markdown, so that they can be kept in a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rounds import Series


RATE_COLUMNS = ("server", "requests/s", "lowest to highest", "p50 ms", "p99 ms", "server us")


@dataclass(frozen=True)
class Target:
    """What a figure must reach.

    :ivar at_least: whether the limit is the lowest figure that will do, or the highest.
    """

    limit: float
    at_least: bool = True
    unit: str = "x"

    def is_met(self, figure: float) -> bool:
        """Tell whether a figure reaches it."""
        return figure >= self.limit if self.at_least else figure <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}"


@dataclass
class Table:
    """A table with a title; it knows which of its targets were missed."""

    title: str
    columns: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def add(
        self,
        *cells: object,
        figure: float | None = None,
        target: Target | None = None,
        label: str | None = None,
    ) -> None:
        """Add a row, whose last two cells are the target and whether the figure meets it.

        :param label: what the figure is called where it missed; the first cell by default.
        """
        verdict = ["", ""]
        if figure is not None and target is not None:
            met = target.is_met(figure)
            verdict = [str(target), "ok" if met else "**missed**"]
            if not met:
                self.missed.append(
                    f"{self.title}: {label or cells[0]}: {figure:.2f}, wanted {target}"
                )
        self.rows.append([*map(str, cells), *verdict])

    def __str__(self) -> str:
        lines = [[*self.columns, "target", ""], *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        lines.insert(1, ["-" * width for width in widths])
        padded = ([cell.ljust(w) for cell, w in zip(line, widths, strict=True)] for line in lines)
        return f"### {self.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in padded)


def rate_table(
    title: str, ours: Iterable[Series], peers: Sequence[Series], targets: dict[str, Target]
) -> Table:
    """Requests a second of each server, and for each pair of ours and a peer the ratio.

    :param targets: for a name of ours and a peer's, as ``"ours / peer"``, what it must reach.
    """
    table = Table(title, [*RATE_COLUMNS, "ours / it"])
    ours = list(ours)
    for series in ours:
        table.add(*rate_cells(series), "")
    for peer in peers:
        for number, series in enumerate(ours):
            ratio = series.ratio_to(peer)
            label = f"{series.contender.name} / {peer.contender.name}"
            figures = rate_cells(peer) if number == 0 else [""] * len(RATE_COLUMNS)
            against = f"{ratio:.2f} x" + (f" {series.contender.name}" if len(ours) > 1 else "")
            table.add(*figures, against, figure=ratio, target=targets.get(label), label=label)
    return table


def rate_cells(series: Series) -> list[str]:
    """What a row says under :data:`RATE_COLUMNS`."""
    rates = series.rates()
    return [
        series.contender.name,
        f"{series.median('per_second'):,.0f}",
        f"{rates[0]:,.0f} to {rates[-1]:,.0f}",
        f"{series.median('p50_ms'):.2f}",
        f"{series.median('p99_ms'):.2f}",
        f"{series.median('server_us'):.0f}",
    ]
