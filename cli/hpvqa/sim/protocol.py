"""What a simulator can do, step by step. Recording an episode is one client of it; an acting agent can be another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.waypoint import Gains
from hpvqa.scene.spec import CameraSpec, WorldSpec

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Command:
    """What the robot should do during one physics step.

    Attributes:
        position: Where the pinch point should be, shape (3,) [m].
        velocity: Its velocity, shape (3,) [m/s].
        quat_wxyz: Orientation of the pinch frame.
        closed: How far the gripper should be closed, 0 open to 1 closed.
        gains: Follow by Cartesian impedance with these gains; None: follow stiffly by inverse kinematics.
    """

    position: Array
    velocity: Array
    quat_wxyz: Array
    closed: float
    gains: Gains | None = None


@dataclass(frozen=True)
class BodyState:
    """Pose and velocity of what can move of a thing, in the world.

    Attributes:
        position: Centre, shape (3,) [m].
        quat_wxyz: Orientation, shape (4,).
        velocity: Linear velocity of the centre, shape (3,) [m/s].
        touching_gripper: Whether it is in contact with the robot.
        touching_table: Whether it is in contact with the table.
    """

    position: Array
    quat_wxyz: Array
    velocity: Array
    touching_gripper: bool
    touching_table: bool


@dataclass(frozen=True)
class Impact:
    """A collision with the table that the simulator located within its step.

    Attributes:
        time: Moment of contact [s].
        thing: Name of the thing.
        position: Its centre at that moment, shape (3,) [m].
        speed_before: Approach speed along the normal [m/s].
        speed_after: Separation speed along the normal [m/s].
        time_resolution: How far off the time may be [s]; 0 where the simulator solved for it.
    """

    time: float
    thing: str
    position: Array
    speed_before: float
    speed_after: float
    time_resolution: float = 0.0


@dataclass(frozen=True)
class State:
    """The physical state after a step.

    Attributes:
        time: Since the start of the episode [s].
        joints: Arm joint angles, shape (7,) [rad].
        closed: How far the gripper is closed, 0 open to 1 closed.
        ee_position: Pinch point, shape (3,) [m].
        ee_quat_wxyz: Orientation of the pinch frame, shape (4,).
        things: What can move of each thing, by its name.
        impacts: Collisions located during the last step.
    """

    time: float
    joints: Array
    closed: float
    ee_position: Array
    ee_quat_wxyz: Array
    things: Mapping[str, BodyState]
    impacts: tuple[Impact, ...] = field(default=())


ROBOT_LABEL = 1
FIRST_LABEL = 2
"""What a segmentation calls the robot, and the first of a spec's things; the others count on."""


class Simulator(Protocol):
    """Realises worlds, such as those of episode specs, driven step by step."""

    name: str
    timestep: float
    """Length of one step [s]."""

    def reset(self, spec: WorldSpec, start: Command) -> None:
        """Bring the world into the state that ``spec`` describes, the arm at rest in the pose of ``start``.

        Nothing of an earlier episode is left.
        """

    def step(self, command: Command) -> None:
        """Advance by one physics step."""

    def state(self) -> State:
        """The state now."""

    def save(self) -> object:
        """Everything that the next step depends on, for ``restore``; not to be looked into."""

    def restore(self, saved: object) -> None:
        """Go back to a moment of the same world: all that follows is as it was then, bit for bit.

        Raises:
            ValueError: It was saved in another world.
        """

    def render(self, camera: CameraSpec) -> NDArray[np.uint8]:
        """An RGB image, shape (height, width, 3), from any camera, also one that the spec does not name.

        It is valid until the next call.
        """

    def segment(self, camera: CameraSpec) -> NDArray[np.uint8]:
        """What each pixel's centre shows, shape (height, width): 0 furniture, 1 robot, 2 and on the spec's things."""

    def versions(self) -> dict[str, str]:
        """Names and versions of everything that results depend on."""

    def close(self) -> None:
        """Release the renderer and its memory."""
