"""Remote: one dataset repository on the Hub, through `huggingface_hub`, with its failures told in our words.

`HF_ENDPOINT` is read at every call, tokens come from the environment or `hf auth login`. Files go by the plain git
data model: a regular file is known by its git blob id, an LFS file by its sha256.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tilth.core.errors import NetworkError, RegistryError

PREFIX = "hf://"
_ACCESS = "private, or not there: set HF_TOKEN or run `hf auth login` (to push, with a token that may write)"


class Conflict(Exception):
    """Another commit came first, or the name is taken: the caller looks again."""


@dataclass(frozen=True)
class RemoteFile:
    """A file at a commit: size in bytes, git blob id, and sha256 where it is in LFS."""

    path: str
    bytes: int
    blob: str
    sha256: str | None


@dataclass(frozen=True)
class Refs:
    """Branch → commit and tag → commit."""

    branches: dict[str, str]
    tags: dict[str, str]


def repo_id(name: str) -> str:
    """`hf://org/name` or `org/name` → `org/name`.

    Raises:
        RegistryError: not of that form.
    """
    bare = name.removeprefix(PREFIX).removeprefix("datasets/")
    parts = bare.split("/")
    if len(parts) != 2 or not all(part and part.strip(".") and " " not in part for part in parts) or "@" in bare:
        raise RegistryError(f"{name!r} is not a dataset on the Hub", hint="for example hf://org/name")
    return bare


class Remote:
    """The dataset repository `org/name`."""

    def __init__(self, name: str, token: str | None = None) -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

        if not sys.stderr.isatty():
            disable_progress_bars()
        self.repo = repo_id(name)
        self.uri = f"{PREFIX}{self.repo}"
        self.api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), token=token, library_name="tilth")

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        """Turn the client's exceptions into `NetworkError`, `RegistryError` or `Conflict`."""
        from huggingface_hub import errors
        from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # httpx2 from 2.0 on

        what = f"{self.uri}: {doing}"
        try:
            yield
        except errors.GatedRepoError:
            raise RegistryError(f"{what}: the dataset is gated", hint=f"ask for access at its page, {self.repo}") from None
        except errors.RevisionNotFoundError as error:
            raise RegistryError(f"{what}: no such revision: {_first_line(error)}") from None
        except errors.RemoteEntryNotFoundError as error:
            raise RegistryError(f"{what}: no such file: {_first_line(error)}") from None
        except errors.RepositoryNotFoundError:
            raise RegistryError(f"{what}: not found", hint=_ACCESS) from None
        except errors.HfHubHTTPError as error:
            raise _of_status(what, error.response.status_code, _first_line(error)) from error
        except (
            errors.OfflineModeIsEnabled,
            errors.LocalEntryNotFoundError,
            httpx.HTTPError,
            ConnectionError,
            TimeoutError,
        ) as error:
            hint = f"is {self.api.endpoint} reachable? The same command goes on where it stopped"
            raise NetworkError(f"{what}: {type(error).__name__}: {_first_line(error)}", hint=hint) from error
        except RuntimeError as error:  # an upload that its retries could not save
            cause = f": {_first_line(error.__cause__)}" if error.__cause__ else ""
            raise NetworkError(
                f"{what}: {_first_line(error)}{cause}", hint="the same command goes on where it stopped"
            ) from error
        except ValueError as error:  # a card or a name that the Hub does not take
            raise RegistryError(f"{what}: {error}") from None

    def create(self, private: bool) -> None:
        """Make the repository where there is none; one that is there keeps its visibility."""
        with self._errors("create"):
            # Asked first: where create is refused, `exist_ok` makes the client read the repository by an address
            # that it takes only from huggingface.co.
            if not self.api.repo_exists(self.repo, repo_type="dataset"):
                self.api.create_repo(self.repo, repo_type="dataset", private=private, exist_ok=True)

    def refs(self) -> Refs:
        """Branches and tags, straight from git (other answers may lag)."""
        with self._errors("list refs"):
            found = self.api.list_repo_refs(self.repo, repo_type="dataset")
        return Refs({r.name: r.target_commit for r in found.branches}, {r.name: r.target_commit for r in found.tags})

    def tree(self, commit: str) -> dict[str, RemoteFile]:
        """path → file at a commit."""
        from huggingface_hub.hf_api import RepoFile

        with self._errors(f"list {commit[:8]}"):
            entries = list(self.api.list_repo_tree(self.repo, recursive=True, revision=commit, repo_type="dataset"))
        return {
            e.path: RemoteFile(e.path, e.size, e.blob_id, e.lfs.sha256 if e.lfs else None)
            for e in entries
            if isinstance(e, RepoFile)
        }

    def title(self, commit: str) -> str:
        """The first line of a commit's message."""
        with self._errors(f"log {commit[:8]}"):
            return self.api.list_repo_commits(self.repo, revision=commit, repo_type="dataset")[0].title

    def upload(self, additions: list[Any], branch: str) -> None:
        """Send the LFS files that the Hub does not have: what has arrived is not sent again, whatever happens next."""
        with self._errors("upload"):
            self.api.preupload_lfs_files(
                self.repo, additions, repo_type="dataset", revision=branch, free_memory=False, gitignore_content=""
            )

    def commit(self, operations: list[Any], *, branch: str, parent: str | None, title: str, description: str = "") -> str:
        """One commit on top of exactly `parent`; returns its id.

        Raises:
            Conflict: the branch is elsewhere by now.
            NetworkError: no answer; the commit may have been made all the same.
        """
        with self._errors("commit"):
            made = self.api.create_commit(
                self.repo,
                operations,
                commit_message=title,
                commit_description=description,
                repo_type="dataset",
                revision=branch,
                parent_commit=parent,
            )
        return made.oid

    def branch(self, name: str, commit: str) -> None:
        """Make a branch where there is none."""
        with self._errors(f"branch {name}"):
            self.api.create_branch(self.repo, branch=name, revision=commit, repo_type="dataset", exist_ok=True)

    def tag(self, name: str, commit: str, message: str) -> None:
        """Tag a commit.

        Raises:
            Conflict: the tag is there.
            NetworkError: no answer; the tag may have been made all the same.
        """
        with self._errors(f"tag {name}"):
            self.api.create_tag(self.repo, tag=name, tag_message=message, revision=commit, repo_type="dataset", exist_ok=False)

    def download(self, paths: list[str], commit: str, folder: Path) -> None:
        """Fetch files at a commit into `folder`, under their own paths."""
        with self._errors("download"):
            self.api.snapshot_download(
                self.repo,
                revision=commit,
                repo_type="dataset",
                local_dir=folder,
                allow_patterns=[glob.escape(path) for path in paths],
            )


def _of_status(what: str, status: int, said: str) -> Exception:
    if status in (409, 412):
        return Conflict(f"{what}: {said}")
    if status in (401, 403):
        return RegistryError(f"{what}: not allowed ({status}): {said}", hint=_ACCESS)
    if status == 429 or status >= 500:
        return NetworkError(
            f"{what}: the Hub answers {status}: {said}", hint="wait a little; the same command goes on where it stopped"
        )
    return RegistryError(f"{what}: the Hub answers {status}: {said}")


def _first_line(error: BaseException) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
