"""An adapter merged into its model: one folder that anything can load."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from hpvqa.errors import MissingDependencyError, UsageError
from hpvqa.install import pip_install
from hpvqa.vlm.adapter import check_adapter, read_adapter
from hpvqa.vlm.checkpoint import check_checkpoint, locate
from hpvqa.vlm.families import find_family
from hpvqa.vlm.pooled import register
from hpvqa.vlm.processing import load_processor
from hpvqa.vlm.quiet import quiet
from hpvqa.vlm.saving import check_new
from hpvqa.vlm.tiny.save import save_checkpoint
from hpvqa.vlm.training_record import RECORD_FILE


@dataclass(frozen=True)
class Merged:
    """A merged model.

    Attributes:
        folder: Where it is.
        changed: How many weights the adapter changed.
        weights: How many it has an update of.
    """

    folder: Path
    changed: int
    weights: int


def merge(adapter: Path, out: Path, model: str | None = None) -> Merged:
    """Add an adapter's updates to the weights of its model.

    The folder appears whole or not at all. It keeps the number format of the model, and what the adapter's folder says
    about its training.

    Args:
        adapter: Folder of the adapter.
        out: Folder of the merged model, which must not exist or be empty.
        model: The model; None: the one that the adapter names.

    Raises:
        UsageError: The adapter or the model is not what it should be, the adapter changes nothing, or the folder holds
            something.
        RunError: The disk does not take it.
        MissingDependencyError: torch, transformers or peft are not installed.
    """
    check_new(out)
    found = read_adapter(adapter)
    base = model or found.base
    if not base:
        raise UsageError(f"{adapter} does not say which model it belongs to; name it with --model")
    check_adapter(found, base)
    find_family(base)
    try:
        import torch
        from peft import PeftModel  # noqa: F401
        from transformers import AutoModelForImageTextToText

        from hpvqa.vlm.lora import merged, with_adapter
    except ImportError as error:
        raise MissingDependencyError(f"Merging needs {error.name}; run: {pip_install('vlm')}") from None
    folder = locate(base)
    check_checkpoint(folder)
    processor = load_processor(str(folder))
    register()
    with quiet(), torch.inference_mode():
        whole = AutoModelForImageTextToText.from_pretrained(folder, dtype="auto", local_files_only=True)
        whole, changed, weights = merged(with_adapter(whole, found))

    def finish(draft: Path) -> None:
        if (adapter / RECORD_FILE).is_file():
            shutil.copyfile(adapter / RECORD_FILE, draft / RECORD_FILE)

    save_checkpoint(whole, processor, out, finish=finish)
    return Merged(out, changed, weights)
