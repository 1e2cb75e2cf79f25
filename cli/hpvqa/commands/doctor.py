"""``hpvqa doctor``: what is installed, and how to get the rest."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import click

from hpvqa.commands.common import json_option


@click.command(
    epilog="""\b
Examples:
  hpvqa doctor
  hpvqa doctor --json

The exit code is 1 if the embedded simulator cannot run.
"""
)
@json_option
def command(as_json: bool) -> None:
    """Say what is installed, and how to get the rest."""
    from hpvqa.doctor import can_simulate, examine
    from hpvqa.progress.console import PlainConsole

    with PlainConsole(stderr=True).status("Looking around"):
        findings = examine(os.environ, Path.cwd())
    ready = can_simulate(findings)
    if as_json:
        parts = [dataclasses.asdict(finding) for finding in findings]
        click.echo(json.dumps({"can_simulate": ready, "findings": parts}, indent=2))
    else:
        from hpvqa.commands.doctor_table import print_findings

        print_findings(findings)
    raise SystemExit(0 if ready else 1)
