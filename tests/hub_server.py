"""A stand-in of the Hugging Face hub: as much of its HTTP interface as its own client uses to send and to fetch."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_SecretOfTheTests"  # noqa: S105 - it opens nothing
LARGE = (".mp4", ".parquet", ".safetensors")
"""What is kept as a large file, as by the rules of a new repository."""
BREAK, PASS = 0, 1
"""In place of a status: the connection ends; this request is answered."""


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass
class Repo:
    files: dict[str, bytes] = field(default_factory=lambda: {".gitattributes": b"*.mp4 filter=lfs\n"})
    commits: int = 0
    private: bool = True

    @property
    def sha(self) -> str:
        return hashlib.sha1(str(self.commits).encode(), usedforsecurity=False).hexdigest()


@dataclass
class Hub:
    """What is there, what was asked, and what goes wrong.

    Attributes:
        repos: By kind and name, such as ``datasets/me/pushes``.
        stored: Large files by their SHA-256.
        asked: Method and path of every request.
        faults: Status that answers the next request whose method and path match.
    """

    repos: dict[str, Repo] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: list[tuple[str, int]] = field(default_factory=list)
    address: str = ""

    def fail(self, pattern: str, status: int, times: int = 1) -> None:
        self.faults += [(pattern, status)] * times

    def fault(self, line: str) -> int | None:
        for fault in self.faults:
            if re.search(fault[0], line):
                self.faults.remove(fault)
                return fault[1]
        return None

    def entry(self, path: str, content: bytes) -> dict[str, Any]:
        large = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        known = {"lfs": large} if path.endswith(LARGE) else {}
        return {"type": "file", "path": path, "size": len(content), "oid": blob(content), **known}


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each reply waits 40 ms until the client acknowledges its headers

    def log_message(self, *_: Any) -> None: ...

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        line = f"{self.command} {path}"
        self.hub.asked.append(line)
        status = self.hub.fault(line)
        if status == BREAK:
            self.close_connection = True
            self.connection.close()
        elif status not in (None, PASS):
            self._reply(status, {"error": f"it is so, {self.headers.get('Authorization')}"})
        elif f"Bearer {TOKEN}" not in (self.headers.get("Authorization") or "") and not path.startswith("/storage/"):
            self._reply(401, {"error": "Invalid username or password."})
        else:
            self._answer(path, body)

    do_GET = do_POST = do_PUT = do_HEAD = _handle  # noqa: N815 - the names of http.server

    def _reply(self, status: int, data: Any = b"", **headers: str) -> None:
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _answer(self, path: str, body: bytes) -> None:
        hub = self.hub
        if path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            self._reply(200, {"errors": [], "warnings": []})
        elif found := re.fullmatch(r"/storage/(\w+)", path):
            assert hashlib.sha256(body).hexdigest() == found[1]
            hub.stored[found[1]] = body
            self._reply(200)
        elif found := re.fullmatch(r"/(?:(datasets|spaces)/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch", path):
            self._reply(
                200, {"transfer": "basic", "objects": [self._place(one) for one in json.loads(body)["objects"]]}
            )
        elif found := re.fullmatch(r"/api/(\w+)/([^/]+/[^/]+)(?:/(\w[\w-]*)(/.*)?)?", path):
            repo = hub.repos.get(f"{found[1]}/{found[2]}")
            if repo is None:
                self._reply(404, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
            else:
                self._about(f"{found[1]}/{found[2]}", repo, found[3] or "revision", body)
        elif found := re.fullmatch(r"/(?:(datasets|spaces)/)?([^/]+/[^/]+)/resolve/\w+/(.+)", path):
            repo = hub.repos[f"{found[1] or 'models'}/{found[2]}"]
            content = repo.files[found[3]]
            etag = hashlib.sha256(content).hexdigest() if found[3].endswith(LARGE) else blob(content)
            self._reply(200, content, ETag=f'"{etag}"', X_Repo_Commit=repo.sha)
        else:
            self._reply(404, {"error": "no such thing"})

    def _create(self, wanted: dict[str, Any]) -> None:
        key = f"{wanted.get('type', 'model')}s/{wanted['organization']}/{wanted['name']}"
        url = f"{self.hub.address}/{key.removeprefix('models/')}"
        if key in self.hub.repos:
            self._reply(409, {"error": "You already created this repo", "url": url})
            return
        repo = Repo(private=wanted.get("visibility") == "private" or bool(wanted.get("private")))
        if wanted.get("sdk") == "static":
            repo.files |= {"README.md": b"---\nsdk: static\n---\n", "index.html": b"Hello", "style.css": b"h2 {}"}
        self.hub.repos[key] = repo
        self._reply(200, {"url": url})

    def _place(self, wanted: dict[str, Any]) -> dict[str, Any]:
        if wanted["oid"] in self.hub.stored:
            return wanted
        return {**wanted, "actions": {"upload": {"href": f"{self.hub.address}/storage/{wanted['oid']}"}}}

    def _about(self, key: str, repo: Repo, what: str, body: bytes) -> None:
        entries = [self.hub.entry(path, content) for path, content in repo.files.items()]
        if what == "revision":
            siblings = [{"rfilename": path} for path in repo.files]
            self._reply(200, {"id": key.partition("/")[2], "sha": repo.sha, "siblings": siblings, "tags": []})
        elif what == "tree":
            self._reply(200, entries)
        elif what == "paths-info":
            asked = re.findall(r"paths=([^&]+)", body.decode()) or json.loads(body)["paths"]
            self._reply(200, [entry for entry in entries if entry["path"] in map(unquote, asked)])
        elif what == "preupload":
            known = {entry["path"]: entry.get("lfs", entry)["oid"] for entry in entries}
            files = [file["path"] for file in json.loads(body)["files"]]
            modes = {path: "lfs" if path.endswith(LARGE) else "regular" for path in files}
            told = [
                {"path": path, "uploadMode": modes[path], "shouldIgnore": False, "oid": known.get(path)}
                for path in files
            ]
            self._reply(200, {"files": told})
        elif what == "commit":
            self._commit(key, repo, [json.loads(line) for line in body.splitlines()])

    def _commit(self, key: str, repo: Repo, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repo.files[value["path"]] = self.hub.stored[value["oid"]]
            elif line["key"] == "deletedFile":
                del repo.files[value["path"]]
        repo.commits += 1
        self._reply(200, {"success": True, "commitUrl": f"{self.hub.address}/{key}/commit/1", "commitOid": repo.sha})


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub on this machine while the block lasts."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
