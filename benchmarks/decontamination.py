"""What decontamination finds and what it flags wrongly, on any folder with the layout of the real data.

`python -m benchmarks.decontamination --data DIR [--items N] [--json]`

- recall: items of all `bench_*` folders planted into documents of `cpt_raw_mix*`, by language, edit, place, length and
  whether the options come along; found means that this item drops the row, with its evidence inside what was planted.
- precision: the documents as they are (all of them), with the verdicts of `decontamination_checked.json` on the rows flagged;
  and with one planted leak for every hundred documents.
- rephrased: `decon_llm_decontaminator`, in `benchmarks.rephrased`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.exam_items import items, records
from tilth.core.batch import Batch
from tilth.core.steps import Context
from tilth.filters import planting
from tilth.filters.decontaminate import Decontaminate

CHECKED = Path(__file__).with_name("decontamination_checked.json")
EXCERPT = 3000
"""Characters of a document that an item is planted into."""
MANY = 1000
"""Documents measured at once."""
SHORT_WORDS, SHORT_CHARACTERS = 13, 20


def documents(data: Path) -> Iterator[tuple[str, str, str, str]]:
    """(id, source, language, text) of all `cpt_raw_mix*` folders."""
    for path in sorted(data.glob("cpt_raw_mix*/*.jsonl.zst")):
        for row in records(path):
            yield row["id"], row["source"], row["lang"], row["text"]


def dropped(step: Decontaminate, texts: list[str], found: pl.DataFrame, sources: list[str] | None = None) -> list[dict[str, Any]]:
    """The hits that drop rows (columns of `Decontaminate.counted`), best first in a row."""
    context = Context("cpt", 0, found)
    parts = []
    for first in range(0, len(texts), MANY):
        batch = Batch(pl.DataFrame({"text": texts[first : first + MANY]}, schema={"text": pl.String}), "cpt")
        parts.append(step.measure(batch, context))
    signals = pl.concat(parts).with_columns(source=pl.Series(sources or [""] * len(texts), dtype=pl.String))
    return step.counted(signals, np.ones(len(texts), bool)).filter("drops").to_dicts()


def is_short(question: str, chinese: bool) -> bool:
    """Under 13 words; a Chinese word is about 1.6 characters."""
    return len(question) < SHORT_CHARACTERS if chinese else len(question.split()) < SHORT_WORDS


def is_chinese(text: str) -> bool:
    """Whether most of the letters are Han."""
    letters = [char for char in text if char.isalpha()]
    return 2 * sum("\u3400" <= char <= "\u9fff" for char in letters) > len(letters)


def jieba_words_dropped(text: str, draw: random.Random) -> str:
    """Chinese with one word in ten gone, words by jieba."""
    import jieba

    jieba.setLogLevel(60)
    return "".join(word for word in jieba.cut(text) if not word.strip() or draw.random() >= planting.DROPPED)


def recall(
    every: pl.DataFrame, chosen: pl.DataFrame, texts: dict[bool, list[str]], step: Decontaminate, seed: int = 0,
    edits: Sequence[str] = (*planting.EDITS, "jieba_words_dropped"),
) -> list[dict[str, Any]]:
    """One cell for each (language, edit, place, options, length): {…, items, recall}. `texts`: whether Chinese → documents.

    The items `chosen` are planted, one in a document, and looked for among `every` item.
    """
    cells: list[dict[str, Any]] = []
    for edit in edits:
        for place in planting.PLACES:
            for with_options in (False, True):
                if not with_options and edit == "options_shuffled":
                    continue
                cells += _cells(every, chosen, texts, step, edit, place, with_options, seed)
    return cells


def _cells(
    every: pl.DataFrame, chosen: pl.DataFrame, texts: dict[bool, list[str]], step: Decontaminate, edit: str, place: str,
    with_options: bool, seed: int,
) -> list[dict[str, Any]]:
    draw = random.Random(f"{seed}-{edit}-{place}-{with_options}")
    planted, about = [], []
    for row in chosen.iter_rows(named=True):
        chinese = is_chinese(row["question"])
        if (with_options and not row["options"]) or (edit == "jieba_words_dropped" and not chinese):
            continue
        options = row["options"] if with_options else []
        separator = "\n" if place == "line" else " "
        if edit == "jieba_words_dropped":
            asked = jieba_words_dropped(row["question"], draw)
            body = planting.leak(asked, [jieba_words_dropped(option, draw) for option in options], "verbatim", draw, separator)
        else:
            body = planting.leak(row["question"], options, edit, draw, separator)
        text = draw.choice(texts[chinese])
        planted.append(planting.PLACES[place](text[:EXCERPT], body, draw))
        about.append((row["benchmark"], row["item"], chinese, is_short(row["question"], chinese)))
    hits = {
        (hit["index"], hit["benchmark"], hit["item"]): (hit["start"], hit["end"])
        for hit in dropped(step, [one.text for one in planted], every)
    }
    counts: dict[tuple[bool, bool], list[bool]] = {}
    for number, (one, (benchmark, item, chinese, short)) in enumerate(zip(planted, about, strict=True)):
        where = hits.get((number, benchmark, item))
        inside = where is not None and one.start <= where[0] and where[1] <= one.end
        counts.setdefault((chinese, short), []).append(inside)
    return [
        {
            "language": "zh" if chinese else "en", "edit": edit, "place": place, "options": with_options,
            "length": "short" if short else "long", "items": len(good), "recall": round(float(np.mean(good)), 4),
        }
        for (chinese, short), good in sorted(counts.items())
    ]  # fmt: skip


def summed(cells: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    """Recall over the cells with these values (a tuple: any of them), weighted by their items: {items, recall}."""
    mine = [
        cell
        for cell in cells
        if all(cell[key] in (value if isinstance(value, tuple) else (value,)) for key, value in wanted.items())
    ]
    count = sum(cell["items"] for cell in mine)
    return {"items": count, "recall": round(sum(cell["items"] * cell["recall"] for cell in mine) / count, 4) if count else None}


def targets(cells: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The figures that are asked for, from the cells of `recall`: name → {items, recall, target}."""
    light = (*(edit for edit in planting.EDITS if edit != "verbatim"), "jieba_words_dropped")
    asked: dict[str, tuple[float, dict[str, Any]]] = {}
    for language in ("en", "zh"):
        asked[f"verbatim_{language}"] = 0.99, {"language": language, "edit": "verbatim"}
        asked[f"light_edits_{language}"] = 0.95, {"language": language, "edit": light}
        asked[f"words_dropped_{language}"] = 0.95, {"language": language, "edit": "words_dropped"}
        asked[f"short_{language}"] = 0.98, {"language": language, "edit": "verbatim", "length": "short"}
    asked["jieba_words_dropped_zh"] = 0.95, {"language": "zh", "edit": "jieba_words_dropped"}
    return {name: {**summed(cells, **wanted), "target": target} for name, (target, wanted) in asked.items()}


