"""The recipe: what a build is made of, as data. Opening somebody else's runs none of their code.

```yaml
name: clinic
license: CC-BY-4.0
sources:
  notes: {path: notes.jsonl.zst, license: CC-BY-4.0, language: en, key: id, shape: {text: {}}}
benchmarks:
  medqa: {path: medqa.jsonl, license: MIT, language: en, shape: {item: {options: options}}}
corpora:
  cpt:
    from: [notes]
    steps:
      - normalize: {}
      - gopher_quality: {min_words: 80}
```
"""

from __future__ import annotations

import difflib
import importlib.resources
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from tilth.core import licenses, marked_yaml, units
from tilth.core.errors import RecipeError
from tilth.core.fingerprints import digest
from tilth.core.gates import Alarms, Gates
from tilth.core.marked_yaml import MarkedYaml
from tilth.core.rows import Kind
from tilth.core.steps import Step

NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
CODE = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
SPLIT = re.compile(r"^\w+(\.\w+)*$")
"""What `datasets` takes for a split; `all` is its own word."""


def is_split(name: str) -> bool:
    """Whether a split can be called so."""
    return bool(SPLIT.match(name)) and name != "all" and len(name) <= 64


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FieldOf(_Part):
    """Take the value from that field of each record."""

    field: str = Field(description="name of a field of the record")


class _Terms(_Part):
    """What is said of any source, wherever its bytes are."""

    license: str | FieldOf = Field(description="SPDX or Hub id of the licence, or {field: NAME} where each record has its own")
    language: str | FieldOf | None = Field(None, description="BCP-47 code, or {field: NAME}; left out: it is identified")
    key: str | None = Field(None, description="field that names a record in the source; left out: its content does")
    title: str | None = Field(None, description="what it is, for the card")
    url: str | None = Field(None, description="where it comes from, for the card")
    citation: str | None = Field(None, description="how to cite it, for the card")

    @model_validator(mode="after")
    def _says_what_it_must(self) -> Self:
        if isinstance(self.license, str) and not self.license.strip():
            raise ValueError("license is blank")
        if isinstance(self.language, str) and not CODE.match(self.language):
            raise ValueError(f"language {self.language!r} is no BCP-47 code, such as en or zh")
        return self


class Source(_Terms):
    """Where rows come from, and on what terms."""

    path: str = Field(
        min_length=1,
        description="file or glob, relative to the recipe (or --data-root), or hf://datasets/org/name[@revision]/glob",
    )
    format: str | None = Field(None, description="jsonl, json, parquet, csv, txt, html, xml or warc; by default as the file's name says")
    encoding: str | None = Field(
        None, description="encoding of text, or `auto`: as the file says, else detected; left out: utf-8 for jsonl and csv, else auto"
    )
    shape: dict[str, dict[str, Any]] = Field(description="how a record becomes a row: one shape with its parameters")
    split: str | FieldOf | None = Field(
        None, description="split that its rows are published in (train, dev, test …), or {field: NAME}; left out: the corpus's `splits` decide"
    )

    @model_validator(mode="after")
    def _has_one_shape(self) -> Source:
        if len(self.shape) != 1:
            raise ValueError(f"shape names {len(self.shape)} shapes, must be one, as in {{text: {{}}}}")
        if isinstance(self.split, str) and not is_split(self.split):
            raise ValueError(f"{self.split!r} is no name for a split: letters, digits and _, not `all`")
        return self


class Task(_Terms):
    """A benchmark that a task of lm-eval names: its dataset, split and templates are read at locking."""

    lm_eval: str = Field(min_length=1, max_length=200, description="name of one task of lm-eval, such as mmlu_anatomy")
    tasks: str | None = Field(
        None, min_length=1, description="folder of task YAMLs, relative to the recipe (or --data-root); left out: the installed lm-eval's"
    )
    revision: str | None = Field(None, min_length=1, description="branch, tag or commit of its dataset on the Hub; left out: main")


def _benchmark_kind(said: Any) -> str:
    return "Task" if isinstance(said, Task) or (isinstance(said, dict) and "lm_eval" in said) else "Source"


Benchmark = Annotated[Annotated[Source, Tag("Source")] | Annotated[Task, Tag("Task")], Discriminator(_benchmark_kind)]
"""A set to decontaminate against."""


class Earlier(_Part):
    """An earlier release, that rows are held against."""

    path: str = Field(
        min_length=1,
        description="release://name@1.0.0 of the registry here, hf://datasets/org/name@v1.0.0/config/*.parquet, or a glob of a "
        "release's Parquet files, relative to the recipe (or --data-root)",
    )


