"""The event term that makes each environment what its spec says, and reads back what PhysX holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import isaaclab_ov.tensor_types as tensor_types
import torch
import warp
from isaaclab.assets import Articulation
from torch import Tensor

from hpvqa.scene.spec import Thing
from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.assigned import AssignedSpecs, inertia_row, wrong_properties
from hpvqa.sim.isaaclab3 import springs
from hpvqa.sim.isaaclab3.quaternions import xyzw


class ApplySpecs(AssignedSpecs):
    """At every reset, writes specs: mass with inertia or stiffness, restitution, friction, poses.

    Every value that any spec sets is set by every spec, so that nothing of an earlier episode can remain.
    """

    def __call__(self, env: Any, env_ids: Tensor | None) -> None:
        """Apply the assigned specs to the environments that are reset."""
        if not self._specs:
            # Isaac Lab resets once while it starts, before there is anything to do.
            return
        self._reset_robot(env, env_ids)
        for name in self._specs[0].names:
            self._set_properties(env.scene[name], [spec.thing(name) for spec in self._specs])
        self.place(env, env_ids)
        self.mismatches = {number: self._mismatch(env, number) for number in range(self.num_envs)}

    def place(self, env: Any, env_ids: Tensor | None = None) -> None:
        """Put the things at rest where their specs say, in some environments or in all."""
        which = slice(None) if env_ids is None else env_ids
        for name in self._specs[0].names:
            pose = poses(env, [spec.thing(name) for spec in self._specs])
            env.scene[name].write_root_pose_to_sim_index(root_pose=pose[which], env_ids=env_ids)
            if self._specs[0].thing(name).shape == "spring":
                up = torch.zeros(len(pose), 1, device=env.device)[which]
                env.scene[name].write_joint_state_to_sim_index(position=up, velocity=up, env_ids=env_ids)
            else:
                still = torch.zeros(len(pose), 6, device=env.device)[which]
                env.scene[name].write_root_velocity_to_sim_index(root_velocity=still, env_ids=env_ids)

    def _reset_robot(self, env: Any, env_ids: Tensor | None) -> None:
        robot = env.scene[names.ROBOT]
        start = robot.data.default_joint_pos.torch[slice(None) if env_ids is None else env_ids].clone()
        robot.write_joint_state_to_sim_index(position=start, velocity=torch.zeros_like(start), env_ids=env_ids)
        robot.actuators.target_command.set_position_index(value=start, env_ids=env_ids)

    def _set_properties(self, target: Any, things: Sequence[Thing]) -> None:
        if things[0].shape == "spring":
            springs.set_stiffness(target, things)
        else:
            target.set_masses_index(masses=torch.tensor([[thing.mass] for thing in things]))
            target.set_inertias_index(inertias=torch.stack([inertia_row(thing) for thing in things])[:, None])
        wanted = torch.tensor([[[thing.friction, thing.friction, thing.restitution]] for thing in things])
        shape = _materials(target).shape
        values = wanted.reshape(-1, *(1,) * (len(shape) - 2), 3).expand(shape).contiguous()
        target.root_view.set_attribute(material_of(target), warp.from_torch(values))

    def _mismatch(self, env: Any, number: int) -> list[str]:
        wrong = []
        for thing in self._specs[number].things:
            target = env.scene[thing.name]
            materials = _materials(target)[number].reshape(-1, 3)
            if thing.shape == "spring":
                wrong += wrong_properties(thing, materials, stiffness=springs.stiffness(target)[number])
            else:
                mass = target.data.body_mass.torch[number].reshape(-1)
                inertia = target.data.body_inertia.torch[number].reshape(-1)
                wrong += wrong_properties(thing, materials, mass=mass, inertia=inertia)
        return wrong


def poses(env: Any, things: Sequence[Thing]) -> Tensor:
    """Where a thing of each environment starts, in the world, shape (environments, 7): x, y, z, quaternion xyzw."""
    found = torch.tensor([[*thing.position, *xyzw(thing.quat_wxyz)] for thing in things], device=env.device)
    found[:, :3] += env.scene.env_origins
    return found


def _materials(target: Any) -> Tensor:
    """Friction, friction and restitution of every shape of a thing, in every environment."""
    found: Tensor = warp.to_torch(target.root_view.get_attribute(material_of(target))).clone()
    return found


def material_of(target: Any) -> Any:
    """What PhysX's tensor interface calls friction and restitution of a thing."""
    kinds = tensor_types.TensorType
    if isinstance(target, Articulation):
        return kinds.ARTICULATION_SHAPE_FRICTION_AND_RESTITUTION
    return kinds.RIGID_BODY_SHAPE_FRICTION_AND_RESTITUTION
