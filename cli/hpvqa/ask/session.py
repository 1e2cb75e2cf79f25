"""From what a user chooses and asks to the answers, one episode after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import closing

from hpvqa.ask.episodes import latest_episode, open_episode
from hpvqa.ask.place import Place
from hpvqa.ask.question import make_question
from hpvqa.ask.result import Asked
from hpvqa.ask.run import Asker, OnText
from hpvqa.dataset.load import Dataset
from hpvqa.dataset.manifest import Manifest
from hpvqa.errors import UsageError
from hpvqa.vlm.choice import ModelChoice, choose_look, open_answerer
from hpvqa.vlm.options import BaselineOptions, EngineOptions

_LONGEST = 256
"""Of an answer in the model's own words [tokens]."""


def ask_model(
    choice: ModelChoice,
    place: Place,
    cameras: tuple[str, ...] | None,
    *,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
    on_text: OnText | None,
    pause: Callable[[], None],
) -> Generator[Asked, None, None]:
    """Ask a model, in its own way of looking, about an episode, or about every one that lands in a folder.

    Args:
        choice: The model, and what the user says about it.
        place: The question, and of which episodes it is.
        cameras: Names of the cameras; none: all; None: those that the model was trained on, where that is known.
        environ: The environment, for a server's key.
        tell: Takes sentences that a user should see.
        on_text: Takes what is said while it is said, where the answerer can be listened to.
        pause: Waits a moment, while there is no new episode.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    look = choose_look(choice)
    question = make_question(place.question, look.prompt, choice.said.get("scoring"))
    if question.free:
        if isinstance(choice.options, BaselineOptions):
            raise UsageError("A baseline only says left or right; leave the question out, or choose another --backend")
        choice = choice.but(
            scoring="generate", samples=None, max_new_tokens=choice.said.get("max_new_tokens", _LONGEST)
        )
    for warning in look.warnings:
        tell(f"Warning: {warning}")
    folder = latest_episode(place.path) if place.how == "latest" else place.path
    # Before anything is loaded: whether there is something to ask about.
    record = None if place.how == "watch" else open_episode(folder)
    # A baseline may want to look at a training split; here there is none.
    nothing = Dataset(place.path, Manifest(source="", split_seed=0, files={}), "")
    with closing(open_answerer(choice, nothing, seed=0, environ=environ)) as answerer:
        if isinstance(choice.options, EngineOptions):
            tell(f"Loading {answerer.name}")
        asker = Asker(answerer, look, question, cameras, tell, on_text)
        if record is None:
            yield from asker.watch(folder, stopped=lambda: False, pause=pause)
        else:
            yield asker.ask(folder, record)
