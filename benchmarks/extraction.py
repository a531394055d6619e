"""What extraction finds of what is there: encodings told, main text of pages, articles against texts made by others.

    .venv/bin/python -m benchmarks.extraction --data DIR [--json]

`DIR` holds raw_bytes_encodings, web_html_trafilatura (pages with segments that must and must not be in
the text), warc_samples, xml_raw_samples (with the same articles' plain text in cpt_raw_mix). A part whose data is absent says so.
Prints {encodings: {files, right, …}, html: {precision, recall, …, trafilatura}, warc: {…}, jats: {…}, cnxml: {…}}.
"""

from __future__ import annotations

import argparse
import base64
import json
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from tilth.builders import declared, encodings
from tilth.builders.formats.warc import Warc
from tilth.builders.records import BadRecord, Shape
from tilth.builders.shapes.cnxml import Cnxml
from tilth.builders.shapes.html import Html
from tilth.builders.shapes.jats import Jats

LEGACY = {
    "zh": ("gb18030", "utf-16-le", "utf-16-be"), "zh-Hant": ("big5hkscs", "gb18030"), "de": ("cp1252", "iso8859-15"), "fr": ("cp1252", "iso8859-15"),
    "es": ("cp1252", "iso8859-15"), "pl": ("cp1250", "iso8859-2"), "en": ("cp1252", "utf-16-le", "utf-16-be"),
}  # fmt: skip
"""Language → encodings that it was written in before Unicode; nobody wrote German in Big5."""
LENGTHS = (60, 400, 100_000)
"""Characters of a text that is written in a legacy encoding and told again."""
WORD = re.compile(r"\w+")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    said = parser.parse_args()
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    parts: dict[str, Callable[[Path], dict[str, Any]]] = {
        "encodings": raw_bytes, "transcoded": transcoded, "html": html, "warc": warc, "jats": jats, "cnxml": cnxml,
    }  # fmt: skip
    found: dict[str, Any] = {}
    for name, part in parts.items():
        started = time.process_time()
        try:
            found[name] = {**part(said.data), "seconds": round(time.process_time() - started, 1)}
        except FileNotFoundError as error:
            found[name] = {"reason": f"no {Path(str(error.filename)).name}"}
        if not said.json:
            print(name, json.dumps(found[name], ensure_ascii=False))
    if said.json:
        print(json.dumps(found, ensure_ascii=False))


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Records of a jsonl.zst."""
    with zstandard.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


def raw_bytes(data: Path) -> dict[str, Any]:
    """Files that are not ASCII: Chinese books are GB18030, mail is Windows-1252 (its own headers say iso-8859-1, -15 or nothing)."""
    files = right = 0
    wrong: list[str] = []
    for row in rows(data / "raw_bytes_encodings" / "files.jsonl.zst"):
        raw = base64.b64decode(row["bytes_b64"])
        if raw.isascii():
            continue
        files += 1
        truth = "gb18030" if "TCM" in row["repo"] else "windows-1252"
        found = encodings.detect(raw)
        same = found is not None and raw.decode(found, encodings.HOLES) == raw.decode(truth, encodings.HOLES)
        right += same
        wrong += [] if same else [f"{row['path']}: {found}"]
    return {"files": files, "right": right, "wrong": wrong}


def transcoded(data: Path) -> dict[str, Any]:
    """Real texts written in legacy encodings that hold them and told again, by length and encoding: right / tried, text for text."""
    import opencc
    import py3langid

    texts: list[tuple[str, str]] = []
    to_traditional = opencc.OpenCC("s2t")
    for path in sorted((data / "cpt_raw_mix").glob("*.zst")):
        seen: Counter[str] = Counter()
        for row in rows(path):
            seen[row["source"]] += 1
            if row["lang"] == "zh" and seen[row["source"]] % 400 == 1 and len(row["text"]) > 400:
                texts += [("zh", row["text"]), ("zh-Hant", to_traditional.convert(row["text"]))]
    for number, row in enumerate(rows(data / "web_html_trafilatura" / "pages.jsonl.zst")):
        if number % 3 == 0 and "html" in row and len(words := _plain(row["html"])) > 400:
            texts.append((py3langid.classify(words)[0], words))
    if not texts:
        raise FileNotFoundError(2, "no text", str(data / "cpt_raw_mix"))
    tried: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for language, text in texts:
        for codec in LEGACY.get(language, ()):
            for length in LENGTHS:
                raw = text[:length].encode(codec, "ignore")
                if raw.isascii() and not codec.startswith("utf"):
                    continue
                found = encodings.detect(raw)
                for name in (codec, f"{length} characters"):
                    tried[name] += 1
                    right[name] += found is not None and _same(raw, found, codec)
    return {"texts": len(texts), **{name: f"{right[name]}/{tried[name]}" for name in sorted(tried)}}


def _same(raw: bytes, found: str, codec: str) -> bool:
    try:
        return raw.decode(found, encodings.HOLES) == raw.decode(codec)
    except UnicodeError:
        return False


def _plain(page: str) -> str:
    return " ".join(re.sub(r"(?s)<(script|style).*?</\1>|<!--.*?-->|<[^>]*>", " ", page).split())


def html(data: Path) -> dict[str, Any]:
    """Segments that are in the text and must be (recall) or must not be, against trafilatura called alone on the same bytes."""
    import trafilatura

    ours, alone, failed, pages = Counter[str](), Counter[str](), Counter[str](), 0
    for row in rows(data / "web_html_trafilatura" / "pages.jsonl.zst"):
        if not row["evaldata"]:
            continue
        pages += 1
        raw = row["html"].encode() if "html" in row else base64.b64decode(row["html_b64"])
        try:
            page, _ = encodings.decode_as(raw, "auto", row["path"], declared.in_html(raw))
            text = next(Html().read({"html": page}))[1]["text"]
        except BadRecord as error:
            text = ""
            failed[type(error).__name__] += 1
        ours += _segments(row["evaldata"], text)
        alone += _segments(row["evaldata"], trafilatura.extract(raw, include_comments=False) or "")
    return {
        "pages": pages, **_scores(ours), "failed": dict(failed), "trafilatura": {"version": trafilatura.__version__, **_scores(alone)},
    }  # fmt: skip


def _segments(gold: list[dict[str, Any]], text: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for entry in gold:
        for segment in entry.get("with", []):
            counts["found" if segment in text else "missed"] += 1
        for segment in entry.get("without", []):
            counts["boilerplate" if segment in text else "left_out"] += 1
    return counts


def _scores(counts: Counter[str]) -> dict[str, float]:
    precision = counts["found"] / max(1, counts["found"] + counts["boilerplate"])
    recall = counts["found"] / max(1, counts["found"] + counts["missed"])
    return {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(2 * precision * recall / max(1e-9, precision + recall), 4),
            **{name: counts[name] for name in ("found", "missed", "boilerplate", "left_out")}}  # fmt: skip


def warc(data: Path) -> dict[str, Any]:
    """Records of the archives, and how many become a row."""
    counts: Counter[str] = Counter()
    paths = sorted((data / "warc_samples").glob("*.warc.gz"))
    if not paths:
        raise FileNotFoundError(2, "no archive", str(data / "warc_samples"))
    for path in paths:
        for _, record in Warc().records(path, path.name):
            counts["records"] += 1
            try:
                if isinstance(record, BadRecord):
                    raise record
                next(Html().read(record))
                counts["rows"] += 1
            except BadRecord as error:
                counts[type(error).__name__] += 1
    return dict(counts)


def jats(data: Path) -> dict[str, Any]:
    """Articles against the plain text that others made of them (evidence-inference), with the tables that those hold, and without."""
    return {"with_tables": _articles(data, "nxml", Jats(tables=True)), "without": _articles(data, "nxml", Jats())}


def cnxml(data: Path) -> dict[str, Any]:
    """Modules against the plain text of the same file in cpt_raw_mix."""
    return _articles(data, "cnxml", Cnxml())


def _articles(data: Path, ending: str, shape: Shape) -> dict[str, Any]:
    source = {"nxml": "evidence_inference_pmc", "cnxml": "openstax_anatomy_physiology"}[ending]
    gold = {_key(row["path"]): row["text"] for path in (data / "cpt_raw_mix").glob("*.zst") for row in rows(path) if row["source"] == source}
    recalls, precisions, failed = [], [], Counter[str]()
    licences = total = 0
    for row in rows(data / "xml_raw_samples" / "jats_cnxml.jsonl.zst"):
        if not row["path"].endswith(f".{ending}"):
            continue
        total += 1
        try:
            found, content = next(shape.read({"xml": row["xml"]}))
        except BadRecord as error:
            failed[type(error).__name__] += 1
            continue
        licences += bool((found.get("article") or found.get("module") or {}).get("license"))
        if other := gold.get(_key(row["path"])):
            mine, theirs = Counter(WORD.findall(content["text"].lower())), Counter(WORD.findall(other.lower()))
            common = sum((mine & theirs).values())
            recalls.append(common / max(1, sum(theirs.values())))
            precisions.append(common / max(1, sum(mine.values())))
    mean = {name: round(sum(values) / max(1, len(values)), 4) for name, values in (("words_found", recalls), ("words_shared", precisions))}
    return {"files": total, "compared": len(recalls), **mean, "failed": dict(failed), "licences_told": licences}


def _key(path: str) -> str:
    found = re.search(r"(PMC\d+)|modules/(m\d+)", path)
    return (found[1] or found[2]) if found else path


if __name__ == "__main__":
    main()
