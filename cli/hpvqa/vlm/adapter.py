"""A LoRA adapter's folder: what it holds, and whether it fits a model."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from pydantic import JsonValue

from hpvqa.errors import UsageError
from hpvqa.files import read_json, write_json
from hpvqa.vlm.checkpoint import Shape, first_not_finite, locate, read_shapes, weight_shapes
from hpvqa.vlm.embedded import BASE, base_folder
from hpvqa.vlm.families import Family, resolve_model

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PICKLES = ("adapter_model.bin", "adapter_model.pt")

_KEY = re.compile(r"(?:base_model\.model\.)?(?P<layer>.+)\.lora_(?P<part>[AB])(?:\.\w+)?\.weight")
"""How tools call the tensors of an adapter; some leave out what comes first, some name the adapter."""
_SNAPSHOT = re.compile(r"models--(?P<owner>[^/]+?)--(?P<name>[^/]+)/snapshots/[^/]+/?$")


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter.

    Attributes:
        folder: Where it is.
        base: The model that it was trained on: a folder or hub id; empty where it does not say.
        config: Its settings.
        shapes: Names and shapes of its tensors.
    """

    folder: Path
    base: str
    config: Mapping[str, JsonValue]
    shapes: Mapping[str, Shape]

    @property
    def rank(self) -> int:
        """The highest rank of its layers."""
        return max((shape[0] for name, shape in self.shapes.items() if ".lora_A." in name and shape), default=1)

    @property
    def sha256(self) -> str:
        """Hash of its weights."""
        digest = hashlib.sha256()
        with (self.folder / WEIGHTS).open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
        return digest.hexdigest()


