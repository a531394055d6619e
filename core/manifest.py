"""The manifest of a release: the build record, its name and version, and every file with its bytes.

`manifest.json` is the last file written, and the only one that it does not name.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, ValidationError

from tilth.core.builds import SCHEMA_VERSION, BuildRecord, _Part
from tilth.core.errors import RegistryError, VerifyError

FILE = "manifest.json"
VERSION = re.compile(r"^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$")


class FileDigest(_Part):
    """Any file of a release: sha256 (64 hex) and size in bytes."""

    sha256: str
    bytes: int


class Parent(_Part):
    """The release that this one follows."""

    version: str
    digest: str


class Manifest(BuildRecord):
    """A build record as version `version` of dataset `name`; `digest()` is the identity of the release."""

    schema_version: int = SCHEMA_VERSION
    version: str = Field(pattern=VERSION.pattern)
    digest_sha256: str = Field(description="what `digest()` gives: the digest of the release")
    parent: Parent | None = None
    changes: list[str] = Field(default_factory=list, description="lines of this version in CHANGELOG.md")
    files: dict[str, FileDigest] = Field(description="path → digest of every file but this one")


def read(folder: Path) -> Manifest:
    """The manifest of the release in `folder`.

    Raises:
        RegistryError: there is none.
        VerifyError: it is damaged, or its digest is not that of what it lists.
    """
    try:
        manifest = Manifest.model_validate_json((folder / FILE).read_bytes())
    except FileNotFoundError:
        raise RegistryError(f"{folder}: not a release: no {FILE}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise VerifyError(f"{folder / FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if manifest.digest() != manifest.digest_sha256:
        raise VerifyError(f"{folder / FILE}: says digest {manifest.digest_sha256[:12]}, lists {manifest.digest()[:12]}")
    return manifest


def version_key(version: str) -> tuple[int, int, int]:
    """MAJOR.MINOR.PATCH as numbers.

    Raises:
        RegistryError: not a version of that form.
    """
    if not (match := VERSION.fullmatch(version)):
        raise RegistryError(f"version {version!r} is not MAJOR.MINOR.PATCH", hint="for example 1.0.0")
    major, minor, patch = map(int, match.groups())
    return major, minor, patch


def split_ref(ref: str) -> tuple[str, str | None]:
    """`name@1.0.0` → (name, version); `name` → (name, None).

    >>> split_ref("demo@0.1.0"), split_ref("hf://org/demo@1.0.0"), split_ref("demo")
    (('demo', '0.1.0'), ('hf://org/demo', '1.0.0'), ('demo', None))
    """
    name, at, version = ref.partition("@")
    if at:
        version_key(version)
    return name, version if at else None
