"""Sending to the Hub, in parts: whatever breaks off goes on where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hpvqa.errors import UsageError
from hpvqa.hub.errors import TOO_LARGE, told
from hpvqa.hub.kinds import REPOS, Kind
from hpvqa.hub.parcel import Parcel, git_name
from hpvqa.progress.reporter import Reporter

if TYPE_CHECKING:
    from huggingface_hub import HfApi

PART = 200
"""Files of one commit: what an interrupted one loses at most, and the Hub takes at once."""
_OWN = {".gitattributes"}
"""What the Hub itself puts into a repository."""


def push(
    api: HfApi, name: str, parcel: Parcel, reporter: Reporter, *, public: bool = False, replace: bool = False
) -> str:
    """Send a parcel.

    Files that are there already are not sent again. The file that makes the repository what it is comes last.

    Args:
        api: The Hub's client.
        name: ``owner/name``.
        parcel: What is sent.
        reporter: Told of every part.
        public: Whether a new repository can be seen by everybody.
        replace: Whether other contents of the repository give way; its history keeps them.

    Returns:
        The address of the repository.

    Raises:
        UsageError: It holds something else, or the login may not do this.
        RunError: The Hub cannot be reached, refuses or breaks off.
    """
    repo_type = REPOS[parcel.kind]
    with told(name):
        # A new space is not empty: the Hub puts an example into it.
        new = not api.repo_exists(name, repo_type=repo_type)
        url = api.create_repo(
            name,
            repo_type=repo_type,
            private=not public,
            exist_ok=True,
            space_sdk="static" if parcel.kind == "report" else None,
        )
        others = _others(api, name, parcel)
        if others and not (replace or new):
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            raise UsageError(
                f"{name} holds something else already ({others[0]}{more}); choose another name, or --replace it: "
                "its history keeps what was there"
            )
        files = list(parcel.files.items())
        reporter.start("send", "files", len(files))
        for first in range(0, len(files), PART):
            part = files[first : first + PART]
            last = first + PART >= len(files)
            gone = [path for path in others if path not in parcel.files] if last else []
            _send(api, name, parcel.kind, part, gone)
            for path, _ in part:
                reporter.item(path)
        reporter.done()
    return str(url)


def _send(api: HfApi, name: str, kind: Kind, part: Sequence[tuple[str, Path | bytes]], gone: Sequence[str]) -> None:
    """Make one commit, or several where the Hub refuses one as too large."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.errors import HfHubHTTPError

    added = [CommitOperationAdd(path, file if isinstance(file, bytes) else str(file)) for path, file in part]
    removed = [CommitOperationDelete(path) for path in gone]
    try:
        api.create_commit(name, [*added, *removed], commit_message=f"Send the {kind} with hpvqa", repo_type=REPOS[kind])
    except HfHubHTTPError as error:
        if error.response.status_code != TOO_LARGE or len(part) == 1:
            raise
        half = len(part) // 2
        _send(api, name, kind, part[:half], ())
        _send(api, name, kind, part[half:], gone)


def _others(api: HfApi, name: str, parcel: Parcel) -> list[str]:
    """What the repository holds that would give way: strange files, and a marker of something else."""
    repo_type = REPOS[parcel.kind]
    strange = set(api.list_repo_files(name, repo_type=repo_type)) - parcel.files.keys() - _OWN
    known = git_name(parcel.files[parcel.marker])
    changed = [
        parcel.marker
        for entry in api.get_paths_info(name, [parcel.marker], repo_type=repo_type)
        if (entry.lfs.sha256 if entry.lfs else entry.blob_id) not in known
    ]
    return [*changed, *sorted(strange)]
