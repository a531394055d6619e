"""Options of a multiple-choice question, however a source writes them, as (label, text) pairs with the key's label."""

from __future__ import annotations

import re
from typing import Any

from tilth.builders.records import BadRecord, Record, put, take

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LINE = re.compile(r"^[ \t]*[(（]?([A-Z])(?:[.)）:：．、]|[)）][.:：]?)[ \t]*(\S.*)$")


def options_of(record: Record, options: str | list[str] | dict[str, str] | None) -> list[dict[str, str]]:
    """[{label, text}] of a record.

    Args:
        options: a field that holds a mapping label → text, a list of texts or of {label, text} or {key, value}, or the lists
            {label, text} (ARC); or the fields, one an option; or the same fixed choices for every record, label → text.

    Raises:
        BadRecord: there are fewer than two, or one is no text.
    """
    if options is None:
        return []
    found: list[tuple[str, Any]]
    if isinstance(options, dict):
        found = sorted(options.items())
    elif isinstance(options, list):
        found = list(zip(LABELS, (take(record, field) for field in options), strict=False))
    else:
        found = _labelled(take(record, options), options)
    if odd := [label for label, text in found if isinstance(text, dict | list)]:
        raise BadRecord(f"option {odd[0]} is no text")
    pairs = [{"label": label, "text": str(text)} for label, text in found if text is not None and str(text).strip()]
    if len(pairs) < 2:
        raise BadRecord(f"{len(pairs)} options")
    return pairs


def _labelled(value: Any, field: str) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        labels, texts = value.get("label"), value.get("text")
        if len(value) == 2 and isinstance(labels, list) and isinstance(texts, list) and len(labels) == len(texts):
            return [(str(label), text) for label, text in zip(labels, texts, strict=True)]
        return sorted(value.items())
    if not isinstance(value, list):
        raise BadRecord(f"field {field!r} holds no options")
    for label, text in (("label", "text"), ("key", "value")):
        if value and all(isinstance(one, dict) and label in one and text in one for one in value):
            return [(str(one[label]), one[text]) for one in value]
    return list(zip(LABELS, value, strict=False))


def put_options(record: Record, fields: str | list[str] | dict[str, str] | None, options: list[dict[str, str]]) -> None:
    """Write options where `options_of` finds them, blank where a field of an option has none; fixed choices are no field."""
    texts = {option["label"]: option["text"] for option in options}
    if isinstance(fields, str):
        put(record, fields, texts)
    elif isinstance(fields, list):
        for label, field in zip(LABELS, fields, strict=False):
            put(record, field, texts.get(label, ""))


def bare(question: str, options: list[dict[str, str]]) -> str:
    """A question as `asked`, without its options."""
    return question.removesuffix(asked("", options)) if options else question


def asked(question: str, options: list[dict[str, str]]) -> str:
    """The question as it is put to a model, with its options a line each (the UltraMedical form)."""
    return "\n".join([question, *([""] if options else []), *(f"{o['label']}. {o['text']}" for o in options)])


def options_in(text: str) -> list[dict[str, str]]:
    """The options that stand at the end of a question's text, a line each, from A on; none where there are not two.

    >>> options_in("Which vitamin?\\n\\nA. C\\nB. D")
    [{'label': 'A', 'text': 'C'}, {'label': 'B', 'text': 'D'}]
    >>> options_in("A. Smith asks: why?"), options_in("Which?\\nA. one\\nC. three")
    ([], [])
    """
    found: list[dict[str, str]] = []
    for line in reversed(text.rstrip().split("\n")):
        match = _LINE.match(line)
        if match is None and not found and not re.search(r"\w", line):
            continue  # published rows end with a stray quotation mark
        if match is None:
            break
        found.append({"label": match[1], "text": match[2].strip()})
    found.reverse()
    labels = "".join(option["label"] for option in found)
    return found if len(found) >= 2 and LABELS.startswith(labels) else []


def several_keys(answer: Any, options: list[dict[str, str]]) -> str | None:
    """The labels of a key that names several options (`ABD`, `A, C`), in order, as one text; None where it is no such key.

    >>> several_keys("D,A", [{"label": label, "text": label} for label in "ABCD"])
    'AD'
    """
    if not isinstance(answer, str):
        return None
    said = re.sub(r"[\s,，、;；]", "", answer)
    labels = {option["label"] for option in options}
    return "".join(sorted(said)) if len(said) > 1 and len(set(said)) == len(said) and set(said) <= labels else None


def key_of(answer: Any, options: list[dict[str, str]], base: int, several: bool = False) -> str:
    """The label of the right option, from a label, an option's text, or a number counted from `base`; with `several` also labels of several.

    >>> key_of("no", [{"label": "A", "text": "yes"}, {"label": "B", "text": "no"}], 0)
    'B'

    Raises:
        BadRecord: it names none of the options.
    """
    if several and (keys := several_keys(answer, options)):
        return keys
    labels = [option["label"] for option in options]
    if isinstance(answer, int) and not isinstance(answer, bool):
        # Blank options are left out, and a number counts them.
        counted = LABELS if set(labels) <= set(LABELS) else labels
        if 0 <= answer - base < len(counted) and counted[answer - base] in labels:
            return counted[answer - base]
    elif isinstance(answer, str):
        if answer.strip() in labels:
            return answer.strip()
        matching = [o["label"] for o in options if o["text"].strip().casefold() == answer.strip().casefold()]
        if len(matching) == 1:
            return matching[0]
    raise BadRecord(f"answer {answer!r} names none of the options {', '.join(labels)}")
