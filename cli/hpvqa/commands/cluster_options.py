"""Options of commands whose work a cluster can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, get_args

import click

from hpvqa.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])
Executor = Literal["processes", "ray"]
ADDRESS = "RAY_ADDRESS"
"""The variable in which Ray itself looks for a cluster."""


def cluster_options(function: F) -> F:
    """``--executor`` and ``--address``."""
    function = click.option(
        "--address",
        metavar="HOST:PORT",
        help=f"ray: the cluster.  [default: what {ADDRESS} names, or the one that runs on this machine]",
    )(function)
    return click.option(
        "--executor",
        type=click.Choice(get_args(Executor)),
        default="processes",
        show_default=True,
        help="What does the work: processes of this machine, or a Ray cluster that this machine belongs to.",
    )(function)


def cluster_address(executor: Executor, address: str | None, environ: Mapping[str, str]) -> str | None:
    """Where the cluster is; None if none was asked for.

    Raises:
        UsageError: There is an address, but no cluster was asked for.
    """
    if executor == "ray":
        from hpvqa.cluster import AUTO

        return address or environ.get(ADDRESS) or AUTO
    if address is not None:
        raise UsageError("--address is for --executor ray; add that, or leave it out")
    return None
