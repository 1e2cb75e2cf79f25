"""A server for tests of `hpvqa serve` that is there in no time, and the command that starts it in place of vLLM.

What it does besides is said by the variable FAKE: ``refuse`` (ends with what an overfull GPU says), ``mute`` (never
answers), ``short`` (answers, then ends by itself), ``stubborn`` (does not end when it is asked to).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PIDS = "FAKE_PIDS"
"""File with the numbers of the server's processes, its own and that of one that it has started."""


def serve(arguments: dict[str, str]) -> None:
    """Pretend to be vLLM."""
    how = os.environ.get("FAKE", "")
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # An engine process that ends only if it is told to.
    engine = subprocess.Popen(["sleep", "600"])
    Path(os.environ[PIDS]).write_text(f"{os.getpid()} {engine.pid}")
    print("(APIServer pid=1) INFO 11-23 01:44:36 [x.py:1] Starting to load model somewhere", flush=True)
    if how == "refuse":
        print("(EngineCore pid=2) ERROR 11-23 01:44:36 [core.py:1] torch.OutOfMemoryError: CUDA out of memory. Tried")
        print("RuntimeError: Engine core initialization failed. See root cause above.")
        sys.exit(1)
    names = [arguments["--served-model-name"]]
    names += [json.loads(arguments["--lora-modules"])["name"]] if "--lora-modules" in arguments else []
    key = os.environ.get("VLLM_API_KEY")

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            allowed = key is None or self.headers.get("Authorization") == f"Bearer {key}"
            body = json.dumps({"data": [{"id": name} for name in names]} if allowed else {"error": "no"}).encode()
            self.send_response(200 if allowed else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            if how == "short" and allowed:
                os._exit(3)

    if how == "mute":
        time.sleep(600)
    ThreadingHTTPServer((arguments["--host"], int(arguments["--port"])), Handler).serve_forever(0.05)


def main(args: list[str]) -> None:
    """The `hpvqa` command with this server in place of vLLM's, and a model that need not exist."""
    import hpvqa.main
    import hpvqa.serve.command
    import hpvqa.serve.plan
    from hpvqa.serve.plan import Plan
    from hpvqa.serve.settings import ServeSettings
    from hpvqa.vlm.families import get_family

    def make_plan(settings: ServeSettings) -> Plan:
        return Plan(settings, Path(settings.model.model), get_family("qwen3-vl"), None, "float32", gpu=False)

    hpvqa.serve.command.SERVER = (__file__,)
    hpvqa.serve.plan.make_plan = make_plan
    hpvqa.main.main(args)


def command(*args: object) -> list[str]:
    """The command line of :func:`main`."""
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from tests import serve_fakes"
    return [sys.executable, "-c", f"{script}; serve_fakes.main(sys.argv[1:])", *map(str, args)]


if __name__ == "__main__":
    flags = [argument.partition("=") for argument in sys.argv[1:] if argument.startswith("--")]
    values = {flag: value for flag, _, value in flags if value}
    values |= {one: two for one, two in zip(sys.argv[1:], sys.argv[2:], strict=False) if "=" not in one}
    serve(values)
