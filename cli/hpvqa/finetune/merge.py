"""An adapter merged into its model: one folder that anything can load."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hpvqa.errors import MissingDependencyError, RunError, UsageError
from hpvqa.install import pip_install
from hpvqa.vlm.adapter import check_adapter, read_adapter
from hpvqa.vlm.checkpoint import locate
from hpvqa.vlm.families import find_family
from hpvqa.vlm.processing import load_processor
from hpvqa.vlm.quiet import quiet
from hpvqa.vlm.training_record import RECORD_FILE


def merge(adapter: Path, out: Path, model: str | None = None) -> Path:
    """Add an adapter's updates to the weights of its model.

    The folder appears whole or not at all. It keeps the number format of the model, and what the adapter's folder says
    about its training.

    Args:
        adapter: Folder of the adapter.
        out: Folder of the merged model, which must not exist.
        model: The model; None: the one that the adapter names.

    Returns:
        The folder.

    Raises:
        UsageError: The adapter or the model is not what it should be, or the folder exists.
        RunError: The disk does not take it.
        MissingDependencyError: torch, transformers or peft are not installed.
    """
    found = read_adapter(adapter)
    base = model or found.base
    if not base:
        raise UsageError(f"{adapter} does not say which model it belongs to; name it with --model")
    check_adapter(found, base)
    find_family(base)
    if out.exists():
        raise UsageError(f"{out} exists; choose another --out")
    try:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForImageTextToText
    except ImportError as error:
        raise MissingDependencyError(f"Merging needs {error.name}; run: {pip_install('vlm')}") from None
    folder = locate(base)
    processor = load_processor(str(folder))
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        with quiet(), torch.inference_mode():
            whole = AutoModelForImageTextToText.from_pretrained(folder, dtype="auto", local_files_only=True)
            merged = PeftModel.from_pretrained(whole, str(adapter)).merge_and_unload(safe_merge=True)
            merged.save_pretrained(partial)
            processor.save_pretrained(partial)
        if (adapter / RECORD_FILE).is_file():
            shutil.copyfile(adapter / RECORD_FILE, partial / RECORD_FILE)
        partial.chmod(0o755)
        partial.replace(out)
    except OSError as error:
        raise RunError(f"{out} cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return out
