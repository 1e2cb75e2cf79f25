"""The fixed suite, on tiny episodes that take no simulator."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hpvqa import versions
from hpvqa.errors import RunError, UsageError
from hpvqa.main import main
from hpvqa.suite import data as suite_data
from hpvqa.suite import definition as suite_definition
from hpvqa.suite import run as suite_run
from hpvqa.suite.card import Card, Entry, Section, mean, read_card, score
from hpvqa.suite.compare import compare
from hpvqa.suite.definition import Definition, Size, Suite, check, digest, load
from hpvqa.suite.names import SIZES, VERSIONS
from hpvqa.tasks import TASKS
from hpvqa.vlm.choice import ModelChoice
from tests.collect_fakes import SerialPool, tiny
from tests.explore_worlds import write_worlds

Runner = Callable[..., object]


def small() -> Definition:
    """A suite of two tasks, one shift, and four scenes."""
    whole = load("v1", "quick").definition
    size = Size(
        resolution=(64, 48),
        cameras=("back_left_wide", "front_wide"),
        usual={"push": 6, "drop": 4},
        training=2,
        shifts={"light": {"push": 2}},
        scenes=4,
    )
    changes = {"scenes_seed": 0, "families": ("stack",), "sizes": {"quick": size}}
    suite = Suite(definition=whole.model_copy(update=changes), size_name="quick")
    return suite.definition.model_copy(update={"digests": {"quick": digest(suite)}})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runner:
    """Runs the command ``suite run`` on a suite without simulator, whose scenes are there; returns the exit code."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    definition = small()
    monkeypatch.setattr(suite_definition, "_read", lambda version: definition)
    monkeypatch.setattr(suite_data, "prepare", lambda *args, **more: None)
    monkeypatch.setattr(suite_data, "mujoco_pool", lambda workers: SerialPool(tiny, workers))
    references = {who: name for who, name in suite_run.REFERENCES.items() if who != "pixels"}
    monkeypatch.setattr(suite_run, "REFERENCES", references)

    def call(*args: str) -> object:
        if not Path("data/scenes").exists():
            write_worlds(Path("data/scenes"))
            suite_data.begin(suite_data.Data(load("v1", "quick"), Path("data")), definition.digests["quick"])
        with pytest.raises(SystemExit) as caught:
            main(["suite", "run", "--size", "quick", "--data", "data", "--workers", "1", *args])
        return caught.value.code

    return call


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.slow
def test_every_version_plans_what_it_always_did(version: str, size: str) -> None:
    assert check(load(version, size)) == load(version, size).definition.digests[size]


def test_the_newest_version_has_all_tasks_and_only_possible_shifts() -> None:
    own = {name for name in TASKS if name not in {plugin.name for plugin in TASKS.plugins}}
    for size in SIZES:
        suite = load(VERSIONS[-1], size)
        assert set(suite.size.usual) == own
        assert set(suite.size.shifts) == set(suite.definition.shifts)
        # A task that a shift is not for has no ranges under it.
        assert all(part.recipe.ranges(task) for part in suite.parts() for task in part.tasks)


def test_episodes_of_a_shift_are_those_without_it_but_for_the_shift() -> None:
    usual, *shifts = load("v1", "quick").parts()
    spec = usual.collection({}).spec("push", 2)
    for part in shifts:
        other = part.collection({}).spec("push", 2)
        assert (other.shift, spec.shift) == (part.name, None)
        assert TASKS["push"].answer(other) == TASKS["push"].answer(spec)
        assert other != spec.model_copy(update={"shift": part.name})


def test_a_changed_plan_is_refused() -> None:
    definition = small()
    changed = definition.model_copy(update={"seed": definition.seed + 1})
    with pytest.raises(RunError, match="plans other episodes than the suite v1 quick"):
        check(Suite(definition=changed, size_name="quick"))


