"""What the worlds of Isaac Sim cannot hold yet; nothing of Kit is imported, so that it is known before Kit starts."""

from __future__ import annotations

from collections.abc import Iterable

from hpvqa.errors import UsageError
from hpvqa.scene.spec import Thing


def check_things(things: Iterable[Thing]) -> None:
    """Make sure that Isaac Sim can hold these things.

    Raises:
        UsageError: It cannot.
    """
    for thing in things:
        what = ""
        if thing.shape not in ("box", "sphere"):
            what = f"a {thing.noun}"
        elif any(thing.center_of_mass):
            what = f"a {thing.noun} whose centre of mass is not in its middle"
        elif thing.surface != "plain":
            what = f"a {thing.surface} {thing.noun}"
        if what:
            raise UsageError(f"Isaac Sim cannot hold {what} yet; collect with --backend mujoco")
