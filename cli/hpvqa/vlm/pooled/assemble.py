"""A pooled model of the weights of others: a SigLIP, a Qwen2.5, and a new projector between them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hpvqa.errors import UsageError
from hpvqa.files import read_json
from hpvqa.vlm.checkpoint import Shape, read_shapes, weight_files
from hpvqa.vlm.pooled.processing import TOKENS, build_processor
from hpvqa.vlm.processing import check_words
from hpvqa.vlm.quiet import quiet
from hpvqa.vlm.saving import check_new
from hpvqa.vlm.tiny.save import save_checkpoint

FILES = ("*.json", "*.safetensors", "merges.txt")
"""What is needed of a model on the hub."""
MEMINFO = Path("/proc/meminfo")
_GB = 1e9
_BYTES = {"bfloat16": 2, "float32": 4}
_PARTS = {"vision_tower": "model.vision_tower.", "projector": "model.multi_modal_projector."}
_ORIGINS = (("model.vision_tower.", "vision", "vision_model."), ("model.language_model.", "language", "model."))
"""Where the weights of each part come from: their names here and there begin so."""

Dtype = Literal["bfloat16", "float32"]


@dataclass(frozen=True)
class Plan:
    """What a model will be.

    Attributes:
        parameters: How many each part has.
        visual_tokens: Tokens that the vision tower makes of a picture.
        tokens_per_image: Tokens of a prompt that a picture takes.
        resolution: Width and height of pictures [pixels].
        bytes: Size of its weights.
    """

    parameters: Mapping[str, int]
    visual_tokens: int
    tokens_per_image: int
    resolution: tuple[int, int]
    bytes: int

    @property
    def total(self) -> int:
        """All parameters."""
        return sum(self.parameters.values())


def configuration(vision: Path | None, language: Path | None) -> Any:
    """The configuration of a model of these parts.

    Args:
        vision: Folder of a SigLIP; None: the one of the paper, of which nothing is needed.
        language: Folder of a Qwen2.5; None: likewise.

    Raises:
        UsageError: They are something else, or cannot be put together.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import SiglipVisionConfig

    from hpvqa.vlm.pooled.configuration import PooledConfig

    parts: dict[str, Any] = {}
    if vision is not None:
        parts["vision_config"] = _config(vision, "siglip", "a SigLIP").get("vision_config") or {}
    if language is not None:
        parts["text_config"] = _config(language, "qwen2", "a Qwen2.5")
    try:
        if vision is not None:
            tower = SiglipVisionConfig(**parts["vision_config"])
            # The last layer is left out, as in the predecessor's code; see hpvqa.vlm.pooled.modeling.
            parts["vision_config"] = {**parts["vision_config"], "num_hidden_layers": tower.num_hidden_layers - 1}
        return PooledConfig(**parts)
    except (ValueError, TypeError, StrictDataclassError) as error:
        reason = str(error).strip().rpartition("\n")[2].strip()
        raise UsageError(f"{vision or 'SigLIP'} and {language or 'Qwen2.5'} cannot be put together: {reason}") from None


def plan(config: Any, dtype: Dtype) -> Plan:
    """What a model will be, counted on torch's meta device: no weights are needed, and none are made.

    Args:
        config: Its configuration.
        dtype: Number format of its weights.
    """
    import torch

    model = _empty(config)
    sizes = {name: parameter.numel() for name, parameter in model.named_parameters()}
    parts = {
        part: sum(sizes.pop(name) for name in list(sizes) if name.startswith(begin)) for part, begin in _PARTS.items()
    }
    total = {**parts, "language_model": sum(sizes.values())}
    side = config.vision_config.image_size
    picture = torch.zeros(1, 3, side, side, device="meta")
    seen = model.model.vision_tower(picture).last_hidden_state.shape[1]
    shown = model.model.get_image_features(picture).shape[1]
    return Plan(total, seen, shown, (side, side), sum(total.values()) * _BYTES[dtype])


def assemble(vision: Path, language: Path, out: Path, *, seed: int, dtype: Dtype) -> Plan:
    """Put a model together; its folder appears whole or not at all.

    Args:
        vision: Folder of a SigLIP.
        language: Folder of a Qwen2.5.
        out: The folder, which must not exist or be empty.
        seed: Seed of the projector.
        dtype: Number format of the weights.

    Raises:
        UsageError: A part is something else, or not whole; there is too little memory, or too little space on the disk.
        RunError: The disk does not take it.
    """
    config = configuration(vision, language)
    planned = plan(config, dtype)
    check_room(planned, out)
    model = _empty(config)
    origins = {"vision": _Weights(vision), "language": _Weights(language)}
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    places = _places(wanted, tied=config.tie_word_embeddings)
    for part, weights in origins.items():
        weights.check({place: wanted[name] for name, (origin, place) in places.items() if origin == part})
    processor = _processor(config, vision, language)
    _fill(model, origins, places, seed, dtype)
    _settings(model, language)
    save_checkpoint(model, processor, out)
    return planned


def _config(folder: Path, kind: str, what: str) -> dict[str, Any]:
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} holds no model: it has no config.json")
    try:
        found = read_json(folder / "config.json")
    except (OSError, ValueError):
        raise UsageError(f"{folder / 'config.json'} is no model configuration; download the model again") from None
    if not isinstance(found, dict) or found.get("model_type") != kind:
        said = found.get("model_type") if isinstance(found, dict) else None
        raise UsageError(f"{folder} is not {what}, but of the kind {said}; name another model")
    return found


