"""``hpvqa serve``: a model behind a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.field_option import field_option
from hpvqa.commands.param_types import Number, Whole
from hpvqa.errors import INTERRUPTED, printable
from hpvqa.serve.settings import MAX_VIDEOS, ServeSettings
from hpvqa.vlm.options import VllmOptions


def _help(field: str) -> str:
    return ServeSettings.model_fields[field].description or ""


@click.command(
    epilog="""\b
Examples:
  hpvqa serve --model qwen3.5
  hpvqa serve --model ./checkpoint --adapter runs/lora --port 8001
  hpvqa serve --model qwen3.5 --tensor-parallel-size 2
  hpvqa serve --model qwen3.5 --host 0.0.0.0        (prints a key)

Then ask: hpvqa ask --latest data --server http://127.0.0.1:8000/v1
Where others can reach the server, it wants a key: HPVQA_API_KEY, or one that is made up and printed once. Ctrl-C stops
it. Exit code 1 says that it did not start or has ended by itself, 130 that it was interrupted before it answered.
"""
)
@field_option(VllmOptions, "model", metavar="MODEL")
@field_option(VllmOptions, "adapter")
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The only folder whose videos a query may name as file://.  [default: data if it exists, else none]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help=_help("host"))
@click.option("--port", type=Whole(0, 65535), default=8000, show_default=True, help=_help("port"))
@field_option(VllmOptions, "dtype")
@field_option(VllmOptions, "gpu_memory")
@click.option("--context", type=Whole(min=64), help=_help("context"))
@field_option(VllmOptions, "batch_size")
@field_option(VllmOptions, "tensor_parallel_size")
@field_option(VllmOptions, "data_parallel_size")
@field_option(VllmOptions, "max_videos", default=str(MAX_VIDEOS))
@click.option("--thinking", is_flag=True, help=_help("thinking"))
@click.option("--timeout", type=Number(min=0, min_open=True), default=900.0, show_default=True, help=_help("timeout"))
@click.option("--log", type=click.Path(path_type=Path), help="File for its log.  [default: in the cache folder]")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    data: Path | None,
    host: str,
    port: int,
    context: int | None,
    thinking: bool,
    timeout: float,
    log: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Serve a model, and an adapter of it, with vLLM's OpenAI-compatible server.

    The model gets all frames that are sent, and thinks only if it is asked to. The server reads nothing but the
    queries and the folder of --data. It runs until Ctrl-C.
    """
    import json
    import os
    import time

    from hpvqa.collect.interrupts import counted_interrupts
    from hpvqa.hosts import is_local
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting
    from hpvqa.resources import default_cache
    from hpvqa.serve.hint import ask_command
    from hpvqa.serve.key import choose_key
    from hpvqa.serve.plan import make_plan
    from hpvqa.serve.process import free_port
    from hpvqa.serve.run import Serving, serve

    key = choose_key(os.environ, local=is_local(host))
    usual = Path("data")
    media = data or (usual if usual.is_dir() else None)
    settings = ServeSettings(
        model=VllmOptions(
            **{"max_videos": MAX_VIDEOS, **{name: value for name, value in given.items() if value is not None}}
        ),
        host=host,
        port=free_port(host, port),
        media=media,
        context=context,
        thinking=thinking,
        timeout=timeout,
    )
    plan = make_plan(settings)

    def on_ready(serving: Serving) -> None:
        made = serving.key.value.get_secret_value() if serving.key and serving.key.made else None
        line = ask_command(plan, media or usual)
        if as_json:
            told = {"url": serving.url, "model": serving.name, "pid": serving.pid, "log": str(serving.log), "try": line}
            click.echo(json.dumps({**told, **({"key": made} if made else {})}))
            return
        click.echo(printable(f"{serving.name} answers at {serving.url}"))
        if made:
            click.echo(f"Its key, shown only now, belongs into HPVQA_API_KEY: {made}")
        click.echo(printable(f"Try: {line}"))
        click.echo("Ctrl-C stops it.")

    with counted_interrupts() as interrupts, reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        ready = serve(
            plan,
            key,
            os.environ,
            log or default_cache(os.environ) / f"serve-{settings.port}.log",
            tell=reporter.note,
            on_ready=on_ready,
            stopped=lambda: interrupts.count > 0,
        )
    if not ready:
        ctx.exit(INTERRUPTED)
