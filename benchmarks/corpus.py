"""What the filter benchmarks read: real documents of one language with leaks and copies planted in them, and the questions.

    .venv/bin/python -m benchmarks.corpus --data DIR --language english --output DOCS.jsonl [--questions FILE] [--at-least N] [--sample]

`DIR` holds folders of `*.jsonl.zst` (or `.jsonl`): `cpt_*` with documents (`text`), `sft_*` with records of several texts,
`dup_*` with near-duplicates (`text`), `bench_*` with benchmark items (`question`, in any case). Documents are taken from
the first of these kinds that there are enough in, the smaller sources whole and the larger ones by an equal number each,
chosen by the hash of their ids: no source makes the corpus alone, and a row more elsewhere moves none of these. Of long
documents the beginning is taken. Prints
{documents, bytes, sources, copies, leaks, short} of what was written; `short` is true where the folder held fewer than asked.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import zstandard

Language = Literal["english", "chinese"]
CODES: dict[str, Language] = {"en": "english", "zh": "chinese"}
KINDS = ("cpt_*", "sft_*", "dup_*")
TEXT_FIELDS = ("instruction", "input", "output", "Question", "Answer", "title", "ask", "answer", "dialogue", "section_text", "text")
AT_LEAST = 20_000
LONGEST = {"english": 5000, "chinese": 2000}
"""Characters of a document that are taken: with whole articles the peers would take an hour for what these show in minutes."""
LEAK_STRIDE, COPY_STRIDE, SAMPLE_STRIDE = 50, 33, 20
"""One document in so many holds a question, has a copy, is in the sample."""
EDIT_STRIDE = 100
"""A copy lacks one word (one Han character) in so many: about 0.9 of its 5-shingles stay."""
LEAST_QUESTION = {"english": 13, "chinese": 20}
"""Words or characters of a question that is planted: shorter ones no n-gram of a peer could find."""
HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
WORD = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]|[^\\W\u3400-\u4dbf\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Document:
    """A text of a source; `copy_of` and `leak` say what was planted: the id of a document, the id of a question."""

    id: str
    text: str
    source: str
    copy_of: str | None = None
    leak: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A benchmark item's question, alone."""

    id: str
    benchmark: str
    question: str


def documents(data: Path, language: Language, at_least: int = AT_LEAST) -> list[Document]:
    """That many real documents (all, where there are fewer), one in 50 with a question appended, and a copy of one in 33.

    Ids are unique. The order is that of the ids' hashes: sources are mixed, and a copy may stand before its original.
    """
    chosen: list[Document] = []
    for kind in KINDS:
        if (missing := at_least - len(chosen)) > 0:
            chosen += _share_out(_documents_of(data, kind, language), missing)
    leaked = _leak(chosen, [one for one in questions(data, language) if _length(one.question) >= LEAST_QUESTION[language]])
    copies = [_copy(one) for one in leaked if _hash("copy", one.id) % COPY_STRIDE == 0]
    return sorted(leaked + copies, key=lambda one: _hash("order", one.id))


def questions(data: Path, language: Language) -> list[Question]:
    """Every question of the benchmarks of that language, each text once, in the order of the folders."""
    found: dict[str, Question] = {}
    for folder in sorted(data.glob("bench_*")):
        for place, record in enumerate(_records(folder)):
            text = next((value for name, value in record.items() if name.lower() == "question" and isinstance(value, str)), "").strip()
            if text and _language(text) == language:
                found.setdefault(text, Question(f"{folder.name}:{place}", folder.name, text))
    return list(found.values())


def sample(rows: Iterable[Document]) -> list[Document]:
    """A fixed one in 20 by the hash of the id; a copy goes where its original goes."""
    return [one for one in rows if _hash("sample", one.copy_of or one.id) % SAMPLE_STRIDE == 0]


def write(path: Path, rows: Sequence[Document | Question]) -> None:
    """JSON Lines as the runners read them: {id, text, source}, or {id, benchmark, question}."""
    with path.open("w", encoding="utf-8") as file:
        for one in rows:
            names = ("id", "text", "source") if isinstance(one, Document) else ("id", "benchmark", "question")
            file.write(json.dumps({name: getattr(one, name) for name in names}, ensure_ascii=False) + "\n")


def facts(rows: Sequence[Document], at_least: int = AT_LEAST) -> dict[str, Any]:
    """What there is: {documents, bytes, sources, copies, leaks, short}; `bytes` are those of the texts in UTF-8."""
    originals = sum(one.copy_of is None for one in rows)
    return {
        "documents": len(rows),
        "bytes": sum(len(one.text.encode()) for one in rows),
        "sources": dict(sorted(Counter(one.source for one in rows).items())),
        "copies": len(rows) - originals,
        "leaks": sum(one.leak is not None for one in rows),
        "short": originals < at_least,
    }


