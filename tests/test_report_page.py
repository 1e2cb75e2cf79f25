"""The page: one file, whatever is in the runs, with every failure that it promises."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.dataset.load import Dataset
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
    """Collects what a page refers to, and insists that every element is closed."""

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


def test_it_is_one_file_that_needs_nothing_else(dataset: Dataset, tmp_path: Path) -> None:
    conditions = ("plain", "swap", "mirror", "shuffle", "single", "multiview")
    runs = [
        make_run(tmp_path / "base", dataset, conditions=conditions),
        make_run(tmp_path / "tuned", dataset, conditions=conditions, say=truth, adapter="adapters/a"),
    ]
    html, page = make_page(tmp_path / "out.html", runs)
    assert [link for link in page.links if not link.startswith(("#", "data:"))] == []
    assert re.search(r"(?:https?:)?//[a-z0-9]", re.sub(r"base64,[A-Za-z0-9+/=]*", "", html), re.IGNORECASE) is None
    assert not {"script", "link", "iframe", "object", "embed"} & set(page.tags)
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
    assert "<script" not in html
    assert "script" not in page.tags
    assert "i" not in page.tags
    assert "".join(page.words).count(NASTY) >= 6
    assert "hpvqa report 'a b' " in "".join(page.words)


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
    assert "Every row was answered right." in "".join(page.words)


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
    assert page.tags.count("article") == "".join(page.words).count("no picture: the clip cannot be read") == 16
    assert page.tags.count("video") == 0


def test_public_files_have_no_pictures_but_a_list(tmp_path: Path) -> None:
    _, page = make_page(tmp_path / "out.html", make_internvl(tmp_path))
    text = "".join(page.words)
    assert "Of 392 rows, 171 wrong" in text
    assert "115/217" in text
    assert page.tags.count("article") == 0


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_ticks_are_few_round_and_inside(low: float, width: float) -> None:
    ticks = Scale(low, low + width, 0.0, 100.0).ticks()
    assert 1 <= len(ticks) <= 8
    assert all(low - 1e-6 <= tick <= low + width + 1e-6 for tick in ticks)
    assert ticks == sorted(set(ticks))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_is_outside_of_a_scale_is_held_at_its_border(value: float) -> None:
    assert 10.0 <= Scale(0.0, 1.0, 10.0, 20.0)(value) <= 20.0
