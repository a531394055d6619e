"""Options of a multiple-choice question, however a source writes them, as (label, text) pairs with the key's label."""

from __future__ import annotations

from typing import Any

from tilth.builders.records import BadRecord, Record, take

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def options_of(record: Record, options: str | list[str] | dict[str, str] | None) -> list[dict[str, str]]:
    """[{label, text}] of a record.

    Args:
        options: a field that holds a mapping label → text or a list of texts; or the fields, one an option; or
            the same fixed choices for every record, label → text.

    Raises:
        BadRecord: there are fewer than two.
    """
    if options is None:
        return []
    found: list[tuple[str, Any]]
    if isinstance(options, dict):
        found = sorted(options.items())
    elif isinstance(options, list):
        found = list(zip(LABELS, (take(record, field) for field in options), strict=False))
    else:
        value = take(record, options)
        if isinstance(value, dict):
            found = sorted(value.items())
        elif isinstance(value, list):
            found = list(zip(LABELS, value, strict=False))
        else:
            raise BadRecord(f"field {options!r} holds no options")
    pairs = [{"label": label, "text": str(text)} for label, text in found if text is not None and str(text).strip()]
    if len(pairs) < 2:
        raise BadRecord(f"{len(pairs)} options")
    return pairs


def key_of(answer: Any, options: list[dict[str, str]], base: int) -> str:
    """The label of the right option, from a label, an option's text, or a number counted from `base`.

    >>> key_of("no", [{"label": "A", "text": "yes"}, {"label": "B", "text": "no"}], 0)
    'B'

    Raises:
        BadRecord: it names none of the options.
    """
    labels = [option["label"] for option in options]
    if isinstance(answer, int) and not isinstance(answer, bool):
        if 0 <= answer - base < len(labels):
            return labels[answer - base]
    elif isinstance(answer, str):
        if answer.strip() in labels:
            return answer.strip()
        matching = [o["label"] for o in options if o["text"].strip().casefold() == answer.strip().casefold()]
        if len(matching) == 1:
            return matching[0]
    raise BadRecord(f"answer {answer!r} names none of the options {', '.join(labels)}")
