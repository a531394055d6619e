"""Drafts: questions that a model wrote, and the rules that they must keep. A draft that breaks one is named after it and left as it is.

>>> draft({"question": "Which mineral?", "options": [{"text": "a", "correct": True}, {"text": "b", "correct": False}]}, 2)
Draft(question='Which mineral?', options=('a', 'b'), right=0)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tilth.annotators.calls import Language
from tilth.annotators.generator import BrokenReply
from tilth.annotators.replies import object_schema

_LEANS = re.compile(
    r"\b(?:the|this|that|above|given|following|provided)\s+(?:above\s+|given\s+|following\s+|provided\s+)?(?:passage|paragraph|excerpt|text|author)s?\b"
    r"|\b(?:this|above|given|following|provided)\s+(?:document|article|chapter|section|figure|table|material)s?\b|\b(?:figure|fig\.|table|chapter)\s+\d"
    r"|\b(?:mentioned|described|stated|discussed|listed|shown)\s+(?:above|below|earlier|here)\b"
    r"|(?<![中英人语论作])(?:[本该此上下前]文(?!化|明|献|学)|文[中内](?!心|国|华|化))|(?:根据|阅读|本篇|这篇|该篇|上述|以上)(?:文章|材料|资料|短文|文字|段落|内容)|[本该此这上]段(?:文字|内容|话|落|中|里)"
    r"|作者(?:认为|指出|提到|强调|在文)|(?:[上下见如]|^|[，。；：、\s(（])[图表]\s?\d",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"\b(?:all|none|both|neither|any|either|two|some)\s+(?:of\s+)?(?:the\s+)?(?:above|others|options?|choices?|foregoing)\b|\b(?:all|none)\s+of\s+(?:these|them)\b"
    r"|^\W*(?:both\s+|neither\s+)?(?:options?\s+)?[A-H]\s*(?:and|or|nor|&|,|/|[和与或、])\s*(?:options?\s+)?[A-H]\W*$"
    r"|^\W*(?:以上|上述)(?:都|均|皆|全|各|选项|所有|答案|.{0,3}[是对错非])|(?:都|均)(?:对|错|正确|不对|不正确|是|不是)$",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"^\s*[(（\[]?(?:[A-Ha-h]|[1-8])\s?(?:[)）\]]|[.．:：、](?!\d))")
_PROMPT_WORDS = re.compile(
    r"<<<[^\n]{0,80}>>>|#\s?(?:the\s+)?(?:given|rewritten|original)\b|\b(?:given|rewritten|evolved|original)\s+(?:prompt|question|instruction)s?\b"
    r"|(?:改写|重写|进化|演化)(?:后|前)的?(?:问题|题目|指令|提示)|(?:(?<![还复])原|给定的?|所给的?)(?:问题|题目|指令|提示词?)",
    re.IGNORECASE,
)
_DO = r"(?:help|assist|answer|provide|comply|write|create|generate|rewrite|fulfil|do\s+(?:that|this)|continue|offer|give|produce|complete|engage|support|discuss)"
_REFUSES = re.compile(
    rf"^\W*(?:(?:i[’']?\s?a?m\s+(?:so\s+|very\s+|really\s+|truly\s+)?sorry|sorry|(?:i\s+)?apolog\w+|unfortunately)\b.{{0,60}}?)?\b(?:i|we)(?:\s+a|[’'])?\s?m?\s*"
    rf"(?:can(?:\s?not|[’']?t)|could\s?n[o’']?t|will\s+not|won[’']?t|(?:not\s+able|unable)\s+to|must\s+decline\s+to|do\s+not|don[’']t)\s+(?:\w+\s+){{0,2}}?{_DO}"
    r"|^\W*as\s+an?\s+(?:ai|(?:large\s+)?language\s+model|artificial)\b"
    r"|^\W*(?:(?:非常|很|十分|实在)?(?:抱歉|对不起|不好意思).{0,12}?我?|我)(?:是.{0,12})?[，,]?(?:无法|不能|没法|没有办法|不可以)(?:直接|为您|为你|向您)?(?:回答|提供|完成|满足|协助|帮|给出|生成|改写|继续|写|讨论)"
    r"|^\W*作为(?:一个|一名)?(?:AI|人工智能|大?语言模型)|^\W*(?:i[’']?m\s+)?(?:sorry|抱歉|对不起)\W*$",
    re.IGNORECASE,
)
STOP_WORDS = frozenset(
    ["a", "an", "and", "are", "as", "at", "be", "but", "by", "do", "for", "from", "had", "has", "have", "he", "her", "his", "i", "if", "in", "is", "it", "its", "me", "my", "no", "not", "of", "on", "or", "our", "s", "she", "so", "t", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "too", "us", "was", "we", "were", "what", "when", "which", "who", "will", "with", "would", "yes", "you", "your", "ok", "okay", "sure", "的", "了", "是", "在", "和", "与", "或", "也", "就", "都", "而", "及", "着", "呢", "吗", "吧", "啊", "我", "你", "他", "她", "它", "这", "那", "不", "好", "嗯", "有", "一", "个"]
)  # fmt: skip
"""Words that alone say nothing: common English function words, and Chinese particles and pronouns of one character. Our own short list."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A question as a model wrote it; of a multiple-choice question its options in the order written, and which is right."""

    question: str
    options: tuple[str, ...] = ()
    right: int | None = None

    @property
    def whole(self) -> str:
        """All of its words."""
        return "\n".join((self.question, *self.options))


