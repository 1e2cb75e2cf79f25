"""A recorded episode on a USD stage: its scene, and its bodies at any of its moments. Needs ``pxr`` alone.

All of it is drawn where a preview is, in the session layer. Nothing of it takes part in physics: a body is a prim that
is put where the episode had it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pxr import Gf, Sdf, Tf, Usd, UsdGeom, Vt

from hpvqa_collector import preview

_UNFILMED = (640, 480)
"""What cameras see of an episode that was recorded without clips [pixels]: the format alone matters."""


def draw(stage: Usd.Stage, episode: Mapping[str, Any]) -> dict[str, str]:
    """Draw an episode at its start, in place of what was drawn before.

    Args:
        stage: A stage with any unit of length and either axis upwards.
        episode: What ``hpvqa show --poses`` prints.

    Returns:
        The prims of the cameras by name.
    """
    record = episode["record"]
    video = record["video"]
    resolution = _UNFILMED if video is None else (video["width"], video["height"])
    cameras = preview.draw(stage, {**record["spec"], "things": []}, resolution)
    with Usd.EditContext(stage, stage.GetSessionLayer()):
        for body in episode["bodies"]:
            frame = UsdGeom.Xform.Define(stage, path_of(body["name"]))
            frame.AddTranslateOp().Set(Gf.Vec3d())
            frame.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Quatd(1))
            for number, part in enumerate(body["parts"]):
                _mesh(stage, frame.GetPath().AppendChild(f"part{number}"), part)
    pose(stage, episode, 0)
    return cameras


def pose(stage: Usd.Stage, episode: Mapping[str, Any], row: int) -> bool:
    """Put all bodies where they were at a row of the trajectory; returns whether they are on the stage."""
    layer = stage.GetSessionLayer()
    specs = [(body["poses"][row], *_ops(layer, body["name"])) for body in episode["bodies"]]
    if any(op is None for _, *ops in specs for op in ops):
        return False
    with Sdf.ChangeBlock():
        for (x, y, z, w, *xyz), place, turn in specs:
            place.default = Gf.Vec3d(x, y, z)
            turn.default = Gf.Quatd(w, Gf.Vec3d(*xyz)).GetNormalized()
    return True


def path_of(name: str) -> Sdf.Path:
    """The prim of a body."""
    return preview.ROOT.AppendChild(Tf.MakeValidIdentifier(name))


def _ops(layer: Sdf.Layer, name: str) -> tuple[Any, Any]:
    path = path_of(name)
    return tuple(layer.GetAttributeAtPath(path.AppendProperty(f"xformOp:{op}")) for op in ("translate", "orient"))


def _mesh(stage: Usd.Stage, path: Sdf.Path, part: Mapping[str, Any]) -> None:
    mesh = UsdGeom.Mesh.Define(stage, path)
    points = _vectors(part["points"])
    mesh.CreatePointsAttr(points)
    mesh.CreateExtentAttr(UsdGeom.PointBased.ComputeExtent(points))
    mesh.CreateNormalsAttr(_vectors(part["normals"]))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateFaceVertexCountsAttr([3] * len(part["faces"]))
    mesh.CreateFaceVertexIndicesAttr([corner for face in part["faces"] for corner in face])
    # As it is: no smooth surface is to be made of it.
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    preview.paint(stage, mesh, part["color"])


def _vectors(rows: Sequence[Sequence[float]]) -> Vt.Vec3fArray:
    return Vt.Vec3fArray([Gf.Vec3f(*row) for row in rows])
