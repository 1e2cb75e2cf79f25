"""``python -m research.bench METHOD KIND``: calibrate what experiments show, and how sharply each view tells it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from hpvqa.explore.bench.calibration import Calibration, Figures, Read, key
from hpvqa.explore.bench.methods import KINDS, METHODS, Kind, Method
from hpvqa.explore.bench.spec import Sharpness
from hpvqa.explore.rays import PIXELS
from hpvqa.files import write_text
from hpvqa.sim import open_simulator
from hpvqa.sim.protocol import SteppedSimulator
from research.bench.measure import STANDS, Sample, samples

OUT = Path(__file__).parents[2] / "cli/hpvqa/explore/bench/calibration.json"
_CLOSE = 0.25
"""A law that is off by less than this many steps of a reading, whatever the hidden values, needs no table."""
_FAR = 5.0
"""What is read so many steps beside the truth counts as lost: where all is far off alike, it tells nothing."""
_LEAST = 0.2
"""No spread is taken to be less than this many steps: readings are rounded."""


@click.command()
@click.argument("method", type=click.Choice(list(METHODS)))
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--clips", type=click.IntRange(min=5), default=10, show_default=True, help="How many are read.")
@click.option(
    "--rounds",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Over all hidden values, for what is expected; with 0, that stays as it is in the file.",
)
@click.option("--seed", type=click.IntRange(min=0), default=16, show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=OUT, help="File of the figures.")
def main(method: str, kind: str, clips: int, rounds: int, seed: int, out: Path) -> None:
    """Make experiments of a METHOD with things of a KIND, read them from rendered frames as `pixels` does, and write.

    Other figures stay as they are.
    """
    if method not in KINDS[kind].methods:
        raise click.UsageError(f"that cannot be done to a {kind}; it takes {', '.join(KINDS[kind].methods)}")
    simulator, chosen, name = open_simulator((PIXELS, PIXELS)), METHODS[method], key(method, kind)
    numbers = list(METHODS).index(method), list(KINDS).index(kind)
    laws, films = (np.random.default_rng([seed, *numbers, phase]) for phase in (0, 1))
    there = Calibration.model_validate_json(out.read_bytes()).methods if out.exists() else {}
    table = there[name].expected if name in there else None
    if rounds:
        table = _table(simulator, chosen, KINDS[kind], rounds, laws)
    found_in = list(samples(simulator, chosen, KINDS[kind], clips, films, films=True))
    read = _read(found_in, chosen, _law(chosen, KINDS[kind]) if table is None else table)
    found = Figures(
        command=f"python -m research.bench {name} --clips {clips} --rounds {rounds} --seed {seed}",
        versions=simulator.versions(),
        expected=table,
        read=read,
    )
    write_text(out, Calibration(methods={**there, name: found}).model_dump_json(indent=1) + "\n")


def _law(method: Method, kind: Kind) -> list[float]:
    return [method.expected(kind.thing("thing", 0.4, 0.1, (0.5, 0.5, 0.5), node)) for node in kind.nodes]


def _table(
    simulator: SteppedSimulator, method: Method, kind: Kind, rounds: int, rng: np.random.Generator
) -> tuple[float, ...] | None:
    """Means of what is measured, for each combination of hidden values; None where the law is close enough."""
    law = _law(method, kind)
    found: list[list[float]] = [[] for _ in law]
    for sample in samples(simulator, method, kind, rounds * len(law), rng, films=False):
        if sample.mishap is not None:
            raise click.ClickException(f"{method.name} {kind.nodes[sample.node]}: {sample.mishap}")
        found[sample.node].append(sample.measured)
    means = [float(np.mean(one)) for one in found]
    spread = max(float(np.ptp(one)) for one in found)
    off = max(abs(mean - value) for mean, value in zip(means, law, strict=True))
    click.echo(f"{method.name}: the law is off by up to {off:.2f}, repetitions differ by up to {spread:.2f}")
    return None if off < _CLOSE * method.step else tuple(round(mean, 2) for mean in means)


def _read(found: Sequence[Sample], method: Method, truth: Sequence[float]) -> dict[str, Read]:
    reads = {}
    for stand in STANDS:
        errors = [None if (value := one.read[stand.name]) is None else value - truth[one.node] for one in found]
        read = reads[stand.name] = reading(errors, method.step)
        click.echo(
            f"{method.name} from {stand.name}: bias {read.bias:+.2f}, spread {read.sharpness.spread:.2f}, lost "
            f"{read.sharpness.lost:.2f}"
        )
    return reads


def reading(errors: Sequence[float | None], step: float) -> Read:
    """Bias and spread of what is near the truth, and how much is not."""
    off = np.array([error for error in errors if error is not None])
    near = off[np.abs(off) < _FAR * step]
    if len(near) < len(errors) / 2:
        # So little is made out that the rest tells nothing either.
        bias, sharpness = 0.0, Sharpness(spread=10 * step, lost=0.98)
    else:
        spread = max(float(near.std(ddof=1)), _LEAST * step)
        # One more than were counted, of two more: none of a few clips does not mean never.
        lost = (len(errors) - len(near) + 1) / (len(errors) + 2)
        bias, sharpness = float(near.mean()), Sharpness(spread=round(spread, 3), lost=round(lost, 3))
    kept = tuple(None if error is None else round(error, 2) for error in errors)
    return Read(errors=kept, bias=round(bias, 3), sharpness=sharpness)


if __name__ == "__main__":
    main()