def draft(answer: Mapping[str, Any], num_options: int | None) -> Draft:
    """The draft in a reply's JSON: `question`, and `options` [{text, correct}] where it has any.

    Args:
        num_options: so many there must be; 0: an open question; None: two or more.

    Raises:
        BrokenReply: no_question, option_count, blank_option, options_repeat, options_refer, options_labelled, not_one_right, says_nothing,
            unprintable, copies_prompt, refuses.
    """
    question = text_of(answer.get("question"), "no_question")
    if says_nothing(question):
        raise BrokenReply("says_nothing", question[:100])
    if num_options == 0:
        return Draft(question)
    listed = answer.get("options")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed) or len(listed) != max(2, num_options or len(listed)):
        raise BrokenReply("option_count", f"{len(listed) if isinstance(listed, list) else 'no'} options, not {num_options or 'two or more'}")
    options = tuple(text_of(one.get("text"), "blank_option") for one in listed)
    if len({plain(option) for option in options}) < len(options):
        raise BrokenReply("options_repeat", " | ".join(options)[:200])
    if found := next((option for option in options if _REFERS.search(option)), None):
        raise BrokenReply("options_refer", found[:200])
    if all(_LABELLED.match(option) for option in options):
        raise BrokenReply("options_labelled", options[0][:200])
    right = [place for place, one in enumerate(listed) if one.get("correct") is True]
    if len(right) != 1 or any(not isinstance(one.get("correct"), bool) for one in listed):
        raise BrokenReply("not_one_right", f"{len(right)} of {len(options)} options are called right")
    return Draft(question, options, right[0])


def draft_schema(options: bool) -> dict[str, dict[str, Any]]:
    """JSON schema of the fields that `draft` reads, with options or without."""
    if not options:
        return {"question": {"type": "string"}}
    option = object_schema(text={"type": "string"}, correct={"type": "boolean"})
    return {"question": {"type": "string"}, "options": {"type": "array", "items": option}}


def text_of(value: object, rule: str) -> str:
    """A text that stands for itself: not blank, printable, no refusal, nothing of the prompt in it.

    Raises:
        BrokenReply: `rule` where it is blank or no text; unprintable, copies_prompt, refuses.
    """
    if not isinstance(value, str) or not value.strip():
        raise BrokenReply(rule, f"{value!r}"[:100])
    text = value.strip()
    if strange := next((char for char in text if unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") and char not in "\n\t"), None):
        raise BrokenReply("unprintable", f"U+{ord(strange):04X}")
    if copied := _PROMPT_WORDS.search(text):
        raise BrokenReply("copies_prompt", copied[0])
    if refuses(text):
        raise BrokenReply("refuses", text[:100])
    return text


def stands_alone(found: Draft) -> None:
    """See that it can be read by somebody who has not seen the passage.

    Raises:
        BrokenReply: leans_on_passage.
    """
    if leans := _LEANS.search(found.whole):
        raise BrokenReply("leans_on_passage", leans[0])


def same_language(text: str, language: Language) -> None:
    """See that a text is in Chinese where it should be, and not mostly in Chinese where it should not.

    Raises:
        BrokenReply: other_language.
    """
    letters = [char for char in text if char.isalpha()]
    han = sum("\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf" for char in letters)
    if (language == "zh" and not han) or (language == "en" and 2 * han > len(letters)):
        raise BrokenReply("other_language", text[:100])


def refuses(text: str) -> bool:
    """Whether a text begins by declining (evol-instruct's second rule, which looks for "sorry" in short answers).

    >>> refuses("I'm sorry, but I cannot help."), refuses("抱歉，我无法回答。"), refuses("A patient says sorry. Why?")
    (True, True, False)
    """
    return bool(_REFUSES.match(text))


def says_nothing(text: str) -> bool:
    """Whether it holds only punctuation and stop words (evol-instruct's third rule).

    >>> says_nothing("Yes, it is."), says_nothing("……的。"), says_nothing("Zinc.")
    (True, True, False)
    """
    words = re.findall(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+", text.lower())
    return all(word in STOP_WORDS for word in words)


def plain(text: str) -> str:
    """A text as far as it counts: compatibility forms, case, spaces and what punctuation stands around it gone.

    >>> plain(" Ｚinc  (II). "), plain("↑")
    ('zinc(ii)', '↑')
    """
    return "".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(".。,，;；:：!！?？\"'“”‘’")
