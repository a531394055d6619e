"""What trainers read: records for TRL's SFT, DPO, KTO and reward trainers, and documents for continued pretraining.

| form   | of         | record                                                                                            |
|--------|------------|---------------------------------------------------------------------------------------------------|
| sft    | sft        | `messages`                                                                                        |
| dpo    | preference | `prompt`, `chosen`, `rejected`, each a list of messages                                           |
| kto    | preference | two of a pair: `prompt`, `completion`, `label` true of the chosen one, false of the rejected one   |
| reward | preference | `chosen`, `rejected`, whole conversations; `margin` where every row of the release's split has one |
| cpt    | cpt        | `text`, and `stage` where rows have one                                                            |

Formats: https://huggingface.co/docs/trl/dataset_formats (TRL 1.16).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tilth.builders.records import Record
from tilth.builders.two_way import Unfit
from tilth.core.rows import Kind

Row = Mapping[str, Any]


@dataclass(frozen=True)
class TrainerForm:
    """A form: the kind of row that it is of, and the records of a row. `whole` and `some` are columns of the rows that it
    adds where all rows of a split have them, or any."""

    name: str
    makes: Kind
    records: Callable[[Row], list[Record]]
    whole: tuple[str, ...] = ()
    some: tuple[str, ...] = ()


def _sft(row: Row) -> list[Record]:
    if not any(turn["role"] == "assistant" for turn in row["messages"] or ()):
        raise Unfit("it has no answer to learn")
    return [{"messages": row["messages"]}]


def _sides(row: Row, *, both: bool = True) -> dict[str, list[dict[str, str]] | None]:
    if not row["prompt"]:
        raise Unfit("it has no prompt")
    sides = {side: row.get(side) or None for side in ("chosen", "rejected")}
    for side, messages in sides.items():
        if messages is not None and messages[-1]["role"] != "assistant":
            raise Unfit(f"{side} does not end with an answer")
        if messages is None and both:
            raise Unfit(f"it has nothing {side}")
    return sides


def _dpo(row: Row) -> list[Record]:
    return [{"prompt": row["prompt"], **_sides(row)}]


def _kto(row: Row) -> list[Record]:
    made = [
        {"prompt": row["prompt"], "completion": messages, "label": side == "chosen"}
        for side, messages in _sides(row, both=False).items()
        if messages is not None
    ]
    if not made:
        raise Unfit("it has no completion")
    return made


def _reward(row: Row) -> list[Record]:
    return [{side: [*row["prompt"], *(messages or ())] for side, messages in _sides(row).items()}]


def _cpt(row: Row) -> list[Record]:
    if not row["text"]:
        raise Unfit("it has no text")
    return [{"text": row["text"]}]


FORMS = {
    one.name: one
    for one in (
        TrainerForm("sft", "sft", _sft),
        TrainerForm("dpo", "preference", _dpo),
        TrainerForm("kto", "preference", _kto),
        TrainerForm("reward", "preference", _reward, whole=("margin",)),
        TrainerForm("cpt", "cpt", _cpt, some=("stage",)),
    )
}
"""Name → form."""
