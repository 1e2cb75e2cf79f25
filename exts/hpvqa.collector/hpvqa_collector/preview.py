"""An episode's scene on a USD stage: what will be recorded, and through which cameras. Needs ``pxr`` alone.

It is written to the stage's session layer, so that the user's own file neither holds it nor asks to be saved. The robot
is left out: where it stands follows from the simulation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux, UsdShade

ROOT = Sdf.Path("/HiddenPhysics")
"""All that is drawn is below this prim: a preview, or an episode that is played back."""
HORIZONTAL_APERTURE = 20.955
"""Width of the sensor on which focal lengths are given [mm]."""
TABLE_CENTER = (0.6, 0.0)
TABLE_HALF = (0.5, 0.6, 0.01)
FLOOR_Z = -0.75
ROOM_HALF = 3.0
WALL_TOP = 3.25
"""The room [m], as both simulators have it."""
_WALL = 0.05
_WALLS = ((1, 0), (0, 1), (-1, 0), (0, -1))
_FAR = 20.0


def draw(stage: Usd.Stage, spec: Mapping[str, Any], resolution: tuple[int, int]) -> dict[str, str]:
    """Draw an episode, in place of what was drawn before.

    Args:
        stage: A stage with any unit of length and either axis upwards.
        spec: The episode's spec, as ``hpvqa sample --json`` prints it.
        resolution: Width and height of the clips [pixels]; they decide what the cameras see.

    Returns:
        The prims of the cameras by name.
    """
    erase(stage)
    with Usd.EditContext(stage, stage.GetSessionLayer()):
        UsdGeom.Xform.Define(stage, ROOT).AddTransformOp().Set(world_of(stage))
        _room(stage, spec["room"])
        for thing in spec["things"]:
            _thing(stage, ROOT.AppendChild(thing["name"]), thing)
        lamp = UsdLux.SphereLight.Define(stage, ROOT.AppendChild("lamp"))
        lamp.CreateRadiusAttr(0.1)
        lamp.CreateIntensityAttr(30000.0)
        UsdGeom.XformCommonAPI(lamp).SetTranslate(Gf.Vec3d(*spec["light"]["position"]))
        return {camera["name"]: str(_camera(stage, camera, resolution)) for camera in spec["cameras"]}


def erase(stage: Usd.Stage) -> bool:
    """Take away what was drawn; returns whether there was anything."""
    with Usd.EditContext(stage, stage.GetSessionLayer()):
        return bool(stage.GetSessionLayer().GetPrimAtPath(ROOT)) and bool(stage.RemovePrim(ROOT))


def is_ours(path: str) -> bool:
    """Whether a prim is one of those that were drawn."""
    return Sdf.Path(path).HasPrefix(ROOT)


def world_of(stage: Usd.Stage) -> Gf.Matrix4d:
    """From our world (metres, z up) to that of a stage; row vectors, as USD has them."""
    scale = 1.0 / UsdGeom.GetStageMetersPerUnit(stage)
    matrix = Gf.Matrix4d().SetScale(scale)
    if UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y:
        matrix *= Gf.Matrix4d().SetRotate(Gf.Rotation(Gf.Vec3d(1, 0, 0), -90))
    return matrix


def camera_of(stage: Usd.Stage, path: str, time: Usd.TimeCode | None = None) -> dict[str, Any] | None:
    """A camera of a stage as a rig has it; None if there is no camera at that path.

    Its lens is converted to a sensor as wide as ours, so that it sees as much from left to right.
    """
    prim = stage.GetPrimAtPath(path)
    if not prim or not prim.IsA(UsdGeom.Camera):
        return None
    time = Usd.TimeCode.Default() if time is None else time
    camera = UsdGeom.Camera(prim)
    pose = camera.ComputeLocalToWorldTransform(time) * world_of(stage).GetInverse()
    pose = pose.RemoveScaleShear()
    rotation = pose.ExtractRotationQuat().GetNormalized()
    quat = (rotation.GetReal(), *rotation.GetImaginary())
    aperture = camera.GetHorizontalApertureAttr().Get(time)
    near = camera.GetClippingRangeAttr().Get(time)[0] * UsdGeom.GetStageMetersPerUnit(stage)
    return {
        "name": prim.GetName(),
        "position": [round(part, 6) for part in pose.ExtractTranslation()],
        "quat_wxyz": [round(math.copysign(1.0, quat[0]) * part, 9) for part in quat],
        "focal_length": round(camera.GetFocalLengthAttr().Get(time) * HORIZONTAL_APERTURE / aperture, 6),
        "near": round(max(near, 0.001), 6),
    }


def _room(stage: Usd.Stage, room: Mapping[str, Any]) -> None:
    x, y = TABLE_CENTER
    _box(stage, "table", (x, y, -TABLE_HALF[2]), TABLE_HALF, room["table"])
    floor = (ROOM_HALF, ROOM_HALF, _WALL)
    _box(stage, "floor", (0, 0, FLOOR_Z - _WALL), floor, room["floor"])
    height = (WALL_TOP - FLOOR_Z) / 2
    for number, (i, j) in enumerate(_WALLS):
        half = (_WALL if i else ROOM_HALF, _WALL if j else ROOM_HALF, height)
        place = (i * (ROOM_HALF + _WALL), j * (ROOM_HALF + _WALL), FLOOR_Z + height)
        _box(stage, f"wall{number}", place, half, room["walls"][number])


def _box(stage: Usd.Stage, name: str, place: tuple[float, ...], half: tuple[float, ...], color: Any) -> None:
    cube = UsdGeom.Cube.Define(stage, ROOT.AppendChild(name))
    cube.CreateSizeAttr(2.0)
    cube.CreateExtentAttr([(-1, -1, -1), (1, 1, 1)])
    api = UsdGeom.XformCommonAPI(cube)
    api.SetTranslate(Gf.Vec3d(*place))
    api.SetScale(Gf.Vec3f(*half))
    paint(stage, cube, color)


def _thing(stage: Usd.Stage, path: Sdf.Path, thing: Mapping[str, Any]) -> None:
    half = [side / 2 for side in thing["size"]]
    if thing["shape"] == "sphere":
        shape = UsdGeom.Sphere.Define(stage, path)
        shape.CreateRadiusAttr(1.0)
    elif thing["shape"] == "cylinder":
        shape = UsdGeom.Cylinder.Define(stage, path)
        shape.CreateRadiusAttr(1.0)
        shape.CreateHeightAttr(2.0)
    else:
        shape = UsdGeom.Cube.Define(stage, path)
        shape.CreateSizeAttr(2.0)
    shape.CreateExtentAttr([(-1, -1, -1), (1, 1, 1)])
    w, *xyz = thing["quat_wxyz"]
    shape.AddTranslateOp().Set(Gf.Vec3d(*thing["position"]))
    shape.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Quatd(w, Gf.Vec3d(*xyz)).GetNormalized())
    shape.AddScaleOp().Set(Gf.Vec3f(*half))
    paint(stage, shape, thing["color"])


def _camera(stage: Usd.Stage, item: Mapping[str, Any], resolution: tuple[int, int]) -> Sdf.Path:
    path = ROOT.AppendPath(f"cameras/{item['name']}")
    camera = UsdGeom.Camera.Define(stage, path)
    width, height = resolution
    camera.CreateFocalLengthAttr(item["focal_length"])
    camera.CreateHorizontalApertureAttr(HORIZONTAL_APERTURE)
    camera.CreateVerticalApertureAttr(HORIZONTAL_APERTURE * height / width)
    # A clipping range is in the stage's units, whatever the scale of the prims above.
    unit = 1.0 / UsdGeom.GetStageMetersPerUnit(stage)
    camera.CreateClippingRangeAttr(Gf.Vec2f(item["near"] * unit, _FAR * unit))
    w, *xyz = item["quat_wxyz"]
    camera.AddTranslateOp().Set(Gf.Vec3d(*item["position"]))
    camera.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Quatd(w, Gf.Vec3d(*xyz)).GetNormalized())
    return path


def paint(stage: Usd.Stage, shape: UsdGeom.Gprim, color: Any) -> None:
    """Give something on a stage a colour (sRGB)."""
    linear = Gf.Vec3f(*(_linear(part) for part in color))
    shape.CreateDisplayColorAttr([linear])
    material = UsdShade.Material.Define(stage, shape.GetPath().AppendChild("material"))
    shader = UsdShade.Shader.Define(stage, material.GetPath().AppendChild("shader"))
    shader.CreateIdAttr("UsdPreviewSurface")
    shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f).Set(linear)
    shader.CreateInput("roughness", Sdf.ValueTypeNames.Float).Set(0.6)
    material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), "surface")
    UsdShade.MaterialBindingAPI.Apply(shape.GetPrim()).Bind(material)


def _linear(value: float) -> float:
    # IEC 61966-2-1: specs have sRGB, USD's colours are linear.
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
