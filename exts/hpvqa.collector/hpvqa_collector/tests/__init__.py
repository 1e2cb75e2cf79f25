"""Tests that Kit runs inside of itself."""

from hpvqa_collector.tests.test_window import TestWindow

__all__ = ["TestWindow"]
