"""The extension's folder: manifests, pictures, documents."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.isaac.kit.services import EXTENSION, ROOT

KEYS = {
    *("version", "category", "title", "description", "authors", "repository", "keywords", "changelog", "readme"),
    *("preview_image", "icon", "writeTarget"),
}


def toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def manifest() -> dict[str, Any]:
    return toml(EXTENSION / "config" / "extension.toml")


def test_the_manifest_names_what_is_there(manifest: dict[str, Any]) -> None:
    package = manifest["package"]
    assert set(package) <= KEYS
    for key in ("changelog", "readme", "preview_image", "icon"):
        assert (EXTENSION / package[key]).is_file(), key
    for page in manifest["documentation"]["pages"]:
        assert (EXTENSION / page).is_file()
    assert len(manifest["test"]) == 1
    modules = [module["name"] for module in manifest["python"]["module"]]
    assert modules == ["hpvqa_collector.ui", "hpvqa_collector"]
    for module in modules:
        assert (EXTENSION / module.replace(".", "/") / "__init__.py").is_file()
    assert list(manifest["dependencies"]) == sorted(manifest["dependencies"])


def test_dependencies_are_the_extensions_whose_modules_are_imported(manifest: dict[str, Any]) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (EXTENSION / "hpvqa_collector" / "ui").rglob("*.py"))
    imported = set(re.findall(r"^(?:import|from) (omni\.[a-z._]+)", text, re.MULTILINE))
    # These come with Kit itself.
    core = {"omni.ext", "omni.kit.app"}
    assert imported - core == set(manifest["dependencies"])


def test_kit_finds_tests_where_it_looks() -> None:
    """In the part ``tests`` of each Python module that the manifest names."""
    text = (EXTENSION / "hpvqa_collector" / "tests" / "__init__.py").read_text(encoding="utf-8")
    assert re.search(r"^from hpvqa_collector\.tests\.test_\w+ import Test", text, re.MULTILINE)


def test_the_newest_change_is_that_of_the_version(manifest: dict[str, Any]) -> None:
    text = (EXTENSION / "docs" / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert found[0] == manifest["package"]["version"]


def test_the_bundle_enables_the_extension() -> None:
    bundle = toml(ROOT / "extension.toml")
    assert list(bundle["dependencies"]) == [EXTENSION.name]
    assert (ROOT / bundle["package"]["readme"]).is_file()


def test_pictures_can_be_opened(manifest: dict[str, Any]) -> None:
    for key, smallest in (("icon", 128), ("preview_image", 400)):
        with Image.open(EXTENSION / manifest["package"][key]) as image:
            assert min(image.size) >= smallest
            assert image.format == "PNG"


def test_no_file_of_the_extension_is_two_ideas() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in EXTENSION.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
