"""datatrove's InferenceRunner: one chat completion a document, with its request cache and checkpoints."""

from __future__ import annotations

import tempfile
from typing import Any

from runner import SETTINGS, Row, Task, imports, main, read


def load() -> None:
    """Import it."""
    imports("datatrove.pipeline.inference.run_inference", "datatrove.pipeline.writers", "aiosqlite", "httpx")


class Calls(Task):
    """Texts sent as prompts, the answers as `answer`."""

    def work(self, documents: list[Row]) -> Any:
        from datatrove.data import Document
        from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
        from datatrove.pipeline.writers import JsonlWriter

        folder = tempfile.mkdtemp(dir=self.said.folder)

        async def ask(document: Any, generate: Any) -> Any:
            return await generate({"messages": [{"role": "user", "content": document.text}], "max_tokens": 2048})

        config = InferenceConfig(
            server_type="endpoint", model_name_or_path=SETTINGS["calls"]["model"], endpoint_url=self.said.url, api_key="none",
            max_concurrent_generations=SETTINGS["calls"]["concurrency"],
        )  # fmt: skip
        runner = InferenceRunner(
            ask, config, JsonlWriter(f"{folder}/out", "${rank}_${chunk_index}.jsonl", compression=None),
            checkpoints_local_dir=f"{folder}/checkpoints", records_per_chunk=1000,
        )  # fmt: skip
        runner.run(iter([Document(text=row["text"], id=str(row["id"])) for row in documents]), rank=0, world_size=1)
        return folder

    def decisions(self, documents: list[Row], result: Any) -> list[Row]:
        from pathlib import Path

        answers = {row["id"]: row["metadata"]["rollout_results"] for path in sorted(Path(result, "out").rglob("*.jsonl")) for row in read(path)}
        return [{"id": row["id"], "kept": bool(answers.get(str(row["id"]))), "reason": None} for row in documents]


if __name__ == "__main__":
    main("datatrove", {"calls": Calls}, load)
