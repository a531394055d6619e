"""The dry run against the bill: what `--dry-run` says of 2,000 calls, before any and after forty, and what they then cost.

    .venv/bin/python -m benchmarks.annotate.dry_run --data DIR [--calls 2000] [--known 40] [--json]

A byte-level BPE of 32,000 pieces is trained on the texts themselves (`tokenizers`; no tokenizer of a provider can be had offline), the server counts
with it what it is sent and what it answers, and answers at lengths drawn log-normally (mean about 60 tokens, standard deviation half of that). The
job is asked in English, in Chinese, and mixed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.annotate.client import provider
from benchmarks.annotate.server import Running
from tilth.annotators.judge import estimate, judge
from tilth.annotators.questions.difficulty import Difficulty
from tilth.annotators.store import CallStore

SOURCES = {
    "english": ("bench_medqa_us_test/test.jsonl.zst", "sft_en_medquad"),
    "chinese": ("bench_cmmlu_medical_a/cmmlu.jsonl.zst", "sft_zh_huatuo26m_test", "sft_zh_toyhom_sample"),
}


def texts(data: Path, language: str, count: int) -> list[str]:
    """Questions of a language, taken from its sources by turns."""
    import io

    import zstandard

    each = []
    for name in SOURCES[language]:
        path = data / name
        path = path if path.is_file() else min(path.glob("*.jsonl.zst"))
        with path.open("rb") as file:
            lines = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True), encoding="utf-8", errors="replace")
            found = ["\n".join(_strings(json.loads(line)))[:3000] for line, _ in zip(lines, range(count), strict=False)]
        each.append([text for text in found if len(text) > 20])
    taken: list[str] = []
    for index in range(max(map(len, each))):
        taken += [source[index] for source in each if index < len(source)]
    return list(dict.fromkeys(taken))[:count]


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _strings(one)]


def train(path: Path, examples: list[str]) -> None:
    """A tokenizer of these texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(examples, trainers.BpeTrainer(vocab_size=32_000, show_progress=False))
    made.save(str(path))


def measure(data: Path, calls: int, known: int) -> dict[str, Any]:
    """{job: {settled_usd, blind_error, error}}: errors are shares of what the calls then cost, signed."""
    import polars as pl

    english, chinese = texts(data, "english", calls), texts(data, "chinese", calls)
    mixed = [text for pair in zip(english, chinese, strict=False) for text in pair][:calls]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        train(path, english + chinese)
        with Running(tokenizer=path) as server:
            for name, asked in {"english": english, "chinese": chinese, "mixed": mixed}.items():
                rows = pl.DataFrame({
                    "id": [f"{name}-{i}" for i in range(len(asked))], "prompt": [[{"role": "user", "content": text}] for text in asked],
                    "language": ["zh" if any("\u4e00" <= one <= "\u9fff" for one in text) else "en" for text in asked],
                })  # fmt: skip
                judged = provider("openai", server.url, concurrency=32)
                with CallStore(Path(folder) / f"{name}.sqlite") as store:
                    more: dict[str, Any] = {"question": Difficulty(), "judges": [judged], "store": store, "seed": 0}
                    (blind,) = estimate(rows, **more)
                    judge(rows[:known], max_usd=None, **more)
                    (better,) = estimate(rows, **more)
                    settled = judge(rows, max_usd=None, **more).usd
                    whole = store.spent_usd
                assert better.usd is not None and blind.usd is not None
                found[name] = {"calls": len(asked), "settled_usd": settled, "blind_error": blind.usd / whole - 1, "error": better.usd / settled - 1}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--known", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    said = parser.parse_args()
    found = measure(said.data, said.calls, said.known)
    if said.json:
        print(json.dumps(found, indent=2))
    else:
        for name, one in found.items():
            print(f"{name}: {one['calls']:,} calls for ${one['settled_usd']:.4f}; blind {one['blind_error']:+.1%}, after {said.known} calls {one['error']:+.1%}")
    sys.exit(0 if all(abs(one["error"]) <= 0.1 for one in found.values()) else 1)


if __name__ == "__main__":
    main()
