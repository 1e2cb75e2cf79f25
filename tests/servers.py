"""Servers for tests, on loopback: a strict stand-in that can misbehave, and vLLM itself."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import SecretStr, ValidationError

from tests.chat_schema import OfVllm, Standard

LOGPROBS = {"left": -0.25, "right": -1.75, "up": -4.0}
TOKENS = {"left": 7, "right": 8, "up": 9}
VIDEO_TOKEN = 99

Fault = tuple[int, dict[str, str], Any] | str | float
"""What happens to a request instead of an answer: a status code with headers and a body, ``"drop"``, or seconds to wait
before the answer."""


class StandIn:
    """A server that checks every field of a request, and answers by what it sees: left if the frames are bright.

    Attributes:
        url: Its address.
        requests: The bodies of all requests for a chat completion.
        headers: The headers of all requests.
        faults: Used up one by one by requests for a chat completion.
        always: Happens to all of them.
        most: The highest number of requests at once.
        seen: The frames of each request, decoded.
    """

    def __init__(
        self,
        *,
        owned_by: str = "somebody",
        models: Sequence[str] = ("glm",),
        key: str | None = None,
        tokens: dict[str, float] | None = None,
        text: str | None = None,
        most_tokens: int = 20,
        trusting: bool = True,
        version: str = "0.32.0",
        keep: Callable[[int], int] = lambda count: count,
        prompt_text: str = "<think>\n\n</think>\n\n",
        cards: Any = None,
        split: bool = False,
        drawn: Sequence[str] = (),
        most_answers: int | None = 4,
    ) -> None:
        self.owned_by, self.models, self.key = owned_by, models, key
        self.tokens = LOGPROBS if tokens is None else tokens
        self.text, self.most_tokens, self.trusting, self.version = text, most_tokens, trusting, version
        self.keep, self.prompt_text, self.cards, self.split = keep, prompt_text, cards, split
        # What is said one after the other where it is drawn, and how many answers a request gets; None: it is refused.
        self.drawn, self.most_answers = deque(drawn), most_answers
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.seen: list[NDArray[np.uint8]] = []
        self.files: list[Path] = []
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self.slow = 0.0
        self._closed = False
        self.most = self._now = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each reply waits 40 ms until the client acknowledges its headers

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

            def do_GET(self) -> None:
                outer._get(self)

            def do_POST(self) -> None:
                outer._post(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop to listen, and hang up."""
        self._closed = True
        self._server.shutdown()
        self._server.server_close()

    def forget(self) -> None:
        """Forget all requests."""
        self.requests, self.headers, self.seen, self.files, self.most = [], [], [], [], 0

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        self.headers.append(dict(handler.headers))
        if not self._may(handler):
            return
        if handler.path == "/v1/models":
            cards = [{"id": name, "object": "model", "created": 0, "owned_by": self.owned_by} for name in self.models]
            _send(handler, 200, {"object": "list", "data": cards} if self.cards is None else self.cards)
        elif handler.path == "/version" and self.owned_by == "vllm":
            _send(handler, 200, {"version": self.version})
        else:
            _send(handler, 404, {"detail": "Not Found"})

    def _post(self, handler: BaseHTTPRequestHandler) -> None:
        self.headers.append(dict(handler.headers))
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        if not self._may(handler):
            return
        if handler.path == "/tokenize" and self.owned_by == "vllm":
            assert body.keys() == {"model", "prompt", "add_special_tokens"}
            _send(handler, 200, {"tokens": [TOKENS[body["prompt"]], *[17] * self.split]})
        elif handler.path == "/v1/chat/completions":
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
                fault = self.faults.popleft() if self.faults else self.always
                self.requests.append(body)
            time.sleep(self.slow)
            # Before the reply is sent: the client may send the next request as soon as it has it.
            with self._lock:
                self._now -= 1
            self._complete(handler, body, fault)
        else:
            _send(handler, 404, {"detail": "Not Found"})

    def _may(self, handler: BaseHTTPRequestHandler) -> bool:
        if self._closed:
            handler.connection.shutdown(socket.SHUT_RDWR)
            return False
        given = handler.headers.get("Authorization")
        if self.key is None or given == f"Bearer {self.key}":
            return True
        _send(handler, 401, {"error": {"message": f"Incorrect API key provided: {given}"}})
        return False

    def _complete(self, handler: BaseHTTPRequestHandler, body: dict[str, Any], fault: Fault | None) -> None:
        if fault == "drop":
            handler.connection.shutdown(socket.SHUT_RDWR)
            return
        if isinstance(fault, float):
            time.sleep(fault)
        elif isinstance(fault, tuple):
            status, headers, reply = fault
            _send(handler, status, reply, headers)
            return
        wrong = self._wrong(body)
        if wrong is not None:
            _send(handler, 400, {"error": {"message": wrong, "type": "BadRequestError", "code": 400}})
            return
        _send(handler, 200, self._answer(body))

    def _wrong(self, body: dict[str, Any]) -> str | None:
        """What is wrong with a request."""
        try:
            (OfVllm if self.owned_by == "vllm" else Standard).model_validate(body)
        except ValidationError as error:
            return f"Invalid request: {error}"
        if body["model"] not in self.models:
            return f"The model {body['model']} does not exist"
        if not self.trusting:
            for name in ("mm_processor_kwargs", "media_io_kwargs"):
                if name in body:
                    return f"Per-request {name} are disabled by default"
        if body.get("top_logprobs", 0) > self.most_tokens:
            return f"top_logprobs must be at most {self.most_tokens}"
        if body.get("n", 1) > 1 and self.most_answers is None:
            return "n must be 1"
        if not body.get("logprobs") and body.keys() & {"top_logprobs", "logprob_token_ids"}:
            return "logprobs must be true"
        return None

    def _answer(self, body: dict[str, Any]) -> dict[str, Any]:
        (asked,) = (message["content"] for message in body["messages"] if message["role"] == "user")
        frames = [self._decode(part) for part in asked if part["type"] != "text"]
        images = np.concatenate(frames) if frames else np.zeros((0, 1, 1, 3), np.uint8)
        with self._lock:
            self.seen.append(images)
        tokens = dict(self.tokens)
        if frames and images.mean() < 128 and {"left", "right"} <= tokens.keys():
            tokens["left"], tokens["right"] = tokens["right"], tokens["left"]
        likeliest = max(tokens, key=lambda token: tokens[token], default="I")
        said = self.text if self.text is not None and body["max_tokens"] > 1 else likeliest
        choice: dict[str, Any] = {
            "index": 0,
            "finish_reason": "stop" if said is self.text else "length",
            "message": {"role": "assistant", "content": said},
        }
        if body.get("logprobs") and tokens:
            if "logprob_token_ids" in body:
                wanted = [word for word, token in TOKENS.items() if token in body["logprob_token_ids"]]
                listed = [{"token": f"token_id:{TOKENS[word]}", "logprob": tokens[word]} for word in wanted]
                first = f"token_id:{TOKENS[likeliest]}"
            else:
                ranked = sorted(tokens, key=lambda token: -tokens[token])[: body["top_logprobs"]]
                listed = [{"token": token, "logprob": tokens[token], "bytes": None} for token in ranked]
                first = likeliest
            entry = {"token": first, "logprob": tokens[likeliest], "bytes": None, "top_logprobs": listed}
            choice["logprobs"] = {"content": [entry], "refusal": None}
        choices = [choice]
        if body["temperature"] > 0 and body["max_tokens"] > 1:
            count = min(body.get("n", 1), self.most_answers or 1)
            texts = [self.drawn.popleft() for _ in range(count)]
            choices = [
                {**choice, "finish_reason": "stop", "message": {"role": "assistant", "content": text}} for text in texts
            ]
        elif body.get("n", 1) > 1:
            choices = [choice] * min(body["n"], self.most_answers or 1)
        reply = {"id": "x", "object": "chat.completion", "created": 0, "model": body["model"], "choices": choices}
        reply["usage"] = {"prompt_tokens": 10 + len(images), "completion_tokens": 1, "total_tokens": 11 + len(images)}
        if body.get("return_token_ids"):
            video = [token for _ in range(self.keep(len(images))) for token in (1, VIDEO_TOKEN, VIDEO_TOKEN, 2)]
            reply["prompt_token_ids"] = [3, 4, *video, 5, 6]
        if body.get("return_prompt_text"):
            reply["prompt_text"] = f"user: left or right? assistant: {self.prompt_text}"
        return reply

    def _decode(self, part: dict[str, Any]) -> NDArray[np.uint8]:
        url = part[part["type"]]["url"]
        if url.startswith("file:"):
            path = Path(unquote(urlsplit(url).path))
            self.files.append(path)
            return decode_video(path.read_bytes())
        kind, _, data = url.removeprefix("data:").partition(";base64,")
        if kind == "video/mp4":
            return decode_video(base64.b64decode(data, validate=True))
        assert kind in {"video/jpeg", "image/png"}
        pictures = [Image.open(io.BytesIO(base64.b64decode(piece, validate=True))) for piece in data.split(",")]
        return np.stack([np.asarray(picture.convert("RGB")) for picture in pictures])


