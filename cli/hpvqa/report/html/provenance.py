"""How the page and its runs were made, so that both can be made again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

from hpvqa.report.html.text import facts, named, section, tag, words
from hpvqa.report.measure import Report, RunReport
from hpvqa.report.source import Run


def provenance(report: Report, runs: Sequence[Run]) -> str:
    """The command, and what every run says of itself."""
    command = words(shlex.join(report.command), "pre")
    made = words(f"Made by hpvqa {report.version}, {report.created}, with this command:", "p")
    parts = [_of_run(shown, run) for shown, run in zip(report.runs, runs, strict=True)]
    return section("How this report was made", "provenance", made + command + "".join(parts))


def _of_run(shown: RunReport, run: Run) -> str:
    title = tag("h3", named(shown.name, shown.marks))
    read = ("Read from", ", ".join(shown.files))
    settings = run.settings
    if settings is None:
        return title + facts([read, ("Form", "predictions of the public original; nothing else is known of the run")])
    frames = "opened clips itself"
    if settings.frames is not None:
        size = settings.frames.resolution
        frames = f"{settings.frames.sampler}, {settings.frames.fps:g} a second"
        frames += "" if settings.frames.count is None else f", at most {settings.frames.count}"
        frames += ", as recorded" if size is None else f", {size[0]}×{size[1]} pixels"
        if size is not None and not settings.frames.suits(settings.sizes):
            frames += ", padded to keep their shape" if settings.frames.fit == "pad" else ", squeezed"
    rows = [f"split {settings.split}"]
    rows += [] if settings.task is None else [f"task {settings.task}"]
    rows += [] if settings.camera is None else [f"by {', '.join(settings.camera)}"]
    rows += [] if settings.episodes is None else [f"episodes {', '.join(map(str, settings.episodes))}"]
    rows += [] if settings.limit is None else [f"the first {settings.limit}"]
    prompt = settings.prompt
    pairs = [
        read,
        *([("Command", shlex.join(settings.command))] if settings.command else []),
        ("Model", f"{settings.model} ({settings.backend})"),
        *((name.replace("_", " "), _plain(value)) for name, value in settings.details.items()),
        ("Data set", f"{settings.dataset}, fingerprint {settings.fingerprint}"),
        ("Rows", "; ".join(rows)),
        ("Conditions", ", ".join(condition.condition for condition in shown.conditions)),
        *([("Trained on", _views(settings.views))] if settings.views else []),
        ("Frames", frames),
        ("Resampling", "none" if settings.resampling == "none" else "unknown: a server may have dropped frames again"),
        ("Prompt", f"{prompt.name}, version {prompt.version}, SHA-256 {prompt.sha256}"),
        ("System prompt", prompt.system),
        ("Seed", str(settings.seed)),
        ("Versions", ", ".join(f"{name} {version}" for name, version in settings.versions.items())),
    ]
    return title + facts(pairs)


def _views(views: Mapping[str, tuple[str, ...]]) -> str:
    return "; ".join(f"{task} by {', '.join(cameras)}" for task, cameras in views.items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
