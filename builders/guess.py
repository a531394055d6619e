"""What files that nobody has described seem to hold, by the names of their fields: the entry that a recipe would have for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tilth.builders import hub_source, locking
from tilth.builders.records import BadRecord, Record
from tilth.builders.shapes.chat import KNOWN
from tilth.builders.shapes.choices import key_of, options_of, several_keys
from tilth.core.errors import SourceError
from tilth.core.recipe import CODE, Source
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
ANSWER_KEYS = ("answer_idx", "answerkey", "label", "key", "correct", "cop", "final_decision")
KEYS = ("id", "_id", "qid", "uuid", "key", "doc_id", "pmid")
LICENSES = ("license", "licence")
LANGUAGES = ("language", "lang")
ROLES = ("role", "from", "speaker")
WORDS = ("content", "value", "text", "utterance")


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
        wanted = f"a {_or(QUESTIONS[:3])}" if benchmark else f"a {_or(TEXTS[:2])}, {_or(TURNS[:2])}, or a {_or(QUESTIONS[:2])} with its {_or(ANSWERS[:2])}, its options and key, or chosen and rejected"
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
    prompt = next((fields.lower[name] for name in QUESTIONS if name in fields.lower), None)
    if prompt and {"chosen", "rejected"} <= set(fields.lower):
        said = {"prompt": prompt, "chosen": fields.lower["chosen"], "rejected": fields.lower["rejected"]}
        return {"pair": _without_defaults(said, {name: name for name in said})}, "preference"
    if turns := fields.first(TURNS, list):
        return _chat(turns, fields), "sft"
    question, answer = fields.texts(QUESTIONS), fields.texts(ANSWERS)
    if question and (exam := _exam(question, fields))[0]:
        return exam
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


def _exam(question: str, fields: _Fields) -> tuple[dict[str, Any], Kind]:
    """The shape of questions with options and key, and the kind: pairs of options, or to learn from where there are written answers too."""
    options, answer = _options(fields), fields.texts(ANSWERS)
    if options is None:
        return {}, "sft"
    if not (keys := _keys(question, options, fields)):
        return {}, "sft"
    key, base = next(iter(keys.items()))
    said = {"question": question, "options": options, "answer": key, "base": base}
    if answer and answer not in keys:
        return {"exam": _without_defaults({**said, "reply": answer}, {"question": "question", "options": "options", "answer": "answer", "base": 0})}, "sft"
    several = _several(fields, key, options, base)
    return {"prompt": _without_defaults({**said, "several": several}, {"question": "question", "base": 0, "several": False})}, "preference"


def _keys(question: str, options: str | list[str], fields: _Fields) -> dict[str, int]:
    """The fields that hold keys of the options, each with what the first option's number is."""
    named = [field for name in (*ANSWER_KEYS, *ANSWERS) if (field := fields.lower.get(name)) and field != question]
    # Numbers that fit both ways count from 0: the later base stays.
    return {field: base for field in named for base in (1, 0) if _are_keys(fields, field, options, base)}


def _are_keys(fields: _Fields, field: str, options: str | list[str], base: int) -> bool:
    """Whether a field names options, but for as many records as a release may lose."""
    return sum(_is_key(record, field, options, base) for record in fields.records) >= 0.98 * len(fields.records)


def _several(fields: _Fields, field: str, options: str | list[str], base: int) -> bool:
    """Whether a key names several options."""
    return any(several_keys(record.get(field), options_of(record, options)) for record in fields.records if _is_key(record, field, options, base))


def _is_key(record: Record, field: str, options: str | list[str], base: int) -> bool:
    try:
        return bool(key_of(record.get(field), options_of(record, options), base, several=True))
    except BadRecord:
        return False


def _options(fields: _Fields) -> str | list[str] | None:
    """The field of the options, or the four fields of one each."""
    if options := fields.first(OPTIONS, dict) or fields.first(OPTIONS, list):
        return options
    spelled = ([pattern.format(letter) for letter in letters] for letters in ("abcd", "0123") for pattern in ONE_OPTION)
    return next(([fields.lower[one] for one in four] for four in spelled if set(four) <= set(fields.lower)), None)


def _item(fields: _Fields) -> tuple[dict[str, Any], str]:
    question = fields.texts((*QUESTIONS, *TEXTS))
    if not question:
        return {}, "item"
    options, base = _options(fields), 0
    answer = next((fields.lower[name] for name in (*ANSWERS, *ANSWER_KEYS) if name in fields.lower), None)
    if options:  # an item whose key cannot be read is none: C-Eval's are blank, CMB's name several
        answer, base = next(iter(_keys(question, options, fields).items()), (None, 0))
        answer = None if answer and _several(fields, answer, options, base) else answer
    said = {"question": question, "options": options, "answer": answer, "base": base if answer else 0}
    return {"item": _without_defaults(said, {"question": "question", "options": None, "answer": "answer", "base": 0})}, "item"


def _without_defaults(said: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value != defaults.get(name, ...)}


def _or(names: Sequence[str]) -> str:
    return " or ".join(names)
