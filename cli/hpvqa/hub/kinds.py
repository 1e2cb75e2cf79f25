"""What can be on the Hub."""

from __future__ import annotations

from typing import Literal

Kind = Literal["data set", "adapter", "report"]
RepoType = Literal["dataset", "model", "space"]
REPOS: dict[Kind, RepoType] = {"data set": "dataset", "adapter": "model", "report": "space"}
"""The kind of repository that holds each; a static space shows a page as it is."""
MARKERS: dict[Kind, str] = {"data set": "manifest.json", "adapter": "adapter_config.json", "report": "index.html"}
"""The file that makes a repository what it is. It is sent last: what is there without it is not whole."""
