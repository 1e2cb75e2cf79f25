"""What simulators by Isaac Lab have in common: many environments in step, whatever its version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hpvqa.errors import UsageError
from hpvqa.scene.layers import Layer
from hpvqa.scene.spec import CameraSpec, EpisodeSpec
from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.commands import pack, pack_frames
from hpvqa.sim.isaac.fresh import Freshness
from hpvqa.sim.isaac.impacts import ImpactFinder
from hpvqa.sim.isaac.rows import as_moved, fetched, states
from hpvqa.sim.isaac.timing import substeps, timestep
from hpvqa.sim.protocol import Command, State

SETTLE_TIME = 1.0
"""Before an episode begins, arm and gripper go to its start for this long [s]; nothing of it is recorded."""
PLACE_TOLERANCE = 0.002
"""Nor may an object be further from its start than this [m] after the first physics step."""
START_TOLERANCE = 0.005
"""An arm that is further from its start than this [m] makes the episode fail."""


class LabSimulator(ABC):
    """Many environments of Isaac Lab.

    Args:
        env: The environment.
        reader: Reads its worlds into rows.
        places: How many environments there are.
        fps: Frames a second.
    """

    name = "isaac"

    def __init__(self, env: Any, reader: Any, places: int, fps: int) -> None:
        self._env = env
        self._reader = reader
        self._places = places
        self._substeps = substeps(fps)
        self.timestep = timestep(fps)
        self._apply: Any = env.event_manager.get_term_cfg("specs").func
        self._arm: Any = env.action_manager.get_term("arm")
        self._taken: list[Tensor] = []
        self._fresh = Freshness()
        self._count = 0
        self._step = 0
        self._specs: list[EpisodeSpec] = []
        self._finders: list[ImpactFinder] = []
        self._troubles: list[str | None] = []
        self._first_seen: set[str] = set()

    def begin(self, specs: Sequence[EpisodeSpec], starts: Sequence[Command]) -> None:
        """Realise specs; environments beyond them repeat the last one and are not reported."""
        self._count = len(specs)
        spare = self._places - self._count
        self._arm.on_step = None
        self._realise([*specs, *[specs[-1]] * spare], [*starts, *[starts[-1]] * spare])
        self._specs = list(specs)
        self._step = 0
        self._first_seen = set()
        self._arm.on_step = self._take
        self._finders = [ImpactFinder(spec.things) for spec in specs]
        self._troubles = [
            self._trouble(number, start, state)
            for number, (start, state) in enumerate(zip(starts, self.states(), strict=True))
        ]

    @abstractmethod
    def _realise(self, specs: Sequence[EpisodeSpec], starts: Sequence[Command]) -> None:
        """Bring all environments into the states that as many specs describe, arms at rest in the start poses."""

    @abstractmethod
    def _rgb(self, camera: str) -> Tensor:
        """The pictures of one camera, shape (environments, height, width, 3)."""

    def layers(self, camera: CameraSpec, wanted: Sequence[Layer]) -> dict[Layer, NDArray[Any]]:
        """None: whoever draws them says how; elsewhere they are refused before anything starts.

        Raises:
            UsageError: Always.
        """
        raise UsageError(f"Isaac Sim's renderer records no {' and no '.join(wanted)} here; leave --record out")

    def states(self) -> list[State]:
        """The states now."""
        return states(fetched(self._reader.rows()), self._step * self.timestep, self._reader.things)[: self._count]

    def advance(self, commands: Sequence[Sequence[Command]]) -> list[list[State]]:
        """Advance by one frame and draw the next pictures."""
        self._taken = []
        spare = self._places - self._count
        self._env.step(pack_frames([*commands, *[commands[-1]] * spare]).to(self._env.device))
        # Each is taken before a step: the first one is the state that the frame began with.
        rows = as_moved(fetched(torch.stack([*self._taken, self._reader.rows()])), self.timestep)
        found: list[list[State]] = [[] for _ in range(self._count)]
        for number, row in enumerate(rows, start=1):
            moment = states(row, (self._step + number) * self.timestep, self._reader.things)
            for episode, finder in enumerate(self._finders):
                found[episode].append(finder.update(moment[episode]))
        if self._step == 0:
            self._check_places([states[0] for states in found])
        self._step += self._substeps
        return found

    def images(self, camera: CameraSpec) -> NDArray[np.uint8]:
        """Pictures of one camera; the first ones after a reset are compared with the last ones before it."""
        name = camera.name
        output = self._rgb(names.camera(name))[: self._count]
        images: NDArray[np.uint8] = np.array(output.detach().to("cpu").numpy(), dtype=np.uint8)
        if name not in self._first_seen:
            self._first_seen.add(name)
            for number, stale in enumerate(self._fresh.stale(name, images)):
                if stale:
                    self._troubles[number] = f"the first picture of {name} shows an earlier moment"
        self._fresh.remember(name, images)
        return images

    def troubles(self) -> list[str | None]:
        """What went wrong in the simulator itself."""
        return list(self._troubles)

    def _take(self) -> None:
        self._taken.append(self._reader.rows())

    def _settle(self, starts: Sequence[Command], watch: Callable[[], None] = lambda: None) -> None:
        """Move arms and grippers to their starts, without drawing anything; ``watch`` is called after every step."""
        for _ in range(round(SETTLE_TIME / self.timestep)):
            self._follow_once(starts)
            watch()

    def _follow_once(self, commands: Sequence[Command]) -> None:
        rows = np.array([pack(command) for command in commands])
        self._arm.follow(torch.tensor(rows, dtype=torch.float32, device=self._env.device))
        self._env.scene.write_data_to_sim()
        self._env.sim.step(render=False)
        self._env.scene.update(dt=self.timestep)

    def _check_places(self, first: Sequence[State]) -> None:
        """Compare where PhysX has the objects after one step with where they were put."""
        for number, (state, spec) in enumerate(zip(first, self._specs, strict=True)):
            for thing in spec.things:
                off = float(np.linalg.norm(state.things[thing.name].position - thing.position))
                if off > PLACE_TOLERANCE and self._troubles[number] is None:
                    self._troubles[number] = f"{thing.words} started {1000 * off:.0f} mm from where it should"

    def _trouble(self, number: int, start: Command, state: State) -> str | None:
        wrong = self._apply.mismatches.get(number)
        if wrong:
            return f"the simulator did not take {', '.join(wrong)}"
        off = float(np.linalg.norm(state.ee_position - start.position))
        if off > START_TOLERANCE:
            return f"the gripper started {1000 * off:.0f} mm from where it should"
        return None
