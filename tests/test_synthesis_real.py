"""`answers` over MedMCQA, answered by a server that replays what GPT-3.5 and GPT-4 really said (MIRAGE), a try at a time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from test_annotators_loopback import Loopback, loopback
from test_synthesis import assert_right, fates, made, model, outcomes

from tilth.annotators.answers import verdict
from tilth.builders.draws import written_of
from tilth.builders.makers.answers import Answers
from tilth.builders.shapes.choices import LABELS, asked
from tilth.core.rows import conversation, frame

pytestmark = pytest.mark.data
__all__ = ["loopback"]
TRIES = (("cot", "gpt-35-turbo-16k"), ("rag_32", "gpt-35-turbo-16k"), ("cot", "gpt-4-32k"))


def replayed(data: Path, server: Loopback, most: int) -> tuple[pl.DataFrame, dict[str, list[str]]]:
    """MedMCQA questions that wait for their answer, and what is said of each at each try; the server says it."""
    items = pl.read_ndjson(data / "bench_medmcqa_dev" / "dev.jsonl.zst").unique("question", keep="first", maintain_order=True).head(most)
    said = pl.read_ndjson(data / "pref_mirage_completions_a" / "predictions.jsonl.zst").filter(pl.col("dataset") == "medmcqa")
    of = {(row["setting"], row["model"], row["id"]): next(iter(row["predictions"]), "") for row in said.iter_rows(named=True)}
    rows, replies = [], {}
    for item in items.iter_rows(named=True):
        options = [{"label": LABELS[place], "text": item[f"op{letter}"]} for place, letter in enumerate("abcd")]
        text = asked(item["question"], options)
        rows.append({"id": item["id"], "messages": conversation([("user", text)]), "options": options, "answer": LABELS[int(item["cop"]) - 1]})
        replies[text] = [of[(*one, item["id"])] for one in TRIES]

    tries: Counter[str] = Counter()

    def text(prompt: str) -> str:
        tries[prompt] += 1
        return replies[prompt][tries[prompt] - 1]

    server.text = text
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return frame("sft", **columns, source=["medmcqa"] * len(rows), language=["en"] * len(rows)), replies


@pytest.mark.parametrize("most", [150, pytest.param(4183, marks=pytest.mark.slow)])
def test_real_answers_pass_only_where_they_choose_the_key(data: Path, loopback: Loopback, most: int) -> None:
    """Of all 4,183 the first try gets 2,206 right, the others 618 and 493 more; 866 go, and none passes that misses its key."""
    rows, replies = replayed(data, loopback, most)
    done = made(Answers(model=model(loopback), retries=2, examples=3), rows)
    assert_right(done)
    expected, first = set(), set()
    for row in rows.iter_rows(named=True):
        labels, options = ([one[part] for one in row["options"]] for part in ("label", "text"))
        right = [verdict(text, labels, options).label == row["answer"] for text in replies[row["messages"][-1]["content"]]]
        expected |= {row["id"]} if any(right) else set()
        first |= {row["id"]} if right[0] else set()
    assert set(done.rows["id"]) == expected > first
    tries = {row["id"]: written_of(row)["answers"]["tries"] for row in done.rows.iter_rows(named=True)}
    assert {identity for identity, count in tries.items() if count == 1} == first
    assert sum(entry["outcomes"]["ok"] for entry in done.writers) == done.rows.height
    assert set(done.fates["rule"]) <= {"wrong_key", "no_verdict", "missing"} and done.rows.height + done.fates.height == rows.height
    if most == 4183:
        assert [said["ok"] for said in outcomes(done).values()] == [2206, 618, 493]
        assert fates(done) == {"wrong_key": 738, "no_verdict": 128}
