"""One model's completion of one benchmark item: the rows of a prediction log (MIRAGE, lm-eval samples)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tilth.builders.records import Record, Shape, take_text


class Prediction(Shape, name="prediction", version=1):
    """A completion that names its item by `benchmark/item`; the step `group_completions` joins them to the questions."""

    makes = "preference"
    group: list[str] = Field(min_length=2, max_length=2, description="fields of the benchmark's name and of the item's id")
    benchmarks: dict[str, str] = Field(default_factory=dict, description="benchmark in the source → benchmark in the recipe")
    model: list[str] = Field(min_length=1, description="field or fields that name the model, joined by `/`")
    text: str = Field("text", description="field of the completion")

    def content(self, record: Record) -> dict[str, Any]:
        benchmark, item = (take_text(record, field) for field in self.group)
        model = "/".join(take_text(record, field) for field in self.model)
        return {
            "group": f"{self.benchmarks.get(benchmark, benchmark)}/{item}",
            "candidates": [{"model": model, "text": take_text(record, self.text)}],
        }
