"""Which option a completion chose: the last clear verdict, or none; never a guess.

Models state a verdict in a few forms, English and Chinese, and name several options before they conclude. Read in turn:

1. `json`: the last answer field, as `"answer_choice": "D. 2 doses"`. It settles the matter, also where it says "None" or "A/B".
2. `english`, `chinese`, `boxed`: conclusions ("the answer is C", "故选C", `\\boxed{C}`). The last one counts.
3. `alone`, a line that is nothing but an option; `option`, "Option B is correct"; `bold`, "**B. zinc**". These count only
   where they agree: models also go through the options one by one, and some questions ask for the wrong one.
4. `text`: a completion that is nothing but the text of one option.

What is negated, asked, supposed or called wrong states nothing. "E. coli", "B-cell" and "A combination" are no labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

# What stands before a label. Repeats are bounded, so that no text takes quadratic time.
_CUES = (
    ("english", re.compile(
        r"\b(?:answer|choice|option|conclusion|verdict|selection)\b(?:\s+(?:choice|option|letter)\b)?"
        r"(?:\s+(?:here|to|for|of|in|among|from|based)\b[^.。:;\n]{0,80}?)?[\s*_\"']{0,6}"
        r"(?:\b(?:is|was)(?=n['’]t)|\b(?:is|was|(?:would|should|must|will|seems\s+to|appears\s+to)\s+be)\b|[:：=]|[-–—]\s|(?<=[\s*])\n)", re.IGNORECASE)),
    ("english", re.compile(r"\b(?:choose|chose|select|pick|go\s+with|opt\s+for)\b", re.IGNORECASE)),
    ("chinese", re.compile(r"(?:答案|正确选项|结论|正确的(?:选项|说法)?)\s{0,3}(?:应该|应当|应|就)?(?:是|为|选|：|:)|选项(?:应该|应)?(?:是|为)")),
    ("chinese", re.compile(r"(?:故|应|因此|所以|本题|应该|答案)?(?<![不备首筛挑可])选择?(?:\s{0,3}[：:])?")),
    ("chinese", re.compile(r"(?:答案|正确选项)(?=不|并非)")),
    ("boxed", re.compile(r"\\boxed\s?\{")),
)  # fmt: skip
_OPEN = r"(?:[\s*_`\"'“‘(（\[【<$]|\\text\{){0,8}"
_SURELY = r"(?:(?:therefore|thus|hence|then|(?:most\s+)?(?:likely|probably)|clearly|definitely|indeed|simply|still|either|both)\b,?\s{0,4})"
_GAP = re.compile(
    rf"{_OPEN}[:：]?\s?{_SURELY}{{0,2}}{_OPEN}(?:(?:(?:the\s+)?(?:options?|choice|answer|letter)\b|选项)\s{{0,4}}(?:is\b|是)?[:：]?)?{_OPEN}",
    re.IGNORECASE,
)
_NOT_BUT = re.compile(
    r"(?:not|n['’]t)\s+(?:option\s+)?\W{0,3}[A-Z]\b\W{0,4}but\s+(?:(?:rather|instead|option|is|it\s+is)\s+){0,2}"
    r"|(?:不是|并非|不为|不应?选)(?:选项)?\s?[A-Z]\s?[，,]?\s?(?:而是|而应?选|应?选|应为)", re.IGNORECASE,
)  # fmt: skip

# What stands after one.
_CLOSE = re.compile(r"[)\]）】>*_`\"”’}$]{1,6}|'(?!s\b)")
_GOES_ON = (
    "as because since for due based given which where with and but not rather instead in on though although while whereas if when so by from here "
    "according only however therefore thus that is was are or over than per to through alone among at via then considering has the it this these we"
).replace(" ", "|")
_PROSE = re.compile(rf"\s+(?!(?:{_GOES_ON})\b)[a-z]")
_NAME = re.compile(
    r"['’]s\b|[-‐‑][A-Za-z0-9]|\+|\.\s?(?:coli|difficile|albicans|aureus|pneumoniae|perfringens|tetani|botulinum|diphtheriae|jejuni|"
    r"trachomatis|neoformans|burgdorferi|pertussis|cereus|anthracis|fragilis|faecalis|histolytica|granulosus|influenzae|vermicularis)\b"
)
_WRONG = re.compile(
    r"\s?[?？]|[\s:：\-–—(（*,，]{0,6}(?:which\s+)?(?:(?:is|was|are|were|seems)\s+(?:\w{1,12}ly\s+)?(?:not|wrong|incorrect|false|ruled|unlikely)\b"
    r"|(?:is|was)n['’]t\b|(?:wrong|incorrect|false)\b)|[\s:：（(*]{0,4}选?项?[也都均是为]{0,2}(?:错|不正确|不对|不符|不合|有误|排除)", re.IGNORECASE,
)  # fmt: skip
_JOIN = re.compile(
    r"[\s)\]）】*\"”]{0,4}(?P<join>/|&|\+|[、,，;和或及与]|[-–]|\b(?:and/or|and|or|as\s+well\s+as|plus|to|through)\b)\s*"
    r"(?:(?:and|or|&|both)\s+)?(?:(?:option|choice)s?\s+)?[(（\[*\"“]{0,3}"
)
_OTHER_CLAUSE = re.compile(r"\W{0,3}(?:is|are|was|were|can|does|do|has|have|would|may|项|错|不|是|都|均|则|为)")
_TEXT_ENDS = re.compile(rf"\s*(?:[.。,，;；:：!?)）\]\"”'*}}\n(（/]|$|(?:{_GOES_ON})\b)")
_NONE = re.compile(
    r"(?:none|neither|unclear|unknown|cannot|impossible|not\s+(?:given|listed|provided|among|available|any|clear|in|present))\b|以上都不|无法|没有|不确定",
    re.IGNORECASE,
)
_SHORT_LINE = re.compile(r"\W{1,6}[^.。;；*\n]{1,80}[.。*]{0,3}$", re.MULTILINE)

# What makes a cue doubtful: the words of its own clause before it.
_BREAK = re.compile(
    r"[.,;:!?\n。，；：！？]|\b(?:so|thus|hence|therefore|but|and|because|since)\b|因此|所以|故|但", re.IGNORECASE
)
_SURE = re.compile(r"\b(?:no|without(?:\s+a)?)\s+doubt\b|\bnot\s+only\b", re.IGNORECASE)
_DOUBT = re.compile(
    r"(?:\b(?:not|never|cannot|if|whether|unless|might|may|could|tempting|wrong|incorrect|least|worst|previous|initial|doubt|unlikely|"
    r"rather\s+than|instead\s+of|suppose|assuming|avoid)|n['’]t)\b\W+(?:[\w'’]+\W+){0,4}$|(?:不|非|勿|别|误|避免|如果|假如|若|是否|为何|为什么)\w{0,6}$",
    re.IGNORECASE,
)

_FIELD = re.compile(
    r"""["'](?:(?:final|correct|best|selected|chosen|predicted)[_ ])?(?:answers?|choice|verdict)(?:[_ ](?:choice|option|letter|label|idx))?["']\s?:\s{0,9}"""
    r"""(?:"(?P<double>(?:[^"\\]|\\.)*)|'(?P<single>[^'\n]*)|(?P<list>\[[^\]\n]*)|(?P<plain>[^"'\[{\s][^,}\n]*))""", re.IGNORECASE,
)  # fmt: skip
_IN_BRACKETS = re.compile(r"\s?[(（](?:option\s)?([A-Z])[)）]", re.IGNORECASE)
_RUN = re.compile(r"[A-Z]{2,8}(?![A-Za-z0-9])")
_CAPITALISED = re.compile(r"\s+[A-Z][a-z]")
_INSIDE = re.compile(r"[A-Za-z0-9]{2}")
_TO_TEXT = re.compile(r"[\s.．)）\]:：,、*(]{1,5}(?:[-–—]\s)?|[-–—]\s?")  # the dash of "D. -80" is the text's own
_ASIDE = re.compile(r"\s?\([^()\n]{0,80}\)")
_RIGHT = r"(?:correct|right|best|(?:most\s+)?(?:appropriate|suitable|accurate|likely|probable|logical|reasonable))"
_BEFORE = (
    r"(?:^|[\n.,:;。，：；(（*>]|(?i:\b(?:so|thus|hence|therefore|that|option|choice|answer|letter|is|because)\b)|选项)[ \t]{0,3}"
)
_CALLED = r"\W{0,2}\s+(?:is|was|would\s+be|seems|appears\s+to\s+be)\s+(?:\w{1,12}ly\s+|therefore\s+|thus\s+)?"
_CLAIM = re.compile(
    rf"{_CALLED}(?:the|our|my)\s+(?:{_RIGHT}\s+){{0,2}}(?:answer|option|choice|one)\b|(?P<chinese>选?项?[是为](?:最?(?:正确|佳|合适|恰当)的?)?(?:答案|选项))",
    re.IGNORECASE,
)
_IS_RIGHT = re.compile(
    rf"{_CALLED}(?:the\s+)?{_RIGHT}\b(?!\W+(?:to\s+be\s+)?(?:wrong|incorrect|false|not)\b)|\s?(?:选?项)?\s?[是为]?(?:说法|描述)?(?:正确|对(?![照比])|最?(?:合适|恰当|佳)|最符合)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Verdict:
    """What a completion decided."""

    label: str | None
    """Label of the chosen option."""
    rule: str | None
    """The rule that found it. Without a label: the rule that found a conclusion of no single known option; None: nothing is stated."""


@dataclass(frozen=True)
class _Options:
    """What can be chosen, and the patterns of its labels."""

    labels: frozenset[str]
    texts: dict[str, str]  # plain text → label, of texts that only one option has
    spelled: tuple[tuple[str, str], ...]  # (text, label), longest first
    label: re.Pattern[str]  # one label, or another capital letter, which then is no known option
    shown: re.Pattern[str]  # a label where a clause may begin with one
    called: re.Pattern[str]  # "option B"
    bare_line: re.Pattern[str]
    option_line: re.Pattern[str]


def verdict(completion: str, labels: Sequence[str], texts: Sequence[str] = ()) -> Verdict:
    """The option that a completion chose.

    Args:
        completion: the model's words, JSON or prose.
        labels: labels of the question's options.
        texts: their texts, in the same order; "the answer is zinc" then names an option too.

    >>> verdict("Option A is tempting, and B too. So, the answer is C.", "ABCD").label
    'C'
    >>> verdict("答案：C。选项A错误。", "ABCD").label, verdict("综上，故选A。", "ABCD").label
    ('C', 'A')
    >>> verdict("The answer is not B but C.", "ABCD").label, verdict("The answer is a beta blocker.", "AB").label
    ('C', None)
    >>> verdict('{"answer_choice": "A/B"}', "ABCD"), verdict("It depends.", "ABCD")
    (Verdict(label=None, rule='json'), Verdict(label=None, rule=None))
    """
    options = _options(tuple(labels), tuple(texts))
    for decisive in (_fields, _conclusions):
        if found := list(decisive(completion, options)):
            return max(found, key=lambda one: one[0])[1]
    for agreeing in (_bare_lines, _option_lines, _mentions):
        if len(verdicts := set(agreeing(completion, options))) and len({one.label for one in verdicts}) == 1:
            return min(verdicts, key=str)
    label = options.texts.get(_plain(completion))
    return Verdict(label, "text" if label else None)


def named(completion: str, labels: Sequence[str], texts: Sequence[str]) -> str | None:
    """The only option whose text stands in a completion, as words of its own and not negated: weaker than a verdict.

    >>> named("Take zinc, not iron.", "AB", ["iron", "zinc"]), named("Iron or zinc.", "AB", ["iron", "zinc"])
    ('B', None)
    """
    options = _options(tuple(labels), tuple(texts))
    lowered, found, at = completion.lower(), set(), 0
    while at < len(lowered):
        here = (one for one in options.spelled if lowered.startswith(one[0], at) and _stands_alone(lowered, at, at + len(one[0])))
        text, label = next(here, ("", ""))
        if label and not _doubtful(lowered, at):
            found.add(label)
        at += len(text) or 1
    return found.pop() if len(found) == 1 else None


def _fields(completion: str, options: _Options) -> Iterator[tuple[int, Verdict]]:
    """Answer fields of JSON, also of JSON that is cut or badly quoted; empty ones state nothing."""
    for match in _FIELD.finditer(completion):
        value = next(part for part in match.groups() if part is not None)
        value = re.sub(r"""[\["']""", "", value).strip() if match["list"] else value.replace('\\"', '"').strip()
        if not value or value == "null":
            continue
        label = value if value in options.labels else options.texts.get(_plain(value)) or _read(value, 0, options)
        if label is None:
            label = next((one.label for _, one in sorted(_conclusions(value, options), key=lambda one: -one[0])), None)
        yield match.end(), Verdict(label or None, "json")


def _conclusions(completion: str, options: _Options) -> Iterator[tuple[int, Verdict]]:
    """Statements in which a verdict is spelled out, each with where it ends."""
    for rule, cue in _CUES:
        for match in cue.finditer(completion):
            if (label := _read(completion, match.end(), options)) is not None and not _doubtful(completion, match.start()):
                yield match.end(), Verdict(label or None, rule)
    for match in options.shown.finditer(completion):
        claim = _CLAIM.match(completion, _told(completion, match, options))
        if claim and not _doubtful(completion, match.start()):
            yield claim.end(), Verdict(match["label"], "chinese" if claim["chinese"] else "english")


def _bare_lines(completion: str, options: _Options) -> Iterator[Verdict]:
    """Lines that hold a label and nothing else."""
    return (Verdict(match["label"], "alone") for match in options.bare_line.finditer(completion))


def _option_lines(completion: str, options: _Options) -> Iterator[Verdict]:
    """Lines that begin as an option does, and do not call it wrong."""
    for match in options.option_line.finditer(completion):
        end = match.end("label")
        short = None if options.spelled else _SHORT_LINE.match(completion, end)
        joined = _own_end(completion, end, match["label"], options) or _end(short, 0)
        if joined and not _WRONG.match(completion, joined):
            yield Verdict(match["label"], "alone")


def _mentions(completion: str, options: _Options) -> Iterator[Verdict]:
    """Options that are called right, or stand in bold."""
    for match in options.called.finditer(completion):
        right = _IS_RIGHT.match(completion, _told(completion, match, options))
        if (
            (right or match["is"])
            and not _WRONG.match(completion, right.end() if right else match.end())
            and not _doubtful(completion, match.start())
        ):
            yield Verdict(match["label"], "option")
    for match in re.finditer(r"\*\*(?=[^*\n]{1,160}\*\*)", completion):
        if label := _read(completion, match.end(), options):
            after = completion.find("**", match.end()) + 2
            if not _WRONG.match(completion, after):
                yield Verdict(label, "bold")


def _read(completion: str, at: int, options: _Options) -> str | None:
    """The label that stands at a place; "" for a conclusion of no single known option, None where there is none."""
    at = _end(_GAP.match(completion, at), at)
    if swapped := _NOT_BUT.match(completion, at):
        at = _end(_GAP.match(completion, swapped.end()), swapped.end())
    if spelled := _text_at(completion, at, options):
        label, end = spelled
        also = _IN_BRACKETS.match(completion, end)
        if also and also[1] != label:
            return ""
    elif match := options.label.match(completion, at):
        label, end = match[0], match.end()
        if not _is_label(completion, match, options):
            return None
        own = _own_end(completion, end, label, options)
        beside = None if own else _text_at(completion, _end(_TO_TEXT.match(completion, end), end), options)
        if beside and beside[0] != label:
            return ""
        end = own or end
    else:
        run = _RUN.match(completion, at)
        letters = run is not None and set(run[0]) <= options.labels and not _PROSE.match(completion, run.end())
        return "" if letters or _NONE.match(completion, at) else None
    if _several(completion, end, options):
        return ""
    if _WRONG.match(completion, _end(_CLOSE.match(completion, end), end)):
        return None
    return label if label in options.labels else ""


def _is_label(completion: str, match: re.Match[str], options: _Options) -> bool:
    """Whether a letter is a label rather than an article, an initial or a part of a name."""
    end = match.end()
    if _CLOSE.match(completion, end) or _own_end(completion, end, match[0], options):
        return True
    if _NAME.match(completion, end) or _PROSE.match(completion, end):
        return False
    return not (match[0] in "AI" and options.spelled and _CAPITALISED.match(completion, end))


def _several(completion: str, end: int, options: _Options) -> bool:
    """Whether further options are joined to one that ends here: "A/B", "A and B"; not "C, B is wrong"."""
    joins = []
    while joined := _JOIN.match(completion, end):
        label = options.label.match(completion, joined.end())
        if spelled := _text_at(completion, joined.end(), options):
            end = spelled[1]
        elif label and label[0] in options.labels and _is_label(completion, label, options):
            end = _own_end(completion, label.end(), label[0], options) or label.end()
        else:
            break
        joins.append(joined["join"])
    if not joins or (joins[0] in ",，;；-–" and _OTHER_CLAUSE.match(completion, end)):
        return False
    return not _WRONG.match(completion, end)


def _doubtful(completion: str, at: int) -> bool:
    """Whether the clause before a place negates or supposes what follows."""
    if completion.startswith(("故", "因此", "所以"), at):
        return False
    before = _SURE.sub("", completion[max(0, at - 80) : at])
    breaks = [match.end() for match in _BREAK.finditer(before)]
    return _DOUBT.search(before, breaks[-1] if breaks else 0) is not None


def _told(completion: str, match: re.Match[str], options: _Options) -> int:
    """Where a label ends with what tells its option: "C (zinc)", "C. zinc"."""
    return _own_end(completion, match.end("label"), match["label"], options) or _end(
        _ASIDE.match(completion, match.end()), match.end()
    )


def _own_end(completion: str, end: int, label: str, options: _Options) -> int | None:
    """Where the option's own text ends, if that follows a label that ends here."""
    start = _end(_TO_TEXT.match(completion, end), end)
    ends = (
        start + len(text) for text, of in options.spelled if of == label and completion[start : start + len(text)].lower() == text
    )
    return next((at for at in ends if start > end and _stands_alone(completion, start, at)), None)


def _text_at(completion: str, at: int, options: _Options) -> tuple[str, int] | None:
    """(label, end) of the option whose whole text stands at a place."""
    for text, label in options.spelled:
        end = at + len(text)
        if completion[at:end].lower() == text and label in options.texts.values() and _TEXT_ENDS.match(completion, end):
            return label, end
    return None


def _stands_alone(completion: str, start: int, end: int) -> bool:
    """Whether no Latin word is cut at either end."""
    return not any(_INSIDE.match(completion[max(0, at - 1) : at + 1]) for at in (start, end))


def _end(match: re.Match[str] | None, otherwise: int) -> int:
    return match.end() if match else otherwise


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .。")


@lru_cache(maxsize=1024)
def _options(labels: tuple[str, ...], texts: tuple[str, ...]) -> _Options:
    known = tuple(label for label in dict.fromkeys(labels) if label.strip())
    pairs = [(label, text) for label, text in zip(labels, texts, strict=False) if label in known and _plain(text)]
    plain = [_plain(text) for _, text in pairs]
    spelled = {(text.strip(" .。\n").lower(), label) for label, text in pairs}
    return _Options(
        labels=frozenset(known),
        texts={one: label for (label, _), one in zip(pairs, plain, strict=True) if plain.count(one) == 1},
        spelled=tuple(sorted(((text, label) for text, label in spelled if len(text) > 1), key=lambda one: (-len(one[0]), one))),
        **_patterns(known),
    )


@lru_cache(maxsize=256)
def _patterns(known: tuple[str, ...]) -> dict[str, re.Pattern[str]]:
    """The patterns that name labels; apart from texts, since most questions share their labels."""
    one = "|".join(re.escape(label) for label in sorted(known, key=lambda label: (-len(label), label))) or "(?!)"
    label = rf"(?P<label>{one})(?![A-Za-z0-9])"
    quoted = rf"[(（\[*]{{0,3}}{label}[)）\]*]{{0,3}}"
    begin = r"^[ \t*_>#\"'(（\[]{0,6}"
    return {
        "label": re.compile(rf"(?:{one}|[A-Z])(?![A-Za-z0-9])"),
        "shown": re.compile(_BEFORE + quoted),
        "called": re.compile(
            rf"(?:(?P<is>\b(?i:is\s+(?:therefore\s+)?(?:option|choice)\s+))|(?i:\b(?:option|choice|answer)\s+)|(?<![A-Za-z0-9])){quoted}"
        ),
        "bare_line": re.compile(rf"{begin}{label}[ \t*_\"')）\].。:：]{{0,6}}$", re.MULTILINE),
        "option_line": re.compile(rf"{begin}{label}(?=[*_)）\]]{{0,3}}[.．。:：、]|[)）\]])(?!\.[A-Z])", re.MULTILINE),
    }
