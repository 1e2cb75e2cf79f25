"""The formats, by name; a format's module is imported when it is asked for."""

from __future__ import annotations

import importlib

from hpvqa.dataset.export.base import Export
from hpvqa.errors import UsageError, nearest

FORMATS: dict[str, str] = {
    "messages": "chat messages for TRL, Unsloth and other chat trainers",
    "swift": "JSON lines for ms-swift",
    "llamafactory": "ShareGPT and dataset_info.json for LLaMA-Factory",
    "lerobot": "a LeRobotDataset v3.0 of one task; clips are copied",
    "lmms-eval": "tasks of lmms-eval: YAML and utils.py, with clustered errors",
    "inspect": "tasks of Inspect (inspect_ai), with clustered errors",
    "evalscope": "benchmarks of EvalScope",
    "vlmevalkit": "data sets of VLMEvalKit",
}
"""Name and meaning of every format; each is the object ``EXPORT`` of the module of that name, with _ for -."""
EPISODE_FORMATS: dict[str, str] = {"rerun": "one episode for the Rerun viewer, its clips embedded"}
"""Those of a single episode: each is the function ``export_episode`` of the module of that name."""


def check_format(name: str) -> None:
    """Raise if there is no such format, of data sets or of episodes.

    Raises:
        UsageError: The message names the nearest one.
    """
    known = (*FORMATS, *EPISODE_FORMATS)
    if name not in known:
        raise UsageError(f"There is no format {name!r}; {nearest(name, known)}")


def find_format(name: str) -> Export:
    """A format of data sets by its name.

    Raises:
        UsageError: There is none.
    """
    check_format(name)
    found: Export = importlib.import_module(f"hpvqa.dataset.export.{name.replace('-', '_')}").EXPORT
    return found
