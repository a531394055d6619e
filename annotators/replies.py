"""Reading replies: the JSON in them, a number on an integer scale, a label. What cannot be read is a status, never a guess.

>>> stated_score("A patient with type 2 diabetes ... Score: 8", 1, 10)
(8.0, 'ok')
>>> stated_score("Score: 7.5", 1, 10), stated_score("I rate this 1.", 1, 10), stated_score("10", 1, 10)
((None, 'out_of_range'), (1.0, 'ok'), (10.0, 'ok'))
>>> stated_score("Score: 7.5", 1, 10, whole=False)
(7.5, 'ok')
>>> stated_score("There are 3 reasons.", 1, 10), stated_score("Score: 7-8", 1, 10), stated_score("评分：８分", 1, 10)
((None, 'unparsed'), (None, 'unparsed'), (8.0, 'ok'))
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn

from tilth.annotators.calls import Reading

Read = Literal["ok", "out_of_range", "unparsed", "missing"]

# A number is whole or it is none: of "7.5%", "7-8", "8th", "1e1", "1.2.3" and "十分困难" no part is read.
_DIGITS = r"[-+−]?(?<![\d.,])\d++(?:[.,]\d++)?+"
_HAN = r"[零一二两三四五六七八九]?十[一二三四五六七八九]?|[零一二两三四五六七八九](?![零一二两三四五六七八九十百])"
_OF = r"(?:\s*[(（\[]?\s*(?:/|out\s+of\b|of\b)\s*(?P<of>\d++)(?!\s*[.,]?\d))?"
_RANGE = r"(?:\s*(?:[-–—−~～至到或]|\b(?:to|or|and)\b)\s*[\d零一二两三四五六七八九十])"
_END = r"(?=\s*(?:分|[\s*_。.,，;；)）】\]\"'`]|$))(?!\s*分\w)"
_NUMBER = rf"(?:(?P<number>{_DIGITS})(?![.,]\d|-?[A-Za-z%‰°½¼¾⅓⅔²³]|分之|点|{_RANGE}){_OF}(?!{_RANGE})|(?P<han>{_HAN}){_END}(?!分?{_RANGE}))"
_LABEL = r"(?:score|rating|rate[sd]?|difficulty|complexity|quality|评分|得分|分数|难度|复杂度|质量|打分|评级)"
_SCALE = r"(?:\s*[(（\[][^()（）\[\]\n]{0,20}[)）\]])?"  # "Score (1-10): 8"
_OPEN = r"[\s*_\[(<【（\"'`]*"
_LINK = r"(?:[\s*_\"'`:=<\[【–—]|\b(?:is|as|at|of|be|an?|this|it|with|the|question|answer|level|overall|around|approximately|roughly)\b|[为是给约])*"
_AT_LINE_START = re.compile(
    rf"^[\s*_#>\-\[【]*(?:(?:final|overall|my)\s+|最终|总)?(?:{_LABEL}|grade){_SCALE}[\s*_\]】]*[:=]{_OPEN}{_NUMBER}",
    re.IGNORECASE | re.MULTILINE,
)
_INLINE = re.compile(rf"(?P<label>{_LABEL}){_SCALE}{_LINK}{_NUMBER}", re.IGNORECASE)
# "Apgar score of 7", "GCS评分8分", "heart rate of 9": a score that somebody else was given.
_OWN = frozenset((
    "the", "this", "that", "my", "a", "an", "d", "ll", "its", "our", "overall", "final", "difficulty", "quality",
    "complexity", "i", "would", "be", "is", "as", "and", "so", "give", "given", "assign", "assigned", "question", "answer",
    "response", "text", "document", "total",
))  # fmt: skip
_WORD_BEFORE = re.compile(r"([^\W\d_]+)[ \t]?$")
_OWN_HAN = re.compile(
    r"(?:^|的|我|其|此|该|题|难度|复杂度|质量|最终|综合|总体|整体|总|因此|所以|故|给出|给予|打出|评为|问题|回答|文本|文档|本|建议|个)$"
)
_BARE = re.compile(rf"^{_OPEN}{_NUMBER}[\s*_\"'`.。)\]】]*(?:分|points?)?[\s*_\"'`.。)\]】]*$", re.IGNORECASE)
_FULL_MARKS = re.compile(r"满分(?:为|是)?\s*(\d+)")
_HAN_DIGITS = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_NARROW = str.maketrans("０１２３４５６７８９．，／：＝％－＋（）", "0123456789.,/:=%-+()")

_OBJECT = re.compile(r'\{\s*["}]')  # where an object may begin; a `{brace}` of prose is none
MAX_OBJECTS = 16
"""Objects looked at in one reply; one with more says nothing."""


class _BadJsonError(ValueError):
    """JSON that says two things, or a number that there is not."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs) and any(found[name] != value for name, value in pairs):
        raise _BadJsonError("one name, two values")
    return found


