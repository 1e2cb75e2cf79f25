"""The law of soft movements, shared by all simulators: a spring and a damper between gripper and commanded pose.

A stiff arm moves every cube alike and hides its mass. A spring that is soft along the push does not: the cube stops
where the spring's force no longer overcomes friction, so a heavy cube ends earlier, with the same command and gains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hpvqa.probes.waypoint import Gains
from hpvqa.sim.protocol import Command


@dataclass(frozen=True)
class EndEffector:
    """Pose and motion of the pinch frame; numpy or torch arrays, with any number of leading batch axes.

    Attributes:
        position: Shape (..., 3) [m].
        quat_wxyz: Shape (..., 4).
        velocity: Shape (..., 3) [m/s].
        angular_velocity: Shape (..., 3), in the world [rad/s].
    """

    position: Any
    quat_wxyz: Any
    velocity: Any
    angular_velocity: Any


def impedance(state: EndEffector, command: Command, gains: Gains) -> tuple[Any, Any]:
    """Force and torque, each shape (..., 3) [N], [N m], that the arm should exert at the pinch frame, in the world.

    F = K (x* - x) + D (v* - v);  M = k e - d w, where e is twice the vector part of the rotation from the actual to the
    commanded orientation, which is the rotation vector for small angles (Siciliano et al., Robotics, section 3.7.3).

    Only arithmetic is used, so that numpy and torch arrays serve alike.
    """
    force = gains.stiffness * (command.position - state.position) + gains.damping * (command.velocity - state.velocity)
    error = rotation_error(command.quat_wxyz, state.quat_wxyz)
    torque = gains.rotational_stiffness * error - gains.rotational_damping * state.angular_velocity
    return force, torque


def rotation_error(target: Any, actual: Any) -> Any:
    """Twice the vector part of ``target`` · ``actual``⁻¹, shape (..., 3): the small rotation from actual to target."""
    if isinstance(actual, np.ndarray) and actual.ndim == 1:
        # Plain numbers give the same bits as NumPy's, several times as fast.
        return np.array(_twice_the_vector(*target.tolist(), *actual.tolist()))
    error = actual[..., 1:] * 0.0
    parts = _twice_the_vector(*(quat[..., i] for quat in (target, actual) for i in range(4)))
    for i, part in enumerate(parts):
        error[..., i] = part
    return error


def _twice_the_vector(tw: Any, tx: Any, ty: Any, tz: Any, aw: Any, ax: Any, ay: Any, az: Any) -> tuple[Any, Any, Any]:
    w = tw * aw + tx * ax + ty * ay + tz * az
    sign = 2.0 * (w >= 0) - 1.0
    return (
        2.0 * sign * (tx * aw - tw * ax - ty * az + tz * ay),
        2.0 * sign * (ty * aw - tw * ay - tz * ax + tx * az),
        2.0 * sign * (tz * aw - tw * az - tx * ay + ty * ax),
    )
