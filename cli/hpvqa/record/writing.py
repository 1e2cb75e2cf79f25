"""Writing down one episode while it happens, whatever drives it: states, rows, and in the end the record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import hpvqa
from hpvqa.probes.events import Pose
from hpvqa.record.episode import TRAJECTORY_FILE, CameraRecord, EpisodeRecord, LayersRecord, VideoRecord
from hpvqa.record.layers import layer_file
from hpvqa.record.trajectory import row, write_trajectory
from hpvqa.record.video import ClipWriter, LayerWriter
from hpvqa.scene.layers import Layer
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.events import EventDetector
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import Command, State, labels
from hpvqa.tasks import TASKS
from hpvqa.tasks.outcome import Outcome


class EpisodeWriter:
    """What is written of one episode.

    Args:
        spec: The episode.
        folder: An existing, empty folder for the files.
        fps: Frame rate of the clips and of the trajectory's rows.
        resolution: Width and height of the clips [pixels]; None to record no clips.
        timestep: Length of a physics step [s].
        layers: What to write beside clips.
    """

    def __init__(
        self,
        spec: EpisodeSpec,
        folder: Path,
        fps: int,
        resolution: tuple[int, int] | None,
        timestep: float,
        layers: Sequence[Layer] = (),
    ) -> None:
        self.planner = Planner(TASKS[spec.task].waypoints(spec))
        self.frames = round(self.planner.duration * fps)
        self._spec = spec
        self._folder = folder
        self._fps = fps
        self._resolution = resolution
        self._layers = tuple(layers)
        self._detector = EventDetector(spec, timestep)
        self._rows: list[list[float]] = []

    def open_clips(self, stack: ExitStack) -> dict[str, ClipWriter]:
        """Begin a clip for every camera, by name; they are closed with the stack."""
        if self._resolution is None:
            return {}
        return {
            camera.name: stack.enter_context(
                ClipWriter(self._folder / f"{camera.name}.mp4", self._fps, *self._resolution)
            )
            for camera in self._spec.cameras
        }

    def open_layers(self, stack: ExitStack) -> dict[tuple[str, Layer], LayerWriter]:
        """Begin the layers of every camera, by its name and theirs; they are closed with the stack."""
        if self._resolution is None:
            return {}
        return {
            (camera.name, layer): stack.enter_context(
                LayerWriter(self._folder / layer_file(camera.name, layer), layer, self._fps, *self._resolution)
            )
            for camera in self._spec.cameras
            for layer in self._layers
        }

    def see(self, state: State) -> None:
        """Take in the state at the start, and after every physics step."""
        self._detector.update(state)

    def add_row(self, state: State, command: Command) -> None:
        """Take down the state that a frame shows, and the command that is followed next."""
        self._rows.append(row(state, command))

    def finish(self, state: State, versions: Mapping[str, str], trouble: str | None = None) -> EpisodeRecord:
        """Write the trajectory and make the record; the checksums of its files are still missing.

        Args:
            state: The last state.
            versions: What the results depend on in the simulator.
            trouble: What went wrong in the simulator itself; the episode has failed then.
        """
        write_trajectory(self._folder / TRAJECTORY_FILE, self._rows, self._spec.names)
        task, events = TASKS[self._spec.task], self._detector.events()
        outcome = task.check(self._spec, events, final_poses(state))
        if trouble is not None:
            outcome = Outcome(ok=False, reason=trouble)
        size = self._resolution
        return EpisodeRecord(
            spec=self._spec,
            outcome=outcome,
            events=events,
            duration=self.planner.duration,
            video=None
            if size is None
            else VideoRecord(fps=self._fps, width=size[0], height=size[1], frames=self.frames),
            cameras=() if size is None else tuple(CameraRecord.of(camera, *size) for camera in self._spec.cameras),
            layers=LayersRecord(recorded=self._layers, labels=labels(self._spec.names)) if self._layers else None,
            files={},
            versions={"hpvqa": hpvqa.__version__, "av": version("av"), **versions},
        )


def final_poses(state: State) -> dict[str, Pose]:
    """Where all things are, by name."""
    found: dict[str, Pose] = {}
    for name, body in state.things.items():
        (x, y, z), (qw, qx, qy, qz) = body.position.tolist(), body.quat_wxyz.tolist()
        found[name] = Pose((x, y, z), (qw, qx, qy, qz))
    return found
