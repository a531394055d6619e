"""datatrove's own blocks on documents in memory, as its users chain them.

`english_chain` and `chinese_chain`: Gopher repetition, Gopher quality, C4 (English), FineWeb, n-gram decontamination, then
MinHash signatures, buckets, clusters and filter over the survivors: {id, kept, step, reason, ngram, benchmark, signature,
text_hash}. `signature` is a row of OUT's `.npy` (uint64 [documents that reached MinHash, permutations]). The executor, the
readers and the writers are left out, in datatrove's favour. Thresholds that are not its defaults stand in settings.json.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any, Self

from runner import SETTINGS, FileTask, Row, Task, imports, main, read


class Fates:
    """An exclusion writer that keeps what a filter drops, by id."""

    def __init__(self, step: str, found: dict[str, Row]) -> None:
        self.step, self.found = step, found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, document: Any, rank: int = 0) -> None:
        """Called by the block for a document it drops."""
        said = document.metadata
        fate: Row = {"step": self.step, "reason": said.get("filter_reason", self.step)}
        if "contaminated_ngram" in said:
            fate |= {"ngram": said["contaminated_ngram"], "benchmark": said["contaminated_task"]}
        self.found[document.id] = fate


class Blocks(Task):
    """Some of the blocks in a chain, and MinHash at its end where `minhash` is set."""

    steps: tuple[str, ...] = ()
    language: str | None = None
    minhash = False

    def __init__(self, said: argparse.Namespace) -> None:
        super().__init__(said)
        self.code = SETTINGS["languages"][self.language or said.language]
        self.thresholds = SETTINGS["relaxed" if said.relaxed else "stock"]
        self.folder: Path = said.folder
        if "decontamination" in self.steps:
            self.figures = self._index(read(said.questions))

    def work(self, documents: list[Row]) -> Any:
        from datatrove.data import Document
        from datatrove.utils.text import split_into_parts

        split_into_parts.cache_clear()  # what the warm-up left there
        fates: dict[str, Row] = {}
        data: Any = (Document(text=row["text"], id=row["id"]) for row in documents)
        for name in self.steps:
            data = self._block(name, Fates(name, fates))(data)
        survivors = list(data)
        stages = self._deduplicate(survivors, Fates("minhash", fates)) if self.minhash and survivors else None
        return fates, survivors, stages

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        fates, survivors, stages = result
        texts = {document.id: document.text for document in survivors}
        rows = self._signatures(stages, survivors) if self.minhash else {}
        decided = []
        for document in documents:
            fate = fates.get(document["id"])
            row: Row = {"id": document["id"], "kept": fate is None, "step": None, "reason": None, **(fate or {})}
            if document["id"] in texts:
                row["text_hash"] = hashlib.sha256(texts[document["id"]].encode()).hexdigest()[:16]
            if self.minhash:
                row["signature"] = rows.get(document["id"])
            decided.append(row)
        return decided

    def _block(self, name: str, fates: Fates) -> Any:
        from datatrove.pipeline import filters
        from datatrove.pipeline.decont import NGramsDecontFilter
        from datatrove.pipeline.decont.n_grams import NGramsDecontConfig

        if name == "decontamination":
            config = NGramsDecontConfig(**SETTINGS["decontamination"])
            return NGramsDecontFilter(str(self.folder / "index"), config, exclusion_writer=fates, language=self.code)
        made = {
            "gopher_repetition": filters.GopherRepetitionFilter,
            "gopher_quality": filters.GopherQualityFilter,
            "c4": filters.C4QualityFilter,
            "fineweb": filters.FineWebQualityFilter,
        }
        return made[name](exclusion_writer=fates, language=self.code, **self.thresholds.get(name, {}))

    def _index(self, questions: list[Row]) -> Row:
        """Write the hashes of the benchmarks' n-grams; the indexer's constructor and `run` need lighteval, its hashing does not."""
        import numpy as np
        from datatrove.pipeline.decont import NGramsDecontIndexer
        from datatrove.pipeline.decont.n_grams import NGramsDecontConfig
        from datatrove.utils.hashing import create_hash_func
        from datatrove.utils.word_tokenizers import load_word_tokenizer

        began = time.process_time()
        indexer = object.__new__(NGramsDecontIndexer)
        indexer.config = NGramsDecontConfig(**SETTINGS["decontamination"])
        indexer.tokenizer = load_word_tokenizer(self.code)
        indexer.hash_func = create_hash_func(indexer.config.hash_config)
        hashes: dict[str, set[int]] = {}
        for row in questions:
            hashes.setdefault(row["benchmark"], set()).update(indexer.compute_hashes(row["question"]))
        (self.folder / "index").mkdir()
        for benchmark, found in hashes.items():
            array = np.array(sorted(found), dtype=indexer.config.hash_config.np_descr)
            array.tofile(self.folder / "index" / f"{benchmark}.index.hashes")
        return {"index_cpu_seconds": time.process_time() - began, "index_hashes": sum(map(len, hashes.values()))}

    def _deduplicate(self, survivors: list[Any], fates: Fates) -> Path:
        """All four stages, one rank; the folder of their files."""
        from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
        from datatrove.pipeline.dedup.minhash import MinhashConfig

        config = MinhashConfig(**SETTINGS["minhash"])
        stages = Path(tempfile.mkdtemp(dir=self.folder))
        self._sign(survivors, stages)
        buckets = MinhashDedupBuckets(str(stages / "signatures"), str(stages / "buckets"), config=config)
        for rank in range(config.num_buckets):
            buckets.run(None, rank, config.num_buckets)
        MinhashDedupCluster(str(stages / "buckets"), str(stages / "remove"), config=config).run(None, 0, 1)
        deque(MinhashDedupFilter(str(stages / "remove"), exclusion_writer=fates).run(iter(survivors), 0, 1), maxlen=0)
        return stages

    def _sign(self, documents: list[Any], stages: Path) -> None:
        from datatrove.pipeline.dedup import MinhashDedupSignature
        from datatrove.pipeline.dedup.minhash import MinhashConfig

        config = MinhashConfig(**SETTINGS["minhash"])
        MinhashDedupSignature(str(stages / "signatures"), config, language=self.code).run(iter(documents), 0, 1)

    def _signatures(self, stages: Path | None, survivors: list[Any]) -> dict[str, int]:
        """Write OUT's `.npy` from the stage's files; id → its row. A document without a shingle has none."""
        import numpy as np

        buckets, each = SETTINGS["minhash"]["num_buckets"], SETTINGS["minhash"]["hashes_per_bucket"]
        matrix = np.zeros((len(survivors), buckets, each), np.uint64)
        signed = np.zeros(len(survivors), bool)
        for bucket in range(buckets if stages else 0):
            record = np.dtype([("hashes", "<u8", (each,)), ("document", "<u4")])
            found = np.fromfile(stages / "signatures" / f"bucket_{bucket:03d}" / "00000.minhash.sig", record)
            matrix[found["document"], bucket] = found["hashes"]
            signed[found["document"]] = True
        np.save(self.said.output.with_suffix(".npy"), matrix[signed].reshape(-1, buckets * each))
        return {survivors[place].id: row for row, place in enumerate(np.flatnonzero(signed).tolist())}


class EnglishChain(Blocks):
    """All of them, English."""

    language, minhash = "english", True
    steps = ("gopher_repetition", "gopher_quality", "c4", "fineweb", "decontamination")


class ChineseChain(Blocks):
    """Without C4, whose line rule knows no Chinese full stop."""

    language, minhash = "chinese", True
    steps = ("gopher_repetition", "gopher_quality", "fineweb", "decontamination")


class GopherRepetition(Blocks):
    """One block on every document, as the next four."""

    steps = ("gopher_repetition",)


class GopherQuality(Blocks):
    steps = ("gopher_quality",)


class C4(Blocks):
    steps = ("c4",)


class FineWeb(Blocks):
    steps = ("fineweb",)


class Decontamination(Blocks):
    steps = ("decontamination",)


class MinHash(Blocks):
    """Signatures of every document; no buckets, clusters or decisions."""

    minhash = True

    def _deduplicate(self, survivors: list[Any], fates: Fates) -> Path:
        stages = Path(tempfile.mkdtemp(dir=self.folder))
        self._sign(survivors, stages)
        return stages


class LanguageId(Task):
    """`LanguageFilter` with lid.176 from a local file, which labels and drops nothing: {label, score}."""

    def __init__(self, said: argparse.Namespace) -> None:
        from datatrove.pipeline.filters import LanguageFilter

        super().__init__(said)
        self.block = LanguageFilter(label_only=True)
        self.block.model.MODEL_URL = str(said.model.absolute())

    def work(self, documents: list[Row]) -> Any:
        from datatrove.data import Document

        return [found.metadata for found in self.block(Document(text=row["text"], id=row["id"]) for row in documents)]

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        return [
            {"id": row["id"], "kept": True, "reason": None, "label": said["language"], "score": said["language_score"]}
            for row, said in zip(documents, result, strict=True)
        ]


class ReadWrite(FileTask):
    """A reader and a writer, .jsonl.zst or .parquet by the names of the files."""

    def work(self, source: Path, target: Path) -> int:
        from datatrove.pipeline.readers import JsonlReader, ParquetReader
        from datatrove.pipeline.writers import JsonlWriter, ParquetWriter

        parquet = source.suffix == ".parquet"
        read, write = (ParquetReader, ParquetWriter) if parquet else (JsonlReader, JsonlWriter)
        reader = read(str(source.parent), glob_pattern=source.name)
        writer = write(str(target.parent), output_filename=target.name, compression=SETTINGS["read_write"]["compression"])
        count = sum(1 for _ in writer(reader()))
        if parquet:  # a writer with a largest size numbers its files
            target.with_name(f"000_{target.name}").replace(target)
        return count


TASKS = {
    "english_chain": EnglishChain,
    "chinese_chain": ChineseChain,
    "gopher_repetition": GopherRepetition,
    "gopher_quality": GopherQuality,
    "c4": C4,
    "fineweb": FineWeb,
    "decontamination": Decontamination,
    "minhash": MinHash,
    "language_id": LanguageId,
    "read_write": ReadWrite,
}


def load() -> None:
    """Import what the tasks import."""
    blocks = ("decont", "dedup", "filters", "readers", "writers")
    imports(*(f"datatrove.pipeline.{name}" for name in blocks), "fasttext", "jieba", "spacy")


if __name__ == "__main__":
    main("datatrove", TASKS, load)
