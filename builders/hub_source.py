"""Sources on the Hugging Face Hub: a path and a revision that moves → a commit that does not, and its files."""

from __future__ import annotations

import fnmatch
import os
import re
from pathlib import Path
from typing import Any

from tilth.core.errors import LockError, NetworkError, SourceError

URL = re.compile(r"^hf://datasets/(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[^/]+))?/(?P<glob>.+)$")


def parts(name: str, url: str) -> tuple[str, str | None, str]:
    """(repository, revision, glob) of `hf://datasets/org/name[@revision]/glob`.

    Raises:
        SourceError: it is not of that form.
    """
    match = URL.match(url)
    if not match:
        raise SourceError(f"source {name}: {url}", hint="write hf://datasets/org/name[@revision]/data/*.parquet")
    revision = match["revision"]
    return match["repo"], revision.replace("%2F", "/") if revision else None, match["glob"]


def _api() -> Any:
    from huggingface_hub import HfApi

    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"))


def resolve(name: str, url: str) -> tuple[str, list[tuple[str, Path]]]:
    """The commit (40 hex digits) that the revision stands for now, and the files that match the glob, downloaded.

    Raises:
        SourceError: no such repository, revision or file.
        NetworkError: the Hub cannot be reached.
    """
    _, _, pattern = parts(name, url)
    commit, every = listing(name, url)
    found = sorted(path for path in every if fnmatch.fnmatch(path, pattern))
    if not found:
        raise SourceError(f"source {name}: {url}: no file matches {pattern!r}", hint=f"there are {', '.join(every[:5]) or 'none'}")
    return commit, fetch(name, url, commit, found)


def listing(name: str, url: str) -> tuple[str, list[str]]:
    """The commit that the revision stands for now, and all files of the repository there.

    Raises:
        SourceError: no such repository or revision.
        NetworkError: the Hub cannot be reached.
    """
    repo, revision, _ = parts(name, url)
    with _hub_errors(name, url):
        api = _api()
        commit = api.repo_info(repo, repo_type="dataset", revision=revision).sha
        tree = api.list_repo_tree(repo, repo_type="dataset", revision=commit, recursive=True)
        return commit, [item.path for item in tree if hasattr(item, "size")]


def fetch(name: str, url: str, commit: str, files: list[str]) -> list[tuple[str, Path]]:
    """The named files at a commit, from the Hub's own cache or downloaded into it.

    Raises:
        LockError: the commit or a file is gone.
        NetworkError: the Hub cannot be reached and the file is not cached.
    """
    from huggingface_hub import hf_hub_download

    repo, _, _ = parts(name, url)
    with _hub_errors(name, url, locked=commit):
        return [
            (file, Path(hf_hub_download(repo, file, repo_type="dataset", revision=commit, endpoint=os.environ.get("HF_ENDPOINT"))))
            for file in files
        ]


class _hub_errors:
    """Turns the Hub client's failures into ours."""

    def __init__(self, name: str, url: str, locked: str | None = None) -> None:
        self.name, self.url, self.locked = name, url, locked

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        from huggingface_hub import errors

        where = f"source {self.name}: {self.url}"
        if isinstance(error, errors.RevisionNotFoundError | errors.EntryNotFoundError) and not isinstance(error, errors.LocalEntryNotFoundError):
            if self.locked:
                raise LockError(f"{where}: commit {self.locked[:12]} or a file of it is gone", hint="tilth lock, if that is meant") from None
            raise SourceError(f"{where}: no such revision or file") from None
        if isinstance(error, errors.RepositoryNotFoundError | errors.GatedRepoError):
            raise SourceError(f"{where}: no such dataset, or no access", hint="check the name; set HF_TOKEN for a private or gated one") from None
        if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled | OSError) or "connect" in type(error).__name__.lower():
            raise NetworkError(f"{where}: the Hub cannot be reached", hint="check the network; what is downloaded once is cached") from None
        if isinstance(error, errors.HfHubHTTPError):
            raise NetworkError(f"{where}: {str(error).splitlines()[0]}") from None
