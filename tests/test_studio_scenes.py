"""The studio's pages about scenes: what agents saw, chose and believed, and that only what is there is given."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.protocol import Decision, Turn
from hpvqa.explore.runs.record import StepRecord, played_file, read_played, write_played
from hpvqa.studio.scenes import Scenes
from hpvqa.studio.writing import write_site
from tests.eval_runs import hpvqa
from tests.explore_play import Scripted, play, rule
from tests.factories import quiet

PNG = b"\x89PNG\r\n\x1a\n"


def mute(turn: Turn) -> Decision:
    return Decision(None, error="<b>unreadable</b>")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("scenes")
    play(rule("ideal"), folder / "ideal")
    play(Scripted(mute), folder / "mute", "facts")
    return [folder / "ideal", folder / "mute"]


def pages(*runs: Path) -> Scenes:
    found = Scenes(runs, live=True)
    found.read(quiet())
    return found


def text(site: Scenes, address: str) -> str:
    content = site.get(address)
    assert content is not None
    assert isinstance(content.body, bytes)
    return content.body.decode()


def steps_of(run: Path, key: str) -> tuple[StepRecord, ...]:
    played = read_played(played_file(run, key))
    assert played is not None
    return played.steps


def test_the_list_says_how_each_run_ended(runs: list[Path]) -> None:
    page = text(pages(*runs), "index.html")
    keys = {path.name for path in (runs[0] / "scenes").iterdir()}
    assert set(re.findall(r'href="scenes/([^"]+)\.html"', page)) == keys
    assert page.count('data-run0="justified"') == page.count('data-run1="no answer"') == len(keys)


def test_a_scene_shows_every_step_with_what_its_options_were_worth(runs: list[Path]) -> None:
    site = pages(*runs)
    key = sorted(path.name for path in (runs[0] / "scenes").iterdir())[0]
    page = text(site, f"scenes/{key}.html")
    ideal, mute = (page.split(f'<section id="run-{number}">')[1] for number in (0, 1))
    steps = steps_of(runs[0], key)
    assert ideal.split("<section")[0].count('class="step"') == len(steps)
    for step in steps:
        for letter, gain in step.privileged.gains.items():
            option = next(one for one in step.options if one.letter == letter)
            assert re.search(rf"<th>{letter}</th><td><span>{option.text}</span>.*?<td>{gain:.3f}</td>", ideal)
    assert ideal.count(">chosen<") == len(steps)
    # What agents and servers said is text, whatever it says.
    assert "&lt;b&gt;unreadable&lt;/b&gt;" in mute
    assert "<b>" not in mute
    assert "Places:" in mute


def test_only_pictures_of_steps_are_given(runs: list[Path], tmp_path: Path) -> None:
    run = tmp_path / "seen"
    shutil.copytree(runs[0], run)
    key = sorted(path.name for path in (run / "scenes").iterdir())[0]
    played, shot = read_played(played_file(run, key)), hashlib.sha256(PNG).hexdigest()
    assert played is not None
    steps = [step.model_copy(update={"shot": shot}) for step in played.steps]
    write_played(played_file(run, key), steps, played.ending)
    (run / "shots").mkdir()
    (run / "shots" / f"{shot}.png").write_bytes(PNG)
    (run / "shots" / "other.png").write_bytes(PNG)
    site = pages(run)
    content = site.get(f"shots/{shot}.png")
    assert content is not None
    assert content.body == run / "shots" / f"{shot}.png"
    for address in ("shots/other.png", f"shots/../shots/{shot}.png", f"scenes/{key}", "scenes/../run.json", "run.json"):
        assert site.get(address) is None
    out = tmp_path / "pages"
    written = write_site(site, out, quiet())
    assert written.missing == ()
    for page in out.rglob("*.html"):
        for name in re.findall(r'(?:src|href)="([^"]+)"', page.read_text()):
            assert name.startswith("data:") or (page.parent / name).is_file()
    with pytest.raises(UsageError, match="which is only read"):
        write_site(site, run / "pages", quiet())


def test_a_run_of_others_cannot_show_what_lies_outside_of_it(runs: list[Path], tmp_path: Path) -> None:
    run = tmp_path / "theirs"
    shutil.copytree(runs[0], run)
    key = sorted(path.name for path in (run / "scenes").iterdir())[0]
    secret, shot = tmp_path / "secret.png", hashlib.sha256(PNG).hexdigest()
    secret.write_bytes(PNG)
    played = read_played(played_file(run, key))
    assert played is not None
    (run / "shots").mkdir()
    (run / "shots" / f"{shot}.png").symlink_to(secret)
    write_played(
        played_file(run, key), [step.model_copy(update={"shot": shot}) for step in played.steps], played.ending
    )
    site = pages(run)
    assert site.get(f"shots/{shot}.png") is None
    write_site(site, tmp_path / "pages", quiet())
    for name in ("../../secret", '"><script src="x"></script>', ""):
        named = [step.model_copy(update={"shot": name}) for step in played.steps]
        write_played(played_file(run, key), named, played.ending)
        with pytest.raises(RunError, match="is damaged"):
            pages(run)


def test_pages_that_are_written_name_only_what_is_written(runs: list[Path], tmp_path: Path) -> None:
    run, late = tmp_path / "run", tmp_path / "late"
    shutil.copytree(runs[0], run)
    last = sorted((run / "scenes").iterdir())[-1]
    last.rename(late)
    site = Scenes([run], live=False)
    site.read(quiet())
    late.rename(last)
    write_site(site, tmp_path / "pages", quiet())
    assert last.name not in (tmp_path / "pages/index.html").read_text()


def test_scenes_that_are_played_meanwhile_are_found_and_damage_is_a_sentence(runs: list[Path], tmp_path: Path) -> None:
    run, late = tmp_path / "run", tmp_path / "late"
    shutil.copytree(runs[0], run)
    last = sorted((run / "scenes").iterdir())[-1]
    last.rename(late)
    site = pages(run)
    assert f"scenes/{last.name}.html" not in text(site, "index.html")
    late.rename(last)
    assert f"scenes/{last.name}.html" in text(site, "index.html")
    played_file(run, last.name).write_text("{}")
    with pytest.raises(RunError, match="is damaged"):
        pages(run)


def test_the_command_writes_them_and_says_what_does_not_fit(
    runs: list[Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert hpvqa("studio", runs[0], "--run", runs[1], "--out", tmp_path / "pages") == 0
    assert re.search(r"shows \d+ scenes; open it in a browser", capfd.readouterr().out)
    assert hpvqa("studio", runs[0], "--training", tmp_path, "--out", tmp_path / "more") == 2
    assert "beside episodes" in capfd.readouterr().err
    (tmp_path / "other").mkdir()
    assert hpvqa("studio", runs[0], "--run", tmp_path / "other", "--out", tmp_path / "more") == 2
    assert "is no run of an agent" in capfd.readouterr().err
    assert hpvqa("studio", runs[0], "--run", runs[0], "--out", tmp_path / "more") == 2
    assert "the same name" in capfd.readouterr().err
