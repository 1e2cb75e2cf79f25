"""Whether answers are related to the truth at all, whatever their bias."""

from __future__ import annotations

from math import comb


def fisher_p(hits: int, left: int, false_alarms: int, right: int) -> float:
    """Two-sided p of Fisher's exact test (1935): given how often each side is said, whether it goes with the truth.

    Unlike a test against one half it is not misled by answers that prefer a side of a set where one side is more
    often true.

    Args:
        hits: How often left is said where it is true.
        left: Rows where left is true.
        false_alarms: How often left is said where right is true.
        right: Rows where right is true. Rows are independent: one an episode.
    """
    said = hits + false_alarms
    ways = [comb(left, count) * comb(right, said - count) for count in range(max(0, said - right), min(said, left) + 1)]
    observed = comb(left, hits) * comb(right, false_alarms)
    return sum(way for way in ways if way <= observed) / sum(ways)
