"""Labels that reviewers agree on as rows of a bench: UltraMedical's `human`, as a preference source of a recipe reads them."""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from tilth.annotators.question import Item

LABEL_TYPE = "human"
"""UltraMedical's label_type of pairs labelled by people."""


def bench_rows(labels: pl.DataFrame, rows: pl.DataFrame) -> tuple[bytes, int]:
    """jsonl and how many rows it has: prompt, chosen, rejected as messages, with who wrote them and how many reviewers agree.

    `panel_agrees` says whether most of the judges that are models chose the same: false for what UltraMedical's own `human` subset
    holds, null where they are even or none was asked. Ties have no chosen side and are left out.
    """
    items = {item.id: item for item in map(Item.of, rows.iter_rows(named=True))}
    lines = []
    for label in labels.iter_rows(named=True):
        item = items.get(label["row_id"])
        if label["winner"] is None or item is None:
            continue
        texts = dict(zip(item.models, item.texts, strict=True))
        winner = label["winner"]
        [loser] = [candidate for candidate in label["candidates"] if candidate != winner]
        panel = label["panel_winner"]
        line: dict[str, Any] = {
            "id": label["row_id"], "label_type": LABEL_TYPE, "question": label["question"], "prompt": list(item.prompt),
            "chosen": _answer(texts[winner]), "rejected": _answer(texts[loser]), "chosen_model": winner, "rejected_model": loser,
            "reviewers": label["reviewers"], "agreeing": label["agreeing"], "panel_agrees": None if panel is None else panel == winner,
            "language": item.language,
        }  # fmt: skip
        lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    return b"".join(lines), len(lines)


def _answer(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]
