"""A first recipe for data that nobody has described yet: what `tilth new` writes.

It looks at the first records of each source and says by their field names what they are. That is a guess, and the recipe
says so: everything in it is there to be read and changed before `tilth lock`.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tilth.builders import hub_source, locking
from tilth.builders.records import BadRecord, Record
from tilth.builders.shapes.chat import KNOWN
from tilth.core.durable import writing
from tilth.core.errors import RecipeError, SourceError
from tilth.core.recipe import CODE, Source, load
from tilth.core.rows import Kind
from tilth.core.text import printable

LOOKED_AT = 2000
"""Records of a source that are looked at."""

TEXTS = ("text", "content", "body", "document", "article", "passage", "raw_content")
TURNS = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns")
QUESTIONS = ("question", "instruction", "prompt", "query", "ask", "input")
ANSWERS = ("answer", "output", "response", "completion", "solution", "reply")
OPTIONS = ("options", "choices", "option")
ONE_OPTION = ("{}", "op{}", "option_{}", "option{}", "choice{}", "choice_{}", "ending{}")
ANSWER_KEYS = ("answer_idx", "label", "key", "correct", "cop", "final_decision")
KEYS = ("id", "_id", "qid", "uuid", "key", "doc_id", "pmid")
LICENSES = ("license", "licence")
LANGUAGES = ("language", "lang")
ROLES = ("role", "from", "speaker")
WORDS = ("content", "value", "text", "utterance")

CHAINS: dict[Kind, tuple[str, ...]] = {
    "cpt": (
        "normalize: {entities: true}", "language: {}", "gopher_quality: {}", "chinese_quality: {}", "gopher_repetition: {}", "exact_dedup: {}",
        "near_dedup: {}", "decontaminate: {}", "pii: {}",
    ),
    "sft": ("normalize: {}", "language: {}", "chat_shape: {}", "exact_dedup: {}", "near_dedup: {}", "decontaminate: {}", "pii: {}"),
}  # fmt: skip
"""Steps that fit any domain, English and Chinese."""
SPLITS: dict[Kind, str] = {"cpt": "", "sft": "    splits: {test: 0.02}\n"}


@dataclass(frozen=True)
class Guess:
    """What a source seems to be: its entry in the recipe, and the kind of its rows, or `item` of a test set."""

    name: str
    entry: dict[str, Any]
    kind: str
    records: int
    """Records that were looked at."""


def guess(path: str, root: Path, *, license: str | None = None, language: str | None = None, benchmark: bool = False) -> Guess:
    """What the files at `path` hold, by their first records.

    Args:
        path: as in a recipe: a file or glob under `root`, or hf://datasets/org/name[@revision]/glob.
        license, language: of all records, where they do not say themselves.
        benchmark: it is a test set, so its rows are items.

    Raises:
        SourceError: there is no such file, no record can be read, or no field is known; the hint lists what is there.
    """
    name = _name(path)
    form = locking.format_of(name, Source(path=path, shape={"text": {}}, license="other"))
    files = hub_source.resolve(name, path)[1] if path.startswith("hf://") else locking.local_files(name, Source(path=path, shape={"text": {}}, license="other"), root)
    every = (one for shown, file in files for one in islice(form.records(file, shown), LOOKED_AT))
    records = [record for _, record in islice(every, LOOKED_AT) if not isinstance(record, BadRecord)]
    if not records:
        raise SourceError(f"{path}: no record among the first {LOOKED_AT} can be read", hint="check the file's name and encoding")
    fields = _Fields(records)
    shape, kind = _item(fields) if benchmark else _shape(type(form).name, fields)
    if not shape:
        there = ", ".join(printable(name)[:40] for name in sorted(fields.every)[:20])
        wanted = f"a {_or(QUESTIONS[:3])}" if benchmark else f"a {_or(TEXTS[:2])}, {_or(TURNS[:2])}, or a {_or(QUESTIONS[:2])} with its {_or(ANSWERS[:2])}"
        raise SourceError(
            f"{path}: no field says what a record is", hint=f"it has {there}; looked for {wanted}; write its entry by hand (docs/recipes.md)"
        )
    entry: dict[str, Any] = {"path": path, "shape": shape}
    if key := fields.unique(KEYS):
        entry["key"] = key
    named = fields.texts(LICENSES)
    entry["license"] = license or ({"field": named} if named else "other")
    coded = fields.texts(LANGUAGES)
    if coded and all(CODE.match(str(record.get(coded))) for record in records):
        entry["language"] = {"field": coded}
    elif language:
        entry["language"] = language
    return Guess(name, entry, kind, len(records))


def write(
    to: Path, name: str, paths: Sequence[str], benchmarks: Sequence[str] = (), *, root: Path, domain: str | None = None,
    language: str | None = None, license: str = "other", on_guess: Callable[[Guess], None] = lambda one: None,
) -> None:  # fmt: skip
    """Look at the sources and write the recipe to `to`, which must not be there yet.

    Raises:
        SourceError: as in `guess`.
        RecipeError: there is a file already, or a name, licence or language that no recipe may have.
    """
    if to.exists():
        raise RecipeError(f"{to} is there already", hint="remove it, or name another file by --to")
    known = license if license != "other" else None
    sources = [guess(path, root, license=known, language=language) for path in paths]
    items = [guess(path, root, license=known, language=language, benchmark=True) for path in benchmarks]
    text = recipe(name, sources, items, domain=domain, license=license)
    for one in (*sources, *items):
        on_guess(one)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / to.name
        draft.write_text(text, encoding="utf-8")
        try:
            load(str(draft))
        except RecipeError as error:
            raise RecipeError(error.message.replace(folder + "/", ""), hint=error.hint) from None
    to.parent.mkdir(parents=True, exist_ok=True)
    with writing(to) as path:
        path.write_text(text, encoding="utf-8")


def recipe(name: str, sources: Sequence[Guess], benchmarks: Sequence[Guess] = (), *, domain: str | None = None, license: str = "other") -> str:
    """The recipe as YAML, with comments that say what to look at.

    Raises:
        SourceError: two sources have one name.
    """
    every = [one.name for one in (*sources, *benchmarks)]
    for one in every:
        if every.count(one) > 1:
            raise SourceError(f"two sources would be called {one!r}", hint="name them by one glob, or rename a file")
    title = domain or name
    parts = [
        (f"# A first recipe, written by `tilth new` from the field names of {len(every)} source{'s' * (len(every) != 1)}. Read it, then:\n"
        f"#   tilth lock {name}.yaml                             pin the bytes\n"
        f"#   tilth build {name}.yaml --limit 500                a trial\n"
        f"#   tilth whatif {name}.yaml --set STEP.FIELD=VALUE    what another threshold would cost\n"
        f"#   tilth release {name}.yaml --version 0.1.0\n"
        "# docs/recipes.md explains every field, docs/units.md every step; `tilth units` lists them.\n"),
        f"name: {name}\ntitle: {_yaml(f'{title}: a corpus')}\nlicense: {license}  # of the release: an id of the Hub's list\nseed: 0\n",
        "sources:\n" + "\n".join(_entry(one) for one in sources) + "\n",
    ]
    if benchmarks:
        parts.append("# Rows that hold items of these go, with the evidence in the report.\nbenchmarks:\n" + "\n".join(map(_entry, benchmarks)) + "\n")
    else:
        parts.append(
            "# Test sets that a model will be measured on belong here; rows that hold their items go, with the evidence in the report:\n"
            "# benchmarks:\n"
            "#   exam: {path: exam.jsonl, license: MIT, language: en, shape: {item: {options: options}}}\n"
        )
    kinds = [kind for kind in CHAINS if any(one.kind == kind for one in sources)]
    corpora = []
    for kind in kinds:
        names = ", ".join(one.name for one in sources if one.kind == kind)
        steps = "".join(f"      - {step}\n" for step in CHAINS[kind] if benchmarks or not step.startswith("decontaminate"))
        corpora.append(f"  {kind}:\n    from: [{names}]\n    steps:\n{steps}{SPLITS[kind]}")
    parts.append("corpora:\n" + "\n".join(corpora))
    return "\n".join(parts)


def _entry(one: Guess) -> str:
    lines = "".join(f"    {key}: {_yaml(value)}{_note(key, value)}\n" for key, value in one.entry.items())
    return f"  {one.name}:\n{lines}".rstrip("\n")


def _note(key: str, value: Any) -> str:
    if (key, value) == ("license", "other"):
        return "  # say whose data this is"
    return ""


def _yaml(value: Any) -> str:
    """A value on one line: JSON is YAML."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w.-]*", value) and value.lower() not in ("null", "true", "false", "yes", "no", "on", "off", "y", "n"):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_yaml(k)}: {_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _name(path: str) -> str:
    """A source's name from its file's: letters, digits and _ in lower case."""
    folder, _, file = path.rpartition("/")
    last = re.split(r"[*?\[]", file, maxsplit=1)[0] or folder.rpartition("/")[2]
    bare = re.sub(r"(\.(zst|gz|jsonl|ndjson|json|parquet|csv|tsv|txt|html?|xml|warc|md))+$", "", last)
    name = re.sub(r"[^a-z0-9_]+", "_", bare.lower()).strip("_")
    return name if name and name[0].isalpha() else f"source_{name}".rstrip("_")


class _Fields:
    """The fields of some records, found by names in any case."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.every = {name for record in records for name in record}
        self.lower = {name.lower(): name for name in sorted(self.every, reverse=True)}

    def first(self, names: Iterable[str], wanted: type) -> str | None:
        """The first of these fields that most records have and that holds such values; where there is none, one that holds only nulls."""
        empty = None
        for name in names:
            field = self.lower.get(name)
            values = [record[field] for record in self.records if field in record]
            held = [value for value in values if value is not None]
            if 2 * len(values) <= len(self.records) or not all(isinstance(value, wanted) for value in held):
                continue
            if held:
                return field
            empty = empty or field
        return empty

    def texts(self, names: Iterable[str]) -> str | None:
        """The first of these fields that holds text, or lists of one text."""
        for name in names:
            if field := self.first([name], str):
                return field
            if (field := self.first([name], list)) and all(len(record.get(field) or [""]) == 1 for record in self.records):
                return field
        return None

    def unique(self, names: Iterable[str]) -> str | None:
        for name in names:
            field = self.first([name], str) or self.first([name], int)
            if field is not None:
                values = [record.get(field) for record in self.records]
                if None not in values and len(set(values)) == len(values) and not any(isinstance(value, bool) for value in values):
                    return field
        return None


def _shape(form: str, fields: _Fields) -> tuple[dict[str, Any], Kind]:
    """The shape of records of no test set, and the kind of their rows; an empty shape where none is known."""
    if form in ("html", "warc"):
        return {"html": {}}, "cpt"
    if form == "xml":
        return ({"cnxml": {}} if all("<document" in str(record.get("xml"))[:2000] for record in fields.records) else {"jats": {}}), "cpt"
    if turns := fields.first(TURNS, list):
        return _chat(turns, fields), "sft"
    question, answer = fields.texts(QUESTIONS), fields.texts(ANSWERS)
    if question and answer:
        more = [name for name in ("title", "input") if (field := fields.texts([name])) and field != question]
        asked = [*more[:1], question] if more[:1] == ["title"] else [question, *more[:1]]
        return {"qa": _without_defaults({"question": asked if more else question, "answer": answer}, {"question": "question", "answer": "answer"})}, "sft"
    if text := fields.texts(TEXTS):
        return {"text": _without_defaults({"field": text}, {"field": "text"})}, "cpt"
    return {}, "cpt"


def _chat(turns: str, fields: _Fields) -> dict[str, Any]:
    spoken = [turn for record in fields.records for turn in record[turns] or () if isinstance(turn, dict)]
    inner = _Fields(spoken) if spoken else None
    role, text = (inner.texts(ROLES), inner.texts(WORDS)) if inner else (None, None)
    if inner is None or role is None or text is None:
        return {}
    speakers = list(dict.fromkeys(turn[role] for turn in spoken))
    roles = {}
    if set(speakers) - set(KNOWN):
        if len(speakers) != 2:
            return {}
        roles = dict(zip(speakers, ("user", "assistant"), strict=True))  # who speaks first asks
    said: dict[str, Any] = {"messages": turns, "role": role, "text": text, "roles": roles}
    return {"chat": _without_defaults(said, {"messages": "messages", "role": "role", "text": "content", "roles": {}})}


def _item(fields: _Fields) -> tuple[dict[str, Any], str]:
    question = fields.texts((*QUESTIONS, *TEXTS))
    if not question:
        return {}, "item"
    said: dict[str, Any] = {"question": question}
    if options := fields.first(OPTIONS, dict) or fields.first(OPTIONS, list):
        said["options"] = options
    else:
        spelled = ([pattern.format(letter) for letter in letters] for letters in ("abcd", "0123") for pattern in ONE_OPTION)
        said["options"] = next(([fields.lower[one] for one in four] for four in spelled if set(four) <= set(fields.lower)), None)
    said["answer"] = next((fields.lower[name] for name in (*ANSWERS, *ANSWER_KEYS) if name in fields.lower), None)
    return {"item": _without_defaults(said, {"question": "question", "options": None, "answer": "answer"})}, "item"


def _without_defaults(said: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value != defaults.get(name, ...)}


def _or(names: Sequence[str]) -> str:
    return " or ".join(names)
