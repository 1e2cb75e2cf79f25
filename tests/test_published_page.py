"""docs/published.md: what its command says of predictions whose readings are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from hpvqa.evaluate.statistics.permutation import sign_flip_p
from hpvqa.report.reading import read_runs
from hpvqa.scene.spec import SIDES, Side, other_side
from research.page import END
from research.published.__main__ import MARK, main
from research.published.findings import picture_p

CAMERAS = ("front_wide", "front_narrow", "back_wide")
QUESTION = (
    "From the perspective of the robot arm facing forward, which sphere looks more elastic, the left or the right?"
)


def predictions(path: Path, picture: bool) -> Path:
    """Twenty episodes; of all but two, answers are correct in the picture's left and right, or always left."""
    lines = []
    for episode in range(20):
        truth: Side = SIDES[episode % 2]
        for camera in CAMERAS:
            said: Side = other_side(truth) if camera.startswith("front") else truth
            said = "left" if not picture else said if episode > 1 else other_side(said)
            lines.append(
                {
                    "file_name": f"drop_spheres_test/videos/episode_{episode}_cam_{camera}.mp4",
                    "question": QUESTION,
                    "answer": f"{truth.capitalize()}.",
                    "values": {"sphere01": 0.1, "sphere02": 0.9},
                    "prediction": f"{said.capitalize()}.",
                    "is_correct": said == truth,
                }
            )
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [
        predictions(tmp_path / "seer_drop_results.jsonl", picture=True),
        predictions(tmp_path / "lefty_drop_results.jsonl", picture=False),
    ]


def test_the_page_says_what_was_found_and_how_sure_it_is(files: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{MARK}\nold\n{END}\nafter\n")
    result = CliRunner().invoke(main, [*map(str, files), "--page", str(page)], catch_exceptions=False)
    assert result.exit_code == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    seer = next(line for line in text.splitlines() if line.startswith("- **seer, drop: the answers are given in"))
    assert "54 of 60 are correct" in seer
    assert "18 of 20 episodes" in seer
    assert "p = 0.0004 " in seer
    assert "0.0008 after correction for 2 runs and tasks" in seer
    assert "- **lefty, drop: nearly always left**, in 1.000 of the answers." in text
    assert "(robot's 30, picture's 30 of 60)" in text
    assert "against the truth by `front_wide`" in text
    assert "| drop · seer | front_wide (below chance) |" in text


def test_the_p_is_by_episode(files: list[Path]) -> None:
    seer, lefty = (read_runs([path])[0] for path in files)
    assert picture_p(seer, "drop") == sign_flip_p([3] * 18 + [-3] * 2) == 2 * (1 + 20 + 190) / 2**20
    # Always left agrees by two cameras of three or by one, episode by episode.
    assert picture_p(lefty, "drop") == 1