def precision(data: Path, found: pl.DataFrame, step: Decontaminate) -> dict[str, Any]:
    """Rows of the documents that are flagged with nothing planted, each with its verdict where there is one, and how many
    of the flagged are leaks when one leak stands in every hundredth document beside.

    `rows_flagged` lists them; `precision_with_leaks` counts a flagged document without a planted leak as wrong, whatever it
    holds, unless its verdict says that it is a leak.
    """
    ids, sources, _, texts = (list(column) for column in zip(*documents(data), strict=True))
    questions = {(row["benchmark"], row["item"]): row["question"] for row in found.iter_rows(named=True)}
    verdicts = {(row["id"], row["item"]): row for row in json.loads(CHECKED.read_text())} if CHECKED.is_file() else {}
    flagged, seen = [], set()
    for hit in dropped(step, texts, found, sources):
        if hit["index"] in seen:
            continue
        seen.add(hit["index"])
        item = f"{hit['benchmark']}/{hit['item']}"
        said = verdicts.get((ids[hit["index"]], item), {})
        flagged.append(
            {
                "id": ids[hit["index"]], "source": sources[hit["index"]], "item": item, "how": hit["how"],
                "coverage": hit["coverage"], "span": _short(hit["span"]),
                "question": _short(questions[hit["benchmark"], hit["item"]]),
                "verdict": said.get("verdict"), "reason": said.get("reason"),
            }
        )  # fmt: skip
    leaks = sum(row["verdict"] == "leak" for row in flagged)
    wrong = len(flagged) - leaks
    planted = len(texts) // 100
    return {
        "rows": len(texts), "flagged": len(flagged), "leaks": leaks, "unchecked": sum(row["verdict"] is None for row in flagged),
        "planted": planted, "precision_with_leaks": round((planted + leaks) / (planted + leaks + wrong), 4) if planted else None,
        "rows_flagged": flagged,
    }  # fmt: skip


def _short(text: str) -> str:
    """At most 12 words, or 24 characters of a text without spaces."""
    words = text.split()
    return " ".join(words[:12]) if len(words) > 3 else text.replace("\n", " ")[:24]


def measure(data: Path, sample: int | None, step: Decontaminate | None = None) -> dict[str, Any]:
    """All figures of this page: {items, recall: cells, targets, precision}."""
    step = step or Decontaminate()
    every = items(data)
    texts: dict[bool, list[str]] = {True: [], False: []}
    for _, _, language, text in documents(data):
        if len(text) > 400 and len(texts[language == "zh"]) < 4000:
            texts[language == "zh"].append(text)
    chosen = every if sample is None or sample >= every.height else every.sample(sample, seed=1)
    planted_into = {chinese: random.Random(5).sample(found, min(300, len(found))) for chinese, found in texts.items()}
    cells = recall(every, chosen, planted_into, step)
    return {"items": every.height, "planted": chosen.height, "recall": cells, "targets": targets(cells), "precision": precision(data, every, step)}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="benchmarks.decontamination")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--items", type=int, help="items to plant, drawn from all; left out: all")
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args()
    figures = measure(said.data, said.items)
    if said.json:
        json.dump(figures, sys.stdout, ensure_ascii=False, indent=1)
        print()
        return
    for cell in figures["recall"]:
        kind = f"{cell['language']} {cell['edit']:22} {cell['place']:9} {'options' if cell['options'] else 'question':9} {cell['length']}"
        print(f"{kind:62} {cell['recall']:.4f} of {cell['items']}")
    for name, figure in figures["targets"].items():
        print(f"{name:20} {figure['recall']} of {figure['items']}; asked: {figure['target']}")
    flagged = {key: value for key, value in figures["precision"].items() if key != "rows_flagged"}
    print(flagged)
    for row in figures["precision"]["rows_flagged"]:
        print(row)


if __name__ == "__main__":
    main()
