"""Tiny real data: folders of episodes with real clips, trajectories, events and sealed records, a few KB each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from hpvqa.probes.drop import LIFT
from hpvqa.probes.events import Event, Pose
from hpvqa.progress.reporter import Reporter
from hpvqa.record.episode import TRAJECTORY_FILE, CameraRecord, EpisodeRecord, VideoRecord, episode_dir, publish
from hpvqa.record.trajectory import COMMAND, column_names, write_trajectory
from hpvqa.record.video import ClipWriter
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.rigs import Rig, load_rig
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import SIDES, EpisodeSpec, Side, Vec3
from hpvqa.tasks import TASKS
from hpvqa.tasks.outcome import Outcome

FPS = 10
FRAMES = 5
WIDTH, HEIGHT = 48, 32


def quiet() -> Reporter:
    """A reporter that nobody hears."""
    return Reporter([], lambda: 0.0)


def make_spec(task: str, index: int, seed: int = 3, cameras: int = 2) -> EpisodeSpec:
    """A spec as `hpvqa collect` would draw it, with fewer cameras."""
    rig = _rig()
    return sample_episode(
        TASKS[task],
        TASKS[task].ranges(),
        Randomization(),
        rig.name,
        rig.cameras(task)[:cameras],
        seed=seed,
        index=index,
    )


@lru_cache
def _rig() -> Rig:
    return load_rig("paper")


def make_data(
    folder: Path,
    *,
    seed: int = 3,
    cameras: int = 2,
    failed: Collection[tuple[str, int]] = (),
    video: bool = True,
    shift: str | None = None,
    **episodes: int | Iterable[int],
) -> Path:
    """Fill a data folder.

    Args:
        folder: The folder.
        seed: Seed of all episodes.
        cameras: How many cameras record each of them.
        failed: Task and number of episodes that contradict their label.
        video: Whether there are clips.
        shift: What the episodes change, for testing only.
        episodes: For each task how many episodes, or their numbers.
    """
    folder.mkdir(parents=True)
    (folder / "hpvqa.json").write_text("{}\n")
    for task, wanted in episodes.items():
        for index in range(wanted) if isinstance(wanted, int) else wanted:
            spec = make_spec(task, index, seed, cameras).model_copy(update={"shift": shift})
            make_episode(folder, spec, ok=(task, index) not in failed, video=video)
    return folder


def make_episode(data: Path, spec: EpisodeSpec, *, ok: bool = True, video: bool = True) -> Path:
    """Write one episode whose physics are as its spec says."""
    partial = data / ".partial"
    partial.mkdir()
    if video:
        for number, camera in enumerate(spec.cameras):
            make_clip(partial / f"{camera.name}.mp4", brightness=20 + 3 * spec.index + number)
    final = final_positions(spec)
    rows = np.zeros((FRAMES, len(column_names(SIDES))))
    for side in SIDES:
        first = column_names(SIDES).index(f"{side}_x")
        rows[:, first : first + 3] = np.linspace(spec.thing(side).position, final[side], FRAMES)
        rows[:, first + 3] = 1.0
    told = column_names(SIDES).index(COMMAND[0])
    rows[:, told : told + len(COMMAND)] = np.linspace(0.1 + 0.01 * spec.index, 0.5, FRAMES)[:, None]
    write_trajectory(partial / TRAJECTORY_FILE, rows.tolist(), SIDES)
    events = make_events(spec)
    task = TASKS[spec.task]
    outcome = task.check(spec, events, {name: Pose(place) for name, place in final.items()})
    assert outcome.ok
    record = EpisodeRecord(
        spec=spec,
        outcome=outcome if ok else Outcome(ok=False, reason="made to fail"),
        events=events,
        duration=FRAMES / FPS,
        video=VideoRecord(fps=FPS, width=WIDTH, height=HEIGHT, frames=FRAMES) if video else None,
        cameras=tuple(CameraRecord.of(camera, WIDTH, HEIGHT) for camera in spec.cameras) if video else (),
        files={},
        versions={"hpvqa": "0.0.test"},
    )
    folder = episode_dir(data, spec.task, spec.index)
    publish(partial, record, folder)
    return folder


def make_clip(path: Path, brightness: int = 100) -> None:
    """Write a small H.264 clip."""
    with ClipWriter(path, FPS, WIDTH, HEIGHT) as clip:
        for frame in range(FRAMES):
            image = np.full((HEIGHT, WIDTH, 3), brightness % 200, np.uint8)
            image[:, : 4 * frame + 1] = 255
            clip.write(image)


def final_positions(spec: EpisodeSpec) -> dict[Side, Vec3]:
    """A lighter cube slides further; spheres stay where they fell."""
    final: dict[Side, Vec3] = {}
    for side in SIDES:
        thing = spec.thing(side)
        x, y, z = thing.position
        final[side] = (x + (0.2 / (1 + thing.mass) if spec.task == "push" else 0.0), y, z)
    return final


def make_events(spec: EpisodeSpec) -> tuple[Event, ...]:
    """What happens to both objects; the order is the spec's."""
    events: list[Event] = []
    for number, side in enumerate(spec.order):
        x, y, z = spec.thing(side).position
        start = 1.0 + 2.0 * number
        still = {"object": side, "speed_before": 0.0, "speed_after": 0.0, "t_resolution": 0.0}
        events.append(Event(kind="first_touch", t=start, other="gripper", position=(x, y, z), **still))
        if spec.task == "drop":
            bounce = LIFT * spec.thing(side).restitution ** 2
            for kind, later, height in (("release", 0.5, LIFT), ("impact", 0.75, 0.0), ("apex", 0.9, bounce)):
                events.append(Event(kind=kind, t=start + later, position=(x, y, z + height), **still))
    return tuple(sorted(events, key=lambda event: event.t))


def make_original(
    folder: Path, task: str, answers: dict[int, str], *, prefix: str = "", old_wording: bool = False
) -> Path:
    """Write a data folder in the public original's form.

    Args:
        folder: The folder of ``metadata.jsonl``.
        task: Name of the task.
        answers: ``Left.`` or ``Right.`` by number of the episode.
        prefix: What file names begin with, as on the machine of its authors.
        old_wording: Whether the stored question is the one that was not asked.
    """
    (folder / "videos").mkdir(parents=True)
    thing = "cube" if task == "push" else "sphere"
    question = TASKS[task].question
    if old_wording:
        question = "Looking from the front of the robot," + question.partition(",")[2]
    lines = []
    for number, answer in answers.items():
        for camera in ("front_wide", "back_narrow"):
            name = f"videos/episode_{number}_cam_{camera}.mp4"
            make_clip(folder / name, brightness=10 * number)
            left, right = (0.9, 0.3) if answer == "Left." else (0.3, 0.9)
            values = {f"{thing}01": left, f"{thing}02": right}
            lines.append({"file_name": prefix + name, "question": question, "answer": answer, "values": values})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def copy(folder: Path, to: Path) -> Path:
    """A copy whose files are its own, so that damage to them stays there."""
    return Path(shutil.copytree(folder, to))
