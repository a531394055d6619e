"""What is said of batches while a job buys in them, and between its runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tilth.cli import output

if TYPE_CHECKING:
    from tilth.annotators.batches import BatchEvent, BatchPolicy

SAID = {"sent": "sent", "found": "found again", "freed": "let go of, to be sent again", "collected": "collected"}


def policy(talk: Any, report: Callable[[int, int], None] | None = None, *, cancel: bool = False) -> BatchPolicy:
    """Batches with a line for each that is sent, moves or is collected, and a bar over the answers of all."""
    from tilth.annotators.batches import BatchPolicy

    last: dict[str, str] = {}
    answered: dict[str, tuple[int, int]] = {}

    def tell(event: BatchEvent) -> None:
        if event.step in ("sent", "found", "looked", "stored", "collected"):
            answered[event.batch] = event.answered, event.requests
            if report is not None:
                report(sum(done for done, _ in answered.values()), sum(all_ for _, all_ in answered.values()))
        line = f"{event.answered:,} answered, {event.status}" if event.step == "looked" else SAID.get(event.step, "")
        if line and last.get(event.batch) != line:
            last[event.batch] = line
            talk.say(f"  {event.judge}: {event.batch}, {event.requests:,} requests: {line}")

    return BatchPolicy(on_event=tell, cancel=cancel)


def show(said: Any, store: Any, json_: bool) -> None:
    """The batches of a job's judges that are not collected yet."""
    from tilth.annotators.batch_run import open_batches

    found = [one.__dict__ for one in open_batches([*(said.sampling.models if said.sampling else ()), *said.judges], store)]
    if json_:
        output.as_json(found)
    else:
        output.table(["judge", "batch", "state", "requests", "not answered"], [list(one.values()) for one in found], right=(3, 4))


def end(said: Any, rows: Any, store: Any, talk: Any, json_: bool) -> None:
    """Ask a job's batches to end, and collect what they have answered."""
    from tilth.annotators.batch_run import end_batches
    from tilth.annotators.items import Items
    from tilth.annotators.job_run import parts_of

    collected = sum(
        end_batches(
            Items(part.rows), question=part.question, judges=part.judges, store=store, seed=said.job.seed, policy=policy(talk, cancel=True)
        )
        for part in parts_of(said, rows, store=store)
    )
    if json_:
        output.as_json({"collected": collected})
    else:
        output.say(f"{collected:,} answers collected; no batch of {said.job.name} runs any more", err=True)
