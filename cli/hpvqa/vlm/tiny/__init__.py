"""Tiny, randomly initialised checkpoints in the real architectures: everything but the skill, for tests and trials."""

from hpvqa.vlm.tiny.build import build_tiny
from hpvqa.vlm.tiny.kinds import KINDS, Kind, Words

__all__ = ["KINDS", "Kind", "Words", "build_tiny"]
