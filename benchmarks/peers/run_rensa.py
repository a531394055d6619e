"""rensa's R-MinHash over shingles made in Python: `update` with a document's shingles, then `digest`. Signatures only."""

from __future__ import annotations

from typing import Any

from runner import SETTINGS, Row, Task, imports, main


class MinHash(Task):
    """Shingles of whitespace words; of characters in Chinese."""

    def work(self, documents: list[Row]) -> Any:
        from rensa import RMinHash

        said = SETTINGS["rensa"]
        size, characters = said["n_grams"], self.said.language == "chinese"
        digests = []
        for row in documents:
            words = "".join(row["text"].split()) if characters else row["text"].split()
            joined = "" if characters else " "
            shingles = [joined.join(words[i : i + size]) for i in range(max(len(words) - size + 1, 1))]
            sketch = RMinHash(num_perm=said["num_perm"], seed=said["seed"])
            sketch.update(shingles)
            digests.append(sketch.digest())
        return digests

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        return [{"id": row["id"], "kept": True, "reason": None, "digest": list(digest)} for row, digest in zip(documents, result, strict=True)]


if __name__ == "__main__":
    main("rensa", {"minhash": MinHash}, lambda: imports("rensa"))