def _no_number(text: str) -> NoReturn:
    raise _BadJsonError(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)


def json_object(raw: str) -> dict[str, Any] | None:
    """The JSON object in a reply, alone, fenced or amid prose; None where there is none, or several that differ.

    An object that is broken off is none, and neither is a whole one inside it. What stands before `</think>` is not the reply.

    >>> json_object('Here: ```json\\n{"score": 4}\\n``` done'), json_object("no"), json_object('{"score": 4} or {"score": 5}')
    ({'score': 4}, None, None)
    >>> json_object('{"scores": [{"candidate": "K1", "score": 5}, {"cand'), json_object('{"score": 4, "score": 5}')
    (None, None)
    """
    found: list[dict[str, Any]] = []
    text = spoken(raw)
    match = _OBJECT.search(text)
    while match is not None:
        try:
            value, end = _DECODER.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            return None
        found.append(value)
        if len(found) > MAX_OBJECTS or value != found[0]:
            return None
        match = _OBJECT.search(text, end)
    return found[0] if found else None


def spoken(raw: str) -> str:
    """The reply without the thinking that some servers leave before it; nothing where the thinking never ends."""
    before, closed, after = raw.rpartition("</think>")
    return after if closed else "" if "<think>" in before + after else raw


def scale_value(value: object, low: int, high: int) -> tuple[float | None, Read]:
    """A JSON value as a number of the integer scale `low`–`high`.

    >>> scale_value(8, 1, 10), scale_value(7.5, 1, 10), scale_value("3", 1, 5), scale_value(None, 1, 5), scale_value(True, 1, 5)
    ((8.0, 'ok'), (None, 'out_of_range'), (3.0, 'ok'), (None, 'missing'), (None, 'unparsed'))
    """
    if value is None:
        return None, "missing"
    if isinstance(value, str):
        match = _BARE.match(value.translate(_NARROW))
        return _on_scale(match, low, high) if match else (None, "unparsed")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, "unparsed"
    if (isinstance(value, float) and not math.isfinite(value)) or value != int(value) or not low <= value <= high:
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


def stated_score(raw: str, low: int, high: int, *, whole: bool = True) -> tuple[float | None, Read]:
    """The score that a reply in prose states, a whole number of the scale or, where not `whole`, any within it.

    A number counts only where it is called a score of this reply's own, or is the whole reply. A line that begins with the label is
    the verdict, and sentences before it are reasons; a sentence after it that says another takes it back. Two different
    scores are no score.
    """
    text = spoken(raw).translate(_NARROW)
    if match := _BARE.match(text.strip()):
        return _on_scale(match, low, high, whole)
    full = _FULL_MARKS.search(text)
    if full and int(full[1][:9]) != high:  # marks out of five are another scale
        return None, "out_of_range"
    lines = list(_AT_LINE_START.finditer(text))
    after = lines[-1].end() if lines else 0
    said = lines + [match for match in _INLINE.finditer(text, after) if _own(text, match)]
    found = {_on_scale(match, low, high, whole) for match in said}
    return found.pop() if len(found) == 1 else (None, "unparsed")


def _own(text: str, match: re.Match[str]) -> bool:
    """Whether a label inside a sentence is about what this reply rates."""
    found = _WORD_BEFORE.search(text[max(0, match.start() - 24) : match.start()])
    before = "" if found is None else found[1]
    if match["label"].isascii():
        return not before or before.lower() in _OWN or not before[-1].isascii()
    return not before or bool(_OWN_HAN.search(before))


