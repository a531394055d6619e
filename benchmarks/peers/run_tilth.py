"""Our side: the peers' tasks through the steps of a recipe, on this Python, with the same clock.

Rows go through the steps in batches of the size that a build takes; then every rule decides, over all rows. Reading shards and
writing sidecars are left out, as the peers' readers and writers are. Reasons are given in the peers' words.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from runner import SETTINGS, FileTask, Row, Task, imports, main, read

from tilth.builders.sweep import batches, edited
from tilth.core.rows import frame
from tilth.core.steps import Context, Step
from tilth.filters import fasttext_models, minhash, simplified
from tilth.filters.c4 import C4
from tilth.filters.decontaminate import Decontaminate
from tilth.filters.dolma_gopher import DolmaGopher
from tilth.filters.fineweb_quality import FineWebQuality
from tilth.filters.gopher_quality import GopherQuality
from tilth.filters.gopher_repetition import GopherRepetition
from tilth.filters.minhash_dedup import MinhashDedup
from tilth.filters.near_dedup import NearDedup
from tilth.filters.nemo_heuristics import NemoHeuristics
from tilth.filters.ngram_overlap import NgramOverlap

REASONS = {
    "short_document": "gopher_short_doc",
    "long_document": "gopher_long_doc",
    "short_words": "gopher_below_avg_threshold",
    "long_words": "gopher_above_avg_threshold",
    "hashes": "gopher_too_many_hashes",
    "ellipses": "gopher_too_many_ellipsis",
    "bullet_lines": "gopher_too_many_bullets",
    "ellipsis_lines": "gopher_too_many_end_ellipsis",
    "few_letters": "gopher_below_alpha_threshold",
    "few_stop_words": "gopher_enough_stop_words",
    "duplicate_paragraphs": "dup_para_frac",
    "duplicate_paragraph_chars": "dup_para_char_frac",
    "duplicate_lines": "dup_line_frac",
    **{f"top_{n}grams": f"top_{n}_gram" for n in (2, 3, 4)},
    **{f"repeated_{n}grams": f"duplicated_{n}_n_grams" for n in range(5, 11)},
    "lorem_ipsum": "lorem_ipsum",
    "curly_bracket": "curly_bracket",
    "few_sentences": "too_few_sentences",
    "no_lines": "empty",
    "few_ended_lines": "line_punct_ratio",
    "short_lines": "short_line_ratio",
    "list": "list_ratio",
    "shared_ngram": "contaminated",
    "shared_band": "minhash",
}
"""Our rule → datatrove's reason."""
NEMO = {
    "other_chars": "alpha_numeric", "symbols": "symbol_to_word", "digits": "numbers_ratio", "urls": "urls_ratio",
    "white_space": "white_space", "brackets": "parentheses_ratio", "boilerplate": "boilerplate_string_ratio",
    "duplicate_lines": "repeated_lines", "duplicate_paragraphs": "repeated_paragraphs", "duplicate_line_chars": "repeated_lines_char",
    "duplicate_paragraph_chars": "repeated_paragraphs_char", "short_document": "word_count", "long_document": "word_count",
    "open_lines": "punctuation", "few_letters": "words_without_alphabets", "few_stop_words": "common_english_words",
    "short_words": "mean_word_length", "long_words": "mean_word_length", "long_word": "max_word_length", "ellipsis_lines": "ellipsis",
    **{f"top_{n}grams": f"repeating_top_{n}grams" for n in (2, 3, 4)},
    **{f"covered_{n}grams": f"repeating_dup_{n}gram" for n in range(5, 11)}, "bullet_lines": "bullet_ratio",
}  # fmt: skip
"""Our rule → NeMo Curator's filter."""
OURS = {
    "top_n_grams": "max_top_ngram_shares", "dup_n_grams": "max_repeated_ngram_shares", "min_doc_words": "min_words",
    "min_avg_word_length": "min_mean_word_length", "min_stop_words": "min_stop_words", "max_non_alpha_words_ratio": "min_alpha_word_share",
    "line_punct_thr": "min_ended_line_share", "short_line_length": "short_line", "char_duplicates_ratio": "max_duplicate_line_char_share",
}  # fmt: skip
"""datatrove's threshold → ours."""
DOLMA = {
    "num_words": "word_count", "median_word_length": "median_word_length", "symbol_ratio": "symbol_to_word_ratio",
    "alpha_word_share": "fraction_of_words_with_alpha_character", "num_stop_words": "required_word_count",
    "bullet_line_share": "fraction_of_lines_starting_with_bullet_point", "ellipsis_line_share": "fraction_of_lines_ending_with_ellipsis",
    "duplicate_line_share": "fraction_of_duplicate_lines", "duplicate_line_char_share": "fraction_of_characters_in_duplicate_lines",
    **{f"top_{n}gram_share": f"fraction_of_characters_in_most_common_{n}grams" for n in (2, 3, 4)},
    **{f"shared_{n}gram_share": f"fraction_of_characters_in_duplicate_{n}grams" for n in range(5, 11)},
}  # fmt: skip
"""Our signal → dolma's attribute."""
OF_STEP = {
    "gopher_repetition": {"duplicate_line_chars": "dup_line_char_frac"},
    "fineweb_quality": {"duplicate_line_chars": "char_dup_ratio"},
    "nemo_heuristics": NEMO,
}
"""Where a step's reasons are others."""
STEPS = {"fineweb_quality": "fineweb", "ngram_overlap": "decontamination", "minhash_dedup": "minhash"}
"""Our step → the peers' runner's name for it, where it is another."""


