"""Response bias, calibration of probabilities, and whether the order of the choices matters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.evaluate.bias import bias, flip_consistency, reliability
from hpvqa.evaluate.prediction import Prediction
from hpvqa.scene.spec import other_side
from tests.scored_rows import predictions, published_internvl, row, views


def test_a_model_that_always_says_left() -> None:
    push, drop = bias(published_internvl())
    assert (push.task, push.n, push.invalid, push.episodes) == ("push", 217, 0, 31)
    assert push.said_left == pytest.approx(214 / 217)
    assert push.balanced_accuracy == pytest.approx((1 + 3 / 105) / 2)
    assert push.criterion is not None
    assert push.criterion < -1.5
    assert push.balanced_interval is not None
    assert push.balanced_interval.low < 0.45
    assert push.d_prime_interval is not None
    assert push.d_prime_interval.low < 0 < push.d_prime_interval.high
    assert push.p_left is push.brier is push.ece is push.p_choices is None
    # Accuracy is 0.606 since left is more often true; balanced accuracy is not deceived.
    assert drop.balanced_accuracy == pytest.approx((102 / 105 + 4 / 70) / 2)


def test_by_hand() -> None:
    rows = [
        *views("left", "llr", 0, p_left=0.8, p_choices=0.9),
        *views("right", "r--", 1, p_left=0.3, p_choices=0.7),
        row("right", None, 2, error="does not decode", p_left=0.9),
    ]
    (found,) = bias(rows)
    assert (found.n, found.invalid, found.episodes) == (6, 2, 2)
    assert found.said_left == pytest.approx(2 / 4)
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert found.p_left == pytest.approx(0.55)
    assert found.brier == pytest.approx((0.04 + 0.09) / 2)
    assert found.ece == pytest.approx((0.2 + 0.3) / 2)
    assert found.p_choices == pytest.approx(0.8)


def test_one_side_alone_tells_no_sensitivity() -> None:
    (found,) = bias(views("left", "llr", 0))
    assert found.said_left == pytest.approx(2 / 3)
    assert found.balanced_accuracy is found.balanced_interval is found.d_prime is found.criterion is None
    assert bias([]) == []


def test_no_valid_answer_at_all() -> None:
    (found,) = bias([*views("left", "--", 0), *views("right", "--", 1)])
    assert (found.n, found.invalid, found.said_left, found.said_left_interval) == (4, 4, None, None)
    assert found.balanced_accuracy == 0
    assert found.d_prime is None


def turned(prediction: Prediction) -> Prediction:
    changes = {
        "answer": other_side(prediction.answer),
        "prediction": None if prediction.prediction is None else other_side(prediction.prediction),
        "p_left": None if prediction.p_left is None else 1 - prediction.p_left,
    }
    return prediction.model_copy(update=changes)


@given(st.lists(predictions(), max_size=30))
@pytest.mark.slow
def test_other_names_for_the_sides(rows: list[Prediction]) -> None:
    for found, other in zip(bias(rows), bias([turned(found) for found in rows]), strict=True):
        assert (found.n, found.invalid, found.effective_n) == pytest.approx((other.n, other.invalid, other.effective_n))
        assert found.balanced_accuracy == pytest.approx(other.balanced_accuracy)
        assert found.brier == pytest.approx(other.brier)
        assert found.d_prime == pytest.approx(other.d_prime)
        for name, sign in (("said_left", 1), ("p_left", 1), ("criterion", 0)):
            a, b = getattr(found, name), getattr(other, name)
            assert (a is None and b is None) or a + b == pytest.approx(sign)


def test_reliability() -> None:
    rows = [*views("left", "l" * 6 + "r" * 2, 0, p_left=0.75), *views("right", "l" * 8, 1, p_left=0.6)]
    low, high = reliability([*rows, row("left", "left", 2)])
    assert (low.low, low.high, low.p_left, low.left, low.n, low.episodes) == pytest.approx((0.6, 0.6, 0.6, 0, 8, 1))
    assert (high.p_left, high.left) == pytest.approx((0.75, 1))
    assert high.interval.low < 0.05, "one episode says little"
    assert reliability(views("left", "l", 0)) == []


def test_the_same_word_in_both_orders() -> None:
    plain = [*views("left", "llrr-", 0, p_left=0.6), *views("right", "rr", 1, p_left=0.2)]
    swap = [*views("left", "lrrl-", 0, p_left=0.7, condition="swap"), row("right", None, 1, "c0", error="lost")]
    found = flip_consistency(plain, swap)
    # Two of five rows; twice invalid is not the same; the failed and the missing row do not count.
    assert (found.same, found.n, found.episodes) == (2, 5, 1)
    assert found.rate == pytest.approx(0.4)
    assert found.mean_shift == pytest.approx(0.1)
    assert (found.plain_accuracy, found.swap_accuracy) == pytest.approx((0.4, 0.4))
    assert found.effective_n == 1


def test_a_model_that_names_the_first_choice_is_never_consistent() -> None:
    plain = [prediction for number in range(16) for prediction in views("left", "lllllll", number)]
    swap = [prediction for number in range(16) for prediction in views("left", "rrrrrrr", number, condition="swap")]
    found = flip_consistency(plain, swap)
    assert (found.same, found.n, found.rate) == (0, 112, 0)
    assert found.interval is not None
    assert found.interval.high == pytest.approx(0.2059, abs=1e-4)
    nothing = flip_consistency(plain, [])
    assert (nothing.n, nothing.rate, nothing.interval, nothing.mean_shift) == (0, None, None, None)
