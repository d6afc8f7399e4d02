"""How often values were how large, in plain integers, which cost little to count."""

from __future__ import annotations

from bisect import bisect_left

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds for durations, in seconds."""

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Upper bounds for how many there are of something."""


class Histogram:
    """Counts values in buckets.

    :param bounds: the largest value of each bucket, in order; larger ones have a bucket, too.

    :ivar counts: how many values there were in each bucket.
    :ivar total: their sum.
    """

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class BatchCounts:
    """What was done in batches.

    :ivar seconds: how long each batch took.
    :ivar sizes: how many jobs each batch had.
    """

    __slots__ = ("seconds", "sizes")

    def __init__(self) -> None:
        self.seconds = Histogram(SECONDS)
        self.sizes = Histogram(SIZES)
