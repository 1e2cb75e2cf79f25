"""What stands in for PhysX's tensor views and for the articulation of the robot."""

from __future__ import annotations

import inspect
import types
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def keeps_signatures(ours: type, theirs: type, *methods: str) -> None:
    """A stand-in takes exactly what the real method takes."""
    for method in methods:
        real = list(inspect.signature(getattr(theirs, method)).parameters)
        assert list(inspect.signature(getattr(ours, method)).parameters) == real, method


class View:
    """A tensor view of rigid bodies: values on the CPU, set for chosen rows only, as PhysX does it."""

    def __init__(self, count: int, shapes: int) -> None:
        self.materials = torch.zeros(count, shapes, 3)
        self.masses = torch.full((count, 1), 0.1)
        self.inertias = torch.eye(3).reshape(1, 9).repeat(count, 1) * 1e-4
        self.deaf = ""
        """Name of the values that it forgets to set."""

    def get_material_properties(self) -> Tensor:
        return self.materials.clone()

    def set_material_properties(self, data: Tensor, indices: Tensor) -> None:
        self._set("materials", data, indices)

    def get_masses(self) -> Tensor:
        return self.masses.clone()

    def set_masses(self, data: Tensor, indices: Tensor) -> None:
        self._set("masses", data, indices)

    def get_inertias(self) -> Tensor:
        return self.inertias.clone()

    def set_inertias(self, data: Tensor, indices: Tensor) -> None:
        self._set("inertias", data, indices)

    def _set(self, name: str, data: Tensor, indices: Tensor) -> None:
        assert not data.is_cuda
        if name != self.deaf:
            getattr(self, name)[indices] = data[indices]


# Modified Denavit-Hartenberg parameters of the Panda: a [m], d [m], alpha [quarter turns] (Franka's documentation).
_DH = ((0, 0.333, 0), (0, 0, -1), (0, 0.316, 1), (0.0825, 0, 1), (-0.0825, 0.384, -1), (0, 0, 1), (0.088, 0, 1))
COM = np.array([0.011, 0.006, 0.068])
"""Centre of mass of the last link in its frame [m]; anything but its origin shows who confuses them."""
HALF_FINGER = 0.04