def read_adapter(folder: Path) -> Adapter:
    """Read what an adapter says about itself; its weights are not loaded.

    Raises:
        UsageError: The folder holds none, a file is damaged, it is no LoRA adapter, or its weights are a pickle, which
            may run code when it is loaded.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise UsageError(f"{folder} holds no adapter: it has no {CONFIG}")
    if not (folder / WEIGHTS).is_file():
        pickled = [name for name in PICKLES if (folder / name).is_file()]
        if pickled:
            raise UsageError(
                f"{folder / pickled[0]} may run code when it is loaded; save the adapter as {WEIGHTS} instead"
            )
        raise UsageError(f"{folder} holds no adapter: it has no {WEIGHTS}")
    try:
        config = read_json(path)
        kind, base = config.get("peft_type"), config.get("base_model_name_or_path") or ""
    except (OSError, ValueError, AttributeError):
        raise UsageError(f"{path} is damaged; save the adapter again") from None
    # No folder has a NUL in its name, and whoever asks for one is told so by an exception.
    if not isinstance(base, str) or "\0" in base:
        raise UsageError(f"{path} is damaged: its base_model_name_or_path is no name; save the adapter again")
    if kind != "LORA":
        raise UsageError(f"{folder} holds an adapter of type {kind}; only LoRA is known")
    shapes = read_shapes(folder / WEIGHTS)
    if not shapes:
        raise UsageError(f"{folder / WEIGHTS} holds nothing; save the adapter again")
    return Adapter(folder, base, config, shapes)


def name_base(folder: Path, name: str) -> None:
    """Write into an adapter's folder which model it belongs to, where that is not the place it was loaded from.

    Raises:
        RunError: The disk does not take it.
    """
    path = folder / CONFIG
    write_json(path, {**read_json(path), "base_model_name_or_path": name})


def check_adapter(adapter: Adapter, model: str) -> None:
    """Raise if an adapter was trained on another model.

    Names are compared, since weights of two models may well have the same shapes, and shapes, since names can be alike.
    A folder that was moved, and a copy of a model from the hub, have the name that they had.

    Args:
        adapter: The adapter.
        model: A folder, hub id or name of a model family.

    Raises:
        UsageError: The message says which model it belongs to.
    """
    if adapter.base and not _same(adapter.base, model):
        raise UsageError(
            f"The adapter {adapter.folder} was trained on {adapter.base}, not on {model}; run it with that model (if "
            f"they are the same, correct base_model_name_or_path in its {CONFIG})"
        )
    known = {_place(name.removesuffix(".weight")): shape for name, shape in weight_shapes(locate(model)).items()}
    for name, shape in adapter.shapes.items():
        key = _KEY.fullmatch(name)
        place = key and _place(key["layer"])
        if key is None or place is None:
            continue
        # lora_A is (rank, inputs, ...), lora_B (outputs, rank, ...); weights are (outputs, inputs, ...).
        axis = 1 if key["part"] == "A" else 0
        layer = known.get(place)
        # A slice: of a single number, or of a layer without two sides, it is empty.
        if layer is None or not shape[axis : axis + 1] or shape[axis : axis + 1] != layer[axis : axis + 1]:
            raise UsageError(
                f"The adapter {adapter.folder} does not fit {model}, in which {key['layer']} is "
                f"{'not there' if layer is None else 'of another size'}; run it with the model that it was trained on"
            )
    broken = first_not_finite(adapter.folder / WEIGHTS)
    if broken is not None:
        raise UsageError(
            f"The adapter {adapter.folder} is broken: its {broken} holds numbers that are not finite; train it again, "
            "with a lower learning rate if that training failed"
        )


def names_in(adapter: Adapter, layers: Iterable[str]) -> dict[str, str]:
    """How PEFT calls the tensors of an adapter in a model, whose layers may be called otherwise in the adapter's file.

    Names differ by tool, and by the class that a model was loaded as: ``model.layers`` of the language model alone is
    ``model.language_model.layers`` of the whole.

    Args:
        adapter: The adapter.
        layers: Full names of the model's layers.

    Returns:
        The name in the model of each tensor in the file; the same one, of what is not LoRA's.

    Raises:
        UsageError: A layer is not in the model, or two tensors would belong to one.
    """
    known = list(layers)
    places: dict[str | None, list[str]] = {}
    for layer in known:
        places.setdefault(_place(layer), []).append(layer)
    found: dict[str, str] = {}
    for name in adapter.shapes:
        key = _KEY.fullmatch(name)
        if key is None:
            found[name] = name
            continue
        layer, place = key["layer"], _place(key["layer"])
        same = [layer] if layer in known else [] if place is None else places.get(place, [])
        if len(same) != 1:
            raise UsageError(
                f"The adapter {adapter.folder} does not fit: the model has no layer for its tensor {name}; run it with "
                "the model that it was trained on"
            )
        found[name] = f"base_model.model.{same[0]}.lora_{key['part']}.weight"
    if len(set(found.values())) < len(found):
        raise UsageError(f"The adapter {adapter.folder} is damaged: it has several tensors for one layer")
    return found


def check_served(adapter: Adapter, family: Family) -> None:
    """Raise if vLLM would leave out a part of an adapter; it does so without a word, and answers as another model.

    Raises:
        UsageError: The message says what would be left out, and what to do.
    """
    way_out = (
        f"merge it into its model first (hpvqa merge {adapter.folder} --out FOLDER), or use --backend transformers"
    )
    dropped = [name for name in adapter.shapes if not family.serves(name)]
    if dropped:
        raise UsageError(
            f"vLLM would silently leave out {len(dropped)} of the {len(adapter.shapes)} tensors of the adapter "
            f"{adapter.folder}, such as {dropped[0]}; {way_out}"
        )
    unknown = [
        name for name in ("use_dora", "lora_bias", "modules_to_save", "layer_replication") if adapter.config.get(name)
    ]
    if adapter.config.get("bias", "none") != "none":
        unknown.append("bias")
    if unknown:
        raise UsageError(f"vLLM knows no adapters with {' and '.join(unknown)}, as {adapter.folder} has; {way_out}")


def _same(base: str, model: str) -> bool:
    one, other = _identity(base), _identity(model)
    # Owner and name where both are known to be hub ids, else the name alone.
    return one == other if "/" in one and "/" in other else one.split("/")[-1] == other.split("/")[-1]


def _identity(model: str) -> str:
    """The embedded model's own name, a hub id where it is one, else the name of the folder."""
    model = resolve_model(model)
    # Unlike Path.resolve, this takes a loop of links in every version of Python.
    real = os.path.realpath(model)
    if real == os.path.realpath(base_folder()):
        return BASE
    # Unlike Path.is_dir, this takes what is too long for a name in every version of Python.
    folder = os.path.isdir(model)  # noqa: PTH112
    text = real if folder else model
    snapshot = _SNAPSHOT.search(text)
    if snapshot is not None:
        return f"{snapshot['owner']}/{snapshot['name']}"
    hub_id = not folder and re.fullmatch(r"[\w.-]+/[\w.-]+", model) and not model.startswith(".")
    return model if hub_id else PurePath(text).name


def _place(layer: str) -> str | None:
    """A layer without what precedes its number, which differs between files and modules; None outside of the stacks."""
    part = re.search(r"(?:^|\.)(visual|vision|mtp)(?:_\w+)?\.", layer)
    inner = re.search(r"(?:^|\.)(?:layers?|blocks)\.(\d+\..*)$", layer)
    return inner and f"{'language' if part is None else part[1]}.{inner[1]}"
