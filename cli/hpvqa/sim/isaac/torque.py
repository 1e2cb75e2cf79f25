"""Joint torques and targets from Jacobians, for many arms at once; the same arithmetic as the embedded simulator's."""

from __future__ import annotations

import torch
from torch import Tensor

from hpvqa.probes.waypoint import Gains
from hpvqa.sim.impedance import EndEffector, impedance, rotation_error
from hpvqa.sim.isaac.state import ArmState
from hpvqa.sim.protocol import Command

NULL_STIFFNESS = 20.0
"""Pull of redundant motion towards the home posture [N m/rad]; the embedded simulator's."""
NULL_DAMPING = 6.0
_POSTURE_GAIN = 0.1
_DLS_DAMPING = 0.01


def moved_jacobian(jacobian: Tensor, arm: Tensor) -> Tensor:
    """The Jacobian of another point of the same body.

    Args:
        jacobian: Linear rows, then angular rows, shape (n, 6, joints), in the world.
        arm: From the point that the linear rows are of to the other one, shape (n, 3) [m].

    Returns:
        Shape (n, 6, joints): v' = v + w × arm.
    """
    linear, angular = jacobian[:, :3], jacobian[:, 3:]
    return torch.cat([linear + torch.linalg.cross(angular, arm[:, :, None].expand_as(angular), dim=1), angular], dim=1)


def compliant_torques(
    jacobian: Tensor,
    position: Tensor,
    quat_wxyz: Tensor,
    angles: Tensor,
    speeds: Tensor,
    home: Tensor,
    command: Command,
    gains: Gains,
) -> Tensor:
    """Joint torques that make the gripper follow a command by the impedance law.

    Redundant motion is pulled towards the home posture without a force at the gripper: τ = Jᵀ (F − (J Jᵀ)⁻¹ J τ₀) + τ₀.

    Args:
        jacobian: Of the pinch point, shape (n, 6, joints).
        position: Of the pinch point, shape (n, 3) [m].
        quat_wxyz: Of the pinch frame, shape (n, 4).
        angles: Shape (n, joints) [rad].
        speeds: Shape (n, joints) [rad/s].
        home: Posture to go back to, shape (joints,) [rad].
        command: With tensors of n rows.
        gains: With tensors of n rows.

    Returns:
        Shape (n, joints) [N m], without gravity, which the robot's configuration turns off.
    """
    motion = (jacobian @ speeds[:, :, None])[:, :, 0]
    force, torque = impedance(EndEffector(position, quat_wxyz, motion[:, :3], motion[:, 3:]), command, gains)
    posture = NULL_STIFFNESS * (home - angles) - NULL_DAMPING * speeds
    felt = torch.linalg.solve(jacobian @ jacobian.mT, jacobian @ posture[:, :, None])
    wrench = torch.cat([force, torque], dim=1)[:, :, None] - felt
    return (jacobian.mT @ wrench)[:, :, 0] + posture


def joint_speeds(jacobian: Tensor, velocity: Tensor, damping: float = 0.01) -> Tensor:
    """Joint speeds, shape (n, joints) [rad/s], that move the pinch point without turning it.

    Args:
        jacobian: Of the pinch point, shape (n, 6, joints).
        velocity: Shape (n, 3) [m/s].
        damping: Of the least squares, against singular postures.
    """
    twist = torch.cat([velocity, torch.zeros_like(velocity)], dim=1)[:, :, None]
    square = jacobian @ jacobian.mT + damping**2 * torch.eye(6, dtype=jacobian.dtype, device=jacobian.device)
    return (jacobian.mT @ torch.linalg.solve(square, twist))[:, :, 0]


def towards(state: ArmState, target: Tensor, command: Command, home: Tensor) -> Tensor:
    """The step of joint targets, shape (n, joints) [rad], that brings the pinch frame to a commanded pose.

    Damped least squares; redundant motion goes towards the home posture. Where the targets have the pinch frame follows
    from where the joints have it, for they are near.

    Args:
        state: The arms.
        target: Where the joints are on their way to, shape (n, joints) [rad].
        command: With tensors of n rows.
        home: Posture to go back to, shape (joints,) [rad].
    """
    jacobian = state.jacobian
    turn = rotation_error(command.quat_wxyz, state.quat_wxyz)
    error = torch.cat([command.position - state.position, turn], dim=1)[:, :, None]
    error = error - jacobian @ (target - state.angles)[:, :, None]
    posture = (_POSTURE_GAIN * (home - target))[:, :, None]
    square = jacobian @ jacobian.mT + _DLS_DAMPING**2 * torch.eye(6, dtype=jacobian.dtype, device=jacobian.device)
    return (jacobian.mT @ torch.linalg.solve(square, error - jacobian @ posture) + posture)[:, :, 0]
