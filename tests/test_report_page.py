"""The page: one file, whatever is in the runs, with every failure that it promises."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.dataset.load import Dataset
from hpvqa.errors import RunError
from hpvqa.record.video import ClipWriter
from hpvqa.report.html.gallery import MOST
from hpvqa.report.html.page import write_page
from hpvqa.report.html.svg import Scale
from hpvqa.report.measure import measure
from hpvqa.report.reading import read_runs
from tests.factories import copy
from tests.report_runs import append, left, make_dataset, make_internvl, make_prediction, make_run, truth

VOID = {"meta", "img", "line", "polyline", "polygon", "rect", "circle", "path"}
NASTY = "<script>alert('x')</script>&\"'"


class Checker(HTMLParser):
    """Collects what a page refers to; every element must be closed, and what a keyboard reaches must have a name."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if ("tabindex", "0") in attrs:
            assert dict(attrs).keys() >= {"role", "aria-label"}
        for name, value in attrs:
            if name in {"href", "src", "srcset", "poster", "data", "action"}:
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def make_page(out: Path, folders: Sequence[Path], **options: int) -> tuple[str, Checker]:
    runs = read_runs(folders)
    report = measure(runs, command=("hpvqa", "report", "a b", NASTY), created="2026-01-01")
    write_page(report, runs, out, **options)
    html = out.read_text()
    return html, Checker(html)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("page"), push=8, drop=8)


@pytest.mark.slow
def test_it_is_one_file_that_needs_nothing_else(dataset: Dataset, tmp_path: Path) -> None:
    conditions = ("plain", "swap", "mirror", "shuffle", "single", "multiview")
    runs = [
        make_run(tmp_path / "base", dataset, conditions=conditions),
        make_run(tmp_path / "tuned", dataset, conditions=conditions, say=truth, adapter="adapters/a"),
    ]
    html, page = make_page(tmp_path / "out.html", runs)
    assert [link for link in page.links if not link.startswith(("#", "data:"))] == []
    assert re.search(r"(?:https?:)?//[a-z0-9]", re.sub(r"base64,[A-Za-z0-9+/=]*", "", html), re.IGNORECASE) is None
    assert not {"link", "iframe", "object", "embed"} & set(page.tags)
    assert "@import" not in html
    assert "url(" not in html
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert list(tmp_path.glob("*.partial")) == []


def test_every_section_is_there(dataset: Dataset, tmp_path: Path) -> None:
    runs = [
        make_run(tmp_path / "base", dataset, conditions=("plain", "swap", "single")),
        make_run(tmp_path / "tuned", dataset, say=truth, adapter="adapters/a"),
    ]
    html, page = make_page(tmp_path / "out.html", runs)
    wanted = [
        "accuracy",
        "bias",
        "gap",
        "conditions",
        "cameras",
        "calibration",
        "comparisons",
        "failures",
        "provenance",
    ]
    assert [name for name in page.ids if not name.startswith("clip-")] == wanted
    drawings = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(drawings) > 10
    for drawing in drawings:
        ET.fromstring(drawing)  # noqa: S314 - our own
    text = "".join(page.words)
    assert dataset.fingerprint in text
    assert "adapters/a" in text
    assert "Pre-trained → fine-tuned" in text


def test_what_a_run_says_is_only_text(dataset: Dataset, tmp_path: Path) -> None:
    run = make_run(tmp_path / "a&b<i>", dataset, model=NASTY, details={NASTY: NASTY}, versions={NASTY: NASTY})
    row = dataset.rows("eval")[0]
    append(run, make_prediction(row, None, text=NASTY, question=NASTY, camera=NASTY))
    append(run, make_prediction(dataset.rows("eval")[1], None, error=NASTY))
    html, page = make_page(tmp_path / "out.html", [run])
    assert page.tags.count("script") == html.count("<script") == 1
    assert "i" not in page.tags
    assert "".join(page.words).count(NASTY) >= 6
    assert "hpvqa report 'a b' " in "".join(page.words)


