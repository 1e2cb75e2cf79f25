"""What the worlds of Isaac Sim and Isaac Lab cannot hold yet, known before they start: nothing of them is imported."""

from __future__ import annotations

from collections.abc import Iterable

from hpvqa.errors import UsageError
from hpvqa.scene.spec import Shape, Thing

NAMES = {"isaacsim": "Isaac Sim", "ovphysx": "Isaac Lab"}
"""What users call what computes."""
_SHAPES: dict[str, tuple[Shape, ...]] = {"isaacsim": ("box", "sphere"), "ovphysx": ("box", "sphere", "spring")}


def check_things(things: Iterable[Thing], physics: str = "isaacsim") -> None:
    """Make sure that a simulator can hold these things.

    Args:
        things: The things.
        physics: Where it computes.

    Raises:
        UsageError: It cannot.
    """
    for thing in things:
        what = ""
        if thing.shape not in _SHAPES[physics]:
            what = f"a {thing.noun}"
        elif any(thing.center_of_mass):
            what = f"a {thing.noun} whose centre of mass is not in its middle"
        elif thing.surface != "plain":
            what = f"a {thing.surface} {thing.noun}"
        if what:
            raise UsageError(f"{NAMES[physics]} cannot hold {what} yet; collect with --backend mujoco")
