"""The course of a training, recorded by an experiment tracker besides our own file.

Keys and addresses are read from the environment by the trackers themselves: ``WANDB_API_KEY``, ``MLFLOW_TRACKING_URI``
and so on. No clip, picture or row is sent: only what is measured, and the adapter's record, which has the recipe, the
versions of packages, and where the model and the data set are.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from hpvqa.errors import MissingDependencyError, UsageError
from hpvqa.finetune.ranks import is_first
from hpvqa.install import pip_install

if TYPE_CHECKING:
    from transformers import TrainerCallback

Tracker = Literal["none", "tensorboard", "wandb", "mlflow"]
TRACKERS: tuple[Tracker, ...] = get_args(Tracker)
FOLDERS = ("tensorboard", "wandb", "mlflow.db")
"""What they make in an adapter's folder."""
PROJECT = "hpvqa"
"""What a project or an experiment is called, unless the environment names another one."""


class Writer(Protocol):
    """What records."""

    def write(self, step: int, measured: Mapping[str, float]) -> None:
        """Record what was measured at a step."""

    def close(self) -> None:
        """Finish the record."""


class _TensorBoard:
    def __init__(self, out: Path, config: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(out / "tensorboard"))
        self._writer.add_text("recipe", "".join(f"    {name}: {value}\n" for name, value in _flat(config).items()))

    def write(self, step: int, measured: Mapping[str, float]) -> None:
        for name, value in measured.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()


class _Wandb:
    def __init__(self, out: Path, config: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        import wandb

        self._run = wandb.init(
            project=environ.get("WANDB_PROJECT", PROJECT),
            name=environ.get("WANDB_NAME", out.resolve().name),
            dir=str(out),
            config=dict(config),
        )

    def write(self, step: int, measured: Mapping[str, float]) -> None:
        self._run.log(dict(measured), step=step)

    def close(self) -> None:
        self._run.finish()


class _MLflow:
    def __init__(self, out: Path, config: Mapping[str, Any], environ: Mapping[str, str]) -> None:
        import mlflow

        self._mlflow: Any = mlflow
        if not environ.get("MLFLOW_TRACKING_URI"):
            mlflow.set_tracking_uri(f"sqlite:///{(out / 'mlflow.db').resolve()}")
        mlflow.set_experiment(environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT))
        mlflow.start_run(run_name=out.resolve().name)
        # It takes no longer values.
        mlflow.log_params({name: str(value)[:500] for name, value in _flat(config).items()})

    def write(self, step: int, measured: Mapping[str, float]) -> None:
        self._mlflow.log_metrics(dict(measured), step=step)

    def close(self) -> None:
        self._mlflow.end_run()


_WRITERS: Mapping[str, Callable[[Path, Mapping[str, Any], Mapping[str, str]], Writer]] = {
    "tensorboard": _TensorBoard,
    "wandb": _Wandb,
    "mlflow": _MLflow,
}
_HINTS = {
    "tensorboard": "is there room on the disk?",
    "wandb": "set WANDB_API_KEY, or WANDB_MODE=offline to keep it here",
    "mlflow": "check MLFLOW_TRACKING_URI; without it, the record is kept in the adapter's folder",
}


def check_tracker(track: Tracker) -> None:
    """Raise if a tracker is not installed.

    Raises:
        MissingDependencyError: The message says how to get it.
    """
    if track != "none" and importlib.util.find_spec(track) is None:
        raise MissingDependencyError(f"--track {track} needs {track}; run: {pip_install(track)}")


def open_tracker(
    track: Tracker, out: Path, config: Mapping[str, Any], environ: Mapping[str, str], tell: Callable[[str], None]
) -> TrainerCallback | None:
    """What records a training; None if nothing shall. A resumed training is a new run of the same name.

    Args:
        track: Which tracker.
        out: Folder of the adapter, for trackers that keep files.
        config: What the adapter depends on.
        environ: The environment.
        tell: Takes a warning if the tracker fails later: the training goes on.

    Raises:
        UsageError: The tracker cannot begin, as without a key.
    """
    if track == "none" or not is_first():
        return None
    try:
        writer = _WRITERS[track](out, config, environ)
    except Exception as error:
        # Each fails in another way, and their own words name what is missing.
        reason = (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".")
        raise UsageError(f"--track {track} cannot begin ({reason}); {_HINTS[track]}") from error
    return _callback(writer, track, tell)


def _callback(writer: Writer, track: str, tell: Callable[[str], None]) -> TrainerCallback:
    from transformers import TrainerCallback

    from hpvqa.finetune.course import WRITTEN

    class Track(TrainerCallback):  # type: ignore[misc] # transformers is not typed
        """Hands on what is measured; once the tracker fails, no more."""

        failed = False

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any) -> None:
            measured = {name: value for name, value in (logs or {}).items() if name in WRITTEN}
            if measured.keys() - {"epoch"}:
                self._try(lambda: writer.write(state.global_step, measured))

        def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            self._try(writer.close)

        def _try(self, act: Callable[[], None]) -> None:
            if self.failed:
                return
            try:
                act()
            except Exception as error:
                self.failed = True
                reason = (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".")
                tell(f"{track} records no more of this training ({reason}); metrics.jsonl has all of it")

    return Track()


def _flat(config: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings by dotted names."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        found |= _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return found
