"""What to install, and from where: never a package of that name from an index."""

from __future__ import annotations

import json
import re
import shlex
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from hpvqa import install

ROOT = Path(__file__).parents[1]
FOLDERS = ("cli", "docs", "exts", "recipes", "scripts", "README.md")


def pretend(monkeypatch: pytest.MonkeyPatch, url: object) -> None:
    """Let this package be installed from somewhere, instead of lying in a checkout."""

    class Installed:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return None if url is None else json.dumps(url)

    def distribution(name: str) -> Installed:
        if url == "nothing":
            raise PackageNotFoundError(name)
        return Installed()

    monkeypatch.setattr(install, "__file__", "/venv/lib/python3.11/site-packages/hpvqa/install.py")
    monkeypatch.setattr(install.importlib.metadata, "distribution", distribution)


def test_a_checkout_is_named_by_its_path() -> None:
    words = shlex.split(install.pip_install("vlm"))
    assert words == ["pip", "install", "-e", f"{ROOT}[vlm]"]
    assert shlex.split(install.pip_install())[-1] == str(ROOT)


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ({"url": "file:///a%20b/hpvqa", "dir_info": {}}, "pip install '/a b/hpvqa[vlm]'"),
        (
            {"url": "file:///a/hpvqa-1-py3-none-any.whl", "archive_info": {}},
            "pip install '/a/hpvqa-1-py3-none-any.whl[vlm]'",
        ),
        ({"url": "https://x/hpvqa-1.whl", "archive_info": {}}, "pip install 'hpvqa[vlm] @ https://x/hpvqa-1.whl'"),
        (
            {"url": "https://x/y.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "pip install 'hpvqa[vlm] @ git+https://x/y.git@abc'",
        ),
        (None, "pip install '.[vlm]' in a checkout of hpvqa"),
        ("nothing", "pip install '.[vlm]' in a checkout of hpvqa"),
    ],
)
def test_what_is_installed_is_named_by_where_it_came_from(
    url: object, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, url)
    assert install.pip_install("vlm") == command


def test_nobody_is_told_to_install_the_bare_name() -> None:
    files = [
        path for name in FOLDERS for path in ((ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name])
    ]
    wrong = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        if path.suffix in {".py", ".md", ".sh", ".yaml", ".toml"}
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"""pip install (-\S+ )*['"]?hpvqa\b(?!\S* @)""", line)
    ]
    assert wrong == []
