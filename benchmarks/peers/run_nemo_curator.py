"""NeMo Curator's heuristic filters for English, as the recipe in its wheel lists them, on whitespace words.

`heuristics` is that recipe: every filter in its order over the documents still there; the reason is the first that drops.
`heuristics_scores` asks all filters about every document. Ray and the readers and writers are left out, in its favour.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from runner import Row, Task, bare_package, imports, main

RECIPE = "config/text/heuristic_filter_english_pipeline.yaml"


def load() -> Path:
    """Import the filters' modules; the package's folder. `nemo_curator` itself imports its cluster, `filters` its stages."""
    package = bare_package("nemo_curator")
    for name in ("stages", "stages.text", "stages.text.filters", "stages.text.utils"):
        bare_package(f"nemo_curator.{name}")
    imports(*(f"nemo_curator.stages.text.filters.heuristic.{name}" for name in ("string", "repetition")))
    return Path(package.__path__[0])


class Scores(Task):
    """Every filter on every document: {scores}; a score is None where the filter fails on a document without words or lines."""

    def __init__(self, said: argparse.Namespace) -> None:
        super().__init__(said)
        self.filters = filters(load())

    def work(self, documents: list[Row]) -> Any:
        return [{name: self._ask(one, row["text"]) for name, one in self.filters.items()} for row in documents]

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        decided = []
        for row, scores in zip(documents, result, strict=True):
            failing = [name for name, (_, keep) in scores.items() if not keep]
            said = {name: score for name, (score, _) in scores.items()}
            decided.append({"id": row["id"], "kept": not failing, "reason": next(iter(failing), None), "failing": failing, "scores": said})
        return decided

    def _ask(self, one: Any, text: str) -> tuple[float | None, bool]:
        try:
            score = one.score_document(text)
        except (ZeroDivisionError, ValueError):
            return None, False
        return score, bool(one.keep_document(score))


class Chain(Scores):
    """Filter after filter, as `ScoreFilter` stages in a pipeline: {score} of the filter that dropped it."""

    def work(self, documents: list[Row]) -> Any:
        fates: dict[str, tuple[str, float]] = {}
        for name, one in self.filters.items():
            scores = [one.score_document(row["text"]) for row in documents]
            keep = [one.keep_document(score) for score in scores]
            fates |= {row["id"]: (name, score) for row, score, kept in zip(documents, scores, keep, strict=True) if not kept}
            documents = [row for row, kept in zip(documents, keep, strict=True) if kept]
        return fates

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        nothing = (None, None)
        return [
            {"id": row["id"], "kept": row["id"] not in result, "reason": reason, "score": score}
            for row in documents
            for reason, score in [result.get(row["id"], nothing)]
        ]


def filters(package: Path) -> dict[str, Any]:
    """Name → filter with the recipe's thresholds, in its order; names hold the n of n-grams."""
    import yaml

    made = {}
    for stage in yaml.safe_load((package / RECIPE).read_text(encoding="utf-8"))["stages"]:
        if "filter_obj" in stage:
            parameters = dict(stage["filter_obj"])
            module, _, name = parameters.pop("_target_").rpartition(".")
            one = getattr(importlib.import_module(module), name)(**parameters)
            made[one.name] = one
    return made


if __name__ == "__main__":
    main("nemo-curator", {"heuristics": Chain, "heuristics_scores": Scores}, load)