class Steps(Task):
    """A chain of steps over documents, then their decisions."""

    def __init__(self, said: argparse.Namespace) -> None:
        super().__init__(said)
        questions = read(said.questions) if said.questions else []
        items = {
            "benchmark": [row["benchmark"] for row in questions],
            "item": [row["id"] for row in questions],
            "question": [row["question"] for row in questions],
            "options": [[] for _ in questions],
            "answer": [None for _ in questions],
        }
        types = {"benchmark": pl.String, "item": pl.String, "question": pl.String, "options": pl.List(pl.String), "answer": pl.String}
        self.context = Context("cpt", 0, pl.DataFrame(items, schema=types))
        self.steps = self.chain()

    def chain(self) -> list[Step]:
        """The steps, in order."""
        raise NotImplementedError

    def work(self, documents: list[Row]) -> Any:
        frame = rows(documents, "zh" if self.said.language == "chinese" or self.said.task == "chinese_chain" else "en")
        measured: list[list[pl.DataFrame]] = [[] for _ in self.steps]
        texts = []
        for batch, _ in batches(frame, "cpt"):
            for place, step in enumerate(self.steps):
                batch = edited(step, batch)
                measured[place].append(step.measure(batch, self.context))
            texts.append(batch.texts)
        alive = np.ones(frame.height, bool)
        fates: list[tuple[str, pl.DataFrame]] = []
        for step, parts in zip(self.steps, measured, strict=True):
            signals = pl.concat(parts).with_columns(frame["id"], frame["source"])
            edges = step.link(signals, lambda places: []) if step.does("link") else None
            gone = step.decide(signals, alive, edges)
            alive[gone["index"].to_numpy()] = False
            fates.append((step.name, gone))
        return alive, fates, texts

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        alive, fates, texts = result
        decided: list[Row] = [{"id": row["id"], "kept": bool(kept), "step": None, "reason": None} for row, kept in zip(documents, alive, strict=True)]
        for name, gone in fates:
            for place, rule in zip(gone["index"], gone["rule"], strict=True):
                reason = OF_STEP.get(name, {}).get(rule, REASONS.get(rule, rule))
                decided[place] |= {"step": STEPS.get(name, name), "reason": reason}
        for row, text in zip(decided, pl.concat(texts), strict=True):
            if row["kept"] or row["step"] == "minhash":
                row["text_hash"] = hashlib.sha256(text.encode()).hexdigest()[:16]
        return decided


def rows(documents: list[Row], language: str) -> pl.DataFrame:
    """Rows of a CPT corpus."""
    said = {name: [row.get(name, "x") for row in documents] for name in ("id", "source", "text")}
    same = {name: ["x"] * len(documents) for name in ("content_hash", "revision", "license")}
    return frame("cpt", **said, **same, language=[language] * len(documents))


class EnglishChain(Steps):
    """datatrove's blocks in its order, with spaCy's words."""

    def chain(self) -> list[Step]:
        return [
            GopherRepetition(words="spacy"),
            GopherQuality(words="spacy", alpha_share_of="tokens"),
            C4(sentences="spacy"),
            FineWebQuality(words="spacy"),
            NgramOverlap(ngram=SETTINGS["decontamination"]["n_grams"], words="spacy"),
            MinhashDedup(words="spacy"),
        ]


class ChineseChain(Steps):
    """datatrove's blocks with jieba's words; `--relaxed` keeps what `settings.json` says."""

    def chain(self) -> list[Step]:
        said = SETTINGS["relaxed" if self.said.relaxed else "stock"]
        repetition, quality, fineweb = (_ours(said.get(block, {})) for block in ("gopher_repetition", "gopher_quality", "fineweb"))
        return [
            GopherRepetition.model_validate({"words": "jieba", **repetition}, strict=False),
            GopherQuality.model_validate({"words": "jieba", "alpha_share_of": "tokens", **quality}, strict=False),
            FineWebQuality.model_validate({"words": "jieba", **fineweb}, strict=False),
            NgramOverlap(ngram=SETTINGS["decontamination"]["n_grams"], words="jieba"),
            MinhashDedup(words="jieba"),
        ]