@pytest.mark.slow
def test_cards_of_two_models_and_their_comparison(run: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--model", "left", "--out", "a") == 0
    shown = capsys.readouterr()
    assert "left on the suite v1 quick: 0.500" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "Step 1 of" in shown.err
    left = read_card(Path("a"))
    usual, values = left.sections[:2]
    assert usual.scores["model"].share == usual.scores["majority"].share == 0.5
    assert {name: entry.scores["model"].episodes for name, entry in usual.tasks.items()} == {"push": 4, "drop": 2}
    assert usual.scores["ceiling"].rows == usual.scores["random"].rows == 6
    assert values.why == "It answers no value questions."
    assert "model" not in values.scores
    assert values.scores["majority"].rows == usual.scores["majority"].rows * 2
    assert left.sections[-1].scores["ceiling"].share == 1.0
    assert left.sections[-1].why == "It answers data sets, and plays no scenes."
    assert "0.500" in Path("a/card.html").read_text()

    # The rendered suite and the baselines are shared: nothing is made again.
    before = {path: path.stat().st_mtime_ns for path in Path("data").rglob("*.json*")}
    assert run("--model", "oracle", "--out", "b", "--json") == 0
    oracle = Card.model_validate_json(capsys.readouterr().out)
    assert {path: path.stat().st_mtime_ns for path in Path("data").rglob("*.json*")} == before
    assert oracle.headline is not None
    assert oracle.headline.share == 1.0
    assert oracle.privileged

    found = compare(left, oracle)
    assert [(one.part, one.form, one.task) for one in found.differences] == [
        ("usual", "compare", None),
        ("usual", "compare", "push"),
        ("usual", "compare", "drop"),
        ("light", "compare", None),
    ]
    assert (found.differences[0].a, found.differences[0].b) == (0.5, 1.0)
    assert [(one.difference, one.rows, one.episodes) for one in compare(oracle, left).differences][:1] == [(-0.5, 6, 6)]
    assert "usual, value: not answered by left." in found.refused

    with pytest.raises(SystemExit) as caught:
        main(["suite", "compare", "a", "b/card.json", "--html", "both.html"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "+0.500" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "not answered by left" in Path("both.html").read_text()


@pytest.mark.slow
def test_an_interrupted_run_goes_on_where_it_stopped(
    run: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(suite_run, "draw_scenes", interrupt)
        assert run("--model", "left", "--out", "a") == 130
    assert "run the same command again to go on" in capsys.readouterr().err
    assert not Path("a").exists()
    before = {path: path.stat().st_mtime_ns for path in Path("data").rglob("episode.json")}
    assert len(before) == 2 * (10 + 2)
    assert run("--model", "left", "--out", "a") == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.slow
def test_a_baseline_that_all_stand_beside_is_not_run_twice(run: Runner) -> None:
    assert run("--model", "frame-oracle", "--out", "c") == 0
    card = read_card(Path("c"))
    assert card.sections[0].scores["model"] == card.sections[0].scores["ceiling"]
    assert {path.name for path in Path("c").iterdir()} == {"card.json", "card.html"}
    assert run("--model", "random", "--out", "r") == 0
    scenes = read_card(Path("r")).sections[-1]
    assert (scenes.why, scenes.scores["model"]) == (None, scenes.scores["random"])


@pytest.mark.slow
def test_runs_of_another_version_are_told_of_with_what_can_be_done(
    run: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--model", "left", "--out", "a") == 0
    monkeypatch.setattr(versions, "__version__", "999.0")
    capsys.readouterr()
    assert run("--model", "left", "--out", "a") == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.endswith("delete data/references, and run this again: the baselines then answer anew")
    assert "version of hpvqa was" in told
    shutil.rmtree("data/references")
    assert run("--model", "left", "--out", "a") == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "a/usual is a run with other settings" in told
    assert told.endswith("; give the same options, choose another --out, or begin anew with --restart")
    assert run("--model", "left", "--out", "b") == 0
    assert run("--model", "left", "--out", "a", "--restart") == 0
    assert json.loads(Path("a/usual/run.json").read_text())["versions"]["hpvqa"] == "999.0"
    capsys.readouterr()
    assert run("--model", "left", "--out", "a") == 0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (("--model", "org/typo"), ""),
        (("--adapter", "nope"), ""),
        (("--scoring", "sample"), ""),
        (("--server", "http://127.0.0.1:9/v1"), ""),
        (("--model", "left", "--prompt", "nope.yaml"), "nope.yaml"),
        (("--model", "oracle", "--fps", "4"), "--fps is for models"),
        (("--model", "majority"), "stands on every card"),
        (("--model", "left", "--data", "new", "--out", "new"), "choose another --out"),
        (("--model", "left", "--data", "new/data", "--out", "new"), "choose another --out"),
        (("--model", "left", "--out", "data/references/left"), "choose another --out"),
        (("--model", "left", "--out", "old"), "a card of the suite v1 full, not v1 quick; choose another --out"),
    ],
)
@pytest.mark.slow
def test_what_cannot_work_is_refused_before_anything_is_made(
    said: tuple[str, ...], words: str, run: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("old").mkdir()
    Path("old/card.json").write_text(card("left", {"0": "1"}, suite="v1 full").model_dump_json())
    assert run(*said) in (1, 2)
    assert words in " ".join(capsys.readouterr().err.split())
    assert not list(Path().rglob("usual"))


def test_each_model_adapter_and_size_has_a_folder_of_its_own() -> None:
    choices = [ModelChoice(model="left"), ModelChoice(), ModelChoice(adapter=Path("tuned"))]
    folders = [suite_run.default_out(choice, load("v1", size)) for choice in choices for size in SIZES]
    assert len(set(folders)) == len(folders)
    assert folders[0] == Path("cards/left-v1-full")


@pytest.mark.slow
def test_what_a_killed_process_leaves_of_a_file_is_not_in_the_way(run: Runner, tmp_path: Path) -> None:
    fresh = suite_data.Data(load("v1", "quick"), tmp_path / "fresh")
    for path in (fresh.root / "suite.json.partial", Path("a/card.json.partial"), Path("a/card.html.partial")):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    suite_data.check_data(fresh, "")
    assert run("--model", "left", "--out", "a") == 0
    assert {path.name for path in Path("a").glob("card*")} == {"card.json", "card.html"}


def test_examples_compare_only_cards_of_one_size() -> None:
    for text in (Path(__file__).parents[1] / "docs/suite.md").read_text().split("```")[1::2]:
        sizes = {}
        for line in text.splitlines():
            if found := re.search(r"suite run .*--out (\S+)", line):
                sizes[found[1]] = re.findall(r"--size (\w+)", line)
            elif found := re.fullmatch(r"hpvqa suite compare (\S+) (\S+)", line):
                assert sizes[found[1]] == sizes[found[2]]


def test_an_estimate_writes_nothing(run: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--estimate", "--json") == 0
    what = json.loads(capsys.readouterr().out)
    assert (what["parts"]["usual"]["missing"], what["scenes_missing"]) == (10, 0)
    assert what["questions"] == (4 + 2 + 2) * 3
    assert not Path("data/usual").exists()


def test_what_is_in_the_way_is_said_in_a_sentence(run: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--suite", "v9") == 2
    assert "There is no version 'v9' of the suite; did you mean 'v1'?" in capsys.readouterr().err
    Path("full").mkdir()
    Path("full/x").touch()
    assert run("--out", "full") == 2
    assert "full holds x, which is no part of a suite run" in capsys.readouterr().err
    record = json.loads(Path("data/suite.json").read_text())
    Path("data/suite.json").write_text(json.dumps({**record, "suite": "v1 full"}))
    assert run("--out", "a") == 2
    assert "data holds the suite v1 full, not v1 quick" in capsys.readouterr().err
    Path("data/suite.json").write_text("{")
    assert run("--out", "a") == 1
    assert "suite.json is damaged" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main(["suite", "compare", "full", "full"])
    assert caught.value.code == 2
    assert "full holds no score card" in capsys.readouterr().err


@pytest.mark.slow
def test_a_damaged_clip_is_found(run: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--model", "left", "--out", "a") == 0
    clip = next(Path("data/usual/dataset").rglob("*.mp4"))
    clip.unlink()
    clip.write_bytes(b"nothing")
    capsys.readouterr()
    assert run("--model", "left", "--out", "a") == 1
    assert "dataset is damaged" in capsys.readouterr().err.splitlines()[-1]


def card(model: str, answers: dict[str, str], **more: object) -> Card:
    """A card with one section."""
    found = score(answers)
    assert found is not None
    entry = Entry(scores={"model": found}, answers=answers)
    section = Section(
        part="usual", form="compare", why=None, fingerprint="f", scores={"model": found}, tasks={"push": entry}
    )
    fields = {
        "suite": "v1 quick",
        "digest": "d",
        "model": model,
        "backend": "baseline",
        "details": {},
        "privileged": False,
        "headline": found,
        "sections": (section,),
        "notes": (),
        "versions": {"renderer": "3"},
        "created": "",
    }
    return Card.model_validate({**fields, **more})


def test_what_a_card_warns_of_stands_beside_its_comparison_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = "The model was not trained on push by back_wide; these views count as all others do."
    for name, notes in (("a", ()), ("b", (note,))):
        found = card(name, {"0": "10"}, notes=notes)
        (tmp_path / f"{name}.json").write_text(found.model_dump_json())
    said = ["suite", "compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    for more in ([], ["--json"]):
        with pytest.raises(SystemExit):
            main([*said, *more, "--html", str(tmp_path / "page.html")])
        assert f"B, b: {note}" in " ".join(capsys.readouterr().out.split())
    assert f"B, b: {note}" in (tmp_path / "page.html").read_text()


def test_rows_that_one_could_not_answer_are_not_compared() -> None:
    one, other = card("a", {"0": "11", "1": "0x"}), card("b", {"0": "10", "1": "11"})
    assert one.failed == 1
    assert one.sections[0].scores["model"].rows == 3
    assert [(found.a, found.b, found.rows) for found in compare(one, other).differences] == [(2 / 3, 2 / 3, 3)]


def test_what_is_left_out_of_a_comparison_is_named() -> None:
    one, other = card("a", {"0": "1", "1": "x"}), card("b", {"0": "0", "1": "1"})
    section = one.sections[0]
    none = Entry(scores={}, answers={"0": "xx"})
    more = section.model_copy(update={"tasks": {**section.tasks, "drop": none}})
    light = section.model_copy(update={"part": "light"})
    found = compare(
        one.model_copy(update={"sections": (more,)}),
        other.model_copy(update={"sections": (other.sections[0], light)}),
    )
    assert [difference.rows for difference in found.differences] == [1]
    assert found.refused == (
        "usual, compare, drop: no row was answered by both.",
        "light, compare: not answered by a.",
    )


@pytest.mark.parametrize("answers", [{"0": "10"}, {"0": "1", "1": "1"}])
def test_cards_of_other_rows_than_their_fingerprints_say_are_refused(answers: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="usual, compare, push: the cards have other numbers of rows"):
        compare(card("a", {"0": "1"}), card("b", answers))


def test_a_card_with_answers_that_are_none_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(card("a", {"0": "1"}).model_dump_json().replace('{"0":"1"}', '{"0":"?"}'))
    with pytest.raises(UsageError, match="a damaged one"):
        read_card(tmp_path)


def test_cards_that_do_not_belong_together_are_refused() -> None:
    one = card("a", {"0": "1"})
    with pytest.raises(UsageError, match="a was scored on the suite v1 quick and b on v1 full; compare cards of one"):
        compare(one, card("b", {"0": "1"}, suite="v1 full"))
    section = one.sections[0].model_copy(update={"fingerprint": "g"})
    other = card("b", {"0": "1"}, sections=(section,), versions={"renderer": "4"})
    with pytest.raises(UsageError, match=r"usual, compare: the pictures differ \(renderer 3 and 4\)"):
        compare(one, other)


def test_the_mean_over_tasks_counts_each_alike_and_is_surer_than_each() -> None:
    a, b = score({str(n): "1" if n < 15 else "0" for n in range(20)}), score({str(n): "1000"[n % 4] for n in range(40)})
    assert a is not None
    assert b is not None
    both = mean([a, b])
    assert both is not None
    assert (both.share, both.rows, both.episodes) == (0.5, 60, 60)
    width = (both.high or 0) - (both.low or 0)
    assert width < min((one.high or 0) - (one.low or 0) for one in (a, b))