def test_only_its_own_script_may_run(dataset: Dataset, tmp_path: Path) -> None:
    html, _ = make_page(tmp_path / "out.html", [make_run(tmp_path / "run", dataset)])
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'\"" in html
    assert "default-src 'none'" in html


def test_cards_can_be_filtered_and_name_the_command_that_asks_again(dataset: Dataset, tmp_path: Path) -> None:
    command = ["hpvqa", "eval", "--model", "x y", "--task", "push", "--limit", "9", "--restart", "--out", "z"]
    run = make_run(tmp_path / "run", dataset, say=left, command=command)
    html, page = make_page(tmp_path / "out.html", [run])
    cards = re.findall(
        r'<article class="card" data-run="run" data-task="(\w+)" data-camera="(\w+)" data-kind="wrong"', html
    )
    assert len(cards) == page.tags.count("article") == MOST
    asked = [words for words in page.words if words.startswith("hpvqa eval")]
    row = next(row for row in dataset.rows("train") if row.answer == "right")
    again = f"--task {row.task} --camera {row.camera} --episode {row.episode} --condition plain"
    assert f"hpvqa eval --model 'x y' --split train {again}" in asked


def test_drops_show_how_high_things_bounce(dataset: Dataset, tmp_path: Path) -> None:
    _, page = make_page(tmp_path / "out.html", [make_run(tmp_path / "run", dataset, say=left)])
    shown = {words for words in page.words if words.startswith("start · ")}
    assert {frozenset(words.split(" · ")) for words in shown} == {
        frozenset({"start", "left at its highest", "right at its highest"}),
        frozenset({"start", "left touched", "right touched"}),
    }


def test_pictures_of_an_imported_data_set_are_start_middle_and_end(dataset: Dataset, tmp_path: Path) -> None:
    root = copy(dataset.root, tmp_path / "copy")
    for path in root.rglob("episode.json"):
        path.unlink()
    _, page = make_page(tmp_path / "out.html", [make_run(tmp_path / "run", dataset, say=left, dataset=str(root))])
    assert page.words.count("start · middle · end") == page.tags.count("img") == MOST


@pytest.mark.slow
def test_a_clip_with_pictures_that_fill_the_memory_is_not_decoded(dataset: Dataset, tmp_path: Path) -> None:
    root = copy(dataset.root, tmp_path / "copy")
    clips = sorted(root.rglob("*.mp4"))
    with ClipWriter(clips[0], 10, 5120, 2160) as clip:
        for _ in range(2):
            clip.write(np.zeros((2160, 5120, 3), np.uint8))
    for other in clips[1:]:
        other.write_bytes(clips[0].read_bytes())
    run = make_run(tmp_path / "run", dataset, say=left, dataset=str(root))
    _, page = make_page(tmp_path / "out.html", [run])
    assert "".join(page.words).count("no picture: the clip is too large to be shown") == MOST
    assert not {"img", "video"} & set(page.tags)


def test_a_clip_outside_of_the_data_set_is_not_shown(dataset: Dataset, tmp_path: Path) -> None:
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(next(dataset.root.rglob("*.mp4")).read_bytes())
    root = copy(dataset.root, tmp_path / "copy")
    clips = list(root.rglob("*.mp4"))
    for clip in clips[1:]:
        clip.unlink()
        clip.symlink_to(outside)
    run = make_run(tmp_path / "run", dataset, say=lambda row: None, dataset=str(root))
    append(run, make_prediction(dataset.rows("eval")[0], None, file_name="../../outside.mp4"))
    (found,) = read_runs([run])
    assert [path for row in found.predictions if (path := found.clip(row)) is not None] == [clips[0]]


