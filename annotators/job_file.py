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

With `completions` (models, samples) the prompts are answered first and the judges see the answers; with no judges, that is all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tilth.annotators.canaries import CanaryFields
from tilth.annotators.completions import Completion, Sampling, Shown
from tilth.annotators.gold import GoldFields
from tilth.annotators.panel import Aggregation
from tilth.annotators.provider import ApiProvider, Provider
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


class CompletionFields(_Part):
    """Which models answer the prompts, how often, and which of their answers are judged."""

    models: list[dict[str, dict[str, Any]]] = Field(min_length=1, description="models, each {provider: parameters}")
    samples: int = Field(1, ge=1, le=1000, description="completions of each prompt by each model")
    system: str | None = Field(None, description="system message before the prompt")
    temperature: float = Field(0.7, ge=0, le=2, description="of models that take one and are given none of their own")
    show: list[Shown] = Field(["ok"], min_length=1, description="completions that judges see: those cut off or refused only where named")
    output: str | None = Field(None, description="Parquet file of completions; left out: <name>.completions.parquet beside the job")


class Job(_Part):
    """A job file as written, validated."""

    name: str = Field(pattern=NAME, description="name of the job")
    input: str = Field(min_length=1, description="release `name@1.0.0#config/split`, or path to a jsonl or parquet file")
    fields: InputFields = InputFields()
    completions: CompletionFields | None = Field(None, description="completions to sample first; judges see them as candidates")
    question: dict[str, dict[str, Any]] | None = Field(None, description="one question with its parameters, as in {listwise: {}}")
    judges: list[dict[str, dict[str, Any]]] = Field([], description="judges, each {provider: parameters}")
    canaries: CanaryFields | None = Field(None, description="pairs whose better answer is known, asked of every judge first")
    max_usd: float | None = Field(None, ge=0, description="cap on what the job's calls cost, all runs together")
    max_usd_per_judge: float | None = Field(None, ge=0, description="the same, for each judge")
    batch: bool = Field(False, description="buy in batches, as --batch does")
    limit: int | None = Field(None, ge=1, description="judge that many rows only")
    seed: int = Field(0, description="seed of the order of candidates")
    gold: GoldFields | None = Field(None, description="what the judges are measured against; left out: people of the table, where two agree")
    aggregation: Aggregation = Field("default", description="how judges become one score; default: the first judge's, or learned where there is gold")
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
    """The completion itself, where there are no judges."""
    judges: tuple[Provider, ...]
    sampling: Sampling | None = None

    @property
    def output_path(self) -> Path:
        """Where the judgements go, relative to the job file."""
        return self.path.parent / (self.job.output or f"{self.job.name}.judgements.parquet")

    @property
    def input_path(self) -> Path:
        """The input file, relative to the job file."""
        assert self.input.kind == "file"
        return self.path.parent / self.input.ref

    def reads(self) -> dict[Path, str]:
        """The files that the job reads, resolved → what each is to it."""
        gold = self.job.gold.file if self.job.gold is not None else None
        read = [(self.path, "the job itself")]
        read += [(self.input_path, "its input")] if self.input.kind == "file" else []
        read += [(self.path.parent / gold, "its gold")] if gold is not None else []
        return {path.resolve(): name for path, name in read}


def load(path: Path) -> JobFile:
    """Read and validate a job file, its question and its judges. Reads no input.

    Raises:
        RecipeError: `file:line: place: what is wrong`, with the mend.
    """
    marked = marked_yaml.load(path)
    said = _read(path, marked)
    _see_where_it_writes(said, marked)
    return said


def _see_where_it_writes(said: JobFile, marked: MarkedYaml) -> None:
    """See, before anything is bought, that an output is written over nothing else that the job names."""
    taken = said.reads()
    outputs: list[tuple[tuple[str, ...], Path]] = [(("completions", "output"), said.sampling.path)] if said.sampling is not None else []
    if said.judges:
        outputs.append((("output",), said.output_path))
    for place, output in outputs:
        what = "a folder" if os.path.isdir(output) else taken.get(output.resolve())
        if what is not None:
            raise marked.error(place, f"{str(output)!r} is {what}", hint="name another file")
        taken[output.resolve()] = "where the completions go"


def _read(path: Path, marked: MarkedYaml) -> JobFile:
    if not isinstance(marked.data, dict):
        raise marked.error((), "a job is a mapping: name, input, question, judges")
    job: Job = validate(Job, marked.data, marked, ())
    sampling = None if job.completions is None else _sampling(job, job.completions, path, marked)
    if not job.judges and sampling is not None:
        if job.question is not None or job.canaries is not None:
            raise marked.error(("question",) if job.question else ("canaries",), "there are no judges to ask", hint="name judges")
        return JobFile(path, job, _input(job.input, marked), sampling.question, (), sampling)
    if job.question is None or not job.judges:
        raise marked.error((), "a job has a question and judges, or completions", hint="question: {listwise: {}}")
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
    if job.canaries is not None and not question.compares:
        raise marked.error(("canaries",), f"{question.label} does not say which of two answers is better", hint="leave canaries out")
    return JobFile(path, job, _input(job.input, marked), question, tuple(providers), sampling)


def _sampling(job: Job, said: CompletionFields, path: Path, marked: MarkedYaml) -> Sampling:
    """The completions of a job: free text, at the job's temperature where a model is given none."""
    models: list[ApiProvider] = []
    for i, line in enumerate(said.models):
        place = ("completions", "models", i)
        model = named_unit("provider", line, marked, place)
        if not isinstance(model, ApiProvider):
            raise marked.error(place, f"{model.name} writes no completions", hint="name an LLM")
        if model.label in (other.label for other in models):
            raise marked.error(place, f"{model.label} is named twice", hint="raise samples")
        own = {name: value for name, value in (("temperature", said.temperature), ("structured", "none")) if name not in model.model_fields_set}
        model = model.model_copy(update=own)
        if said.samples > 1 and model.wire_parameters().get("temperature") == 0:
            raise marked.error(place, f"{said.samples} samples of {model.label} at temperature 0 are all the same", hint="give it a temperature")
        models.append(model)
    output = path.parent / (said.output or f"{job.name}.completions.parquet")
    return Sampling(Completion(samples=said.samples, system=said.system), tuple(models), tuple(said.show), output)


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