class Corpus(_Part):
    """One corpus of the release: its sources, its steps in order, its splits."""

    sources: list[str] = Field(alias="from", min_length=1, description="names of sources, in the order of the release")
    steps: list[dict[str, dict[str, Any]]] = Field(default_factory=list, description="steps, each {name: parameters}")
    splits: dict[str, float] = Field(default_factory=dict, description="share of the rows per split; the rest is train")

    @model_validator(mode="after")
    def _splits_leave_train(self) -> Corpus:
        for name in self.splits:
            if not is_split(name):
                raise ValueError(f"{name!r} is no name for a split: letters, digits and _, not `all`")
        if "train" in self.splits or any(not 0 < v < 1 for v in self.splits.values()) or sum(self.splits.values()) >= 1:
            raise ValueError("splits are shares between 0 and 1 that leave some to train, which is not named")
        return self


class Recipe(_Part):
    """A recipe as written, validated; `steps(corpus)` gives its steps as units."""

    name: str = Field(pattern=NAME, description="name of the dataset")
    title: str | None = Field(None, description="a line for people")
    description: str | None = Field(None, description="what the dataset is for")
    license: str = Field(min_length=1, description="licence of the release: a Hub licence id")
    seed: int = Field(0, description="seed of every random choice")
    sources: dict[str, Source] = Field(min_length=1)
    benchmarks: dict[str, Benchmark] = Field(default_factory=dict, description="sets to decontaminate against")
    earlier: dict[str, Earlier] = Field(default_factory=dict, description="earlier releases, for `against_release`")
    corpora: dict[Kind, Corpus] = Field(min_length=1)
    gates: Gates = Gates()
    alarms: Alarms = Alarms()

    @model_validator(mode="after")
    def _names_what_is_there(self) -> Recipe:
        if licenses.hub_id(self.license) is None and not self.license.startswith("LicenseRef-"):
            near = difflib.get_close_matches(self.license.lower(), licenses.HUB, n=2)
            raise ValueError(f"license {self.license!r} is none that the Hub knows" + (f"; {' or '.join(near)}?" if near else "; `other` where none fits"))
        for kind, corpus in self.corpora.items():
            for name in corpus.sources:
                if name not in self.sources:
                    raise ValueError(f"corpora.{kind}.from names {name!r}, which is not under sources")
                if corpus.sources.count(name) > 1:
                    raise ValueError(f"corpora.{kind}.from names {name!r} twice")
        for name in (*self.sources, *self.benchmarks, *self.earlier):
            if not re.match(NAME, name):
                raise ValueError(f"source {name!r}: a name is lower-case letters, digits, - and _")
        steps = {"read", *(name for corpus in self.corpora.values() for line in corpus.steps for name in line)}
        for place in self.alarms.expected:
            if place.partition("/")[0] not in steps:
                raise ValueError(f"alarms.expected names {place!r}, and no corpus has that step")
        if both := set(self.sources) & set(self.benchmarks):
            raise ValueError(f"{sorted(both)} are both sources and benchmarks")
        if both := set(self.earlier) & {*self.sources, *self.benchmarks}:
            raise ValueError(f"{sorted(both)} are both earlier releases and sources or benchmarks")
        return self

    def steps(self, corpus: Kind) -> list[Step]:
        """The steps of a corpus as validated units."""
        return [named_unit("step", line) for line in self.corpora[corpus].steps]  # type: ignore[misc]

    def canonical(self) -> dict[str, Any]:
        """The recipe as plain JSON values, every parameter of every step spelled out: what the digest covers."""
        plain = self.model_dump(mode="json", by_alias=True)
        # Recipes from before there were such stay what they are.
        if not self.earlier:
            del plain["earlier"]
        if self.alarms == Alarms():
            del plain["alarms"]
        if self.gates.max_wipeout is None:
            del plain["gates"]["max_wipeout"]
        if self.gates.max_leaked_prompts == 0:
            del plain["gates"]["max_leaked_prompts"]
        for source in (*plain["sources"].values(), *plain["benchmarks"].values()):
            if source.get("split", "") is None:
                del source["split"]
        for kind in self.corpora:
            plain["corpora"][kind]["steps"] = [{step.name: step.parameters()} for step in self.steps(kind)]
        return plain

    def digest(self) -> str:
        """sha256 of the canonical recipe."""
        return digest(self.canonical())


class RecipeFile:
    """A recipe and the file that it was read from."""

    def __init__(self, path: Path, recipe: Recipe, data_root: Path | None = None) -> None:
        self.path = path
        self.recipe = recipe
        self.data_root = data_root or path.parent

    @property
    def lock_path(self) -> Path:
        """`R.lock`, beside the recipe."""
        return self.path.with_suffix(".lock")


def find(name_or_path: str) -> Path:
    """The file of a recipe given by path, or by the name of one that ships with Tilth.

    Raises:
        RecipeError: there is neither.
    """
    path = Path(name_or_path)
    try:
        if path.is_file():
            return path
    except OSError as error:
        raise RecipeError(f"{name_or_path[:60]}…: {error.strerror}") from None
    if path.suffix in (".yaml", ".yml") or path.parent != Path():
        raise RecipeError(f"{path}: no such recipe")
    shipped = Path(str(importlib.resources.files("tilth.recipes")))
    found = shipped / f"{name_or_path}.yaml"
    if not found.is_file():
        names = ", ".join(sorted(p.stem for p in shipped.glob("*.yaml")))
        raise RecipeError(f"no recipe {name_or_path!r}", hint=f"give a path, or one that ships: {names}")
    return found


