"""The window of the panel: everything that needs Kit."""

from hpvqa_collector.ui.extension import CollectorExtension

__all__ = ["CollectorExtension"]
