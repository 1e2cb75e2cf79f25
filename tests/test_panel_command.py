"""`hpvqa panel`: the folder of the extension for Isaac Sim, and how to start it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from hpvqa.main import cli


def test_the_folder_holds_the_extension_and_the_command_names_both() -> None:
    folder = CliRunner().invoke(cli, ["panel", "--path"]).output.rstrip("\n")
    assert (Path(folder) / "hpvqa.collector" / "config" / "extension.toml").is_file()
    shown = CliRunner().invoke(cli, ["panel"]).output
    assert shown == f"isaac-sim.sh --ext-folder {folder} --enable hpvqa.collector\n"