def _documents_of(data: Path, kind: str, language: Language) -> dict[str, list[Document]]:
    """Source → its documents of that language; the folder is part of the id, the place where a record has no id of its own."""
    found: dict[str, list[Document]] = {}
    for folder in sorted(data.glob(kind)):
        told = next((name for code, name in CODES.items() if f"_{code}_" in f"{folder.name}_"), None)
        for place, record in enumerate(_records(folder)):
            text = record.get("text") if kind != "sft_*" else "\n".join(_strings(record))
            if not isinstance(text, str) or not text.strip():
                continue
            lang = record.get("lang")
            said = CODES.get(lang[:2]) if isinstance(lang, str) else told or _language(text)
            if said == language:
                source = str(record.get("source") or folder.name) if kind == "cpt_*" else folder.name
                found.setdefault(source, []).append(Document(f"{folder.name}:{place}", _clean(text)[: LONGEST[language]], source))
    return found


def _strings(record: dict[str, Any]) -> list[str]:
    return [record[name] for name in TEXT_FIELDS if isinstance(record.get(name), str) and record[name].strip()]


def _share_out(sources: dict[str, list[Document]], wanted: int) -> list[Document]:
    """Equal numbers of every source, the whole of those that have fewer; the rest of the division goes to the first."""
    chosen: list[Document] = []
    waiting = sorted(sources.items(), key=lambda one: (len(one[1]), one[0]))
    for place, (_, rows) in enumerate(waiting):
        share = -(-(wanted - len(chosen)) // (len(waiting) - place))
        chosen += sorted(rows, key=lambda one: _hash("choice", one.id))[: max(share, 0)]
    return chosen


def _leak(rows: list[Document], asked: list[Question]) -> list[Document]:
    """The question as a paragraph of its own at the end of one document in 50."""
    if not asked:
        return rows
    leaked = []
    for one in rows:
        if _hash("leak", one.id) % LEAK_STRIDE == 0:
            question = asked[_hash("question", one.id) % len(asked)]
            one = replace(one, text=f"{one.text}\n\n{question.question}\n", leak=question.id)
        leaked.append(one)
    return leaked


def _copy(one: Document) -> Document:
    """Without every hundredth word or Han character, counted from a place that the id gives."""
    first = _hash("edit", one.id) % EDIT_STRIDE
    kept, end = [], 0
    for place, match in enumerate(WORD.finditer(one.text)):
        if place % EDIT_STRIDE == first:
            kept.append(one.text[end : match.start()])
            end = match.end()
    return replace(one, id=f"{one.id}~copy", text="".join([*kept, one.text[end:]]), copy_of=one.id)


def _records(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl*")):
        if path.suffix in (".jsonl", ".zst"):
            yield from records(path)


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a `.jsonl` or `.jsonl.zst` file."""
    with path.open("rb") as raw:
        plain = zstandard.ZstdDecompressor().stream_reader(raw) if path.suffix == ".zst" else raw
        for line in io.TextIOWrapper(plain, encoding="utf-8"):
            if line.strip() and isinstance(record := json.loads(line), dict):
                yield record


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # JSON may hold half a surrogate pair, which no encoder takes


def _language(text: str) -> Language | None:
    """By the share of Han among the letters of the beginning: a third or more, or less than a tenth and mostly ASCII."""
    letters = [char for char in text[:2000] if char.isalpha()]
    han = len(HAN.findall("".join(letters)))
    if 3 * han >= max(len(letters), 1):
        return "chinese"
    return "english" if 10 * han < len(letters) and sum(map(str.isascii, letters)) > 0.95 * len(letters) else None


def _length(question: str) -> int:
    return len(WORD.findall(question))


def _hash(purpose: str, name: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{purpose}\0{name}".encode("utf-8", "replace"), digest_size=8).digest(), "big")


def main() -> None:
    """Write one corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--language", choices=sorted(CODES.values()), required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--questions", type=Path, help="write the questions there")
    parser.add_argument("--at-least", type=int, default=AT_LEAST)
    parser.add_argument("--sample", action="store_true", help="only the one in 20 that the peers get")
    said = parser.parse_args()
    rows = documents(said.data, said.language, said.at_least)
    found = facts(rows, said.at_least)
    if said.sample:
        rows = sample(rows)
        found = {**facts(rows, 0), "short": found["short"]}
    write(said.output, rows)
    if said.questions:
        write(said.questions, questions(said.data, said.language))
    print(json.dumps(found, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