def test_a_data_set_that_moved_is_said_and_can_be_named(dataset: Dataset, tmp_path: Path) -> None:
    moved = copy(dataset.root, tmp_path / "moved")
    run = make_run(tmp_path / "run", dataset, say=left, dataset="nowhere/dataset")
    _, page = make_page(tmp_path / "out.html", [run])
    assert "No pictures or clips: nowhere/dataset is not there any more" in "".join(page.words)
    assert page.tags.count("article") == 0
    (found,) = read_runs([run], [tmp_path, moved])
    assert (found.missing, found.notes) == (0, ())
    assert found.clip(found.main[0]) is not None


@pytest.mark.parametrize("gap", [1e6, 1234.5, 1e-9, 5e-324, 0.0])
def test_any_gap_can_be_drawn(dataset: Dataset, tmp_path: Path, gap: float) -> None:
    run = make_run(tmp_path / "run", dataset)
    append(run, *(make_prediction(row, "left", gap=gap) for row in dataset.rows("eval")))
    _, page = make_page(tmp_path / "out.html", [run])
    assert "By difficulty" in "".join(page.words)


@pytest.mark.parametrize("gap", ["1e308", "-1", "1e999"])
def test_a_gap_that_no_two_things_have_is_a_damaged_line(dataset: Dataset, tmp_path: Path, gap: str) -> None:
    run = make_run(tmp_path / "run", dataset)
    line = make_prediction(dataset.rows("eval")[0], "left", gap=0.25).model_dump_json()
    with (run / "predictions.jsonl").open("a") as file:
        file.write(line.replace('"gap":0.25', f'"gap":{gap}') + "\n")
    with pytest.raises(RunError, match=r"predictions.jsonl line 33 is damaged \("):
        read_runs([run])


def test_names_that_are_no_text_are_shown_escaped(dataset: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"run\xff")
    _, page = make_page(tmp_path / "out.html", [make_run(folder, dataset)])
    assert "run\\udcff" in page.words


def test_views_that_a_model_was_not_trained_on_stand_apart_everywhere(dataset: Dataset, tmp_path: Path) -> None:
    cameras = sorted({row.camera for row in dataset.rows("eval")}, key=lambda name: name != "front_wide")
    views = {"push": tuple(cameras), "drop": (cameras[0],)}
    word = {2: "two", 3: "three", 4: "four"}[len({row.camera for row in dataset.rows("eval") if row.task == "drop"})]
    html, page = make_page(tmp_path / "out.html", [make_run(tmp_path / "run", dataset, say=left, views=views)])
    text = "".join(page.words)
    assert f"trained on drop by one of {word} cameras ({cameras[0]}); all other views are scored separately" in text
    assert "plain, untrained views" in page.words
    shown = re.findall(r'data-task="drop" data-camera="(\w+)"', html)
    assert set(shown) == {cameras[0]}


def test_marks_stand_wherever_numbers_do(dataset: Dataset, tmp_path: Path) -> None:
    run = make_run(tmp_path / "oracle", dataset, privileged=True, resampling="unknown")
    html, page = make_page(tmp_path / "out.html", [run, make_run(tmp_path / "fair", dataset)])
    # Wherever a table or a heading names the run, the marks follow; elsewhere they are part of the same words.
    for rest in html.split("<span>oracle</span>")[1:]:
        assert rest.startswith('<span class="badge">privileged</span><span class="badge">resampling unknown</span>')
    assert all("privileged" in words for words in page.words if words.startswith("oracle ·"))


def test_failures_are_shown_up_to_a_count_that_is_stated(dataset: Dataset, tmp_path: Path) -> None:
    _, page = make_page(tmp_path / "out.html", [make_run(tmp_path / "run", dataset, say=lambda row: None)])
    assert page.tags.count("article") == MOST
    assert f"Of 32 rows, 32 invalid. Shown: {MOST}," in "".join(page.words)
    assert page.tags.count("img") == MOST
    assert page.tags.count("video") == MOST
    _, page = make_page(tmp_path / "right.html", [make_run(tmp_path / "right", dataset, say=truth)])
    assert "Every row was answered correctly." in "".join(page.words)