def load(name_or_path: str, data_root: Path | None = None) -> RecipeFile:
    """Read and validate a recipe, its shapes and its steps.

    Raises:
        RecipeError: `file:line: place: what is wrong`, with the mend.
    """
    path = find(name_or_path)
    marked = marked_yaml.load(path)
    if not isinstance(marked.data, dict):
        raise marked.error((), "a recipe is a mapping: name, license, sources, corpora")
    recipe: Recipe = validate(Recipe, marked.data, marked, ())
    for group in ("sources", "benchmarks"):
        for name, source in getattr(recipe, group).items():
            if isinstance(source, Task):
                continue
            named_unit("shape", source.shape, marked, (group, name, "shape"))
            if source.format is not None:
                named_unit("format", {source.format: {}}, marked, (group, name, "format"))
    for kind, corpus in recipe.corpora.items():
        for i, line in enumerate(corpus.steps):
            place = ("corpora", kind, "steps", i)
            step = named_unit("step", line, marked, place)
            assert isinstance(step, Step)
            if misfit := step_misfit(step, kind, corpus, recipe.earlier):
                raise marked.error((*place, step.name), *misfit)
    return RecipeFile(path, recipe, data_root)


def step_misfit(step: Step, kind: Kind, corpus: Corpus, earlier: Collection[str] | None = None) -> tuple[str, str | None] | None:
    """Why a valid step does not fit a corpus (and the earlier releases, where they are given), with the mend; None where it does."""
    if kind not in step.corpora:
        return f"works on {', '.join(step.corpora)} corpora, not on {kind}", None
    if strange := [name for name in step.sources_named() if name not in corpus.sources]:
        return f"names the source {strange[0]!r}, which the corpus does not have", f"it is made from {', '.join(corpus.sources)}"
    mend = "say `earlier: {old: {path: release://name@1.0.0}}`"
    if earlier is not None and (strange := [name for name in step.earlier_named() if name not in earlier]):
        return f"names the earlier release {strange[0]!r}, which the recipe does not", mend
    return ("the recipe names no earlier release", mend) if earlier is not None and step.reads_earlier and not earlier else None


Named = dict[str, dict[str, Any]]
"""One unit with its parameters, as a recipe names it: `{name: {…}}`."""


@contextmanager
def units_named(place: str = "") -> Iterator[None]:
    """Inside a validator: what is wrong with a named unit as a ValueError, which pydantic gathers with its place in the recipe.

    Args:
        place: what of the unit names it (`model: `), put before the message.
    """
    try:
        yield
    except RecipeError as error:
        raise ValueError(f"{place}{error.message}{'; ' + error.hint if error.hint else ''}") from None


def named_unit(
    kind: str, said: dict[str, dict[str, Any]], marked: MarkedYaml | None = None, place: tuple[str | int, ...] = ()
) -> units.Unit:
    """The unit that `{name: parameters}` names.

    Raises:
        RecipeError: not one name, no such unit, or parameters that it does not take; with the line where `marked` is given.
    """
    try:
        if len(said) != 1:
            raise RecipeError(f"a {kind} is one name with its parameters, as in `name: {{}}`; here are {len(said)}")
        name, parameters = next(iter(said.items()))
        cls = units.find(kind, name)
    except RecipeError as error:
        if marked is None:
            raise
        inside = (next(iter(said)),) if len(said) == 1 else ()
        raise marked.error((*place, *inside), error.message, error.hint) from None
    return validate(cls, parameters, marked, (*place, name))  # type: ignore[no-any-return]


def validate(model: type[BaseModel], data: Any, marked: MarkedYaml | None, place: tuple[str | int, ...]) -> Any:
    """`data` as a strict `model`, or the first error with its line.

    Raises:
        RecipeError: naming the place, the value and what was expected.
    """
    try:
        text = orjson.dumps(data)
    except (TypeError, RecursionError) as error:
        message = f"a value that JSON does not have: {error}"
        raise (marked.error(place, message) if marked else RecipeError(message)) from None
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # pydantic puts the names of union members into the place; they do not stand in the file.
        inner = tuple(part for part in first["loc"] if not (isinstance(part, str) and part not in str(data) and part[:1].isupper()))
        hint = None
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            known = sorted(field.alias or name for name, field in model.model_fields.items())
            message, hint = "no such field", f"known here: {', '.join(known)}" if len(inner) == 1 else None
        elif first["type"] == "missing":
            message = "is missing"
        elif isinstance(first.get("input"), str | int | float | bool) and "Value error" not in first["msg"]:
            message = f"{first['input']!r}: {message[:1].lower()}{message[1:]}"
        if marked is None:
            raise RecipeError(f"{'.'.join(map(str, (*place, *inner)))}: {message}", hint=hint) from None
        raise marked.error((*place, *inner), message, hint) from None
