"""Yanks on the Hub, and the release tags that they are about.

A withdrawn release is listed in `yanked.json` on `main`, {version: reason}: the one file there that is of no release.
What was last heard is kept beside the pulled releases, for when the Hub cannot be reached.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from tilth.core.errors import RegistryError, YankedError
from tilth.core.manifest import VERSION, split_ref, version_key
from tilth.registry.remote import Conflict, Refs, Remote

FILE = "yanked.json"
MAIN = "main"
ATTEMPTS = 8


def tagged(refs: Refs) -> dict[str, str]:
    """version → commit of every release tag, oldest version first."""
    found = {tag[1:]: commit for tag, commit in refs.tags.items() if tag[:1] == "v" and VERSION.match(tag[1:])}
    return dict(sorted(found.items(), key=lambda item: version_key(item[0])))


def read(remote: Remote, refs: Refs) -> dict[str, str]:
    """version → reason, out of `yanked.json` on `main`; {} where there is none.

    Raises:
        RegistryError: the file is damaged.
    """
    head = refs.branches.get(MAIN)
    if head is None or FILE not in remote.tree(head):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        remote.download([FILE], head, Path(folder))
        return _parse((Path(folder) / FILE).read_bytes(), remote.uri)


def choose(remote: Remote, refs: Refs, version: str | None, yanks: dict[str, str]) -> tuple[str, str]:
    """The version asked for, or else the newest not withdrawn, with the commit of its tag.

    Raises:
        RegistryError: there is none.
        YankedError: all were withdrawn.
    """
    tags = tagged(refs)
    left = [other for other in tags if other not in yanks]
    if version is None and tags and not left:
        raise YankedError(f"every release of {remote.uri} was withdrawn", hint="name one to have it all the same")
    chosen = version or (max(left, key=version_key) if left else None)
    if chosen is None or chosen not in tags:
        have = ", ".join(f"{remote.uri}@{other}" for other in tags) or "none"
        raise RegistryError(f"no release {remote.uri}{f'@{chosen}' if chosen else ''}", hint=f"there are: {have}")
    return chosen, tags[chosen]


def yank(ref: str, reason: str, *, token: str | None = None) -> str:
    """Withdraw a Hub release: its version and the reason go into `yanked.json` on `main`. Returns the commit.

    Raises:
        RegistryError: no such version, no access, or withdrawn already.
        NetworkError: the Hub cannot be reached.
    """
    from huggingface_hub import CommitOperationAdd

    name, version = split_ref(ref)
    remote = Remote(name, token)
    if version is None:
        raise RegistryError(f"{ref}: which version?", hint=f"for example {remote.uri}@1.0.0")
    for _ in range(ATTEMPTS):
        refs = remote.refs()
        yanks = read(remote, refs)
        choose(remote, refs, version, yanks)
        if version in yanks:
            raise RegistryError(f"{ref} was withdrawn already: {yanks[version]}")
        operation = CommitOperationAdd(FILE, _text({**yanks, version: reason}).encode())
        try:
            return remote.commit(
                [operation], branch=MAIN, parent=refs.branches[MAIN], title=f"Yank v{version}", description=reason
            )
        except Conflict:
            continue
    raise RegistryError(f"{remote.uri}: others keep committing", hint="yank again when they are done")


def remember(folder: Path, yanks: dict[str, str]) -> None:
    """Keep what the Hub said, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".yanked-", encoding="utf-8", delete=False) as file:
        file.write(_text(yanks))
    os.replace(file.name, folder / FILE)


def recall(folder: Path) -> dict[str, str]:
    """What the Hub last said of the releases in `folder`; {} where it never did."""
    try:
        return _parse((folder / FILE).read_bytes(), str(folder))
    except FileNotFoundError:
        return {}


def _text(yanks: dict[str, str]) -> str:
    return json.dumps(yanks, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _parse(data: bytes, where: str) -> dict[str, str]:
    try:
        found = json.loads(data)
        return {str(version): str(reason) for version, reason in found.items()}
    except (ValueError, AttributeError):
        raise RegistryError(f"{where}: {FILE} is damaged", hint='it must be {"1.0.0": "reason"}') from None