def decode_video(data: bytes) -> NDArray[np.uint8]:
    """All frames of a video, RGB."""
    with av.open(io.BytesIO(data), "r") as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.stack(frames).astype(np.uint8, copy=False)


def _send(handler: BaseHTTPRequestHandler, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(data)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    # A client that did not wait has hung up.
    with suppress(BrokenPipeError, ConnectionResetError):
        handler.end_headers()
        handler.wfile.write(data)


@contextmanager
def served_by_vllm(model: Path, folder: Path, *arguments: object, key: SecretStr) -> Iterator[str]:
    """A vLLM server as `hpvqa serve` starts it, in float32 on the CPU; nothing of it is left after the context.

    Args:
        model: The model's folder.
        folder: Where its log goes.
        arguments: Further arguments of `hpvqa serve`.
        key: The key that it wants.

    Yields:
        Its address.
    """
    command = [sys.executable, "-m", "hpvqa", "serve", "--model", model, "--port", 0, "--dtype", "float32", "--json"]
    command += ["--context", 1024, "--batch-size", 8, "--timeout", 400, "--log", folder / "log.txt", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HPVQA_API_KEY": key.get_secret_value()}
    with subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            assert line, (folder / "log.txt").read_text(errors="replace")[-3000:]
            yield json.loads(line)["url"]
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
