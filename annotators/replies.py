"""Reading replies: the JSON in them, and one number on an integer scale. What cannot be read is a status, never a number.

>>> stated_score("A patient with type 2 diabetes ... Score: 8", 1, 10)
(8.0, 'ok')
>>> stated_score("Score: 7.5", 1, 10), stated_score("I rate this 1.", 1, 10), stated_score("10", 1, 10)
((None, 'out_of_range'), (1.0, 'ok'), (10.0, 'ok'))
>>> stated_score("There are 3 reasons.", 1, 10)
(None, 'unparsed')
"""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson

Read = Literal["ok", "out_of_range", "unparsed", "missing"]

_NUMBER = r"([-+]?\d+(?:[.,]\d+)?)(?![\d%])(?:\s*(?:/|out of|of|分之)\s*(\d+))?"
_LABEL = r"(?:score|rating|rate[sd]?|rated|grade|difficulty|quality|评分|得分|分数|难度|打分|评级)"
_LINK = (
    r"(?:[\s*_\"'`:：=\-–—]|\b(?:is|as|at|of|be|an?|this|it|with|the|question|answer|level|overall|为|是|给|约)\b|[为是给约])*"
)
_AT_LINE_START = re.compile(
    rf"^[\s*_#>\-]*(?:(?:final|overall|my)\s+|最终|总)?{_LABEL}[\s*_]*[:：=][\s*_]*{_NUMBER}", re.IGNORECASE | re.MULTILINE
)
_INLINE = re.compile(rf"{_LABEL}{_LINK}{_NUMBER}", re.IGNORECASE)
_BARE = re.compile(rf"^[\s*_\"'`]*{_NUMBER}[\s*_\"'`.。分]*$")
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL | re.IGNORECASE)


def json_object(raw: str) -> dict[str, Any] | None:
    """The JSON object in a reply: the whole of it, a fenced block, or the only `{…}` in it; None where there is none.

    >>> json_object('Here: ```json\\n{"score": 4}\\n``` done'), json_object("no")
    ({'score': 4}, None)
    """
    candidates = [raw, *_FENCE.findall(raw)]
    start, end = raw.find("{"), raw.rfind("}")
    if 0 <= start < end:
        candidates.append(raw[start : end + 1])
    for text in candidates:
        try:
            value = orjson.loads(text.strip())
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict):
            return value
    return None


def scale_value(value: object, low: int, high: int) -> tuple[float | None, Read]:
    """A JSON value as a number of the integer scale `low`–`high`.

    >>> scale_value(8, 1, 10), scale_value(7.5, 1, 10), scale_value("3", 1, 5), scale_value(None, 1, 5), scale_value(True, 1, 5)
    ((8.0, 'ok'), (None, 'out_of_range'), (3.0, 'ok'), (None, 'missing'), (None, 'unparsed'))
    """
    if value is None:
        return None, "missing"
    if isinstance(value, str):
        match = _BARE.match(value)
        return _on_scale(match, low, high) if match else (None, "unparsed")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, "unparsed"
    if value != int(value) or not low <= value <= high:
        return None, "out_of_range"
    return float(value), "ok"


def score(raw: str, low: int, high: int) -> tuple[float | None, Read]:
    """The score in a reply: the field `score` of its JSON, or what its prose states.

    JSON that is broken off is not read as prose: the 1 of a cut `{"score": 10` is not a score.

    >>> score('{"score": 10}', 1, 10), score('{"score": 1', 1, 10)
    ((10.0, 'ok'), (None, 'unparsed'))
    """
    answer = json_object(raw)
    if answer is not None:
        return scale_value(answer.get("score"), low, high)
    return (None, "unparsed") if "{" in raw else stated_score(raw, low, high)


def stated_score(raw: str, low: int, high: int) -> tuple[float | None, Read]:
    """The score that a reply in prose states.

    A number counts only where it is called a score, or is the whole reply. A line that begins with the label goes before
    one inside a sentence; two different scores are no score.
    """
    if match := _BARE.match(raw.strip()):
        return _on_scale(match, low, high)
    for pattern in (_AT_LINE_START, _INLINE):
        found = {_on_scale(match, low, high) for match in pattern.finditer(raw)}
        if len(found) == 1:
            return found.pop()
        if found:
            return None, "unparsed"
    return None, "unparsed"


def _on_scale(match: re.Match[str], low: int, high: int) -> tuple[float | None, Read]:
    number = float(match[1].replace(",", "."))
    if match[2] is not None and int(match[2]) != high:  # "4/5" on a scale of ten is another scale
        return None, "out_of_range"
    if number != int(number) or not low <= number <= high:
        return None, "out_of_range"
    return number, "ok"
