"""The arm: inverse kinematics, stiff joint control, and the wrench of the impedance law."""

from __future__ import annotations

import mujoco
import numpy as np

from hpvqa.probes.waypoint import Gains
from hpvqa.sim.impedance import EndEffector, impedance, rotation_error
from hpvqa.sim.mujoco.names import ROBOT
from hpvqa.sim.protocol import Array, Command

HOME = np.array([0.0, 0.195, 0.0, -2.43, 0.0, 2.62, 0.785])
"""A posture with the elbow up and the gripper over the table [rad]; redundancy is resolved towards it."""
TORQUE_LIMIT = np.array([87.0] * 4 + [12.0] * 3)
"""The Panda's joint torque limits [N m] (Franka Emika, Panda datasheet)."""
SPEED_LIMIT = np.array([2.175] * 4 + [2.61] * 3)
"""The Panda's joint speed limits [rad/s] (Franka Emika, Panda datasheet)."""
STIFFNESS = np.array([4500.0, 4500.0, 3500.0, 3500.0, 2000.0, 2000.0, 2000.0])
"""Of the stiff joint control [N m/rad]."""
DAMPING = 2.0 * np.sqrt(STIFFNESS) * np.array([3.5, 3.5, 2.5, 2.5, 1.2, 1.2, 1.2])
"""Near critical for the inertia that each joint carries [N m s/rad]."""
NULL_STIFFNESS = 20.0
NULL_DAMPING = 6.0
_DLS_DAMPING = 1e-2**2 * np.eye(6)
_POSTURE_GAIN = 0.1
_SOLVE_STEPS = 100
_REACHED = 5e-4
"""The pull towards HOME leaves some hundredths of a millimetre [m, rad]; more than this means out of reach."""


class Arm:
    """Joint torques for commands, in one model and its data."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        joints = [model.joint(f"{ROBOT}joint{number}") for number in range(1, 8)]
        self._model = model
        self._data = data
        self._scratch = mujoco.MjData(model)
        self.qpos = np.array([joint.qposadr[0] for joint in joints])
        self._dofs = np.array([joint.dofadr[0] for joint in joints])
        self._low, self._high = np.array([joint.range for joint in joints]).T
        self._site = model.site(f"{ROBOT}pinch").id
        self._jacobian = np.zeros((6, model.nv))
        self._target: Array | None = None

    def solve(self, command: Command) -> Array:
        """Joint angles, shape (7,) [rad], that bring the pinch frame to a commanded pose.

        Raises:
            ValueError: The pose is out of reach.
        """
        joints = HOME.copy()
        error = np.full(6, np.inf)
        for _ in range(_SOLVE_STEPS):
            joints, error = self._improve(joints, command)
        if np.linalg.norm(error) > _REACHED:
            raise ValueError(f"the pose at {np.round(command.position, 3).tolist()} is out of the arm's reach")
        return joints

    @property
    def target(self) -> Array | None:
        """Joint angles that the stiff control is on its way to [rad]; None at first, and while it is compliant."""
        return self._target

    @target.setter
    def target(self, joints: Array | None) -> None:
        self._target = joints

    def torques(self, command: Command, timestep: float) -> Array:
        """Joint torques, shape (7,) [N m], within the arm's limits."""
        if command.gains is None:
            torque = self._stiff(command, timestep)
        else:
            self._target = None
            torque = self._compliant(command, command.gains)
        return _clipped(torque + self._data.qfrc_bias[self._dofs], -TORQUE_LIMIT, TORQUE_LIMIT)

    def end_effector(self, data: mujoco.MjData) -> tuple[Array, Array]:
        """Position, shape (3,) [m], and orientation (w, x, y, z) of the pinch frame."""
        quat = np.zeros(4)
        mujoco.mju_mat2Quat(quat, data.site_xmat[self._site])
        return data.site_xpos[self._site].copy(), quat

    def _stiff(self, command: Command, timestep: float) -> Array:
        angles, speeds = self._data.qpos[self.qpos], self._data.qvel[self._dofs]
        before = angles if self._target is None else self._target
        # One step of inverse kinematics per physics step follows any path that the arm itself can follow, and catches
        # up at the speed limit where an earlier phase left the arm elsewhere.
        wanted, _ = self._improve(before, command)
        reach = SPEED_LIMIT * timestep
        self._target = before + _clipped(wanted - before, -reach, reach)
        torque: Array = STIFFNESS * (self._target - angles) + DAMPING * ((self._target - before) / timestep - speeds)
        return torque

    def _compliant(self, command: Command, gains: Gains) -> Array:
        angles, speeds = self._data.qpos[self.qpos], self._data.qvel[self._dofs]
        jacobian = self._jacobian_of(self._data)
        velocity = jacobian @ speeds
        position, quat = self.end_effector(self._data)
        force, torque = impedance(EndEffector(position, quat, velocity[:3], velocity[3:]), command, gains)
        posture = NULL_STIFFNESS * (HOME - angles) - NULL_DAMPING * speeds
        inverse = np.linalg.solve(jacobian @ jacobian.T, jacobian)
        result: Array = jacobian.T @ (np.concatenate([force, torque]) - inverse @ posture) + posture
        return result

    def _improve(self, joints: Array, command: Command) -> tuple[Array, Array]:
        """One damped-least-squares step towards a pose, and the error before it, shape (6,) [m, rad]."""
        self._scratch.qpos[self.qpos] = joints
        mujoco.mj_kinematics(self._model, self._scratch)
        mujoco.mj_comPos(self._model, self._scratch)
        position, quat = self.end_effector(self._scratch)
        error = np.concatenate([command.position - position, rotation_error(command.quat_wxyz, quat)])
        jacobian = self._jacobian_of(self._scratch)
        inverse = np.linalg.solve(jacobian @ jacobian.T + _DLS_DAMPING, jacobian).T
        posture = _POSTURE_GAIN * (HOME - joints)
        step = inverse @ (error - jacobian @ posture) + posture
        return _clipped(joints + step, self._low, self._high), error

    def _jacobian_of(self, data: mujoco.MjData) -> Array:
        mujoco.mj_jacSite(self._model, data, self._jacobian[:3], self._jacobian[3:], self._site)
        return self._jacobian[:, self._dofs]


def _clipped(values: Array, low: Array, high: Array) -> Array:
    """What ``np.clip`` gives, many times a millisecond."""
    clipped: Array = np.minimum(np.maximum(values, low), high)
    return clipped
