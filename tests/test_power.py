"""How many episodes tell two models apart."""

from __future__ import annotations

import json
from math import comb

import numpy as np
import pytest

from hpvqa.evaluate.power import Line, Question, at, draw, search
from hpvqa.evaluate.statistics.equality import differs, equality_p
from hpvqa.main import main


def exact(n: int, first: float, second: float, alpha: float) -> tuple[float, float]:
    """Power with one row an episode, by adding up all numbers of gains and losses: of our test, and of McNemar's."""
    gain, loss = second * (1 - first), first * (1 - second)
    ours = mcnemar = 0.0
    for gained in range(n + 1):
        for lost in range(n + 1 - gained):
            same = n - gained - lost
            chance = comb(n, gained) * comb(n - gained, lost) * gain**gained * loss**lost * (1 - gain - loss) ** same
            changes = [1] * gained + [-1] * lost + [0] * same
            ours += chance * differs(changes, range(n), alpha=alpha)
            of = gained + lost
            tail = sum(comb(of, k) for k in range(min(gained, lost) + 1)) / 2**of
            mcnemar += chance * (2 * tail < alpha)
    return ours, mcnemar


@pytest.mark.slow
def test_with_one_row_an_episode_the_power_is_the_exact_one() -> None:
    ours, mcnemar = exact(16, 0.5, 0.9, 0.05)
    # Our test must reject for its interval too, so that it is never above McNemar's.
    assert mcnemar - 0.1 < ours <= mcnemar
    (found,) = at(Question(first=0.5, second=0.9, simulations=1000), [16], lambda line: None).lines
    # Four standard errors of the simulation.
    assert found.power == pytest.approx(ours, abs=4 * (ours * (1 - ours) / 1000) ** 0.5)
    assert found.low < found.power < found.high


@pytest.mark.slow
def test_independent_models_need_about_what_textbooks_say() -> None:
    # (z + z)² (pq + pq) / d², with the quantiles of 0.975 and 0.8: 118 episodes of each.
    a, b = 0.7, 0.85
    wanted = (1.959964 + 0.841621) ** 2 * (a * (1 - a) + b * (1 - b)) / (b - a) ** 2
    found = search(Question(first=a, second=b, design="independent", simulations=300), lambda line: None)
    assert found.episodes is not None
    assert 0.95 * wanted < found.episodes < 1.3 * wanted


@pytest.mark.slow
def test_all_is_repeated_with_the_same_seed_and_nothing_with_another() -> None:
    question, told = Question(first=0.6, second=0.9, simulations=100), list[Line]()
    found = at(question, [30, 10], told.append)
    assert at(question, [10, 30], lambda line: None) == found
    assert [line.episodes for line in told] == [10, 30]
    other = at(question.model_copy(update={"seed": 1}), [10, 30], lambda line: None)
    assert other.lines != found.lines


@pytest.mark.parametrize(("correlation", "alike"), [(0.0, 0.0), (0.4, 0.0), (1.0, 0.5)])
def test_answers_are_as_alike_as_was_asked_for(correlation: float, alike: float) -> None:
    question = Question(first=0.7, second=0.7, views=2, correlation=correlation, alike=alike)
    first, second = draw(question, 40_000, np.random.default_rng(0))
    assert first.mean() == pytest.approx(0.7, abs=0.01)
    assert np.corrcoef(first[:, 0], first[:, 1])[0, 1] == pytest.approx(correlation, abs=0.02)
    assert np.corrcoef(first[:, 0], second[:, 0])[0, 1] == pytest.approx(alike, abs=0.02)


@pytest.mark.slow
def test_pairing_helps_where_both_find_the_same_rows_hard() -> None:
    lines = [
        at(Question(first=0.7, second=0.85, alike=alike, simulations=200), [60], lambda line: None).lines[0]
        for alike in (0.0, 0.8)
    ]
    assert lines[0].high < lines[1].low


@pytest.mark.slow
def test_differs_says_what_the_p_says() -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        changes = rng.choice([-1, 0, 1], p=[0.1, 0.5, 0.4], size=24)
        clusters = (np.arange(24) // 3).tolist()
        assert differs(changes, clusters, alpha=0.05) == (equality_p(changes, clusters) < 0.05)


@pytest.mark.slow
def test_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as caught:
        main(["suite", "power", "0.5", "0.95", "--simulations", "50", "--seed", "3"])
    assert caught.value.code == 0
    shown = capsys.readouterr()
    assert "episodes suffice to tell 0.5 from 0.95 with power 0.8." in shown.out
    assert "8 episodes: power" in shown.err
    with pytest.raises(SystemExit):
        main(["suite", "power", "0.5", "0.95", "--simulations", "50", "--episodes", "12", "--json"])
    assert [line["episodes"] for line in json.loads(capsys.readouterr().out)["lines"]] == [12]
    with pytest.raises(SystemExit) as caught:
        main(["suite", "power", "0.5", "0.5"])
    assert caught.value.code == 2
    assert "Both accuracies are the same" in capsys.readouterr().err
