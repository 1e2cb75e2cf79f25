"""Friction and restitution of pairs.

A spec's values are those of a thing with whatever it touches. PhysX takes, of both materials' combine modes, the later
in the order average, min, multiply, max. PhysX's tensor interface, by which things get their values at a reset, gives
every shape whose material it writes a new one with the mode ``average``, whatever it had before. So a thing's
*partners*, the table and our own robot file, have friction 1 with ``multiply`` and restitution 0 with ``max``, and are
never written that way: whatever mode a thing's own material has, the pair gets the thing's values.
"""

from __future__ import annotations

from typing import Any

PARTNER_FRICTION = 1.0
PARTNER_RESTITUTION = 0.0
FRICTION_MODE = "multiply"
RESTITUTION_MODE = "max"


def write_partner(prim: Any, friction: float = PARTNER_FRICTION) -> None:
    """Make a prim the physics material of a partner that meets so much of a thing's friction."""
    from pxr import Sdf, UsdPhysics

    material = UsdPhysics.MaterialAPI.Apply(prim)
    material.CreateStaticFrictionAttr(friction)
    material.CreateDynamicFrictionAttr(friction)
    material.CreateRestitutionAttr(PARTNER_RESTITUTION)
    prim.AddAppliedSchema("PhysxMaterialAPI")
    for name, mode in (("friction", FRICTION_MODE), ("restitution", RESTITUTION_MODE)):
        prim.CreateAttribute(f"physxMaterial:{name}CombineMode", Sdf.ValueTypeNames.Token).Set(mode)
