"""One line that asks the served model about an episode, as it was trained to look at one."""

from __future__ import annotations

import shlex
from pathlib import Path

from hpvqa.serve.plan import Plan
from hpvqa.vlm.embedded import NAMES
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.training_record import read_training_record


def ask_command(plan: Plan, data: Path) -> str:
    """A command line to try.

    Args:
        plan: What is served.
        data: Folder with episodes.
    """
    words = ["hpvqa", "ask", "--latest", str(data), "--server", plan.settings.url]
    if plan.adapter is not None or plan.asked in NAMES:
        words += ["--model", plan.asked]
    if plan.asked in NAMES:
        # The name says how it was trained to look.
        return shlex.join(words)
    record = read_training_record(plan.folder if plan.adapter is None else plan.adapter.folder)
    frames = FrameSampling(resolution=plan.family.resolution) if record is None else record.frames
    usual = FrameSampling()
    if frames.sampler != usual.sampler:
        words += ["--sampler", frames.sampler]
    if frames.fps != FrameSampling(sampler=frames.sampler).fps:
        words += ["--fps", f"{frames.fps:g}"]
    if frames.count is not None:
        words += ["--frames", str(frames.count)]
    if frames.resolution != usual.resolution:
        words += ["--resolution", "native" if frames.resolution is None else "x".join(map(str, frames.resolution))]
    if frames.fit != usual.fit:
        words += ["--fit", frames.fit]
    if record is not None and record.prompt.name != "paper":
        words += ["--prompt", record.prompt.name]
    return shlex.join(words)
