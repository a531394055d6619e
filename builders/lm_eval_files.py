"""Where the records of a task of lm-eval are: dataset, config and split → one glob of data files."""

from __future__ import annotations

import fnmatch
import glob
import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tilth.builders import hub_source
from tilth.builders.lm_eval_tasks import yaml_data
from tilth.core.errors import SourceError

LOADERS = ("json", "csv", "parquet")
"""Dataset paths that mean files of one's own, named by `data_files`."""
ENDINGS = tuple(end + packed for end in (".parquet", ".jsonl", ".json", ".csv", ".tsv") for packed in ("", ".zst", ".gz"))
ALSO = {"train": ("training",), "validation": ("valid", "val", "dev"), "test": ("testing", "eval", "evaluation")}
"""What `datasets` takes for a split's name in a file's (its `data_files.py`)."""


def files_of(name: str, config: dict[str, Any], revision: str | None) -> str:
    """The path of a source: a local one, or `hf://datasets/org/name[@revision]/glob`.

    Raises:
        SourceError: the task names no dataset or split, or the dataset has no files for it.
        NetworkError: the Hub cannot be reached.
    """
    where = f"source {name}: task {config.get('task')}"
    dataset, inside = config.get("dataset_path"), config.get("dataset_name")
    split = config.get("test_split") or config.get("validation_split")
    extra = config.get("dataset_kwargs")
    extra = extra if isinstance(extra, dict) else {}
    if not isinstance(dataset, str) or not isinstance(inside, str | None):
        raise SourceError(f"{where}: dataset_path {str(dataset)[:60]!r}, dataset_name {str(inside)[:60]!r}: not names")
    if not isinstance(split, str) or not split.replace("_", "").replace("-", "").replace(".", "").isalnum():
        raise SourceError(f"{where}: {str(split)[:60]!r} is no split", hint="it needs a test_split or a validation_split, by name")
    named = _of_split(extra.get("data_files"), split, where) if extra.get("data_files") else None
    if dataset in LOADERS:
        if named is None or "://" in named:
            raise SourceError(f"{where}: dataset_path {dataset} with data_files {named}", hint="name a local file in dataset_kwargs.data_files")
        return named
    if dataset.count("/") != 1 or "data_dir" in extra:
        raise SourceError(f"{where}: dataset {dataset!r} is none of the Hub", hint="dataset_path is org/name, without data_dir")
    pinned = extra.get("revision") if revision is None else revision
    root = f"hf://datasets/{dataset}" + (f"@{quote(str(pinned), safe='')}" if pinned else "")
    return f"{root}/{named or _on_the_hub(name, where, root, inside, split)}"


def _on_the_hub(name: str, where: str, root: str, inside: str | None, split: str) -> str:
    commit, every = hub_source.listing(name, f"{root}/*")
    base = ""
    if "README.md" in every:
        [(_, readme)] = hub_source.fetch(name, f"{root}/*", commit, ["README.md"])
        said = _configured(readme.read_bytes()[: 1 << 20], inside)
        if said is not None:
            base = f"{glob.escape(str(said['data_dir']).strip('/'))}/" if said.get("data_dir") else ""
            if said.get("data_files"):
                return _ended(base + _of_split(said["data_files"], split, where), every)
    for pattern in _layouts(inside, split):
        if any(fnmatch.fnmatch(path, base + pattern) for path in every):
            return base + pattern
    what = f"no data files of {inside or 'its'} {split} split"
    if scripts := [path for path in every if path.endswith(".py")]:
        raise SourceError(
            f"{where}: {root}: {what}, only a loading script ({scripts[0]}), which is not run",
            hint="`revision: refs/convert/parquet` where the Hub has converted it, or a YAML on another dataset in `tasks`",
        )
    raise SourceError(f"{where}: {root}: {what}", hint=f"there are {', '.join(every[:5]) or 'none'}")


def _ended(pattern: str, every: list[str]) -> str:
    """A glob with the ending that all its files have, for that tells their format: cards write `test-*`."""
    ends = {end for path in every if fnmatch.fnmatch(path, pattern) for end in ENDINGS if path.endswith(end)}
    return pattern if pattern.endswith(ENDINGS) or len(ends) != 1 else pattern + ends.pop()


def _configured(readme: bytes, inside: str | None) -> dict[str, Any] | None:
    """The config of that name as a dataset card's header gives it."""
    text = readme.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    if not text.startswith("---\n"):
        return None
    try:
        header = yaml_data(text[4:].partition("\n---")[0])
    except ValueError:
        return None  # the Hub's own loaders read such a card as one without a header
    configs = header.get("configs") if isinstance(header, dict) else None
    known = [one for one in configs if isinstance(one, dict)] if isinstance(configs, list) else []
    if inside is None:
        return next((one for one in known if one.get("config_name", "default") == "default" or one.get("default") is True), known[0] if len(known) == 1 else None)
    return next((one for one in known if str(one.get("config_name")) == inside), None)


def _of_split(said: Any, split: str, where: str) -> str:
    """The one glob of a split among `data_files`, however they are written.

    Raises:
        SourceError: there is none, or there are several.
    """
    if isinstance(said, list) and all(isinstance(one, dict) for one in said):
        said = {str(one.get("split", "train")): one.get("path") for one in said}
    if isinstance(said, dict):
        if split not in said:
            raise SourceError(f"{where}: no split {split!r}", hint=f"there are {', '.join(map(str, said))}")
        said = said[split]
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    if not isinstance(said, str) or not said:
        raise SourceError(f"{where}: data_files of {split} are {str(said)[:60]!r}, not one file or glob", hint="write it as a source with a path")
    return said


def _layouts(inside: str | None, split: str) -> Iterator[str]:
    """Globs under which a config's split lies by convention, the surest first."""
    starts = [f"{glob.escape(inside)}/", f"data/{glob.escape(inside)}/"] if inside is not None else []
    starts += ["data/", "", "default/"] if inside in (None, "default") else []
    for start, word, end in itertools.product(starts, (split, *ALSO.get(split, ())), ENDINGS):
        yield from (f"{start}{word}-*{end}", f"{start}{word}/*{end}", f"{start}{word}{end}")
