"""Writes build/pages, from which `make docs` builds the site.

It is docs/ with the README as its first page, the files that pages point to, and a reference of the code.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Pages that stand beside docs/, and their names in the site."""
REFERENCE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "worlds": ("What an episode is made of, before any simulator runs.", ("scene.spec", "scene.rigs", "recipe")),
    "experiments": (
        "What a robot does with a thing, and what is asked. [Adding a task](../adding-a-task.md) uses these.",
        ("probes.base", "tasks.base", "tasks.pair"),
    ),
    "simulators": ("What realises a world.", ("sim.protocol",)),
    "episodes": ("Reading what was recorded.", ("record.episode", "record.trajectory", "record.decode")),
    "data-sets": ("Rows of data sets, and how they become files of others.", ("dataset.rows", "dataset.load")),
    "models": ("How models are asked, and what they see.", ("vlm.protocol", "vlm.frames.clip", "vlm.frames.choose")),
    "evaluation": ("Scores, and how sure they are.", ("evaluate.score", "evaluate.statistics.interval", "errors")),
    "active-scenes": (
        "Scenes to explore, who explores them, and what could be known.",
        ("explore.protocol", "explore.scene", "explore.game", "explore.belief.posterior", "explore.gym"),
    ),
}
"""Pages of the reference: a sentence, and modules of hpvqa."""

_LINK = re.compile(r"(\]\()([^)#\s]+)(#[^)\s]*)?(\))")
_FENCED = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)


def relinked(text: str, page: str) -> tuple[str, set[str]]:
    """The text of a page with links that hold in the site, and the files outside docs/ that it points to.

    Args:
        text: In Markdown.
        page: Its path from the root of the project.
    """
    needed: set[str] = set()

    def link(match: re.Match[str]) -> str:
        begin, target, anchor, end = match[1], match[2], match[3] or "", match[4]
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        path = (ROOT / page).parent.joinpath(target).resolve().relative_to(ROOT).as_posix()
        if path in PAGES:
            path = PAGES[path]
        elif path.startswith("docs/"):
            path = path.removeprefix("docs/")
        elif (ROOT / path).is_dir():
            # Of recipes or rigs; a site has no listings.
            return f"{begin}recipes.md{end}"
        else:
            needed.add(path)
            path = f"files/{path}"
        return f"{begin}{path}{anchor}{end}"

    pieces = _FENCED.split(text)
    return "".join(piece if number % 2 else _LINK.sub(link, piece) for number, piece in enumerate(pieces)), needed


def reference(name: str) -> str:
    """A page of the reference of the code."""
    words, modules = REFERENCE[name]
    parts = [f"# {name.replace('-', ' ').capitalize()}", words, *(f"::: hpvqa.{module}" for module in modules)]
    return "\n\n".join(parts) + "\n"


def write(out: Path) -> None:
    """Write the pages of the site, anew.

    Args:
        out: Folder; what is there is removed.
    """
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(ROOT / "docs", out)
    needed: set[str] = set()
    sources = {f"docs/{path.name}": path.name for path in (ROOT / "docs").glob("*.md")}
    for source, name in {**sources, **PAGES}.items():
        text, files = relinked((ROOT / source).read_text(encoding="utf-8"), source)
        (out / name).write_text(text, encoding="utf-8")
        needed |= files
    (out / "api").mkdir()
    for name in REFERENCE:
        (out / "api" / f"{name}.md").write_text(reference(name), encoding="utf-8")
    for path in needed:
        copy = out / "files" / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy)


if __name__ == "__main__":
    write(ROOT / "build" / "pages")
