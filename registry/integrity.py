"""Integrity: what is wrong with the folder of a release, judged by its own manifest. No network, no other release."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from tilth.core import ledger
from tilth.core import manifest as manifests
from tilth.core.builds import BuildRecord, FileEntry
from tilth.core.errors import LedgerError, VerifyError
from tilth.core.fingerprints import file_digest
from tilth.core.manifest import Manifest
from tilth.core.rows import Kind

SHOWN = 20
"""Problems that one message lists."""


def rows_held(record: BuildRecord) -> dict[str, int]:
    """Corpus → rows in its config; `judgements` and `drops` are no corpora."""
    return {config: rows for config, rows in config_rows(record).items() if config in get_args(Kind)}


def config_rows(record: BuildRecord) -> dict[str, int]:
    """Config → rows, all splits."""
    return {config: sum(f.rows for shards in splits.values() for f in shards) for config, splits in record.configs.items()}


def shards(record: BuildRecord) -> list[FileEntry]:
    """All Parquet files of a record.

    Raises:
        VerifyError: a path that leads out of the folder.
    """
    found = [f for splits in record.configs.values() for files in splits.values() for f in files]
    for path in [f.path for f in found]:
        if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise VerifyError(f"{record.name}: path {path!r} leads out of the release")
    return found


def listing(folder: Path) -> dict[str, Path]:
    """Relative path → file, of every file below `folder`, sorted; links are not followed into folders."""
    return {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file() or p.is_symlink()}


def problems(folder: Path, manifest: Manifest | None = None) -> list[str]:
    """Everything that is wrong, each as `path: what`; empty when every byte is as the manifest says.

    Raises:
        RegistryError: no manifest.
        VerifyError: the manifest itself is damaged.
    """
    manifest = manifest or manifests.read(folder)
    found = listing(folder)
    wrong = [f"{path}: missing" for path in sorted(set(manifest.files) - set(found))]
    wrong += [f"{path}: not in the manifest" for path in sorted(set(found) - set(manifest.files) - {manifests.FILE})]
    present = sorted(set(manifest.files) & set(found))
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        wrong += filter(None, pool.map(lambda path: _file_problem(manifest, found[path], path), present))
    wrong += _shard_problems(manifest, found)
    wrong += record_problems(manifest)
    if "README.md" in found:
        wrong += card_problems(manifest, found["README.md"])
    return wrong


def check(folder: Path) -> Manifest:
    """The manifest of a folder of which every byte is right.

    Raises:
        RegistryError: no manifest.
        VerifyError: naming the first wrong file and listing all.
    """
    manifest = manifests.read(folder)
    refuse(str(folder), problems(folder, manifest))
    return manifest


def refuse(what: str, wrong: list[str]) -> None:
    """Raise `VerifyError` if anything is wrong."""
    if not wrong:
        return
    more = [f"  {line}" for line in wrong[:SHOWN]] if len(wrong) > 1 else []
    if len(wrong) > SHOWN:
        more.append(f"  and {len(wrong) - SHOWN} more")
    raise VerifyError("\n".join([f"{what}: {wrong[0]}", *more]), hint="fetch or cut it again; what lies there is not the release")


def _file_problem(manifest: Manifest, file: Path, path: str) -> str | None:
    said = manifest.files[path]
    if file.is_symlink() and not file.exists():
        return f"{path}: a link to nothing"
    if (size := file.stat().st_size) != said.bytes:
        return f"{path}: {size} bytes, manifest says {said.bytes}"
    if (digest := file_digest(file)) != said.sha256:
        return f"{path}: sha256 {digest[:12]}…, manifest says {said.sha256[:12]}…"
    return None


def _shard_problems(manifest: Manifest, found: Mapping[str, Path]) -> list[str]:
    """The shards as the configs list them, against `files` and against their own footers."""
    from pyarrow import ArrowException, parquet

    wrong = []
    for shard in shards(manifest):
        said = manifest.files.get(shard.path)
        if said is None or (said.sha256, said.bytes) != (shard.sha256, shard.bytes):
            wrong.append(f"{shard.path}: manifest gives it two digests, or none")
        elif shard.path in found:
            try:
                rows = parquet.read_metadata(found[shard.path]).num_rows
            except (ArrowException, OSError) as error:
                wrong.append(f"{shard.path}: not Parquet: {error}")
                continue
            if rows != shard.rows:
                wrong.append(f"{shard.path}: {rows} rows, manifest says {shard.rows}")
    return wrong


def record_problems(manifest: Manifest) -> list[str]:
    """What the manifest says that cannot be: a digest or a ledger that does not add up."""
    wrong = []
    if (digest := manifest.digest()) != manifest.digest_sha256:
        wrong.append(f"{manifests.FILE}: digest {digest[:12]}…, it says {manifest.digest_sha256[:12]}…")
    try:
        ledger.check(manifest.funnel, rows_held(manifest))
    except LedgerError as error:
        wrong.append(f"{manifests.FILE}: ledger: {error.message}")
    return wrong


def front_matter(text: str) -> dict[str, Any]:
    """The YAML between the two `---` lines at the head of a card, {} where there is none."""
    import yaml

    if not text.startswith("---\n") or (end := text.find("\n---", 4)) < 0:
        return {}
    loaded = yaml.safe_load(text[4:end])
    return loaded if isinstance(loaded, dict) else {}


def card_problems(manifest: Manifest, card: Path) -> list[str]:
    """`dataset_info` of the card against the manifest: `datasets` refuses to load what does not agree."""
    import yaml

    try:
        info = front_matter(card.read_text(encoding="utf-8")).get("dataset_info", [])
        entries = [info] if isinstance(info, dict) else info
        said = {(e["config_name"], s["name"]): int(s["num_examples"]) for e in entries for s in e["splits"]}
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        return [f"README.md: dataset_info cannot be read: {type(error).__name__}: {error}"]
    held = {
        (config, split): sum(f.rows for f in files)
        for config, splits in manifest.configs.items()
        for split, files in splits.items()
    }
    return [
        f"README.md: dataset_info says {said.get(key, 'nothing')} rows of {'/'.join(key)}, manifest {held.get(key, 'nothing')}"
        for key in sorted(set(said) | set(held))
        if said.get(key) != held.get(key)
    ]
