"""A Hub on loopback: the protocol that `huggingface_hub` 2.4 and `datasets` 5.2 speak (hub.md, section 2), in memory.

    with HubServer() as hub:
        hub.fail("POST", "/commit/", drop=True)      # do the work, then hang up without an answer
        HfApi(endpoint=hub.endpoint, token=hub.TOKEN).create_repo(...)

Datasets only, plain LFS (`HF_HUB_DISABLE_XET=1`). LFS goes to another host name (`localhost`), as on the Hub.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

LFS_BYTES = 10 << 20


@dataclass(frozen=True)
class Blob:
    """One file: its bytes in git, or the (sha256, size) of an LFS object."""

    data: bytes
    lfs: tuple[str, int] | None = None

    @property
    def oid(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()

    @property
    def size(self) -> int:
        return self.lfs[1] if self.lfs else len(self.data)


def pointer(oid: str, size: int) -> Blob:
    return Blob(f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n".encode(), (oid, size))


@dataclass(frozen=True)
class Commit:
    oid: str
    parent: str | None
    tree: dict[str, Blob]
    title: str
    description: str = ""


@dataclass
class Repository:
    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, branch: str, tree: dict[str, Blob], title: str, description: str = "") -> Commit:
        parent = self.branches.get(branch)
        text = json.dumps([parent, title, len(self.commits), sorted((p, b.oid) for p, b in tree.items())])
        made = Commit(hashlib.sha1(text.encode()).hexdigest(), parent, tree, title, description)
        self.commits[made.oid] = made
        self.branches[branch] = made.oid
        return made

    def find(self, revision: str) -> Commit | None:
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        return self.commits.get(oid)


@dataclass
class Fault:
    """What is to go wrong with the next `times` requests that match."""

    method: str
    pattern: str
    status: int = 0
    drop: bool = False
    before: Callable[[], object] | None = None
    times: int = 1


class HubServer:
    """The server; `repositories`, `objects` and `log` may be looked at from a test."""

    TOKEN = "hf_writer"
    READER = "hf_reader"

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.log: list[tuple[str, str, str, str]] = []
        """(method, host, path, authorization) of every request."""
        self.lock = threading.RLock()
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.cdn = f"http://localhost:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def fail(
        self,
        method: str,
        pattern: str,
        *,
        status: int = 0,
        drop: bool = False,
        before: Callable[[], object] | None = None,
        times: int = 1,
    ) -> None:
        """Let requests go wrong: `status` answered instead, the answer dropped after the work, or `before` called first."""
        self.faults.append(Fault(method, pattern, status, drop, before, times))

    def count(self, method: str, pattern: str) -> int:
        return sum(m == method and re.search(pattern, p) is not None for m, _, p, _ in self.log)


class Answer(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, message: str, code: str | None = None, **more: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.more = status, message, code, more


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: two would wait 40 ms for an acknowledgement
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        self.query = {k: v[0] for k, v in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host = self.headers.get("Host", "").split(":")[0]
        hub, path = self.hub, parts.path
        fault = None
        with hub.lock:
            hub.log.append((self.command, host, path, self.headers.get("Authorization") or ""))
            for found in hub.faults:
                if found.times > 0 and found.method == self.command and re.search(found.pattern, path):
                    fault = found
                    fault.times -= 1
                    break
        if fault and fault.before:
            fault.before()
        if fault and fault.status:
            self._send(fault.status, {"error": "as you wished"})
            return
        try:
            with hub.lock:
                answer = self._route(path, body)
        except Answer as no:
            self._send(no.status, {"error": no.message, **no.more}, no.code, no.message)
            return
        if fault and fault.drop:
            self.close_connection = True
            self.connection.close()
            return
        if answer is not None:
            self._send(200, answer)

    def _send(self, status: int, value: object, code: str | None = None, message: str | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        if message:
            self.send_header("X-Error-Message", message)
        if code in ("EntryNotFound", "RevisionNotFound"):
            self.send_header("X-Repo-Commit", getattr(self, "at", "0" * 40))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _route(self, path: str, body: bytes) -> object:
        """The first route that matches; groups are percent-decoded only now, revisions being `refs%2Fpr%2F1`."""
        for method, pattern, name in ROUTES:
            if method in (self.command, "*") and (match := re.fullmatch(pattern, path)):
                groups = {k: unquote(v or "") for k, v in match.groupdict().items()}
                return getattr(self, name)(body=body, **groups)
        raise Answer(404, f"no route {self.command} {path}")

    # --- who may do what

    def _role(self) -> str | None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        return {self.hub.TOKEN: "write", self.hub.READER: "read"}.get(token)

    def _repo(self, repo: str, write: bool = False) -> Repository:
        found, role = self.hub.repositories.get(repo), self._role()
        if found is None or (found.private and role is None):
            raise Answer(404 if role else 401, "Repository not found", "RepoNotFound")
        if write and role != "write":
            raise Answer(403 if role else 401, "You don't have the rights to write here")
        return found

    def _commit(self, repo: str, revision: str) -> Commit:
        found = self._repo(repo).find(revision)
        if found is None:
            raise Answer(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        self.at = found.oid
        return found

    # --- repositories

    def whoami(self, body: bytes) -> object:
        if self._role() is None:
            raise Answer(401, "Invalid credentials")
        return {"type": "user", "name": "me", "fullname": "Me", "orgs": [], "auth": {"accessToken": {"role": self._role()}}}

    def create(self, body: bytes) -> object:
        asked = json.loads(body)
        if self._role() != "write":
            raise Answer(403 if self._role() else 401, "You must be allowed to create a repository")
        name = f"{asked.get('organization') or 'me'}/{asked['name']}"
        url = f"{self.hub.endpoint}/datasets/{name}"
        if name in self.hub.repositories:
            raise Answer(409, "You already created this dataset repo", url=url)
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        made = self.hub.repositories[name] = Repository(private)
        made.commit(
            "main", {".gitattributes": Blob(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n*.bin -text\n")}, "initial commit"
        )
        return {"url": url, "name": name, "id": name}

    def info(self, body: bytes, repo: str, revision: str = "main") -> object:
        commit = self._commit(repo, revision or "main")
        held = self._repo(repo)
        files = []
        for path, blob in sorted(commit.tree.items()):
            more = {"size": blob.size, "blobId": blob.oid}
            if blob.lfs:
                more["lfs"] = {"sha256": blob.lfs[0], "size": blob.lfs[1], "pointerSize": len(blob.data)}
            files.append({"rfilename": path, **more})
        when = "2026-11-21T00:00:00.000Z"
        return {
            "id": repo, "author": repo.split("/")[0], "sha": commit.oid, "lastModified": when, "createdAt": when,
            "private": held.private,
            "gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0, "siblings": files,
        }  # fmt: skip

    def refs(self, body: bytes, repo: str) -> object:
        held = self._repo(repo)
        return {
            "branches": [{"name": n, "ref": f"refs/heads/{n}", "targetCommit": c} for n, c in held.branches.items()],
            "tags": [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": c} for n, c in held.tags.items()],
            "converts": [],
        }

    def commits(self, body: bytes, repo: str, revision: str) -> object:
        found: Commit | None = self._commit(repo, revision)
        out = []
        while found:
            entry = {"id": found.oid, "title": found.title, "message": found.description, "date": "2026-11-21T00:00:00.000Z"}
            out.append({**entry, "authors": [{"user": "me"}]})
            found = self._repo(repo).commits.get(found.parent) if found.parent else None
        return out

    def tree(self, body: bytes, repo: str, revision: str, folder: str = "") -> object:
        prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
        recursive = self.query.get("recursive", "").lower() in ("1", "true")
        out: dict[str, dict[str, Any]] = {}
        for path, blob in sorted(self._commit(repo, revision).tree.items()):
            if not path.startswith(prefix):
                continue
            parts = path.removeprefix(prefix).split("/")
            for i in range(1, len(parts) if recursive else min(len(parts), 2)):
                inner = prefix + "/".join(parts[:i])
                out[inner] = {"type": "directory", "oid": hashlib.sha1(inner.encode()).hexdigest(), "size": 0, "path": inner}
            if recursive or len(parts) == 1:
                out[path] = _entry(path, blob)
        if prefix and not out:
            raise Answer(404, f"{folder} does not exist", "EntryNotFound")
        return list(out.values())

    def paths_info(self, body: bytes, repo: str, revision: str) -> object:
        tree = self._commit(repo, revision).tree
        asked = parse_qs(body.decode()).get("paths", [])
        folders = [
            {"type": "directory", "oid": "0" * 40, "size": 0, "path": p}
            for p in asked
            if any(f.startswith(p + "/") for f in tree)
        ]
        return [_entry(path, tree[path]) for path in asked if path in tree] + folders

    # --- writing

    def validate(self, body: bytes) -> object:
        asked = json.loads(body)
        if not asked["content"].startswith("---"):
            raise Answer(400, "no metadata", errors=[{"message": "no metadata"}], warnings=[])
        return {"errors": [], "warnings": []}

    def preupload(self, body: bytes, repo: str, revision: str) -> object:
        tree = self._repo(repo, write=True).find(revision)
        out = []
        for file in json.loads(body)["files"]:
            mode = "lfs" if file["path"].endswith(".parquet") or file["size"] > LFS_BYTES else "regular"
            entry = {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}
            if tree and (there := tree.tree.get(file["path"])):
                entry["oid"] = there.lfs[0] if there.lfs else there.oid
            out.append(entry)
        return {"files": out}

    def batch(self, body: bytes, repo: str) -> object:
        asked = json.loads(body)
        self._repo(repo, write=asked["operation"] == "upload")
        out = []
        for item in asked["objects"]:
            entry: dict[str, Any] = {"oid": item["oid"], "size": item["size"]}
            if item["oid"] not in self.hub.objects:
                entry["actions"] = {"upload": {"href": f"{self.hub.cdn}/cdn/{item['oid']}"}}
            out.append(entry)
        return {"transfer": "basic", "objects": out}

    def put(self, body: bytes, oid: str) -> object:
        if hashlib.sha256(body).hexdigest() != oid:
            raise Answer(400, "sha256 does not match")
        self.hub.objects[oid] = body
        return {}

    def commit(self, body: bytes, repo: str, revision: str) -> object:
        held = self._repo(repo, write=True)
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        header = next(line["value"] for line in lines if line["key"] == "header")
        head = held.branches.get(revision)
        if head is None:
            raise Answer(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        if header.get("parentCommit") not in (None, head):
            raise Answer(412, "A commit has happened since. Please refresh and try again.")
        tree = dict(held.commits[head].tree)
        for line in lines:
            value = line["value"]
            match line["key"]:
                case "file":
                    tree[value["path"]] = Blob(base64.b64decode(value["content"]))
                case "lfsFile":
                    if value["oid"] not in self.hub.objects:
                        raise Answer(400, f"LFS pointer {value['oid']} points to nothing")
                    tree[value["path"]] = pointer(value["oid"], len(self.hub.objects[value["oid"]]))
                case "deletedFile":
                    if tree.pop(value["path"], None) is None:
                        raise Answer(404, f"A file with this name doesn't exist: {value['path']}", "EntryNotFound")
        made = held.commit(revision, tree, header["summary"], header.get("description", ""))
        url = f"{self.hub.endpoint}/datasets/{repo}/commit/{made.oid}"
        return {"success": True, "commitOid": made.oid, "commitUrl": url}

    def tag(self, body: bytes, repo: str, revision: str) -> object:
        asked, held = json.loads(body), self._repo(repo, write=True)
        if asked["tag"] in held.tags:
            raise Answer(409, f"Tag {asked['tag']} already exists")
        held.tags[asked["tag"]] = self._commit(repo, revision).oid
        return {}

    def untag(self, body: bytes, repo: str, revision: str) -> object:
        if self._repo(repo, write=True).tags.pop(revision, None) is None:
            raise Answer(404, "no such tag", "RevisionNotFound")
        return {}

    def branch(self, body: bytes, repo: str, revision: str) -> object:
        held = self._repo(repo, write=True)
        if revision in held.branches:
            raise Answer(409, f"Branch {revision} already exists")
        start = json.loads(body or b"{}").get("startingPoint") or "main"
        held.branches[revision] = self._commit(repo, start).oid
        return {}

    # --- reading files

    def resolve(self, body: bytes, repo: str, revision: str, file: str) -> None:
        commit = self._commit(repo, revision)
        blob = commit.tree.get(file)
        if blob is None:
            raise Answer(404, "Entry not found", "EntryNotFound")
        if blob.lfs:
            self.send_response(302)
            self.send_header("Location", f"{self.hub.cdn}/cdn/{blob.lfs[0]}")
            self.send_header("X-Linked-Etag", f'"{blob.lfs[0]}"')
            self.send_header("X-Linked-Size", str(blob.lfs[1]))
            self.send_header("X-Repo-Commit", commit.oid)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._bytes(blob.data, blob.oid, commit.oid)

    def cdn(self, body: bytes, oid: str) -> None:
        if oid not in self.hub.objects:
            raise Answer(404, "no such object")
        self._bytes(self.hub.objects[oid], oid, None)

    def _bytes(self, data: bytes, etag: str, commit: str | None) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        start, size = 0, len(data)
        if asked:
            start = int(asked[1])
            data = data[start : int(asked[2]) + 1 if asked[2] else None]
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{start + len(data) - 1}/{size}")
        self.send_header("ETag", f'"{etag}"')
        if commit:
            self.send_header("X-Repo-Commit", commit)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _entry(path: str, blob: Blob) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "oid": blob.oid, "size": blob.size, "path": path}
    if blob.lfs:
        entry["lfs"] = {"oid": blob.lfs[0], "size": blob.lfs[1], "pointerSize": len(blob.data)}
    return entry


_API = r"/api/datasets/(?P<repo>[^/]+/[^/]+)"
_REV = r"/(?P<revision>[^/]+)"
ROUTES = [
    ("GET", r"/api/whoami-v2", "whoami"),
    ("POST", r"/api/repos/create", "create"),
    ("POST", r"/api/validate-yaml", "validate"),
    ("GET", _API, "info"),
    ("GET", _API + "/revision" + _REV, "info"),
    ("GET", _API + "/refs", "refs"),
    ("GET", _API + "/commits" + _REV, "commits"),
    ("GET", _API + "/tree" + _REV + r"(?P<folder>/.*)?", "tree"),
    ("POST", _API + "/paths-info" + _REV, "paths_info"),
    ("POST", _API + "/preupload" + _REV, "preupload"),
    ("POST", _API + "/commit" + _REV, "commit"),
    ("POST", _API + "/tag" + _REV, "tag"),
    ("DELETE", _API + "/tag" + _REV, "untag"),
    ("POST", _API + "/branch" + _REV, "branch"),
    ("POST", r"/datasets/(?P<repo>[^/]+/[^/]+)\.git/info/lfs/objects/batch", "batch"),
    ("PUT", r"/cdn/(?P<oid>[0-9a-f]{64})", "put"),
    ("GET", r"/cdn/(?P<oid>[0-9a-f]{64})", "cdn"),
    ("HEAD", r"/cdn/(?P<oid>[0-9a-f]{64})", "cdn"),
    ("GET", r"/datasets/(?P<repo>[^/]+/[^/]+)/resolve" + _REV + r"/(?P<file>.+)", "resolve"),
    ("HEAD", r"/datasets/(?P<repo>[^/]+/[^/]+)/resolve" + _REV + r"/(?P<file>.+)", "resolve"),
]


@contextmanager
def hub_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A Hub that this process takes for the Hub, with its cache in `folder`."""
    with HubServer() as running:
        for name, value in {"HF_ENDPOINT": running.endpoint, "HF_TOKEN": running.TOKEN}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder / "hub"))
        yield running
