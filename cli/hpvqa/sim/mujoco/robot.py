"""The robot's model, and the meshes that it is drawn with.

The original meshes hold 198,000 faces, many of them too small to see. They are joined by body and material, simplified
to three levels of detail once, and kept in the user's cache; collision geometry stays as it is.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.color import encoded, linear
from hpvqa.scene.room import ROBOT_PAINT
from hpvqa.scene.spec import Color
from hpvqa.sim.render.parts import Part
from hpvqa.sim.render.shapes import Mesh, creased, cylinder, shaded_like, together

LEVELS = ((12.0, 1200), (9.0, 900), (5.0, 500), (2.5, 220))
"""Levels of detail: of a joined mesh of n faces, one keeps f·sqrt(n) faces, and at most so many."""
_WELD = 1e-4
_COARSE_WELD = 1.5e-3
_VISUAL_GROUP = 2
_CACHE_VERSION = 3
_SEAM = 2e-3
"""Where two links turn in each other, what is no wider is a seam, not a gap to look through [m]."""
_INSIDE, _DEEP, _SIDES = 3e-4, 8e-3, (48, 40, 32, 24)
"""A seam's filling lies this far inside the links' skin and reaches this far into both [m]; its sides, by level."""
_GREY = (0.5, 0.5, 0.5)
_GLOSS = 0.3


@dataclass(frozen=True)
class VisualMesh:
    """Everything of one body that has one material.

    Attributes:
        body: Name of the body.
        material: Name of the material; empty for MuJoCo's default grey.
        vertices: Shape (n, 3), in the body's frame [m].
        faces: Shape (m, 3), indices of vertices.
    """

    body: str
    material: str
    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]


@dataclass(frozen=True)
class RobotPart:
    """What one body of the robot is drawn with."""

    body: str
    part: Part


def bare_robot(robot_xml: Path) -> mujoco.MjSpec:
    """The robot of ``robot_xml`` without what is only seen, and without sensors, which nothing reads.

    Args:
        robot_xml: The Panda with its gripper.
    """
    spec = mujoco.MjSpec.from_file(str(robot_xml))
    for sensor in list(spec.sensors):
        spec.delete(sensor)
    for geom in list(spec.geoms):
        if geom.classname.name.endswith("/visual"):
            spec.delete(geom)
    needed = {geom.meshname for geom in spec.geoms}
    for mesh in list(spec.meshes):
        if (mesh.name or Path(mesh.file).stem) not in needed:
            spec.delete(mesh)
    return spec


def robot_parts(robot_xml: Path, cache: Path, label: int) -> list[RobotPart]:
    """What the robot of ``robot_xml`` is drawn with.

    Args:
        robot_xml: The Panda with its gripper.
        cache: Folder in which simplified meshes are kept.
        label: What a segmentation calls it.
    """
    spec = mujoco.MjSpec.from_file(str(robot_xml))
    paint = {material.name: tuple(material.rgba[:3].tolist()) for material in spec.materials}
    return [
        RobotPart(mesh.body, Part(mesh.levels, _painted(paint.get(mesh.material, _GREY)), _GLOSS, label))
        for mesh in _cached_meshes(robot_xml, spec, cache)
    ]


def prepare_meshes(robot_xml: Path, cache: Path, tell: Callable[[str], None]) -> None:
    """Make the simplified meshes if the cache lacks them, so that each of many processes need not.

    Args:
        robot_xml: The Panda with its gripper.
        cache: Folder in which they are kept.
        tell: Told before they are made, which takes long.
    """
    _cached_meshes(robot_xml, mujoco.MjSpec.from_file(str(robot_xml)), cache, tell)


def _painted(color: tuple[float, float, float]) -> Color:
    r, g, b = (float(value) for value in encoded(ROBOT_PAINT * linear(color)))
    return (r, g, b)


@dataclass(frozen=True)
class DetailedMesh:
    """Everything of one body that has one material, at several levels of detail."""

    body: str
    material: str
    levels: tuple[Mesh, ...]


def _cached_meshes(
    robot_xml: Path, spec: mujoco.MjSpec, cache: Path, tell: Callable[[str], None] | None = None
) -> list[DetailedMesh]:
    key = hashlib.sha256(robot_xml.read_bytes())
    for mesh in spec.meshes:
        path = robot_xml.parent / mesh.file
        key.update(f"{mesh.file} {path.stat().st_size}\n".encode())
    settings = (_CACHE_VERSION, LEVELS, version("fast-simplification"), np.__version__)
    key.update(repr(settings).encode())
    path = cache / f"robot-{key.hexdigest()[:16]}.npz"
    # A file that is damaged, which the checksums in it show, is made again; without one the work takes longer.
    # What is raised depends on which byte is wrong: zipfile, zlib, numpy and Python's parser read it.
    with suppress(Exception):
        return _load(path)
    if tell is not None:
        tell("Simplifying the robot's meshes, the first time: up to half a minute")
    model = spec.copy().compile()
    joined = list(_joined(visual_meshes(model)))
    meshes = [_filled(_detailed(mesh), _seam(model, mesh, joined)) for mesh in joined]
    with suppress(OSError):
        _save(path, meshes)
    return meshes


def _save(path: Path, meshes: list[DetailedMesh]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[np.generic]] = {"names": np.array([[mesh.body, mesh.material] for mesh in meshes])}
    for number, mesh in enumerate(meshes):
        for level, detail in enumerate(mesh.levels):
            for name, values in asdict(detail).items():
                arrays[f"{name}{number}_{level}"] = values
    # Several workers may get here at once: each writes its own file, the last rename wins, all are alike.
    draft = path.with_name(f"{path.stem}.{os.getpid()}.npz")
    try:
        np.savez(draft, allow_pickle=False, **arrays)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _load(path: Path) -> list[DetailedMesh]:
    names = [field.name for field in fields(Mesh)]
    with np.load(path, allow_pickle=False) as data:
        return [
            DetailedMesh(
                str(body),
                str(material),
                tuple(Mesh(*(data[f"{name}{number}_{level}"] for name in names)) for level in range(len(LEVELS))),
            )
            for number, (body, material) in enumerate(data["names"])
        ]


def visual_meshes(model: mujoco.MjModel) -> Iterator[VisualMesh]:
    """The meshes that a compiled robot is drawn with."""
    for geom in range(model.ngeom):
        if model.geom_type[geom] != mujoco.mjtGeom.mjGEOM_MESH or model.geom_group[geom] != _VISUAL_GROUP:
            continue
        mesh = model.geom_dataid[geom]
        start, count = model.mesh_vertadr[mesh], model.mesh_vertnum[mesh]
        first, faces = model.mesh_faceadr[mesh], model.mesh_facenum[mesh]
        # Compiling moved each mesh into its inertial frame; the geom's pose moves it back.
        rotation = np.zeros(9)
        mujoco.mju_quat2Mat(rotation, model.geom_quat[geom])
        vertices = model.mesh_vert[start : start + count] @ rotation.reshape(3, 3).T + model.geom_pos[geom]
        material = model.geom_matid[geom]
        yield VisualMesh(
            model.body(model.geom_bodyid[geom]).name,
            model.mat(material).name if material >= 0 else "",
            vertices,
            model.mesh_face[first : first + faces].astype(np.int64),
        )


def _joined(meshes: Iterable[VisualMesh]) -> Iterator[VisualMesh]:
    groups: dict[tuple[str, str], list[VisualMesh]] = {}
    for mesh in meshes:
        groups.setdefault((mesh.body, mesh.material), []).append(mesh)
    for (body, material), parts in groups.items():
        offsets = np.cumsum([0, *(len(part.vertices) for part in parts)])
        vertices = np.vstack([part.vertices for part in parts])
        faces = np.vstack([part.faces + offset for part, offset in zip(parts, offsets, strict=False)])
        yield VisualMesh(body, material, vertices, faces)


@dataclass(frozen=True)
class _Seam:
    """The round slit between a link and the one before it, across the axis about which it turns, z [m]."""

    low: float
    high: float
    radius: float


def _seam(model: mujoco.MjModel, mesh: VisualMesh, others: Iterable[VisualMesh]) -> _Seam | None:
    """The slit at the end of a mesh that turns on another one end to end; None where there is none."""
    body = model.body(mesh.body)
    below = [other.vertices for other in others if other.body == model.body(body.parentid[0]).name]
    if not below:
        return None
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, body.quat)
    # In the link's own frame.
    before = (np.vstack(below) - body.pos) @ rotation.reshape(3, 3)
    low, high = float(before[:, 2].max()), float(mesh.vertices[:, 2].min())
    if not 0 < high - low <= _SEAM:
        return None
    end = mesh.vertices[mesh.vertices[:, 2] < high + _WELD]
    return _Seam(low, high, float(np.hypot(end[:, 0], end[:, 1]).max()))


def _filled(mesh: DetailedMesh, seam: _Seam | None) -> DetailedMesh:
    """A mesh with a ring in the seam at its end: through it one would see the room, or light on what is inside."""
    if seam is None:
        return mesh
    middle, half = (seam.low + seam.high) / 2, (seam.high - seam.low) / 2 + _DEEP
    rings = (cylinder(seam.radius - _INSIDE, half, sides).shifted(0, 0, middle) for sides in _SIDES)
    levels = tuple(together(pair) for pair in zip(mesh.levels, rings, strict=True))
    return DetailedMesh(mesh.body, mesh.material, levels)


def _detailed(mesh: VisualMesh) -> DetailedMesh:
    vertices, faces = _weld(mesh.vertices, mesh.faces, _WELD)
    fine = creased(vertices, faces)
    levels = []
    for share, most in LEVELS:
        target = max(60, min(most, int(share * len(mesh.faces) ** 0.5)))
        simple = _reduce(vertices, faces, target)
        if len(simple[1]) > 1.5 * target:
            # Loose sheets of triangles, such as threads, resist edge collapse until nearby vertices are joined.
            simple = _reduce(*_weld(vertices, faces, _COARSE_WELD), target)
        levels.append(shaded_like(fine, *simple))
    return DetailedMesh(mesh.body, mesh.material, tuple(levels))


def _weld(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], grid: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    cells = np.round(vertices / grid).astype(np.int64)
    _, index, inverse = np.unique(_as_one(cells), return_index=True, return_inverse=True)
    joined = inverse[faces]
    a, b, c = joined.T
    joined = joined[(a != b) & (b != c) & (c != a)]
    _, once = np.unique(_as_one(np.sort(joined, axis=1)), return_index=True)
    return vertices[index], joined[np.sort(once)]


def _as_one(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for each row of three numbers within a million of zero: much quicker to sort."""
    return np.asarray((rows + 2**20) @ np.array([2**42, 2**21, 1]), np.int64)


def _reduce(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], target: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if len(faces) <= target:
        return vertices, faces
    import fast_simplification

    simple = fast_simplification.simplify(vertices.astype(np.float32), faces.astype(np.int32), target_count=target)
    return np.asarray(simple[0], np.float64), np.asarray(simple[1], np.int64)
