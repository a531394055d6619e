"""The file of `tilth distil`: what to label, who labels it, what to train; read with the line and the mend in every error.

```yaml
name: medical-domain
input: [clinic@1.0.0#cpt/train]        # releases, build:R#cpt/train, or globs of jsonl and parquet files
sample: {documents: 20000, languages: {zh: 1, en: 1}}
question: {domain: {}}                 # or document_quality
judges: [{openai: {model: gpt-5.4-mini, temperature: 0.7}}]
max_usd: 120
output: models/medical-domain
```

Aquila-Med (arXiv 2406.12182) labels 20,000 documents, zh:en 1:1, twice; keeps 17,000 with one domain, and 15,000 whose two
scores of quality are less than about 2 apart. In place of judges, `fields: {label: NAME}` takes the labels that stand in the input.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tilth.annotators.job_file import SUFFIXES
from tilth.annotators.provider import ApiProvider
from tilth.annotators.question import Question
from tilth.core import marked_yaml
from tilth.core.errors import RegistryError
from tilth.core.manifest import split_ref
from tilth.core.marked_yaml import MarkedYaml
from tilth.core.recipe import NAME, named_unit, validate
from tilth.filters.encoder_training import EncoderTraining
from tilth.filters.fasttext_training import Training

QUESTIONS = ("domain", "document_quality")
SCORES = Training(piece_words=400, pieces=5, epoch=20)
"""Quality is a document's: a few words of a bad one are as good as any. Pieces of 400 words err a fifth less than those of 20."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DocumentFields(_Part):
    """Which field of an input file's record holds what."""

    text: str = Field("text", description="the document")
    language: str = Field("language", description="BCP-47 code, where there is one")
    source: str = Field("source", description="where it comes from; left out of the record: the file's name")
    label: str | None = Field(None, description="its label or score, or a list of them where it was labelled more than once; then nobody is asked")


class SampleFields(_Part):
    """Which documents are labelled."""

    documents: int = Field(20_000, ge=10, description="how many, at most (Aquila-Med: 20,000)")
    languages: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] | None = Field(None, min_length=1, description="proportions of languages, as in {zh: 1, en: 1}; left out: as they come")
    by_source: bool = Field(True, description="as many of each source, small ones whole; else as they come")
    chars: int = Field(4000, ge=100, description="how much of a document, from its beginning, is shown and learned from (our choice)")


class DistilJob(_Part):
    """A job file as written, validated."""

    name: str = Field(pattern=NAME, description="name of the job")
    input: str | list[str] = Field(description="releases `name@1.0.0#cpt/train`, builds `build:R#cpt/train` of a recipe beside the job or by its path from here, or paths and globs of jsonl and parquet files")
    fields: DocumentFields = DocumentFields()
    sample: SampleFields = SampleFields()
    question: dict[str, dict[str, Any]] = Field(description="{domain: {…}} or {document_quality: {…}}")
    judges: list[dict[str, dict[str, Any]]] = Field([], description="who labels, each {provider: parameters}; a document needs two answers")
    max_usd: float | None = Field(None, ge=0, description="cap on what the job's calls cost, all runs together")
    max_gap: float = Field(2, gt=0, description="of scores: documents whose answers are so far apart, or farther, are left out (Aquila-Med: about 2)")
    hold_out: float = Field(0.1, gt=0, lt=1, description="share of the labelled documents, of every label, language and source, that tests and teaches nothing")
    held_sources: list[str] = Field([], description="sources that are held out whole: what the classifier knows of sources that it has not seen")
    fasttext: Training | None = Field(None, description="how the fastText model is trained; left out: by pieces of 20 words, of scores by 400")
    encoder: EncoderTraining | None = Field(None, description="a transformers encoder to train in its place")
    seed: int = Field(0, description="of the sample, the held-out part and the training")
    output: str | None = Field(None, description="folder of the model; left out: <name>.model beside the job")

    @model_validator(mode="after")
    def _one_way_to_labels(self) -> Self:
        if len(self.question) != 1 or next(iter(self.question)) not in QUESTIONS:
            raise ValueError(f"question: one of {', '.join(QUESTIONS)}, as in {{domain: {{}}}}")
        if bool(self.judges) == (self.fields.label is not None):
            raise ValueError("say who labels: `judges`, or the field of the input that holds labels (`fields: {label: NAME}`)")
        return self


