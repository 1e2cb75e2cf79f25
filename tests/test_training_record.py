"""What an adapter was trained on, and what it has never seen."""

from __future__ import annotations

from hpvqa.vlm.training_record import strange_views, views_of

VIEWS = {"drop": ("front_wide",), "push": ("back_wide", "front_wide")}


def test_the_views_of_clips() -> None:
    clips = [("push", "front_wide"), ("drop", "front_wide"), ("push", "back_wide"), ("push", "front_wide")]
    assert views_of(clips) == VIEWS


def test_what_was_never_seen_is_named() -> None:
    assert strange_views(VIEWS, [("push", "back_wide"), ("drop", "front_wide")]) == []
    clips = [("push", "back_wide"), ("drop", "back_narrow"), ("drop", "front_wide"), ("drop", "back_narrow")]
    assert strange_views(VIEWS, clips) == ["drop by back_narrow"]
    assert strange_views({"push": ("back_wide",)}, clips) == ["drop"]
    # Another tool's adapter does not say.
    assert strange_views({}, clips) == []