def test_clips_beyond_the_budget_are_links(dataset: Dataset, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", dataset, say=left)
    sizes = sorted(path.stat().st_size for path in dataset.root.rglob("*.mp4"))
    folder = tmp_path / "some where"
    folder.mkdir()
    _, page = make_page(folder / "out.html", [run], clip_budget=3 * sizes[-1])
    assert 1 <= page.tags.count("video") <= 3 * sizes[-1] // sizes[0]
    links = [link for link in page.links if link.endswith(".mp4")]
    assert links
    assert all((folder / unquote(link)).resolve().is_file() for link in links)
    assert page.tags.count("video") + len(links) == page.tags.count("article")


def test_a_clip_is_embedded_once(dataset: Dataset, tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name, dataset, say=left) for name in ("a", "b")]
    _, page = make_page(tmp_path / "out.html", runs)
    assert page.tags.count("article") == 2 * page.tags.count("video")


def test_a_link_to_a_clip_further_up_opens_it(dataset: Dataset, tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name, dataset, say=left) for name in ("a", "b")]
    html, page = make_page(tmp_path / "out.html", runs)
    links = [link[1:] for link in page.links if link.startswith("#clip-")]
    assert links
    # Browsers open a folded part for what is inside it, not for itself.
    assert all(f'<video id="{anchor}"' in html for anchor in links)


def test_figures_whose_marks_stand_for_runs_have_a_key(dataset: Dataset, tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name, dataset, conditions=("plain", "swap")) for name in ("a", "b")]
    html, _ = make_page(tmp_path / "two.html", runs)
    sections = re.findall(r'<section id="(\w+)">(.*?)</section>', html, re.DOTALL)
    keyed = [name for name, content in sections if '<p class="key">' in content]
    assert keyed == ["bias", "gap", "conditions", "cameras", "calibration"]
    assert 'class="key"' not in make_page(tmp_path / "one.html", runs[:1])[0]


def test_a_clip_that_cannot_be_read_has_a_placeholder(dataset: Dataset, tmp_path: Path) -> None:
    root = copy(dataset.root, tmp_path / "copy")
    clips = sorted(root.rglob("*.mp4"))
    for number, clip in enumerate(clips):
        if number % 2:
            clip.unlink()
        else:
            clip.write_bytes(b"nothing")
    run = make_run(tmp_path / "run", dataset, dataset=str(root))
    _, page = make_page(tmp_path / "out.html", [run])
    assert page.tags.count("article") == "".join(page.words).count("no picture: ") == MOST
    assert page.tags.count("video") == 0


def test_public_files_have_no_pictures_but_a_list(tmp_path: Path) -> None:
    _, page = make_page(tmp_path / "out.html", make_internvl(tmp_path))
    text = "".join(page.words)
    assert "Of 392 rows, 171 wrong" in text
    assert "115/217" in text
    assert page.tags.count("article") == 0


@given(st.floats(0, 1e308), st.integers(-300, 300))
def test_ticks_of_any_range_are_few(high: float, power: int) -> None:
    high = min(max(high, 1e-300), 10.0**power)
    ticks = Scale(0.0, high, 0.0, 100.0).ticks()
    assert 1 <= len(ticks) <= 8
    assert ticks[-1] <= 1.0001 * high
    assert ticks == sorted(set(ticks))


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_ticks_are_few_round_and_inside(low: float, width: float) -> None:
    ticks = Scale(low, low + width, 0.0, 100.0).ticks()
    assert 1 <= len(ticks) <= 8
    assert all(low - 1e-6 <= tick <= low + width + 1e-6 for tick in ticks)
    assert ticks == sorted(set(ticks))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_outside_of_a_scale_is_held_at_its_border(value: float) -> None:
    assert 10.0 <= Scale(0.0, 1.0, 10.0, 20.0)(value) <= 20.0
