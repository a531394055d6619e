"""The job file: an annotation job as data, read with the line and the mend in every error.

```yaml
name: clinic-judged
input: clinic@1.0.0#preference/train     # or a path to jsonl or parquet
question: {listwise: {}}
judges:
  - openai: {model: gpt-5.4-mini}
  - anthropic: {model: claude-haiku-5-5, rpm: 500}
  - baseline: {}
max_usd: 20
output: judged.parquet
```
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tilth.annotators.gold import GoldFields
from tilth.annotators.provider import Provider
from tilth.annotators.question import Question
from tilth.core import marked_yaml
from tilth.core.errors import RegistryError
from tilth.core.manifest import split_ref
from tilth.core.marked_yaml import MarkedYaml
from tilth.core.recipe import NAME, named_unit, validate

SUFFIXES = (".jsonl", ".jsonl.zst", ".jsonl.gz", ".parquet")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class InputFields(_Part):
    """Which field of a record holds what, for input files."""

    id: str | None = Field("id", description="left out of the record: the hash of its content")
    prompt: str = Field("prompt", description="text, or a list of {role, content}")
    completions: str = Field("completions", description="list of texts, or of {model, text}")
    answer: str = Field("answer", description="the key, where there is one")
    options: str = Field("options", description="options of a multiple-choice question, where there are")
    reference: str = Field("reference", description="reference answer, where there is one")
    language: str = Field("language", description="BCP-47 code, where there is one")


class Job(_Part):
    """A job file as written, validated."""

    name: str = Field(pattern=NAME, description="name of the job")
    input: str = Field(min_length=1, description="release `name@1.0.0#config/split`, or path to a jsonl or parquet file")
    fields: InputFields = InputFields()
    question: dict[str, dict[str, Any]] = Field(description="one question with its parameters, as in {listwise: {}}")
    judges: list[dict[str, dict[str, Any]]] = Field(min_length=1, description="judges, each {provider: parameters}")
    max_usd: float | None = Field(None, ge=0, description="cap on what the job's calls cost, all runs together")
    max_usd_per_judge: float | None = Field(None, ge=0, description="the same, for each judge")
    batch: bool = Field(False, description="buy in batches, as --batch does")
    limit: int | None = Field(None, ge=1, description="judge that many rows only")
    seed: int = Field(0, description="seed of the order of candidates")
    gold: GoldFields | None = Field(None, description="what the judges are measured against; left out: people of the table, where two agree")
    output: str | None = Field(None, description="Parquet file of judgements; left out: <name>.judgements.parquet beside the job")


@dataclass(frozen=True)
class JobInput:
    """Where the rows of a job come from."""

    kind: Literal["release", "file"]
    ref: str
    """Release without config and split, or the path as written."""
    config: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class JobFile:
    """A job, its units made, and the file that it was read from."""

    path: Path
    job: Job
    input: JobInput
    question: Question
    judges: tuple[Provider, ...]

    @property
    def output_path(self) -> Path:
        """Where the judgements go, relative to the job file."""
        return self.path.parent / (self.job.output or f"{self.job.name}.judgements.parquet")

    @property
    def input_path(self) -> Path:
        """The input file, relative to the job file."""
        assert self.input.kind == "file"
        return self.path.parent / self.input.ref


def load(path: Path) -> JobFile:
    """Read and validate a job file, its question and its judges. Reads no input.

    Raises:
        RecipeError: `file:line: place: what is wrong`, with the mend.
    """
    marked = marked_yaml.load(path)
    if not isinstance(marked.data, dict):
        raise marked.error((), "a job is a mapping: name, input, question, judges")
    job: Job = validate(Job, marked.data, marked, ())
    question = named_unit("question", job.question, marked, ("question",))
    judges = [named_unit("provider", line, marked, ("judges", i)) for i, line in enumerate(job.judges)]
    assert isinstance(question, Question)
    providers: list[Provider] = []
    for i, provider in enumerate(judges):
        assert isinstance(provider, Provider)
        if provider.label in (other.label for other in providers):
            raise marked.error(("judges", i), f"{provider.label} is named twice")
        if not provider.is_llm and not question.takes_shares():
            raise marked.error(
                ("judges", i), f"{provider.label} compares answers with a key; {question.label} needs an LLM judge"
            )
        providers.append(provider)
    return JobFile(path, job, _input(job.input, marked), question, tuple(providers))


def _input(text: str, marked: MarkedYaml) -> JobInput:
    if text.endswith(SUFFIXES):
        return JobInput("file", text)
    ref, _, place = text.partition("#")
    try:
        name, version = split_ref(ref)
    except RegistryError as error:
        raise marked.error(("input",), error.message, error.hint) from None
    if version is None or not name:
        raise marked.error(
            ("input",),
            f"{text!r} is neither a release nor a file",
            hint=f"name@1.0.0#config/split, or a path ending in {', '.join(SUFFIXES)}",
        )
    config, _, split = place.partition("/")
    return JobInput("release", ref, config or None, split or None)