class Panda:
    """Arms that go where their drives are told, at once: exact kinematics, no dynamics.

    Bodies: seven links, then both fingers of a gripper turned by ``yaw`` about the flange. As in Isaac Sim's model, the
    origins of the fingers' frames are where the gripper is mounted; only their centres of mass tell where they are.
    """

    def __init__(self, count: int, origins: Tensor, home: Sequence[float], yaw: float = -torch.pi / 4) -> None:
        self.body_names = [f"panda_link{number}" for number in range(8)] + ["left_inner_finger", "right_inner_finger"]
        self.joint_names = [*(f"panda_joint{number}" for number in range(1, 8)), "finger_joint"]
        self.angles = torch.tensor([*home, 0.0]).repeat(count, 1)
        self.speeds = torch.zeros(count, 8)
        self.stiffness, self.damping = torch.full((count, 8), 1100.0), torch.full((count, 8), 80.0)
        self.targets, self.speed_targets = self.angles.clone(), torch.zeros(count, 8)
        self.efforts = torch.zeros(count, 8)
        self._yaw = yaw
        self.is_fixed_base = True
        self._seen: tuple[Tensor, list[tuple[Tensor, Tensor, Tensor]]] | None = None
        self._origins = origins
        self.root_physx_view = types.SimpleNamespace(get_jacobians=self._jacobians)

    def find_joints(self, name_keys: Any, joint_subset: Any = None, preserve_order: bool = False) -> Any:
        return [self.joint_names.index(name) for name in name_keys], list(name_keys)

    def find_bodies(self, name_keys: Any, preserve_order: bool = False) -> Any:
        return [self.body_names.index(name) for name in name_keys], list(name_keys)

    def set_joint_position_target(self, target: Tensor, joint_ids: Any = None, env_ids: Any = None) -> None:
        self.targets[:, joint_ids] = target

    def set_joint_velocity_target(self, target: Tensor, joint_ids: Any = None, env_ids: Any = None) -> None:
        self.speed_targets[:, joint_ids] = target

    def set_joint_effort_target(self, target: Tensor, joint_ids: Any = None, env_ids: Any = None) -> None:
        self.efforts[:, joint_ids] = target

    def write_joint_stiffness_to_sim(self, stiffness: Any, joint_ids: Any = None, env_ids: Any = None) -> None:
        self.stiffness[env_ids[:, None], joint_ids] = stiffness

    def write_joint_damping_to_sim(self, damping: Any, joint_ids: Any = None, env_ids: Any = None) -> None:
        self.damping[env_ids[:, None], joint_ids] = damping

    def step(self, timestep: float) -> None:
        """The drives reach their targets, at most at the speed that their damping allows."""
        before = self.angles.clone()
        self.angles = self.targets + 0.0
        self.speeds = (self.angles - before) / timestep

    @property
    def data(self) -> Any:
        if self._seen is None or not torch.equal(self._seen[0], self.angles):
            self._seen = (self.angles.clone(), [self._bodies(angles) for angles in self.angles])
        poses = self._seen[1]
        position = torch.stack([pose[0] for pose in poses]) + self._origins[:, None]
        quat = torch.stack([pose[1] for pose in poses])
        com = torch.stack([pose[2] for pose in poses]) + self._origins[:, None]
        return types.SimpleNamespace(
            joint_pos=self.angles,
            joint_vel=self.speeds,
            body_pos_w=position,
            body_quat_w=quat,
            body_com_pos_w=com,
            root_pos_w=self._origins,
        )

    def _chain(self, angles: Tensor) -> list[NDArray[np.float64]]:
        """Poses of the seven moving links."""
        frames, pose = [], np.eye(4)
        for (a, d, quarter), angle in zip(_DH, angles.tolist(), strict=False):
            ca, sa = np.cos(quarter * np.pi / 2), np.sin(quarter * np.pi / 2)
            c, s = np.cos(angle), np.sin(angle)
            pose = pose @ [[c, -s, 0, a], [s * ca, c * ca, -sa, -d * sa], [s * sa, c * sa, ca, d * ca], [0, 0, 0, 1]]
            frames.append(pose)
        return frames

    def _bodies(self, angles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        from isaaclab.utils.math import quat_from_matrix

        frames = [np.eye(4), *self._chain(angles)]
        mount = np.eye(4)
        mount[2, 3] = 0.107
        frames += [frames[7] @ mount] * 2
        across = HALF_FINGER * np.array([-np.sin(self._yaw), np.cos(self._yaw), 0.0])
        centres = np.array([COM] * 8 + [sign * across + [0, 0, 0.1] for sign in (1, -1)])
        poses = np.array(frames)
        com = poses[:, :3, 3] + np.einsum("nij,nj->ni", poses[:, :3, :3], centres)
        turned = torch.tensor(poses[:, :3, :3], dtype=torch.float32)
        return _single(poses[:, :3, 3]), quat_from_matrix(turned), _single(com)

    def _jacobians(self) -> Tensor:
        """Rows of all bodies but the fixed base; linear ones at the centres of mass, as PhysX has them."""
        found = np.zeros((len(self.angles), 9, 6, 8))
        for row, angles in enumerate(self.angles):
            frames = self._chain(angles)
            com = frames[6][:3, :3] @ COM + frames[6][:3, 3]
            for joint, frame in enumerate(frames):
                axis = frame[:3, 2]
                found[row, 6, :3, joint] = np.cross(axis, com - frame[:3, 3])
                found[row, 6, 3:, joint] = axis
        return _single(found)


def _single(values: NDArray[np.float64]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