def _on_scale(match: re.Match[str], low: int, high: int, whole: bool = True) -> tuple[float | None, Read]:
    if match["han"] is not None:
        number = _han_number(match["han"])
    else:
        if match["of"] is not None and int(match["of"][:9]) != high:  # "4/5" on a scale of ten is another scale
            return None, "out_of_range"
        digits = match["number"].replace("−", "-")
        number = float(re.sub(r",(?=\d{3}$)", "", digits).replace(",", "."))  # 1,000 is a thousand, 7,5 is seven and a half
    if not math.isfinite(number) or (whole and number != int(number)) or not low <= number <= high:
        return None, "out_of_range"
    return number, "ok"


def _han_number(text: str) -> float:
    """
    >>> _han_number("八"), _han_number("十"), _han_number("十二"), _han_number("三十")
    (8.0, 10.0, 12.0, 30.0)
    """
    tens, ten, units = text.rpartition("十")
    number = _HAN_DIGITS[units] if units else 0
    return float(number + (10 * (_HAN_DIGITS[tens] if tens else 1) if ten else 0))


def label_of(raw: str, field: str, labels: Sequence[str], also: Mapping[str, str] | None = None) -> tuple[str | None, Read]:
    """The label in a reply: the field of its JSON, or the whole reply where it is nothing but a label.

    Args:
        labels: what may be said.
        also: other words for some of them, in lower case.

    >>> label_of('{"domain": "Law"}', "domain", ("law", "medicine")), label_of("medicine.", "domain", ("law", "medicine"))
    (('law', 'ok'), ('medicine', 'ok'))
    >>> label_of('{"domain": "art"}', "domain", ("law",)), label_of("I would say law.", "domain", ("law",)), label_of("{}", "domain", ("law",))
    ((None, 'out_of_range'), (None, 'unparsed'), (None, 'missing'))
    """
    answer = json_object(raw)
    if answer is None:
        found = None if "{" in raw else _label(spoken(raw), labels, also)
        return (None, "unparsed") if found is None else (found, "ok")
    return label_value(answer.get(field), labels, also)


def label_value(value: object, labels: Sequence[str], also: Mapping[str, str] | None = None) -> tuple[str | None, Read]:
    """A JSON value as one of the labels."""
    if value is None:
        return None, "missing"
    if not isinstance(value, str):
        return None, "unparsed"
    found = _label(value, labels, also)
    return (None, "out_of_range") if found is None else (found, "ok")


def _label(text: str, labels: Sequence[str], also: Mapping[str, str] | None) -> str | None:
    said = text.strip().strip("\"'`*_.。<>[]【】 \n").casefold()
    return next((label for label in labels if label.casefold() == said), (also or {}).get(said))


def listed_scores(answer: Mapping[str, Any] | None, names: Sequence[str], low: int, high: int) -> list[Reading]:
    """The field `scores` of a reply's JSON, a list of {candidate, score}, as a reading for each name.

    >>> [one.status for one in listed_scores({"scores": [{"candidate": "K10", "score": 5}]}, ("K10", "Z22"), 1, 5)]
    ['ok', 'missing']
    """
    if answer is None or not isinstance(answer.get("scores"), list):
        return [Reading(name, None, "unparsed") for name in names]
    scores = [one for one in answer["scores"] if isinstance(one, dict)]
    readings = []
    for name in names:
        found = [one.get("score") for one in scores if code_name(one.get("candidate")) == name]
        if len(found) == 1:
            readings.append(Reading(name, *scale_value(found[0], low, high)))
        else:  # scored twice: which one is meant is not ours to guess
            readings.append(Reading(name, None, "unparsed" if found else "missing"))
    return readings


def code_name(value: object) -> str:
    """The code name in what a judge wrote for it: `Response K42` is K42."""
    words = value.split() if isinstance(value, str) else []
    return words[-1].strip("\"'<>[]().:") if words else ""


def listed_scores_schema(low: int, high: int) -> dict[str, Any]:
    """JSON schema of the field `scores`."""
    score = {
        "type": "object",
        "properties": {"candidate": {"type": "string"}, "score": {"type": "integer", "enum": list(range(low, high + 1))}},
        "required": ["candidate", "score"],
        "additionalProperties": False,
    }
    return {"type": "array", "items": score}


def object_schema(**properties: Mapping[str, Any]) -> dict[str, Any]:
    """JSON schema of an object with exactly those properties, as both providers take it."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def scale_schema(low: int, high: int) -> dict[str, Any]:
    """JSON schema of a whole number of the scale; an enum, for Anthropic takes no minimum."""
    return {"type": "integer", "enum": list(range(low, high + 1))}
