from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hpvqa.recipe import Recipe, load_recipe
from hpvqa.scene.color import delta_e, lab
from hpvqa.scene.materials import FLOORS, TABLES, WALLS
from hpvqa.scene.sampling import side_and_order
from hpvqa.scene.spec import SIDES, SURFACES, EpisodeSpec, RoomSpec
from hpvqa.tasks import TASKS
from hpvqa.tasks.pair import START_X, START_Y, PairTask
from tests.worlds import other_answer, sample

INDEX = st.integers(0, 2**32 - 2)
SEED = st.integers(0, 2**63 - 1)
tasks = pytest.mark.parametrize("task", TASKS)


@tasks
@given(index=INDEX, seed=SEED, attempt=st.integers(0, 5))
@pytest.mark.slow
def test_a_spec_survives_json(task: str, index: int, seed: int, attempt: int) -> None:
    spec = sample(task, index, seed=seed, attempt=attempt)
    assert EpisodeSpec.model_validate_json(spec.model_dump_json()) == spec


@tasks
@given(index=INDEX, seed=SEED)
@pytest.mark.slow
def test_a_spec_follows_from_seed_and_index_alone(task: str, index: int, seed: int) -> None:
    first = sample(task, index, seed=seed)
    sample(task, index // 2, seed=seed)
    assert sample(task, index, seed=seed) == first


@tasks
@given(block=st.integers(0, 10_000), seed=SEED)
@pytest.mark.slow
def test_every_block_of_four_crosses_side_and_order(task: str, block: int, seed: int) -> None:
    drawn = {side_and_order(TASKS[task].task_id, seed, 4 * block + k) for k in range(4)}
    assert len(drawn) == 4


@tasks
@given(pairs=st.integers(1, 50), seed=SEED)
@pytest.mark.slow
def test_any_even_number_of_episodes_has_even_answers(task: str, pairs: int, seed: int) -> None:
    answers = Counter(side_and_order(TASKS[task].task_id, seed, k)[0] for k in range(2 * pairs))
    assert answers["left"] == answers["right"] == pairs


def test_the_order_within_blocks_cannot_be_foreseen() -> None:
    firsts = Counter(side_and_order(1, 0, 4 * block) for block in range(400))
    assert len(firsts) == 4
    assert min(firsts.values()) > 60
    pairs = Counter(tuple(side_and_order(1, 0, 4 * block + k)[0] for k in (0, 2)) for block in range(400))
    assert min(pairs.values()) > 60


@tasks
@given(index=INDEX, attempt=st.integers(1, 5))
@pytest.mark.slow
def test_a_redraw_keeps_what_the_answer_depends_on(task: str, index: int, attempt: int) -> None:
    kind = TASKS[task]
    first, again = sample(task, index), sample(task, index, attempt=attempt)
    assert again.order == first.order
    assert kind.values(again) == kind.values(first)
    assert again.room != first.room
    assert again.light != first.light
    assert again.things[0].position != first.things[0].position


@tasks
@given(index=INDEX)
@pytest.mark.slow
def test_nuisance_variables_stay_in_their_ranges(task: str, index: int) -> None:
    spec = sample(task, index)
    places = {"left": START_Y, "right": -START_Y}
    for thing in spec.things:
        x, y, z = thing.position
        assert abs(x - START_X) <= 0.01
        assert abs(y - places.get(thing.name, 0.0)) <= 0.01
        assert z == thing.half_height
        assert delta_e(thing.color, spec.room.table) >= 50
    assert len({thing.color for thing in spec.things}) == 1
    assert all(abs(value) <= 2 for value in spec.light.position[:2])
    assert len({*spec.room.walls, spec.room.table, spec.room.floor}) == 6


def test_independent_colours_differ_and_still_stand_out() -> None:
    spec = sample("push", 3, object_colors="independent")
    assert spec.thing("left").color != spec.thing("right").color
    assert min(delta_e(spec.thing(side).color, spec.room.table) for side in SIDES) >= 50


def test_mass_ranges_are_the_papers() -> None:
    masses = np.array(
        [sorted((s.thing("left").mass, s.thing("right").mass)) for s in (sample("push", k) for k in range(400))]
    )
    assert 0.5 <= masses[:, 0].min() < 0.51
    assert 0.99 < masses[:, 0].max() <= 1.0
    assert 3.0 <= masses[:, 1].min() < 3.03
    assert 4.97 < masses[:, 1].max() <= 5.0


def test_restitution_covers_all_pairs_with_the_gap() -> None:
    pairs = np.array(
        [
            sorted((s.thing("left").restitution, s.thing("right").restitution))
            for s in (sample("drop", k) for k in range(800))
        ]
    )
    gaps = pairs[:, 1] - pairs[:, 0]
    assert gaps.min() >= 0.2
    assert pairs.min() >= 0.0
    assert pairs.max() <= 1.0
    # Uniform over the triangle of pairs at least 0.2 apart: the gap beyond 0.2 has mean 0.8 / 3.
    assert abs((gaps - 0.2).mean() - 0.8 / 3) < 0.02


@tasks
def test_the_answer_is_the_side_with_the_larger_value(task: str) -> None:
    kind = TASKS[task]
    answers = Counter()
    for index in range(40):
        spec = sample(task, index)
        answer = kind.answer(spec)
        assert kind.answer(other_answer(spec)) != answer
        if isinstance(kind, PairTask):
            assert kind.hidden_value(spec, answer) == max(kind.values(spec).values())
        answers[answer] += 1
    assert answers == {"left": 20, "right": 20}


@tasks
def test_the_plan_does_not_know_the_hidden_property(task: str) -> None:
    kind = TASKS[task]
    spec = sample(task, 5)
    swapped = other_answer(spec)
    assert kind.waypoints(swapped) == kind.waypoints(spec)


def test_an_index_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="index"):
        sample("push", 2**32 - 1)


