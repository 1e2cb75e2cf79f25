"""What is to be served: the model, its adapter and their names, after everything that can be checked was checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hpvqa.serve.settings import ServeSettings
from hpvqa.vlm.adapter import Adapter
from hpvqa.vlm.backends.vllm import VllmAnswerer, check_normalisation
from hpvqa.vlm.embedded import ADAPTED, BASE, NAMES, adapter_folder, base_of
from hpvqa.vlm.families import Family
from hpvqa.vlm.processing import load_processor


@dataclass(frozen=True)
class Plan:
    """What is to be served.

    Attributes:
        settings: What the user says.
        folder: Folder of the model.
        family: The model's family.
        adapter: The adapter, if there is one.
        dtype: Number format.
        gpu: Whether it runs on a GPU.
    """

    settings: ServeSettings
    folder: Path
    family: Family
    adapter: Adapter | None
    dtype: str
    gpu: bool

    @property
    def name(self) -> str:
        """What clients call the model: what the user calls it, of a folder only its own name.

        The embedded model is two, each with its own name: what it was before it was tuned, and the tuned one.
        """
        given = self.settings.model.model
        if (base := base_of(given)) is not None:
            return base
        return _own(Path(given).resolve().name, "model") if Path(given).is_dir() else given

    @property
    def adapter_name(self) -> str | None:
        """What clients call the model with its adapter: the adapter's folder."""
        if self.adapter is None:
            return None
        folder = self.adapter.folder.resolve()
        if folder == adapter_folder().resolve() and self.name == BASE:
            return ADAPTED
        name = _own(folder.name, "adapter")
        return name if name != self.name else f"{name}-adapter"

    @property
    def asked(self) -> str:
        """The name that clients will mostly ask for."""
        return self.adapter_name or self.name


def _own(name: str, kind: str) -> str:
    """The name of a folder, which is never that of the embedded model."""
    return f"{name}-{kind}" if name in NAMES else name


def make_plan(settings: ServeSettings) -> Plan:
    """Check what is to be served.

    Raises:
        UsageError: The model or its adapter is not what it should be, or vLLM would silently get something wrong: leave
            out parts of the adapter, normalise videos like pictures.
        MissingDependencyError: vLLM is not installed.
    """
    engine = VllmAnswerer(settings.model)
    check_normalisation(settings.model.model, load_processor(str(engine.folder)))
    return Plan(
        settings=settings,
        folder=engine.folder,
        family=engine.family,
        adapter=engine.adapter,
        dtype=engine.dtype,
        gpu=engine.device == "cuda",
    )
