"""Rows still to be answered: a conversation that ends with the user, options and key beside it where it is multiple choice.

The options stand in the user's message too, a line each (the UltraMedical form, `shapes.completions.asked`): whoever trains on the row
must see what the answer chooses from.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tilth.annotators.calls import Language, Message
from tilth.annotators.drafts import Draft
from tilth.annotators.question import shuffled
from tilth.builders.draws import WRITTEN, metadata_of, written_of
from tilth.builders.records import BadRecord
from tilth.builders.shapes.choices import LABELS, asked, key_of
from tilth.core.fingerprints import canonical
from tilth.core.rows import conversation

Row = dict[str, Any]


def ends_with_user(row: Mapping[str, Any]) -> bool:
    """Whether a row waits for an answer."""
    return bool(row["messages"]) and row["messages"][-1]["role"] == "user"


def lone_text(row: Mapping[str, Any]) -> str | None:
    """The text of a row that is one user's message and nothing else (a passage, the name of a domain); None for others."""
    turns = row["messages"] or []
    return turns[0]["content"] if len(turns) == 1 and ends_with_user(row) and not row["options"] else None


def turns_of(row: Mapping[str, Any]) -> list[Message]:
    """The messages of a pending row, its options put beneath where they are not in the text."""
    turns = [{"role": turn["role"], "content": turn["content"] or ""} for turn in row["messages"]]
    text = turns[-1]["content"]
    if row["options"] and not all((option["text"] or "") in text for option in row["options"]):
        turns[-1] = {"role": "user", "content": asked(text, row["options"])}
    return turns


def stem_of(text: str, options: Sequence[Mapping[str, str]]) -> str | None:
    """The question without the options that stand a line each at its end; None where they stand in it otherwise.

    >>> stem_of("Which mineral?\\n\\nA. zinc\\nB. iron", [{"label": "A", "text": "zinc"}, {"label": "B", "text": "iron"}])
    'Which mineral?'
    """
    lines = text.rstrip().split("\n")
    found = 0
    for option in reversed(options):
        line = rf"\s*[(（]?{re.escape(option['label'])}\s*[)）.．、:：]*\s*{re.escape(option['text'].strip())}\s*"
        if not lines or not re.fullmatch(line, lines[-1]):
            break
        lines.pop()
        found += 1
        while lines and not lines[-1].strip():
            lines.pop()
    if found == len(options):
        return "\n".join(lines).strip() or None
    return None if found or all(option["text"] in text for option in options) else text.strip()


def key_label(row: Mapping[str, Any]) -> str | None:
    """The label of the right option; None where the key names none of the options, or these have blank or equal labels or blank texts."""
    labels = [option["label"] for option in row["options"]]
    if len(set(labels)) < len(labels) or not all(option[part] and option[part].strip() for option in row["options"] for part in ("label", "text")):
        return None
    try:
        return key_of(row["answer"], row["options"], 0)
    except BadRecord:
        return None


def language_of(row: Mapping[str, Any]) -> Language:
    """Chinese or English: as the row says; where it does not, by its letters."""
    said = str(row["language"] or "und").lower().split("-")[0]
    if said != "und":
        return "zh" if said in ("zh", "yue", "lzh", "wuu") else "en"
    letters = [char for turn in row["messages"] for char in turn["content"] or "" if char.isalpha()]
    return "zh" if 2 * sum("\u3400" <= char <= "\u9fff" for char in letters) > len(letters) else "en"


def child(parent: Row, maker: str, which: object, facts: Mapping[str, Any], messages: Sequence[Message]) -> Row:
    """A row that a maker writes from another, which is its parent: its own id, nothing that was said of the parent's words.

    Args:
        which: tells it from others that the maker writes from the same row.
        facts: how it was written.
    """
    identity = hashlib.sha256(canonical([parent["id"], maker, which])).hexdigest()[:32]
    known = canonical({WRITTEN: written_of(parent)}).decode()
    fresh = {"scores": None, "options": None, "answer": None, "metadata": known}
    return noted({**parent, **fresh, "id": identity, "parents": [parent["id"]], "messages": list(messages)}, maker, facts)


def question_row(parent: Row, found: Draft, seed: int, maker: str, which: object, facts: Mapping[str, Any]) -> Row:
    """A question written from a row, waiting for its answer; its options in an order drawn by hash, so that no letter is the key more often."""
    made = child(parent, maker, which, facts, [])
    order = shuffled(len(found.options), seed, made["id"])
    options = [{"label": LABELS[place], "text": found.options[index]} for place, index in enumerate(order)]
    system = [(turn["role"], turn["content"]) for turn in parent["messages"] if turn["role"] == "system"]
    made["messages"] = conversation([*system, ("user", asked(found.question, options))])
    if found.right is not None:
        made |= {"options": options, "answer": LABELS[order.index(found.right)]}
    return made


def noted(row: Row, maker: str, facts: Mapping[str, Any]) -> Row:
    """The row with what a maker says of it in its metadata."""
    known = metadata_of(row)
    return {**row, "metadata": canonical({**known, WRITTEN: {**written_of(row), maker: dict(facts)}}).decode()}
