"""What was measured, as tables of docs/statistics.md."""

from __future__ import annotations

from collections.abc import Sequence

from research.coverage.run import WORSE, Found
from research.page import table

ONE_RUN = ("share", "balanced accuracy", "d′", "criterion", "independent difference")
TWO_RUNS = ("paired difference", "paired difference, worse", "equal accuracy", "sign flip")
VALUES = ("median error", "rank correlation")
TESTS = ("equal accuracy", "sign flip")
LOWEST, HIGHEST = 0.93, 0.06
"""Coverage should not be less, nor the size of a test at 0.05 more."""


def text(found: Sequence[Found], simulations: int) -> str:
    """All tables.

    Args:
        found: What was measured.
        simulations: How often each setting was simulated.
    """
    return "\n\n".join(
        [
            f"{simulations:,} simulations of each setting, and {simulations // 4:,} of each one of values.",
            _summary(found),
            "## One run",
            _by_setting(found, ONE_RUN, "correlation"),
            "## Two runs",
            f"*Worse*: the second run's accuracy is {WORSE:g} lower. The last two columns are sizes.",
            _by_setting(found, TWO_RUNS, "how both err"),
            "## Values",
            _by_setting(found, VALUES, "correlation"),
        ]
    )


def _summary(found: Sequence[Found]) -> str:
    rows = []
    for what in (*ONE_RUN, *TWO_RUNS, *VALUES):
        rates = [one.rate for one in found if one.what == what]
        if not rates:
            continue
        bad = sum(rate > HIGHEST if what in TESTS else rate < LOWEST for rate in rates)
        kind = "test" if what in TESTS else "interval"
        rows.append([what, kind, str(len(rates)), f"{min(rates):.3f}", f"{max(rates):.3f}", str(bad)])
    outside = f"below {LOWEST:g}, or size above {HIGHEST:g}"
    return table(["", "", "settings", "lowest", "highest", outside], rows)


def _by_setting(found: Sequence[Found], names: Sequence[str], alike: str) -> str:
    wanted = [one for one in found if one.what in names]
    ps = sorted({one.p for one in wanted})
    rates = {(one.episodes, one.views, one.alike, one.what, one.p): one.rate for one in wanted}
    places = dict.fromkeys((one.episodes, one.views, one.alike) for one in wanted)
    rows = [
        [
            *map(str, place),
            *(" / ".join(_rate(rates.get((*place, name, p))) for p in ps) for name in names),
        ]
        for place in places
    ]
    heads = [f"{name} ({' / '.join(f'{p:g}' for p in ps)})" for name in names]
    return table(["episodes", "views", alike, *heads], rows)


def _rate(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.3f}"
