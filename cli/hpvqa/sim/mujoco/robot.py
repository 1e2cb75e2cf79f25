"""The robot's model, with visual meshes light enough for software rendering.

The original meshes hold 198,000 faces, many of them too small to see. They are joined by body and material, simplified
once and kept in the user's cache; collision geometry stays as it is.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

MAX_FACES = 1200
FACES_PER_ROOT = 12.0
"""A joined mesh of n faces keeps 12·sqrt(n) of them, and at most 1,200: fewer show facets on the arm's long shells."""
_WELD = 1e-4
_COARSE_WELD = 1.5e-3
_VISUAL_GROUP = 2
_CACHE_VERSION = 1


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


def light_robot(robot_xml: Path, cache: Path) -> mujoco.MjSpec:
    """The robot of ``robot_xml`` without sensors, its visual meshes simplified.

    Args:
        robot_xml: The Panda with its gripper.
        cache: Folder in which simplified meshes are kept.
    """
    spec = mujoco.MjSpec.from_file(str(robot_xml))
    replace_visuals(spec, _cached_meshes(robot_xml, spec, cache))
    return spec


def replace_visuals(spec: mujoco.MjSpec, meshes: Iterable[VisualMesh]) -> None:
    """Draw these meshes instead of the robot's own, and drop its sensors, which nothing reads."""
    for sensor in list(spec.sensors):
        spec.delete(sensor)
    for geom in list(spec.geoms):
        if geom.classname.name.endswith("/visual"):
            spec.delete(geom)
    needed = {geom.meshname for geom in spec.geoms}
    for mesh in list(spec.meshes):
        if (mesh.name or Path(mesh.file).stem) not in needed:
            spec.delete(mesh)
    for number, visual in enumerate(meshes):
        asset = spec.add_mesh(name=f"visual{number}", inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
        asset.uservert = visual.vertices.ravel()
        asset.userface = visual.faces.ravel()
        geom = spec.body(visual.body).add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=asset.name,
            group=_VISUAL_GROUP,
            contype=0,
            conaffinity=0,
            mass=0,
        )
        if visual.material:
            geom.material = visual.material


def _cached_meshes(robot_xml: Path, spec: mujoco.MjSpec, cache: Path) -> list[VisualMesh]:
    key = hashlib.sha256(robot_xml.read_bytes())
    for mesh in spec.meshes:
        path = robot_xml.parent / mesh.file
        key.update(f"{mesh.file} {path.stat().st_size}\n".encode())
    settings = (_CACHE_VERSION, MAX_FACES, FACES_PER_ROOT, version("fast-simplification"), np.__version__)
    key.update(repr(settings).encode())
    path = cache / f"robot-{key.hexdigest()[:16]}.npz"
    # A file that is damaged, which the checksums in it show, is made again; without one the work takes longer.
    with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return _load(path)
    meshes = [_simplified(mesh) for mesh in _joined(visual_meshes(spec.copy().compile()))]
    with suppress(OSError):
        _save(path, meshes)
    return meshes


def _save(path: Path, meshes: list[VisualMesh]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[np.generic]] = {"names": np.array([[mesh.body, mesh.material] for mesh in meshes])}
    for number, mesh in enumerate(meshes):
        arrays[f"vertices{number}"] = mesh.vertices
        arrays[f"faces{number}"] = mesh.faces
    # Several workers may get here at once: each writes its own file, the last rename wins, all are alike.
    draft = path.with_name(f"{path.stem}.{os.getpid()}.npz")
    try:
        np.savez(draft, allow_pickle=False, **arrays)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _load(path: Path) -> list[VisualMesh]:
    with np.load(path, allow_pickle=False) as data:
        return [
            VisualMesh(str(body), str(material), data[f"vertices{number}"], data[f"faces{number}"])
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


def _simplified(mesh: VisualMesh) -> VisualMesh:
    target = max(100, min(MAX_FACES, int(FACES_PER_ROOT * len(mesh.faces) ** 0.5)))
    return reduced(mesh, target)


def reduced(mesh: VisualMesh, target: int) -> VisualMesh:
    """The same mesh with about ``target`` faces."""
    vertices, faces = _reduce(*_weld(mesh.vertices, mesh.faces, _WELD), target)
    if len(faces) > 1.5 * target:
        # Loose sheets of triangles, such as threads, resist edge collapse until nearby vertices are joined.
        vertices, faces = _reduce(*_weld(mesh.vertices, mesh.faces, _COARSE_WELD), target)
    return VisualMesh(mesh.body, mesh.material, vertices, faces)


def _weld(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], grid: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    cells = np.round(vertices / grid).astype(np.int64)
    _, index, inverse = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    joined = inverse.ravel()[faces]
    a, b, c = joined.T
    joined = joined[(a != b) & (b != c) & (c != a)]
    _, once = np.unique(np.sort(joined, axis=1), axis=0, return_index=True)
    return vertices[index], joined[np.sort(once)]


def _reduce(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], target: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if len(faces) <= target:
        return vertices, faces
    import fast_simplification

    simple = fast_simplification.simplify(vertices.astype(np.float32), faces.astype(np.int32), target_count=target)
    return np.asarray(simple[0], np.float64), np.asarray(simple[1], np.int64)
