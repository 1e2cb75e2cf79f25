"""What evaluating costs: rows a second beside the public original's way, CPU beside bare decoding, and memory.

Run with no arguments on an otherwise idle machine; takes about ten minutes on two cores without a GPU. Episodes of both
tasks are recorded first, 640×480 and seven views (or name a data folder). One tiny model answers all clips, with the
same frames, prompts and one-token scoring: in the public original's way (the main thread decodes whole clips, batches
of 16), through transformers, and through vLLM. Start-up is left out. Prints a readable account while it goes, and all
figures as one line of JSON last.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

os.environ.setdefault("OMP_NUM_THREADS", "1")

import av
import numpy as np
from PIL import Image

from hpvqa.dataset.build import build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.evaluate.conditions import parse_conditions
from hpvqa.evaluate.folder import RunSettings
from hpvqa.evaluate.run import evaluate, run_settings
from hpvqa.evaluate.select import Item, Rows, select
from hpvqa.progress.reporter import Reporter
from hpvqa.recipe import Recipe
from hpvqa.vlm.choice import Look, ModelChoice, open_answerer
from hpvqa.vlm.frames import prefetch
from hpvqa.vlm.frames.choose import choose
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.protocol import Answerer
from hpvqa.vlm.tiny import build_tiny

EPISODES = 3
BATCH = 16
FRAMES = FrameSampling(resolution=(64, 64))
FLAT_ROWS = 2000
CONSTANT_ROWS = 392
"""The paper's evaluation split."""
ENGINES = ("transformers", "vllm")


def quiet() -> Reporter:
    return Reporter([], time.time)


def prepare(folder: Path, data: Path | None) -> None:
    """Record episodes, build a data set that is all for evaluation, and make the tiny model."""
    if data is None:
        data = folder / "data"
        command = [sys.executable, "-m", "hpvqa", "collect", "push", "drop", "--episodes", str(EPISODES)]
        subprocess.run([*command, "--workers", "2", "--out", str(data)], check=True)
    build(data, folder / "dataset", quiet(), recipe=Recipe())
    build_tiny("qwen3_vl", folder / "model", seed=0)


def items_of(folder: Path) -> tuple[Dataset, list[Item]]:
    dataset = open_dataset(folder / "dataset")
    return dataset, select(dataset, "all", load_prompt("paper"))


def open_engine(backend: str, folder: Path, dataset: Dataset) -> Answerer:
    choice = ModelChoice(backend=backend, model=str(folder / "model"), batch_size=BATCH, dtype="float32")
    return open_answerer(choice, dataset, seed=0, environ={})


@contextmanager
def timed(found: dict[str, float], name: str) -> Iterator[None]:
    """Wall and CPU seconds of a block; CPU of all threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    found[f"{name}_wall"] = time.perf_counter() - wall
    found[f"{name}_cpu"] = time.process_time() - cpu


def original_way(clip: Clip) -> Frames:
    """The whole clip decoded into pictures, then the frames that are wanted, squeezed."""
    assert FRAMES.resolution is not None
    with av.open(str(clip.path)) as container:
        images = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    indices = choose(FRAMES, clip)
    small = [np.asarray(Image.fromarray(images[index]).resize(FRAMES.resolution)) for index in indices]
    return Frames(np.stack(small), indices, clip.fps, clip.frames)


def bare(clip: Clip) -> Frames:
    """PyAV alone up to the last wanted frame; only the wanted ones are turned into small pictures."""
    assert FRAMES.resolution is not None
    width, height = FRAMES.resolution
    indices = choose(FRAMES, clip)
    wanted, found = set(indices), []
    with av.open(str(clip.path)) as container:
        container.streams.video[0].thread_type = "NONE"
        for number, frame in enumerate(container.decode(video=0)):
            if number in wanted:
                found.append(frame.reformat(width=width, height=height, format="rgb24").to_ndarray())
            if number == indices[-1]:
                break
    return Frames(np.stack(found), indices, clip.fps, clip.frames)


def clip_of(item: Item) -> Clip:
    return Clip(item.query.clip, item.query.fps, item.query.frames)


def warmed_up(answerer: Answerer, items: list[Item]) -> Answerer:
    """Loaded, and past its first batch, which is slower than the others."""
    answerer.load(lambda sentence: None)
    answerer.answer([replace(item.query, videos=(bare(clip_of(item)),)) for item in items[:BATCH]])
    return answerer


def measure_original(folder: Path) -> dict[str, float]:
    """The public original's way: one thread decodes a batch, then the model answers it."""
    dataset, items = items_of(folder)
    answerer = warmed_up(open_engine("transformers", folder, dataset), items)
    decode = model = 0.0
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        begin = time.perf_counter()
        queries = [replace(item.query, videos=(original_way(clip_of(item)),)) for item in batch]
        decoded = time.perf_counter()
        answerer.answer(queries)
        decode, model = decode + decoded - begin, model + time.perf_counter() - decoded
    return {
        "original_rows_per_s": len(items) / (decode + model),
        "original_decode_s_per_row": decode / len(items),
        "original_model_s_per_row": model / len(items),
    }