def _ours(said: Row) -> Row:
    """datatrove's thresholds by our names; of its (n, share) pairs the shares."""
    return {OURS[name]: [share for _, share in value] if isinstance(value, list) else value for name, value in said.items()}


class Heuristics(Steps):
    """NeMo Curator's heuristics."""

    def chain(self) -> list[Step]:
        return [NemoHeuristics()]


class GopherV1(Steps):
    """Dolma's attributes, rounded as its `tag` rounds them; it decides nothing."""

    def chain(self) -> list[Step]:
        return [DolmaGopher()]

    def work(self, documents: list[Row]) -> Any:
        return pl.concat([self.steps[0].measure(batch, self.context) for batch, _ in batches(rows(documents, "en"), "cpt")])

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        said = result.rename(DOLMA).to_dicts()
        found = [{name: round(value, 5) for name, value in one.items() if value is not None} for one in said]
        return [{"id": row["id"], "kept": True, "reason": None, "attributes": one} for row, one in zip(documents, found, strict=True)]


class Decontamination(Steps):
    """Our own decontamination, as a recipe has it."""

    def chain(self) -> list[Step]:
        return [Decontaminate()]


class MinHash(Task):
    """Signatures that are datatrove's bit for bit: a row of OUT's `.npy` for every document that has a shingle."""

    def work(self, documents: list[Row]) -> Any:
        found = []
        words = "jieba" if self.said.language == "chinese" else "spacy"
        for batch, _ in batches(rows(documents, "en"), "cpt"):
            hashes, offsets = simplified.ngram_hashes(simplified.tokens(batch, words), SETTINGS["minhash"]["n_grams"])
            width = SETTINGS["minhash"]["num_buckets"] * SETTINGS["minhash"]["hashes_per_bucket"]
            found.append((minhash.datatrove_signatures(hashes, offsets, width), np.diff(offsets) > 0))
        return np.concatenate([one for one, _ in found]), np.concatenate([full for _, full in found])

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        signatures, full = result
        np.save(self.said.output.with_suffix(".npy"), signatures[full])
        place = np.cumsum(full) - 1
        return [
            {"id": row["id"], "kept": True, "reason": None, "signature": int(place[i]) if full[i] else None} for i, row in enumerate(documents)
        ]


class OwnMinHash(Steps):
    """Signatures by our own definition."""

    def chain(self) -> list[Step]:
        return [NearDedup(bands=14, rows=8)]

    def work(self, documents: list[Row]) -> Any:
        return pl.concat([self.steps[0].measure(batch, self.context) for batch, _ in batches(rows(documents, "en"), "cpt")])

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        return [{"id": row["id"], "kept": True, "reason": None} for row in documents]


class LanguageId(Task):
    """A fastText model by our own kernel, over the texts as a column."""

    def __init__(self, said: argparse.Namespace) -> None:
        super().__init__(said)
        self.model = fasttext_models.load(said.model)

    def work(self, documents: list[Row]) -> Any:
        return self.model.best(pl.Series([row["text"] for row in documents]))

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        return [{"id": row["id"], "kept": True, "reason": None, "label": label, "score": score} for row, label, score in zip(documents, *result, strict=True)]


class ReadWrite(FileTask):
    """The records of a file as a build reads them, put into columns and written, .jsonl.zst or .parquet by the names of the files."""

    def work(self, source: Path, target: Path) -> int:
        from tilth.builders.formats.jsonl import Jsonl
        from tilth.builders.formats.parquet import ParquetFormat

        form = ParquetFormat() if source.suffix == ".parquet" else Jsonl()
        columns: dict[str, list[Any]] = {name: [] for name in ("id", "text", "source")}
        for _, record in form.records(source, source.name):
            for name, column in columns.items():
                column.append(record[name])  # type: ignore[index]
        frame = pl.DataFrame(columns)
        compression = SETTINGS["read_write"]["compression"]
        if target.suffix == ".parquet":
            frame.write_parquet(target, compression=compression)
        else:
            frame.write_ndjson(target, compression=compression)
        return frame.height


TASKS: dict[str, type[Task | FileTask]] = {
    "english_chain": EnglishChain,
    "chinese_chain": ChineseChain,
    "heuristics": Heuristics,
    "gopher_v1": GopherV1,
    "decontamination": Decontamination,
    "minhash": MinHash,
    "minhash_own": OwnMinHash,
    "language_id": LanguageId,
    "read_write": ReadWrite,
}

if __name__ == "__main__":
    main("tilth", TASKS, lambda: imports("tilth"))