def _empty(config: Any) -> Any:
    """The model without weights."""
    import torch

    from hpvqa.vlm.pooled.modeling import PooledForConditionalGeneration

    with torch.device("meta"):
        model = PooledForConditionalGeneration(config)
    model.tie_weights()
    return model


def check_room(planned: Plan, out: Path) -> None:
    """Raise if a model cannot be put together on this machine.

    Args:
        planned: What it will be.
        out: Its folder.

    Raises:
        UsageError: The folder holds something, its disk has too little space, or the machine too little memory.
    """
    check_new(out)
    nearest = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(nearest).free
    if free < planned.bytes:
        raise UsageError(
            f"{out} needs {planned.bytes / _GB:.1f} GB, and its disk has {free / _GB:.1f} GB free; choose another --out"
        )
    memory = _free_memory()
    if memory is not None and memory < planned.bytes:
        raise UsageError(
            f"Putting the model together takes {planned.bytes / _GB:.1f} GB of memory, and {memory / _GB:.1f} GB are "
            "free; end other programs, or take a machine with more"
        )


def _free_memory() -> int | None:
    """Memory that programs may still take [bytes]; None where the system does not say."""
    try:
        lines = MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None)


def _places(names: Sequence[str] | Mapping[str, Any], *, tied: bool) -> dict[str, tuple[str, str]]:
    """For each weight that is not new: of which part it is, and what it is called there."""
    found: dict[str, tuple[str, str]] = {}
    for name in names:
        for begin, part, there in _ORIGINS:
            if name.startswith(begin):
                found[name] = (part, there + name.removeprefix(begin))
    if not tied:
        found["lm_head.weight"] = ("language", "lm_head.weight")
    return found


class _Weights:
    """The weights in a folder; nothing but their names and shapes is read until it must be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        self._shapes: dict[str, Shape] = {}
        for path in weight_files(folder):
            if not path.is_file():
                raise UsageError(f"{folder} lacks the weight file {path.name}; download it again")
            shapes = read_shapes(path)
            self._shapes |= shapes
            self._files |= dict.fromkeys(shapes, path)

    def check(self, wanted: Mapping[str, Shape]) -> None:
        """Raise unless all of these weights are there."""
        missing = sorted(wanted.keys() - self._shapes.keys())
        if missing:
            raise UsageError(f"{self._folder} lacks {len(missing)} weights, such as {missing[0]}; download it again")
        other = sorted(name for name in wanted if self._shapes[name] != wanted[name])
        if other:
            raise UsageError(
                f"{self._folder} has {len(other)} weights of other shapes than its config.json says, such as "
                f"{other[0]} ({list(self._shapes[other[0]])}, not {list(wanted[other[0]])}); download it again"
            )

    def read(self, names: Mapping[str, str], dtype: Any) -> Iterator[tuple[str, Any]]:
        """The weights of these names, each under the other name that goes with it, file by file."""
        from safetensors import SafetensorError, safe_open

        for path in dict.fromkeys(self._files[name] for name in names):
            try:
                with safe_open(path, "pt") as file:
                    for name in (name for name in names if self._files[name] == path):
                        yield names[name], file.get_tensor(name).to(dtype)
            except (OSError, SafetensorError) as error:
                raise UsageError(f"{path} cannot be read: {error}; download it again") from None


def _fill(
    model: Any, origins: Mapping[str, _Weights], places: Mapping[str, tuple[str, str]], seed: int, dtype: Dtype
) -> None:
    import torch

    number = getattr(torch, dtype)
    for part, weights in origins.items():
        names = {place: name for name, (origin, place) in places.items() if origin == part}
        for name, tensor in weights.read(names, number):
            model.load_state_dict({name: tensor}, strict=False, assign=True)
    projector = model.model.multi_modal_projector.to_empty(device="cpu")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for layer in (projector.linear_1, projector.linear_2):
            layer.reset_parameters()
    projector.to(number)
    model.tie_weights()
    model.config.dtype = number


def _processor(config: Any, vision: Path, language: Path) -> Any:
    from transformers import AutoTokenizer, SiglipImageProcessor

    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(language, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        # transformers fails at each missing or damaged file in another way.
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(f"{language} has no usable tokenizer ({reason}); download it again") from None
    check_words(str(language), tokenizer)
    known = tokenizer.get_vocab()
    lacks = [token for token in TOKENS.values() if token not in known]
    if lacks:
        raise UsageError(f"The tokenizer of {language} lacks {lacks[0]}, which stands for pictures; take a Qwen2.5")
    config.image_token_id, config.video_token_id = (known[TOKENS[name]] for name in ("image_token", "video_token"))
    try:
        with quiet():
            images = SiglipImageProcessor.from_pretrained(vision, local_files_only=True)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(f"{vision} has no usable preprocessor_config.json ({reason}); download it again") from None
    return build_processor(
        tokenizer, config.vision_config.image_size, config.tokens_per_image, images.image_mean, images.image_std
    )


def _settings(model: Any, language: Path) -> None:
    """What ends an answer is as the language model has it."""
    from transformers import GenerationConfig

    try:
        with quiet():
            model.generation_config = GenerationConfig.from_pretrained(language, local_files_only=True)
    except OSError:
        text = model.config.text_config
        model.generation_config = GenerationConfig(eos_token_id=text.eos_token_id, pad_token_id=text.pad_token_id)