def test_lab_of_known_colours() -> None:
    assert lab((1, 1, 1)) == pytest.approx((100, 0, 0), abs=1e-3)
    assert lab((0, 0, 0)) == pytest.approx((0, 0, 0), abs=1e-9)
    # sRGB red: CIE L*a*b* 53.24, 80.09, 67.20 under D65.
    assert lab((1, 0, 0)) == pytest.approx((53.24, 80.09, 67.20), abs=0.02)


def test_the_default_recipe_is_the_papers_world() -> None:
    paper, default = load_recipe("paper"), Recipe()
    assert paper.randomization == default.randomization
    assert paper.seed == default.seed == 42
    assert {name: task.episodes for name, task in paper.named_tasks().items()} == {"push": 154, "drop": 125}


@tasks
@given(index=INDEX, seed=SEED)
@pytest.mark.slow
def test_things_stand_out_from_whatever_is_behind_them_in_rooms_of_materials(task: str, index: int, seed: int) -> None:
    spec = sample(task, index, seed=seed, look="materials")
    assert all(surface in SURFACES for surface in spec.room.surfaces)
    for color in (thing.color for thing in spec.things):
        assert delta_e(color, spec.room.table) >= 50
        assert all(delta_e(color, other) >= 30 for other in (spec.room.floor, *spec.room.walls))
    assert EpisodeSpec.model_validate_json(spec.model_dump_json()) == spec


@tasks
@given(index=INDEX)
@pytest.mark.slow
def test_the_look_changes_nothing_that_an_answer_depends_on(task: str, index: int) -> None:
    plain, other = sample(task, index), sample(task, index, look="materials")
    assert plain.order == other.order
    assert TASKS[task].values(plain) == TASKS[task].values(other)


def test_all_materials_occur() -> None:
    rooms = {sample("push", index, look="materials").room.surfaces for index in range(300)}
    assert rooms == set(product(TABLES, FLOORS, WALLS))


def test_plain_rooms_are_written_as_ever() -> None:
    # Checksums of episodes that were recorded before there were surfaces cover these very bytes.
    room = sample("push", 0).room
    assert set(room.model_dump()) == {"table", "floor", "walls"}
    assert RoomSpec.model_validate(room.model_dump()) == room


def test_a_surface_that_does_not_exist_is_refused() -> None:
    data = {**sample("push", 0).room.model_dump(), "surfaces": ["marble", "plain", "plain"]}
    with pytest.raises(ValidationError, match="'plain', 'wood', 'fabric' or 'plastic'"):
        RoomSpec.model_validate(data)
