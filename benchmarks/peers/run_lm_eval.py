"""lm-eval's janitor, its Python path: benchmark questions registered, then each document cleaned of their 13-grams.

`kept` is whether nothing of a document was found to be contaminated. `chunks` counts what `clean` leaves of it; it leaves
nothing of a document under 200 characters even where that is clean, so that is no decision.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from typing import Any

from runner import SETTINGS, Row, Task, imports, main, read


def load() -> None:
    """Import the janitor; without its C++ module, which is not in the wheel, it prints a warning and a traceback."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        imports("lm_eval.decontamination.janitor")


class Clean(Task):
    """`clean_python` on every document."""

    def __init__(self, said: argparse.Namespace) -> None:
        from lm_eval.decontamination.janitor import Janitor

        super().__init__(said)
        began = time.process_time()
        self.janitor = Janitor(**SETTINGS["janitor"])
        for row in read(said.questions):
            self.janitor.register_contaminant_python(row["question"])
        self.figures = {"index_cpu_seconds": time.process_time() - began, "index_ngrams": len(self.janitor.dirt_ngrams)}

    def work(self, documents: list[Row]) -> Any:
        return [self.janitor.clean_python(row["text"]) for row in documents]

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        decided = []
        for row, chunks in zip(documents, result, strict=True):
            found = None if chunks == [row["text"]] else self._first(row["text"])
            said = {"kept": found is None, "reason": "contaminated" if found else None, "ngram": found, "chunks": len(chunks)}
            decided.append({"id": row["id"], **said})
        return decided

    def _first(self, text: str) -> str | None:
        from lm_eval.decontamination.janitor import word_ngrams_indices

        grams = (self.janitor.normalize_string(gram) for gram, _ in word_ngrams_indices(text, self.janitor.ngram_n))
        return next((gram for gram in grams if gram in self.janitor.dirt_ngrams), None)


if __name__ == "__main__":
    main("lm_eval", {"janitor": Clean}, load)
