"""Whether a figure grows at most as what it is measured against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise


def bends(name: str, points: Sequence[tuple[float, float]], one: str = "node") -> Iterator[str]:
    """Where a further one costs more than a straight line through the points before allows.

    A constant term is in no increment. Of what grows with the square of the size, a further
    one costs in proportion to the sum of the two sizes: twice as much from 16 to 32 as from
    8 to 16. What is allowed is half of that: noise stays below it, a square does not.
    """
    least, at_least = points[0]
    for (small, before), (large, after) in pairwise(points[1:]):
        earlier = (before - at_least) / (small - least)
        allowed = earlier * (1 + (large + small) / (small + least)) / 2
        further = (after - before) / (large - small)
        if further > allowed:
            yield (
                f"{name} grow more than linearly up to {large:g} {one}s: {further:.3f} a further "
                f"{one} after {earlier:.3f}, allowed are {allowed:.3f}"
            )
