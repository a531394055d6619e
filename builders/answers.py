"""Which option a completion chose: the last clear verdict, or none; never a guess.

Models state a verdict in a few forms, English and Chinese; a completion may name several options before it
concludes, so the *last* statement counts, and statements in which the verdict is spelled out ("the answer is B")
count before bare ones ("**B**"). What states nothing is `None`: an extraction failure is a state of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

LABEL = r"[\(（\[【<]?\s*(?P<label>(?-i:[A-Z]))\b(?![’'])\s*[\)）\]】>]?(?!\s*(?:/|,|&|、|和|或|\band\b|\bor\b)\s*[\(（]?(?-i:[A-Z])\b)"
SPELLED = (
    ("json", re.compile(r"""["']?answer_?\s?(?:choice|option)?s?["']?\s*:\s*["']?\s*""" + LABEL, re.IGNORECASE)),
    ("english", re.compile(
        r"(?:answer|choice|option|conclusion)(?:\s+(?:choice|option))?\s*(?:is|:|：|would be|should be|must be|=)\s*(?:therefore\s*)?"
        r"(?:most likely\s*)?(?:option|choice|answer|letter)?\s*[:：]?\s*\**\s*" + LABEL, re.IGNORECASE)),
    ("english", re.compile(r"(?:option|choice|answer)\s+\**" + LABEL + r"\**\s+is\s+(?:the\s+)?(?:most\s+)?(?:correct|right|best|appropriate|likely)", re.IGNORECASE)),
    ("chinese", re.compile(r"(?:答案|正确选项|正确答案|选项|结论)\s*(?:是|为|应为|应该是|选|：|:)\s*(?:选项)?\s*\**\s*" + LABEL.replace(r"\b", "(?![A-Za-z])"))),
    ("chinese", re.compile(r"(?:故选|应选|因此选|所以选|选择|故答案选|本题选)\s*[：:]?\s*(?:选项)?\s*\**\s*" + LABEL.replace(r"\b", "(?![A-Za-z])"))),
    ("chinese", re.compile(r"选项\s*" + LABEL.replace(r"\b", "(?![A-Za-z])") + r"\s*(?:是)?(?:正确|最合适|最佳|对)")),
)  # fmt: skip
BARE = (
    ("bold", re.compile(r"\*\*\s*" + LABEL + r"\s*[\.．、:：]?\s*[^*\n]{0,120}\*\*")),
    ("boxed", re.compile(r"\\boxed\{\s*(?:\\text\{)?\s*" + LABEL)),
    ("alone", re.compile(r"(?:^|\n)\s*\**" + LABEL + r"\**\s*[\.。]?\s*$")),
)


@dataclass(frozen=True)
class Verdict:
    """The label of the chosen option and the rule that found it; both None where nothing was stated."""

    label: str | None
    rule: str | None


def verdict(completion: str, labels: Sequence[str], texts: Sequence[str] = ()) -> Verdict:
    """The option that a completion chose.

    Args:
        completion: the model's words, JSON or prose.
        labels: labels of the question's options.
        texts: their texts: a completion that is nothing but one of them chose it.

    >>> verdict("Option A is tempting, and B too. So, the answer is C.", "ABCD").label
    'C'
    >>> verdict("综上，故选A。", "ABCD").label
    'A'
    >>> verdict("It depends.", "ABCD").label is None
    True
    """
    for rules in (SPELLED, BARE):
        found = [(match.end(), match["label"].upper(), rule) for rule, pattern in rules for match in pattern.finditer(completion)]
        known = [one for one in found if one[1] in labels]
        if known:
            _, label, rule = max(known)
            return Verdict(label, rule)
    said = completion.strip().rstrip(".。").casefold()
    same = [label for label, text in zip(labels, texts, strict=False) if text.strip().rstrip(".。").casefold() == said]
    return Verdict(same[0], "text") if len(same) == 1 else Verdict(None, None)
