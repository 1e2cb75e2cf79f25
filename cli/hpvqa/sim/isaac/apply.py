"""The event term that makes each environment what its spec says, and reads back what PhysX holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hpvqa.scene.spec import Thing
from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.assigned import AssignedSpecs, inertia_row, near, wrong_properties
from hpvqa.sim.isaac.look import apply_look, look_errors

ROBOT_MATERIAL = (1.0, 1.0, 0.0)
"""Static and dynamic friction and restitution of the robot. Both it and things are written by tensor, so that a pair
of them has the mean of their values; what is measured depends on the table, which is not (``materials.py``)."""


class ApplySpecs(AssignedSpecs):
    """At every reset, writes specs: mass with inertia, restitution, friction, poses, colours, lamp.

    Every value that any spec sets is set by every spec, so that nothing of an earlier episode can remain.
    """

    def __call__(self, env: Any, env_ids: Tensor | None) -> None:
        """Apply the assigned specs to some environments; None: to all."""
        if not self._specs:
            # Isaac Lab resets once while it starts, before there is anything to do.
            return
        chosen = env_ids.tolist() if isinstance(env_ids, Tensor) else range(self.num_envs)
        ids = torch.tensor(list(chosen), dtype=torch.long)
        self._reset_robot(env, ids)
        for name in self._specs[0].names:
            things = [self._specs[number].thing(name) for number in chosen]
            self._set_properties(env.scene[name].root_physx_view, things, ids)
        self.place(env, ids)
        for number in chosen:
            apply_look(env.scene.stage, env.scene.env_prim_paths[number], self._specs[number])
        self.mismatches = {number: self._mismatch(env, number) for number in chosen}

    def place(self, env: Any, ids: Tensor) -> None:
        """Put the things of some environments at rest where their specs say."""
        device = env.device
        origins = env.scene.env_origins[ids.to(device)]
        for name in self._specs[0].names:
            things = [self._specs[int(number)].thing(name) for number in ids]
            pose = torch.tensor([[*thing.position, *thing.quat_wxyz] for thing in things], device=device)
            pose[:, :3] += origins
            target = env.scene[name]
            target.write_root_pose_to_sim(pose, env_ids=ids.to(device))
            target.write_root_velocity_to_sim(torch.zeros(len(ids), 6, device=device), env_ids=ids.to(device))

    def _reset_robot(self, env: Any, ids: Tensor) -> None:
        robot = env.scene[names.ROBOT]
        where = ids.to(env.device)
        position, velocity = robot.data.default_joint_pos[where], robot.data.default_joint_vel[where]
        robot.write_joint_state_to_sim(position, velocity, env_ids=where)
        view = robot.root_physx_view
        materials = view.get_material_properties()
        materials[ids] = torch.tensor(ROBOT_MATERIAL)
        view.set_material_properties(materials, ids)

    def _set_properties(self, view: Any, things: Sequence[Thing], ids: Tensor) -> None:
        masses, inertias, materials = view.get_masses(), view.get_inertias(), view.get_material_properties()
        for row, thing in zip(ids.tolist(), things, strict=True):
            masses[row] = thing.mass
            inertias[row] = inertia_row(thing).to(inertias.dtype)
            materials[row] = torch.tensor((thing.friction, thing.friction, thing.restitution))
        view.set_masses(masses, ids)
        view.set_inertias(inertias, ids)
        view.set_material_properties(materials, ids)

    def _mismatch(self, env: Any, number: int) -> list[str]:
        spec = self._specs[number]
        wrong = look_errors(env.scene.stage, env.scene.env_prim_paths[number], spec)
        robot = env.scene[names.ROBOT].root_physx_view.get_material_properties()[number].reshape(-1, 3)
        if not near(robot, torch.tensor(ROBOT_MATERIAL).expand_as(robot)):
            wrong.append("the robot's friction and restitution")
        for thing in spec.things:
            wrong += self._wrong_properties(env, number, thing)
        return wrong

    def _wrong_properties(self, env: Any, number: int, thing: Thing) -> list[str]:
        view = env.scene[thing.name].root_physx_view
        materials = view.get_material_properties()[number].reshape(-1, 3)
        mass, inertia = view.get_masses()[number].reshape(-1), view.get_inertias()[number].reshape(-1)
        return wrong_properties(thing, materials, mass=mass, inertia=inertia)
