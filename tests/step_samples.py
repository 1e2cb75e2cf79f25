"""A folder of samples like those that `hpvqa explore build` writes, small enough to learn by heart."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpvqa.dataset.export.pictures import png
from hpvqa.explore.agents.words import SYSTEM, ask
from hpvqa.explore.protocol import Brief, Option, Shot, Turn
from hpvqa.explore.samples.claims import claim
from hpvqa.explore.samples.folder import PARTS, SAMPLES_FILE, Part, Samples
from hpvqa.explore.samples.record import Sample, picture_file
from hpvqa.explore.samples.thought import compose
from hpvqa.explore.scene import SCENE_VERSION, Action
from hpvqa.files import write_json
from tests.explore_worlds import group

LETTERS = ("A", "B", "C", "D")
SIDE = 64


def turns() -> list[Turn]:
    """Eight turns; the brightness of the picture says which of four options to choose."""
    return [_turn(number) for number in range(8)]


def best(number: int) -> str:
    """The letter that should be chosen at a turn."""
    return LETTERS[number % 4]


def write_samples(folder: Path, numbers: Sequence[int] = range(8), **settings: Any) -> Path:
    """A folder with the turns of two groups of scenes, in each the same ones."""
    (folder / PARTS).mkdir(parents=True)
    (folder / "train" / "pictures").mkdir(parents=True)
    for which in (0, 1):
        found = [sample for number in numbers for sample in _samples(folder, which, number)]
        write_part(folder, which, found)
    written = Samples(worlds_seed=1, shown="pictures")
    write_json(folder / SAMPLES_FILE, {**written.model_dump(mode="json"), **settings})
    (folder / "README.md").write_text("whole")
    return folder


def write_part(folder: Path, which: int, found: Sequence[Sample]) -> None:
    """All samples of a group."""
    lines = [Part(scene="0", left_out=()).model_dump_json(), *(sample.model_dump_json() for sample in found)]
    (folder / PARTS / f"stack-{which:06}.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))


def _turn(number: int) -> Turn:
    brief = Brief(f"stack-{number:06}", f"Which one, {number}?", ("yes", "no"), "Look.", 3, group()[0])
    image = np.full((SIDE, SIDE, 3), 85 * (number % 4), np.uint8)
    options = tuple(Option(letter, f"Go {letter}", Action(kind="move viewer", target=letter)) for letter in LETTERS)
    return Turn(brief, 0, (Shot(image, "ahead"),), options, ())


def _samples(folder: Path, which: int, number: int) -> Iterator[Sample]:
    turn, letter = turns()[number], best(number)
    name = _store(folder, turn.shots[0].image)
    thought = compose(
        {
            "seen": (claim("nothing new"),),
            "uncertain": (claim("all seen"),),
            "gains": (),
            "plans": (claim("answer", letter=letter, answer="no"),),
        },
        np.random.default_rng(0),
    )
    about: dict[str, Any] = {
        "world_version": SCENE_VERSION,
        "split": "train",
        "family": "stack",
        "type": "two boards",
        "group": which,
        "form": "exist",
        "way": "ideal",
        "step": 0,
        "pictures": (name,),
        "system": SYSTEM,
    }
    key, text = f"stack-{which:06}/{number}", ask(turn, thinks=True)
    yield Sample(id=key, subset="steps", text=text, thought=thought, answer=letter, **about)
    yield Sample(id=f"{key}/captions", subset="captions", text="Describe.", answer="Here is a board.", **about)
    yield Sample(id=f"{key}/single", subset="single", asks="suffices", text="Certain?", answer="yes", **about)


def _store(folder: Path, image: NDArray[np.uint8]) -> str:
    data = png(image)
    name = hashlib.sha256(data).hexdigest()
    (folder / picture_file("train", name)).write_bytes(data)
    return name
