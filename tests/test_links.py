"""Links of the documentation, on a forge and in the site that `make docs` builds."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from scripts.site import PAGES, REFERENCE, ROOT, relinked, write

DOCUMENTS = sorted([*(ROOT / "docs").glob("*.md"), *(ROOT / name for name in PAGES)])
_FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What can follow a # in a link to a page, by the rules of forges."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).strip().replace(" ", "-")
        number = 1
        while (name := slug if number == 1 else f"{slug}-{number - 1}") in found:
            number += 1
        found.add(name)
    return found


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    dead = []
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        path = page.parent / target if target else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            dead.append(f"{target}#{anchor}")
    assert dead == []


def test_links_to_what_lies_beside_the_pages_hold_in_the_site(tmp_path: Path) -> None:
    text, needed = relinked(
        "[a](../README.md#licence) [b](scene.md) [c](../recipes/lora.yaml)\n```\n[d](../x)\n```\n", "docs/faq.md"
    )
    assert text == "[a](index.md#licence) [b](scene.md) [c](files/recipes/lora.yaml)\n```\n[d](../x)\n```\n"
    assert needed == {"recipes/lora.yaml"}
    write(tmp_path / "pages")
    for page in (tmp_path / "pages").glob("*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)", _FENCED.sub("", page.read_text(encoding="utf-8"))):
            assert "://" in target or (page.parent / target).is_file(), (page.name, target)


def test_the_site_has_every_page_once() -> None:
    nav = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    listed = [page for section in nav for pages in section.values() for page in pages]
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} | set(PAGES.values())
    assert sorted(listed) == sorted(pages | {f"api/{name}.md" for name in REFERENCE})
