"""The robot as a USD file of ours, made once from the pinned MJCF that the embedded simulator uses.

``mujoco-usd-converter`` makes the file; what PhysX needs beyond that is mended here, one function a repair. The file is
kept in the user's cache under a name that tells all that it was made from, with its checksum beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hpvqa.errors import RunError
from hpvqa.files import draft
from hpvqa.sim.isaaclab3 import names
from hpvqa.sim.mujoco.assets import MODEL, MODEL_DIGEST

REPAIRS = 3
"""Number of this version of the repairs below."""
CONVERTER = "mujoco-usd-converter"
_ATTACHMENT_MASS = 0.01
"""The frame between flange and gripper has no mass in the MJCF; PhysX would give it 1 kg [kg]."""
_ARM_ARMATURE = 0.1
_GRIPPER_ARMATURE = 0.005
"""What the MJCF says of joints; the converter writes it where PhysX does not look [kg m²]."""
_CONTACT_STIFFNESS = 1.5e5
_CONTACT_DAMPING = 1.1e3
"""Of the robot's surface [N/m], [N s/m]: that of the embedded simulator's contacts (``solref`` 0.004 s, critically
damped) between arm and cube, which together are as inert as 2 kg.

A hard surface takes the gripper along in the moment of an impact and then holds it where it is, up to 2 mm lower than
the embedded simulator's: each millimetre takes 1.5 N off the cube's weight, which goes 4 mm further."""
_LINK_FRICTION = 0.2
"""How much of a thing's friction the fingers' links above the pads meet; fitted to forty pushes (docs/isaac-lab.md).

A link that an impact has lifted leans on the thing's upper edge with a side that is 22° off the vertical. Coulomb's
friction holds it there, up to 4 mm too high, where it weighs on the thing by 6 N; in the embedded simulator it slides
down, for contacts shake and their friction gives way. The pads, which grasp, have all of a thing's friction."""


def robot_file(model: Path, cache: Path, tell: Callable[[str], None] = lambda words: None) -> Path:
    """The robot's USD file; made when it is not there, or not as it was made.

    Args:
        model: Folder of the MJCF, already checked.
        cache: Folder for what can be made again.
        tell: Told before it is made.

    Raises:
        RunError: It cannot be made.
    """
    made_from = f"{MODEL_DIGEST} {version(CONVERTER)} {REPAIRS}"
    file = cache / f"robot-{hashlib.sha256(made_from.encode()).hexdigest()[:16]}.usdc"
    checksum = file.with_suffix(".sha256")
    if _whole(file, checksum):
        return file
    tell("Making the robot's USD file, the first time")
    cache.mkdir(parents=True, exist_ok=True)
    with draft(cache, ".robot-") as temporary:
        if _whole(file, checksum):
            # Another process has made it meanwhile.
            return file
        made = _make(model / MODEL, temporary)
        digest = temporary / checksum.name
        digest.write_text(_digest(made) + "\n", encoding="utf-8")
        made.rename(file)
        digest.rename(checksum)
    return file


def _whole(file: Path, checksum: Path) -> bool:
    try:
        return checksum.read_text(encoding="utf-8").strip() == _digest(file)
    except (OSError, UnicodeDecodeError):
        return False


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _make(mjcf: Path, folder: Path) -> Path:
    import mujoco_usd_converter
    from pxr import Usd

    found = mujoco_usd_converter.Converter().convert(str(mjcf), str(folder / "converted"))
    whole = Usd.Stage.Open(found.path)
    if not whole:
        raise RunError(f"{CONVERTER} could not convert {mjcf}")
    flat = folder / "flat.usdc"
    whole.Flatten().Export(str(flat))
    stage = Usd.Stage.Open(str(flat))
    for repair in (keep_what_moves, give_mass, make_drives, make_surface):
        repair(stage)
    file = folder / "robot.usdc"
    stage.GetRootLayer().Export(str(file))
    return file


def keep_what_moves(stage: Any) -> None:
    """Remove the converter's scene, its fixture to the world, MuJoCo's actuators and the loops of the linkage.

    Isaac Lab fixes the base itself. The 2F-85's fingers are closed linkages; PhysX holds their loops so softly that
    the gripper closes by a third. Without the loops each finger is a chain whose joints follow the linkage's own law
    (``robot.py``).
    """
    from pxr import UsdPhysics

    root = f"/{names.ROOT}"
    gone = ["/PhysicsScene", f"{root}/Geometry/link0/PhysicsFixedJoint"]
    for prim in stage.Traverse():
        if str(prim.GetTypeName()).startswith("Mjc") or prim.IsA(UsdPhysics.SphericalJoint):
            gone.append(str(prim.GetPath()))
    for path in gone:
        stage.RemovePrim(path)


def give_mass(stage: Any) -> None:
    """Give the frame between flange and gripper a mass; PhysX needs one for every body."""
    from pxr import UsdPhysics

    for prim in stage.Traverse():
        if prim.GetName() == "attachment":
            mass = UsdPhysics.MassAPI.Apply(prim)
            mass.CreateMassAttr(_ATTACHMENT_MASS)
            mass.CreateDiagonalInertiaAttr((1e-5, 1e-5, 1e-5))


def make_drives(stage: Any) -> None:
    """Give every joint a drive, whose numbers Isaac Lab's actuators set, and its armature."""
    from pxr import Sdf, UsdPhysics

    for prim in stage.Traverse():
        if not prim.IsA(UsdPhysics.RevoluteJoint):
            continue
        drive = UsdPhysics.DriveAPI.Apply(prim, "angular")
        drive.CreateTypeAttr("force")
        drive.CreateStiffnessAttr(0.0)
        drive.CreateDampingAttr(0.0)
        # Loose until it is set, so that nothing breaks before.
        drive.CreateMaxForceAttr(1000.0)
        armature = _ARM_ARMATURE if prim.GetName() in names.ARM_JOINTS else _GRIPPER_ARMATURE
        prim.AddAppliedSchema("PhysxJointAPI")
        prim.CreateAttribute("physxJoint:armature", Sdf.ValueTypeNames.Float).Set(armature)


def make_surface(stage: Any) -> None:
    """Give the whole robot soft materials, whose combine modes make pairs' values those of what it touches.

    Only the links above the pads have less than the friction of what they touch.
    """
    from pxr import Sdf, UsdPhysics, UsdShade

    from hpvqa.sim.isaac.materials import PARTNER_FRICTION, write_partner

    materials = {}
    for name, friction in (("Partner", PARTNER_FRICTION), ("Link", _LINK_FRICTION)):
        materials[name] = UsdShade.Material.Define(stage, f"/{names.ROOT}/Physics/{name}")
        prim = materials[name].GetPrim()
        write_partner(prim, friction)
        for what, value in (("Stiffness", _CONTACT_STIFFNESS), ("Damping", _CONTACT_DAMPING)):
            prim.CreateAttribute(f"physxMaterial:compliantContact{what}", Sdf.ValueTypeNames.Float).Set(value)
    for prim in stage.Traverse():
        if prim.HasAPI(UsdPhysics.CollisionAPI):
            material = materials["Link" if prim.GetParent().GetName() in names.FINGER_LINKS else "Partner"]
            UsdShade.MaterialBindingAPI.Apply(prim).Bind(material, UsdShade.Tokens.weakerThanDescendants, "physics")
