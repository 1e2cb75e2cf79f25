"""Fetching from the Hub into a new folder: whole, checked, or to be gone on with."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hpvqa.dataset.verify import verify
from hpvqa.errors import RunError, UsageError
from hpvqa.files import check_target, inside, locked, sync
from hpvqa.hub.errors import told
from hpvqa.hub.kinds import MARKERS, REPOS, Kind
from hpvqa.progress.reporter import Reporter

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_KINDS: tuple[Kind, ...] = ("data set", "adapter", "report")
_OWN = ".gitattributes"
_CACHE = ".cache"
"""Where the Hub's client writes down what it has fetched already."""
_THREADS = 4


@dataclass(frozen=True)
class Fetched:
    """What was fetched.

    Attributes:
        kind: What it is.
        revision: The commit.
        files: How many files it has.
    """

    kind: Kind
    revision: str
    files: int


def pull(
    api: HfApi, name: str, out: Path, reporter: Reporter, *, kind: Kind | None = None, revision: str | None = None
) -> Fetched:
    """Fetch a data set, an adapter or a report.

    What was fetched before it broke off stays beside ``out``, and is not fetched again.

    Args:
        api: The Hub's client.
        name: ``owner/name``.
        out: The folder to make.
        reporter: Told of every file that is compared.
        kind: What it is; None: the first of these that is there.
        revision: A commit, a branch or a tag; None: the newest.

    Raises:
        UsageError: There is none, it is something else, or something is at ``out``.
        RunError: The Hub cannot be reached, refuses or breaks off, or what it holds is damaged.
    """
    check_target(out, folder=True)
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out} exists already; delete it or choose another --out")
    with told(name):
        found, commit, files = _find(api, name, kind, revision)
    if MARKERS[found] not in files:
        raise UsageError(f"{name} has no {MARKERS[found]}: it is no {found} that hpvqa has sent whole")
    target = out.resolve()
    draft = target.with_name(target.name + ".partial")
    _check_names(name, draft, files)
    try:
        (draft / _CACHE).mkdir(parents=True, exist_ok=True)
        with locked(draft / _CACHE / "hpvqa.lock"):
            _fetch(api, name, found, commit, draft)
            _tidy(draft, files)
            if found == "data set":
                _check(name, draft, reporter)
            shutil.rmtree(draft / _CACHE)
            sync(draft)
            draft.replace(target)
        sync(target.parent)
    except OSError as error:
        raise RunError(f"{out} cannot be written: {error.strerror or error}") from None
    return Fetched(found, commit, len(files))


def _find(api: HfApi, name: str, kind: Kind | None, revision: str | None) -> tuple[Kind, str, list[str]]:
    """Which kind it is, the commit, and its files."""
    from huggingface_hub.errors import RepositoryNotFoundError

    kinds = (kind,) if kind else _KINDS
    for one in kinds:
        try:
            info = api.repo_info(name, repo_type=REPOS[one], revision=revision)
        except RepositoryNotFoundError:
            if one == kinds[-1]:
                raise
            continue
        commit = str(info.sha)
        files = api.list_repo_files(name, repo_type=REPOS[one], revision=commit)
        return one, commit, [file for file in files if file != _OWN]
    raise AssertionError("there is a last kind")


def _check_names(name: str, root: Path, files: Sequence[str]) -> None:
    try:
        for file in files:
            inside(root, file)
    except ValueError as error:
        raise RunError(f"{name} on the Hub is not to be trusted: {error}") from None


def _fetch(api: HfApi, name: str, kind: Kind, commit: str, draft: Path) -> None:
    with told(name):
        api.snapshot_download(
            name,
            repo_type=REPOS[kind],
            revision=commit,
            local_dir=draft,
            ignore_patterns=[_OWN],
            max_workers=_THREADS,
        )


def _tidy(draft: Path, files: Sequence[str]) -> None:
    """Leave nothing but the files of this commit: an earlier try may have been of another."""
    wanted = {draft / file for file in files}
    for path in sorted(draft.rglob("*"), reverse=True):
        if path.relative_to(draft).parts[0] == _CACHE or path in wanted:
            continue
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        else:
            path.unlink()


def _check(name: str, draft: Path, reporter: Reporter) -> None:
    """Compare a data set with its manifest; what is damaged is fetched again next time."""
    damaged = [problem for problem in verify(draft, reporter).problems if problem.fault != "unlisted"]
    for problem in damaged:
        with suppress(ValueError):
            inside(draft, problem.file).unlink(missing_ok=True)
    if damaged:
        first = damaged[0]
        raise RunError(
            f"{first.file} of {name} is {first.fault} ({first.detail}); give the same command again, and ask who "
            "sent it if that does not help"
        )
