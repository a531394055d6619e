"""The Chinese thresholds on real text: good prose stays."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tilth.core.batch import Batch
from tilth.core.rows import schema
from tilth.core.steps import Context
from tilth.filters.chinese_quality import ChineseQuality
from tilth.filters.gopher_repetition import GopherRepetition

DATA = Path(os.environ.get("TILTH_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SOURCES = {
    "cpt_raw_mix/cn_laws-00.jsonl.zst": ["text"],
    "cpt_raw_mix/lctt_published-00.jsonl.zst": ["text"],
    "cpt_raw_mix/pingcap_docs_cn-00.jsonl.zst": ["text"],
    "cpt_raw_mix/tcm_ancient_books-00.jsonl.zst": ["text"],
    "cpt_raw_mix/tcm_ancient_books-02.jsonl.zst": ["text"],
    "sft_zh_toyhom_sample/internal_medicine_5000_6000.jsonl.zst": ["ask", "answer"],
    "sft_zh_huatuo_llama/llama_data.jsonl.zst": ["instruction", "output"],
}


def texts(path: str, fields: list[str], count: int = 400) -> list[str]:
    """Some texts of a source, the same ones always."""
    file = DATA / path
    if not file.is_file():
        message = f"{file} is absent: real data beside the project (TILTH_DATA names another place)"
        if "data" in os.environ.get("TILTH_REQUIRE", "").split(","):
            pytest.fail(message)
        pytest.skip(message)
    import zstandard

    with file.open("rb") as opened:
        head = zstandard.ZstdDecompressor().stream_reader(opened).read(6_000_000)
    table = pl.read_ndjson(io.BytesIO(head[: head.rfind(b"\n") + 1]), infer_schema_length=None)
    whole = table.select(text=pl.concat_str(fields, separator="\n", ignore_nulls=True))
    return whole.sample(min(count, len(whole)), seed=1)["text"].to_list()


@pytest.mark.data
@pytest.mark.parametrize("path", SOURCES)
def test_good_prose_stays(path: str) -> None:
    found = texts(path, SOURCES[path])
    same = {name: ["x"] * len(found) for name in ("id", "content_hash", "source", "revision", "license")}
    frame = {**same, "language": ["zh"] * len(found), "parents": [None] * len(found), "text": found}
    rows = Batch(pl.DataFrame(frame, schema=schema("cpt")), "cpt")
    for step in (ChineseQuality(), GopherRepetition()):
        signals = step.measure(rows, Context("cpt", 0, pl.DataFrame())).with_columns(rows.frame["id"])
        gone = step.decide(signals, np.ones(len(rows), bool), None)
        kept = 1 - len(gone) / len(rows)
        assert kept >= 0.95, f"{step.name} keeps {kept:.3f} of {len(rows)}: {gone['rule'].value_counts().to_dicts()}"