def measure_engine(backend: str, folder: Path) -> dict[str, float]:
    """A whole run: rows a second, CPU beside bare decoding and the model from memory, a second condition's decoding."""
    dataset, items = items_of(folder)
    answerer = warmed_up(open_engine(backend, folder, dataset), items)
    times: dict[str, float] = {}
    with timed(times, "bare"):
        queries = [replace(item.query, videos=(bare(clip_of(item)),)) for item in items]
    with timed(times, "model"):
        for start in range(0, len(queries), BATCH):
            answerer.answer(queries[start : start + BATCH])
    with timed(times, "decode"):
        for item in items:
            read_clip(clip_of(item), FRAMES)
    with timed(times, "run"):
        run_rows(dataset, answerer, items, "plain")
    decoded = []

    def counted(clip: Clip, sampling: FrameSampling) -> Frames:
        decoded.append(clip)
        return read_clip(clip, sampling)

    with mock.patch.object(prefetch, "read_clip", counted), timed(times, "two"):
        run_rows(dataset, answerer, items, "plain,swap")
    answerer.close()
    rows = len(items)
    return {
        f"{backend}_rows_per_s": rows / times["run_wall"],
        f"{backend}_cpu_s_per_row": times["run_cpu"] / rows,
        f"{backend}_bare_cpu_s_per_row": (times["bare_cpu"] + times["model_cpu"]) / rows,
        f"{backend}_cpu_ratio": times["run_cpu"] / (times["bare_cpu"] + times["model_cpu"]),
        f"{backend}_decode_s_per_row": times["decode_wall"] / rows,
        f"{backend}_model_s_per_row": times["model_wall"] / rows,
        f"{backend}_two_conditions_rows_per_s": 2 * rows / times["two_wall"],
        f"{backend}_two_conditions_decodings_per_clip": len(decoded) / rows,
    }


def settings_of(dataset: Dataset, answerer: Answerer) -> RunSettings:
    look = Look(load_prompt("paper"), FRAMES)
    return run_settings(dataset, answerer, Rows(split="all"), look, backend="b", model="m", seed=0)


def run_rows(dataset: Dataset, answerer: Answerer, items: list[Item], conditions: str) -> None:
    settings = settings_of(dataset, answerer)
    with tempfile.TemporaryDirectory() as out:
        wanted = parse_conditions(conditions)
        evaluate(items, answerer, Path(out) / "run", settings, quiet(), conditions=wanted, workers=2)


def many(items: list[Item], rows: int) -> list[Item]:
    """The same clips again and again, under other names."""
    return [
        replace(
            items[number % len(items)],
            row=items[number % len(items)].row.model_copy(update={"file_name": f"{number}.mp4", "episode": number}),
            query=replace(items[number % len(items)].query, key=f"{number}.mp4"),
        )
        for number in range(rows)
    ]


def measure_memory(folder: Path) -> dict[str, float]:
    """Resident memory while 2,000 rows are answered: after the first 500, and at most after that."""
    dataset, items = items_of(folder)
    answerer = warmed_up(open_engine("transformers", folder, dataset), items)
    seen: list[float] = []

    class Sink:
        def consume(self, event: object) -> None:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            seen.append(pages * resource.getpagesize() / 2**20)

        def close(self) -> None:
            pass

    settings = settings_of(dataset, answerer)
    with tempfile.TemporaryDirectory() as out:
        evaluate(
            many(items, FLAT_ROWS), answerer, Path(out) / "run", settings, Reporter([Sink()], time.time), workers=2
        )
    first = seen[FLAT_ROWS // 4]
    return {
        "memory_mb_at_500_rows": first,
        "memory_mb_most_after": max(seen[FLAT_ROWS // 4 :]),
        "memory_growth": max(seen[FLAT_ROWS // 4 :]) / first,
    }


def measure_constant(folder: Path) -> dict[str, float]:
    """The whole command with a constant baseline on as many rows as the paper's evaluation split has."""
    dataset, items = items_of(folder)
    answerer = open_answerer(ModelChoice(model="left"), dataset, seed=0, environ={})
    settings = settings_of(dataset, answerer)
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        evaluate(many(items, CONSTANT_ROWS), answerer, Path(out) / "run", settings, quiet())
    inside = time.perf_counter() - begin
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "hpvqa", "eval", "--dataset", str(folder / "dataset"), "--model", "left"]
        subprocess.run([*command, "--split", "all", "--out", f"{out}/run"], check=True, capture_output=True)
    return {"constant_392_rows_s": inside, "constant_command_s": time.perf_counter() - begin}


PARTS: dict[str, Callable[[Path], dict[str, float]]] = {
    "original": measure_original,
    "transformers": lambda folder: measure_engine("transformers", folder),
    "vllm": lambda folder: measure_engine("vllm", folder),
    "memory": measure_memory,
    "constant": measure_constant,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="Folder of episodes; by default some are recorded.")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](options.folder)))
        return
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, options.data)
        for part in PARTS:
            # Each in a process of its own, so that none inherits another's memory or threads.
            command = [sys.executable, __file__, "--part", part, "--folder", str(folder)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            figures = json.loads(done.stdout.splitlines()[-1])
            found |= figures
            for figure, value in figures.items():
                print(f"{figure}: {value:.4g}", flush=True)
    for backend in ENGINES:
        found[f"{backend}_over_original"] = found[f"{backend}_rows_per_s"] / found["original_rows_per_s"]
        print(f"{backend}_over_original: {found[f'{backend}_over_original']:.2f}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
