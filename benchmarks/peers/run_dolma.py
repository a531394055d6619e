"""dolma's tagger `gopher_v1`: {attributes} of every document, as `tag` gives them (rounded to five digits). It decides nothing."""

from __future__ import annotations

import argparse
from typing import Any

from runner import Row, Task, bare_package, imports, main


def load() -> None:
    """Import the tagger's module; `dolma` and `dolma.taggers` themselves import every other tagger's libraries."""
    bare_package("dolma")
    bare_package("dolma.taggers")
    imports("dolma.taggers.gopher")


class GopherV1(Task):
    """All attributes of each document."""

    def __init__(self, said: argparse.Namespace) -> None:
        from dolma.taggers.gopher import GopherTagger

        super().__init__(said)
        self.tagger = GopherTagger()

    def work(self, documents: list[Row]) -> Any:
        from dolma.core.data_types import InputSpec

        return [self.tagger.tag(InputSpec(id=row["id"], text=row["text"])) for row in documents]

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        return [
            {"id": row["id"], "kept": True, "reason": None, "attributes": {name: spans[0][2] for name, spans in tags.items()}}
            for row, tags in zip(documents, result, strict=True)
        ]


if __name__ == "__main__":
    main("dolma", {"gopher_v1": GopherV1}, load)
