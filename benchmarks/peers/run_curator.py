"""Bespoke Curator: one chat completion a document, responses written to its cache folder, which is what it resumes from."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import types
from typing import Any

from runner import SETTINGS, Row, Task, imports, main

os.environ.update(TELEMETRY_ENABLED="false", CURATOR_VIEWER="0", CURATOR_DISABLE_RICH_DISPLAY="1", OPENAI_API_KEY="none")


class _Encoding:
    def encode(self, text: str, **_: object) -> list[int]:
        return [0] * (len(text) // 4)


def load() -> None:
    """Import it; tiktoken would fetch its data from the network, and only guesses rates here."""
    stub: Any = types.ModuleType("tiktoken")
    stub.get_encoding = stub.encoding_for_model = lambda *_: _Encoding()
    stub.Encoding = _Encoding
    sys.modules["tiktoken"] = stub
    imports("bespokelabs.curator")


class Calls(Task):
    """Texts sent as prompts, the answers as `answer`."""

    def __init__(self, said: argparse.Namespace) -> None:
        super().__init__(said)
        from bespokelabs import curator

        class Asked(curator.LLM):  # type: ignore[misc]
            def prompt(self, row: Row) -> str:
                text: str = row["text"]
                return text

            def parse(self, row: Row, response: Any) -> Row:
                return {"id": row["id"], "answer": str(response)}

        limits = {"max_requests_per_minute": 10**9, "max_tokens_per_minute": 10**12, "max_concurrent_requests": SETTINGS["calls"]["concurrency"]}
        wire = {"base_url": f"{said.url}/v1", "api_key": "none", **limits}
        self.llm = Asked(model_name=SETTINGS["calls"]["model"], backend="openai", backend_params=wire,
                         generation_params={"max_completion_tokens": 2048})  # fmt: skip

    def work(self, documents: list[Row]) -> Any:
        from datasets import Dataset

        folder = tempfile.mkdtemp(dir=self.said.folder)
        found = self.llm(Dataset.from_list([{"id": row["id"], "text": row["text"]} for row in documents]), working_dir=folder)
        return getattr(found, "dataset", found)

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        answers = {row["id"]: row["answer"] for row in result}
        return [{"id": row["id"], "kept": row["id"] in answers, "reason": None, "answer": answers.get(row["id"])} for row in documents]


if __name__ == "__main__":
    main("bespokelabs-curator", {"calls": Calls}, load)
