"""The decontamination script that datasets are usually published with: lower-cased words without punctuation, any shared 8-gram.

Of the kind of open-r1's `scripts/decontaminate.py`, written anew: a dictionary from every n-gram of the benchmarks'
questions to the questions, and a look-up of every n-gram of every document.
"""

from __future__ import annotations

import argparse
import string
import time
from typing import Any

from runner import SETTINGS, Row, Task, main, read

NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize(text: str) -> list[str]:
    return text.lower().translate(NO_PUNCTUATION).split()


def ngrams(text: str, n: int) -> list[str]:
    words = normalize(text)
    return [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]


def build_lookup(questions: list[Row], n: int) -> dict[str, set[str]]:
    lookup: dict[str, set[str]] = {}
    for question in questions:
        for ngram in ngrams(question["question"], n):
            lookup.setdefault(ngram, set()).add(question["id"])
    return lookup


def find_contaminated(documents: list[Row], lookup: dict[str, set[str]], n: int) -> list[str | None]:
    """The first n-gram of each document that a question has too."""
    return [next((ngram for ngram in ngrams(document["text"], n) if ngram in lookup), None) for document in documents]


class Decontamination(Task):
    """{ngram, questions} of every document that shares an n-gram."""

    def __init__(self, said: argparse.Namespace) -> None:
        super().__init__(said)
        self.size = SETTINGS["script"]["n_grams"]
        questions = read(said.questions)
        began = time.process_time()
        self.lookup = build_lookup(questions, self.size)
        self.figures = {"index_cpu_seconds": time.process_time() - began, "index_ngrams": len(self.lookup)}

    def work(self, documents: list[Row]) -> Any:
        return find_contaminated(documents, self.lookup, self.size)

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        return [
            {
                "id": row["id"],
                "kept": found is None,
                "reason": "contaminated" if found else None,
                "ngram": found,
                "questions": sorted(self.lookup[found]) if found else [],
            }
            for row, found in zip(documents, result, strict=True)
        ]


if __name__ == "__main__":
    main("", {"decontamination": Decontamination})
