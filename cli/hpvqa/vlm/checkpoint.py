"""A model's folder: where it is, whether it is whole, and which model it holds."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hpvqa.errors import UsageError
from hpvqa.files import open_regular, read_json
from hpvqa.plain import parse_json
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
        names = set(read_json(index)["weight_map"].values())
        if any("/" in name for name in names):
            raise ValueError
        return [folder / name for name in sorted(names)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{index} is damaged; download the model again") from None


def read_shapes(path: Path) -> dict[str, Shape]:
    """Names and shapes of the tensors in a safetensors file; of the tensors themselves nothing is read.

    Raises:
        UsageError: It is not such a file, or it is cut short.
    """
    return {name: tensor.shape for name, tensor in _read_header(path).items()}


def first_not_finite(path: Path) -> str | None:
    """The name of a tensor in a safetensors file that holds NaN or an infinity; None if all numbers are finite.

    Raises:
        UsageError: It is not such a file, or it is cut short.
    """
    tensors = _read_header(path)
    try:
        with open_regular(path) as file:
            for name, tensor in tensors.items():
                if tensor.dtype in _EXPONENTS:
                    bits, exponent = _EXPONENTS[tensor.dtype]
                    file.seek(tensor.begin)
                    numbers = np.frombuffer(file.read(tensor.end - tensor.begin), bits)
                    # An exponent of ones alone is what both have.
                    if ((numbers & exponent) == exponent).any():
                        return name
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    return None


@dataclass(frozen=True)
class _Tensor:
    """An entry of a header: number format, shape, and the place in the file [bytes]."""

    dtype: str
    shape: Shape
    begin: int
    end: int


_EXPONENTS: Mapping[str, tuple[np.dtype[Any], int]] = {
    "F16": (np.dtype("<u2"), 0x7C00),
    "BF16": (np.dtype("<u2"), 0x7F80),
    "F32": (np.dtype("<u4"), 0x7F80_0000),
    "F64": (np.dtype("<u8"), 0x7FF0_0000_0000_0000),
}
"""Number formats, and their bits of the exponent."""


def _read_header(path: Path) -> dict[str, _Tensor]:
    """What a safetensors file says that it holds.

    The file begins with the length of its header (8 bytes, little-endian) and the header, which is JSON
    (https://github.com/huggingface/safetensors#format).
    """
    try:
        with open_regular(path) as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > LONGEST_HEADER:
                raise ValueError
            header = parse_json(file.read(length))
            header.pop("__metadata__", None)
            tensors = {name: _tensor(entry, 8 + length) for name, entry in header.items()}
        if path.stat().st_size < max((tensor.end for tensor in tensors.values()), default=0):
            raise ValueError
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except (struct.error, ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise UsageError(f"{path} is no safetensors file, or only part of one; download or save it again") from None
    return tensors


def _tensor(entry: Mapping[str, Any], start: int) -> _Tensor:
    begin, end = (start + int(offset) for offset in entry["data_offsets"])
    if not start <= begin <= end:
        raise ValueError
    return _Tensor(str(entry["dtype"]), tuple(int(size) for size in entry["shape"]), begin, end)


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
