"""What a simulator can do: many worlds in step, for recording; one world step by step, for an acting agent as well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.waypoint import Gains
from hpvqa.scene.layers import Layer
from hpvqa.scene.spec import CameraSpec, EpisodeSpec, WorldSpec

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
"""What a segmentation calls the robot, and the first of a spec's things; the others count on. 0 is all else."""


def labels(things: Iterable[str]) -> dict[str, int]:
    """What the numbers of a segmentation mean, by name, in a world of things with these names."""
    return {"robot": ROBOT_LABEL, **{name: label for label, name in enumerate(things, FIRST_LABEL)}}


class Simulator(Protocol):
    """Worlds side by side, all in step, that realise episodes of one task at a time."""

    name: str
    timestep: float
    """Length of one step [s]."""

    def begin(self, specs: Sequence[EpisodeSpec], starts: Sequence[Command]) -> None:
        """Bring as many worlds as there are specs into the states they describe, arms at rest in the start poses.

        Nothing of an earlier episode is left.
        """

    def states(self) -> list[State]:
        """The states now."""

    def advance(self, commands: Sequence[Sequence[Command]]) -> list[list[State]]:
        """Advance by one video frame.

        Args:
            commands: For every world, a command for each physics step.

        Returns:
            For every world, the state after each physics step.
        """

    def images(self, camera: CameraSpec) -> NDArray[np.uint8]:
        """RGB images of all worlds, shape (worlds, height, width, 3), from a camera of their rig; the caller's own."""

    def layers(self, camera: CameraSpec, wanted: Sequence[Layer]) -> dict[Layer, NDArray[Any]]:
        """What the pictures of a camera hold beside colours, of all worlds, each of shape (worlds, height, width).

        Depth is in millimetres along the line of sight, 16 bits, and 0 where nothing is; a segmentation's numbers are
        those of :func:`labels`, 8 bits. Both are of the centres of pixels.
        """

    def troubles(self) -> list[str | None]:
        """For every world, what went wrong in the simulator itself since it began, in words; None if nothing did."""

    def versions(self) -> dict[str, str]:
        """Names and versions of everything that results depend on."""

    def close(self) -> None:
        """Release everything."""


class SteppedSimulator(Simulator, Protocol):
    """A simulator of one world, which can also be driven step by step."""

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

    def measure(self, camera: CameraSpec) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """How far away what each pixel's centre shows is [mm], and the same as ``segment``; (height, width) both."""

    def begin(self, specs: Sequence[EpisodeSpec], starts: Sequence[Command]) -> None:
        """Reset the one world.

        Raises:
            ValueError: There is not one spec.
        """
        (spec,), (start,) = specs, starts
        self.reset(spec, start)

    def states(self) -> list[State]:
        """The state of the one world."""
        return [self.state()]

    def advance(self, commands: Sequence[Sequence[Command]]) -> list[list[State]]:
        """Step the one world."""
        passed = []
        for command in commands[0]:
            self.step(command)
            passed.append(self.state())
        return [passed]

    def images(self, camera: CameraSpec) -> NDArray[np.uint8]:
        """The image of the one world."""
        return self.render(camera)[None].copy()

    def layers(self, camera: CameraSpec, wanted: Sequence[Layer]) -> dict[Layer, NDArray[Any]]:
        """Those of the one world."""
        depth, labels = self.measure(camera)
        found: dict[Layer, NDArray[Any]] = {"depth": depth[None], "segmentation": labels[None]}
        return {layer: found[layer] for layer in wanted}

    def troubles(self) -> list[str | None]:
        """Nothing: what goes wrong is raised."""
        return [None]
