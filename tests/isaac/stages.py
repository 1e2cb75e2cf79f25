"""USD stages that the panel draws on."""

from __future__ import annotations

from pxr import Usd, UsdGeom


def stage(unit: float = 1.0, up: str = "Z") -> Usd.Stage:
    """An empty one, with so many metres a unit, and this axis upwards."""
    made = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(made, unit)
    UsdGeom.SetStageUpAxis(made, up)
    UsdGeom.Xform.Define(made, "/World")
    return made
