"""A run of the suite as tables for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from hpvqa.report.grid import Grid, Group, Line
from hpvqa.suite.card import HEADLINE, PAGE_FILE, Card
from hpvqa.suite.estimate import SuiteEstimate
from hpvqa.suite.tables import ends, overview


def print_card(card: Card, out: Path, console: Console, print_grid: Callable[[Grid, Console], None]) -> None:
    """Print a card.

    Args:
        card: The card.
        out: The folder that it lies in.
        console: Where to.
        print_grid: Prints a table.
    """
    told = "no score" if card.headline is None else f"{card.headline.share:.3f}, 95 % {ends(card.headline)}"
    console.print(Text(f"{card.model} on the suite {card.suite}: {told}", "bold"), soft_wrap=True)
    console.print(Text(HEADLINE, "dim"), width=min(80, console.width))
    for note in card.notes:
        console.print(Text(note, "yellow"), width=min(80, console.width))
    console.print()
    print_grid(overview(card), console)
    console.print(Text(f"Score card: {out / PAGE_FILE}"), soft_wrap=True)


def estimate_grid(what: SuiteEstimate) -> Grid:
    """What a run would take, part by part."""
    lines = [
        Line((name, str(part.episodes), str(part.missing), f"{part.bytes / 1e6:.0f} MB", str(part.questions)))
        for name, part in what.parts.items()
    ]
    lines.append(Line(("scenes", str(what.scenes), str(what.scenes_missing), "", "")))
    return Grid(
        f"Suite {what.suite} in {what.data}",
        ("part", "asked", "missing", "of these", "questions"),
        (Group("", tuple(lines)),),
        f"About {what.bytes / 1e9:.2f} GB and {what.seconds / 60:.0f} minutes to render what is missing; "
        f"{what.free_bytes / 1e9:.1f} GB are free there. Answers come on top: of {', '.join(what.references)} once, "
        f"and of each model to {what.questions} questions at most.",
    )


def print_estimate(what: SuiteEstimate, console: Console) -> None:
    """Print what a run would take."""
    from hpvqa.commands.grid_table import print_grid

    print_grid(estimate_grid(what), console)