@dataclass(frozen=True)
class Input:
    """Where documents come from: files by path or glob, a release, or the last build of a recipe."""

    kind: Literal["files", "release", "build"]
    ref: str
    config: str = "cpt"
    split: str = "train"


@dataclass(frozen=True)
class DistilFile:
    """A job, its question and judges, and the file that it was read from."""

    path: Path
    job: DistilJob
    inputs: tuple[Input, ...]
    question: Question
    judges: tuple[ApiProvider, ...]

    @property
    def fasttext(self) -> Training:
        """How a fastText model is trained."""
        return self.job.fasttext or (Training() if self.question.scale is None else SCORES)

    @property
    def output(self) -> Path:
        """The folder of the model."""
        return self.path.parent / (self.job.output or f"{self.job.name}.model")


def load(path: Path) -> DistilFile:
    """Read and validate a job file. Reads no input.

    Raises:
        RecipeError: `file:line: place: what is wrong`, with the mend.
    """
    marked = marked_yaml.load(path)
    if not isinstance(marked.data, dict):
        raise marked.error((), "a job is a mapping: name, input, question, judges")
    job: DistilJob = validate(DistilJob, marked.data, marked, ())
    question = named_unit("question", job.question, marked, ("question",))
    assert isinstance(question, Question)
    if job.encoder is None and (blank := [label for label in getattr(question, "labels", ()) if label.split() != [label]]):
        raise marked.error(("question",), f"label {blank[0]!r}: a fastText model has no labels with blanks", hint=f"{'_'.join(blank[0].split())!r}")
    judges: list[ApiProvider] = []
    for i, line in enumerate(job.judges):
        judge = named_unit("provider", line, marked, ("judges", i))
        if not isinstance(judge, ApiProvider):
            raise marked.error(("judges", i), f"{judge.name} reads no documents", hint="name an LLM")
        if judge.label in (other.label for other in judges):
            raise marked.error(("judges", i), f"{judge.label} is named twice", hint="raise the question's `times`")
        if (times := getattr(question, "times", 1)) > 1 and judge.wire_parameters().get("temperature") == 0:
            raise marked.error(("judges", i), f"{times} answers of {judge.label} at temperature 0 are all the same", hint="give it a temperature")
        judges.append(judge)
    if judges and len(judges) * getattr(question, "times", 1) < 2:
        raise marked.error(("question",), "a document is asked about once", hint="times: 2, or two judges")
    said = [job.input] if isinstance(job.input, str) else job.input
    inputs = tuple(_input(text, marked, ("input",) if isinstance(job.input, str) else ("input", i)) for i, text in enumerate(said))
    if job.fields.label is not None and any(one.kind != "files" for one in inputs):
        raise marked.error(("fields", "label"), "labels can stand in files only", hint="name jsonl or parquet files under `input`")
    return DistilFile(path, job, inputs, question, tuple(judges))


def _input(text: str, marked: MarkedYaml, place: tuple[str | int, ...]) -> Input:
    if text.endswith(SUFFIXES):
        return Input("files", text)
    ref, _, inside = text.partition("#")
    config, _, split = inside.partition("/")
    where = {"config": config or "cpt", "split": split or "train"}
    if ref.startswith("build:"):
        return Input("build", ref.removeprefix("build:"), **where)
    try:
        name, version = split_ref(ref)
    except RegistryError as error:
        raise marked.error(place, error.message, error.hint) from None
    if version is None or not name:
        raise marked.error(place, f"{text!r} is no release, build or file", hint=f"name@1.0.0#cpt/train, build:R#cpt/train, or a path ending in {', '.join(SUFFIXES)}")
    return Input("release", ref, **where)
