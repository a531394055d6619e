"""Calls: pieces of work of a build that are one call each, as tasks of a datatrove pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from datatrove.pipeline.base import PipelineStep


class Calls(PipelineStep):  # type: ignore[misc]
    """datatrove block: task `rank` does the call `rank` of those given."""

    name, type = "calls", "tilth"

    def __init__(self, calls: Sequence[Callable[[], object]]) -> None:
        super().__init__()
        self.calls = calls

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        for call in self.calls[rank::world_size]:
            call()
        yield from data or ()
