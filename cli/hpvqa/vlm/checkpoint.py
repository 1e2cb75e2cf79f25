"""A model's folder: where it is, whether it is whole, and which model it holds."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path

from hpvqa.errors import UsageError
from hpvqa.vlm.families import find_config, resolve_model

PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json")
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
INDEX = "model.safetensors.index.json"
LONGEST_HEADER = 100 * 2**20
"""The format allows no longer header [bytes]."""
TAIL = 2**20
"""How much of each weight file goes into the fingerprint [bytes]: other weights differ everywhere."""

Shape = tuple[int, ...]


def locate(model: str) -> Path:
    """The folder of a model.

    Args:
        model: A folder, the hub id of a downloaded model, or the name of a model family or of the embedded model.

    Raises:
        UsageError: There is none, or it was not downloaded.
    """
    return find_config(resolve_model(model)).parent


def check_checkpoint(folder: Path) -> None:
    """Raise if a model's folder lacks something that it takes to run it.

    Raises:
        UsageError: The message says what is missing.
    """
    for what, names in (
        ("model: it has no config.json", ("config.json",)),
        ("processor, so the model cannot be shown videos; copy the original model's files", PROCESSOR_FILES),
        ("tokenizer; copy the original model's files", TOKENIZER_FILES),
    ):
        if not any((folder / name).is_file() for name in names):
            raise UsageError(f"{folder} holds no {what}")
    files = weight_files(folder)
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise UsageError(
            f"{folder} lacks {len(missing)} of {len(files)} weight files, first {missing[0]}; download it again"
        )


def weight_files(folder: Path) -> list[Path]:
    """The files that hold a model's weights; they need not be there.

    Raises:
        UsageError: There are none in the safe format, or their index is damaged.
    """
    index = folder / INDEX
    if not index.is_file():
        single = folder / "model.safetensors"
        if not single.is_file():
            raise UsageError(f"{folder} holds no weights in the safetensors format; download or save the model again")
        return [single]
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        return [folder / name for name in sorted(names)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{index} is damaged; download the model again") from None


def read_shapes(path: Path) -> dict[str, Shape]:
    """Names and shapes of the tensors in a safetensors file; of the tensors themselves nothing is read.

    The file begins with the length of its header (8 bytes, little-endian) and the header, which is JSON
    (https://github.com/huggingface/safetensors#format).

    Raises:
        UsageError: It is not such a file, or it is cut short.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > LONGEST_HEADER:
                raise ValueError
            header = json.loads(file.read(length))
            header.pop("__metadata__", None)
            end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
            if path.stat().st_size < 8 + length + end:
                raise ValueError
            return {name: tuple(int(size) for size in entry["shape"]) for name, entry in header.items()}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (struct.error, ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise UsageError(f"{path} is no safetensors file, or only part of one; download or save it again") from None


def fingerprint(folder: Path) -> str:
    """What tells one model from another: the commit of a downloaded one, else a hash.

    The hash covers all settings, and the name, size and end of each weight file, since reading all of a big model would
    take longer than a small evaluation.
    """
    resolved = folder.resolve()
    if resolved.parent.name == "snapshots":
        return resolved.name
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.suffix in {".json", ".jinja", ".txt"}):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    for path in weight_files(folder):
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, size - TAIL))
            digest.update(f"{path.name}\0{size}\0".encode() + file.read())
    return digest.hexdigest()


def weight_shapes(folder: Path) -> Mapping[str, Shape]:
    """Names and shapes of all of a model's weights.

    Raises:
        UsageError: A file is damaged.
    """
    return {name: shape for path in weight_files(folder) for name, shape in read_shapes(path).items()}
