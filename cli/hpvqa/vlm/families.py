"""Model families: everything that differs between models, as data in ``families.yaml``."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, Field, JsonValue, ValidationError

from hpvqa.errors import MissingDependencyError, UsageError, nearest
from hpvqa.files import read_bytes
from hpvqa.install import pip_install
from hpvqa.plain import Model
from hpvqa.vlm.embedded import NAMES, base_folder, place_of

FILE = Path(__file__).with_name("families.yaml")


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class Family(Model):
    """Models that share an architecture, a prompt format and a way of looking at videos."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="What users call it.")
    title: str = Field(description="What tables call it.")
    hub_id: str | None = Field(
        description="The model of the Hugging Face hub that the name stands for; null: the hub has none."
    )
    architectures: tuple[str, ...] = Field(min_length=1, description="As in a model's config.json.")
    resolution: tuple[int, int] = Field(description="Width and height of the frames that it is given [pixels].")
    dtype: Literal["bfloat16", "float32"] = Field(description="Number format of its weights on a GPU.")
    chat_template_options: dict[str, JsonValue] = Field(
        description="Given to its chat template; must turn thinking off."
    )
    timestamps: bool = Field(description="Whether its prompt states the time of each frame, so that spacing may vary.")
    min_frames: int = Field(ge=1, description="Fewest frames of a video; fewer are filled up with the last one.")
    pixel_multiple: int | None = Field(
        description="Width and height must be multiples of this [pixels]; null: exactly what its processor says."
    )
    stacks_videos: bool = Field(
        default=False, description="Whether its processor takes several videos only if they have equally many frames."
    )
    lora_targets: Pattern = Field(
        description="Full names of the layers that LoRA trains. In the language model only: vLLM drops all others."
    )
    extra_lora_targets: Pattern | None = Field(
        default=None, description="Layers that may be trained besides, such as those of linear attention."
    )
    served_adapter: Pattern = Field(description="Full names of the layers whose LoRA weights vLLM applies.")

    def check_size(self, width: int, height: int) -> None:
        """Raise if its models do not take frames of this size [pixels].

        Raises:
            UsageError: The message says what they take.
        """
        if self.pixel_multiple is None:
            if (width, height) != self.resolution:
                wanted = "x".join(map(str, self.resolution))
                raise UsageError(f"{self.title} takes frames of {wanted}, not {width}x{height}; set --resolution")
        elif width % self.pixel_multiple or height % self.pixel_multiple:
            raise UsageError(
                f"{self.title} takes frames whose width and height are multiples of {self.pixel_multiple}, not "
                f"{width}x{height}; set --resolution"
            )

    def serves(self, key: str) -> bool:
        """Whether vLLM applies a tensor of an adapter file.

        Args:
            key: Its name there, such as ``base_model.model.model.language_model.layers.0.mlp.up_proj.lora_A.weight``.
        """
        layer, _, part = key.partition(".lora_")
        return part in {"A.weight", "B.weight"} and re.fullmatch(self.served_adapter, layer) is not None


@lru_cache
def families() -> tuple[Family, ...]:
    """All known families, in the order of the file."""
    return tuple(Family.model_validate(entry) for entry in yaml.safe_load(FILE.read_text(encoding="utf-8")))


def get_family(name: str) -> Family:
    """A family by its name.

    Raises:
        UsageError: There is none; the message names the nearest one.
    """
    for family in families():
        if family.name == name:
            return family
    known = [family.name for family in families()]
    raise UsageError(f"There is no model family {name!r}; {nearest(name, known)}")


def resolve_model(model: str) -> str:
    """What to load: the hub id of a family or the folder of the embedded model, if called by name, else what was given.

    Args:
        model: Name of a family or of the embedded model, hub id, or folder.
    """
    hub_ids = {family.name: family.hub_id for family in families() if family.hub_id}
    return hub_ids.get(model, place_of(model))


def find_family(model: str) -> Family:
    """The family of a model.

    Args:
        model: Name of a family or of the embedded model, hub id, or folder with a ``config.json``. Of a hub id that no
            family has, the configuration is read from the local cache of the hub.

    Returns:
        The family. Where a model's configuration says for which frames it was made, its resolution and what frames must
        be a multiple of are this model's.

    Raises:
        UsageError: No family fits, or the configuration cannot be read.
    """
    for family in families():
        if model in (family.name, family.hub_id):
            return family
    path = find_config(model)
    try:
        config = _Config.model_validate_json(read_bytes(path))
    except (OSError, ValidationError):
        raise UsageError(f"{path} is no model configuration; download or save the model again") from None
    for family in families():
        if set(config.architectures) & set(family.architectures):
            return _fitted(family, config)
    known = ", ".join(dict.fromkeys(name for family in families() for name in family.architectures))
    raise UsageError(
        f"{model} is of an architecture that no model family has ({', '.join(config.architectures) or 'none given'}); "
        f"known are: {known} (a family is an entry of {FILE})"
    )


class _Vision(BaseModel):
    image_size: tuple[int, int] | int | None = None
    patch_size: tuple[int, int] | int | None = None
    spatial_merge_size: int | None = None


class _Config(BaseModel):
    """What is needed of a model's config.json."""

    architectures: tuple[str, ...] = ()
    vision_config: _Vision = _Vision()


def _fitted(family: Family, config: _Config) -> Family:
    vision = config.vision_config
    changes: dict[str, object] = {}
    size, patch, merge = vision.image_size, vision.patch_size, vision.spatial_merge_size
    if size is not None:
        height, width = (size, size) if isinstance(size, int) else size
        changes["resolution"] = (width, height)
    if family.pixel_multiple is not None and isinstance(patch, int) and merge is not None:
        changes["pixel_multiple"] = patch * merge
    return family.model_copy(update=changes)


def find_config(model: str) -> Path:
    """The configuration of a model; nothing is downloaded.

    Args:
        model: A folder, the hub id of a downloaded model, or a name of the embedded model.

    Raises:
        UsageError: It is no model folder, it was not downloaded, or it is no hub id.
    """
    folder = Path(place_of(model))
    if folder == base_folder() and not folder.is_dir():
        raise UsageError("This installation lacks the embedded model; install hpvqa again")
    if not folder.is_dir():
        return _cached_config(model)
    if not (folder / "config.json").is_file():
        raise UsageError(f"{folder} holds no model: it has no config.json")
    return folder / "config.json"


def _cached_config(model: str) -> Path:
    if any(model == family.name and family.hub_id is None for family in families()):
        raise UsageError(
            f"The hub has no weights of {model}; put them together with `hpvqa explore assemble`, and give their folder"
        )
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", model):
        known = ", ".join((*(family.name for family in families()), *NAMES))
        raise UsageError(
            f"There is no model folder {model}; give a folder, a hub id, or the name of a model family: {known}"
        )
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        raise MissingDependencyError(f"Models need transformers; run: {pip_install('vlm')}") from None
    path = try_to_load_from_cache(model, "config.json")
    if not isinstance(path, str):
        raise UsageError(
            f"{model} is no folder and was not downloaded; download it with `hf download {model}`, or give a folder"
        )
    return Path(path)
