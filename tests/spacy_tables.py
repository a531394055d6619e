"""Makes filters/spacy_english.py from the spaCy that is installed: python tests/spacy_tables.py > filters/spacy_english.py"""

from __future__ import annotations

import re
import sys
import textwrap
import unicodedata

import spacy
from spacy.lang import char_classes as chars
from spacy.pipeline import Sentencizer
from spacy.symbols import ORTH

ALL = "".join(chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)
CUT = "·"
"""Between the tokens of a special case; in none of them."""


def tokenizer() -> spacy.tokenizer.Tokenizer:
    return spacy.blank("en").tokenizer


def classes() -> dict[str, str]:
    """Class of characters → all of them."""
    rules = tokenizer()
    quotes, al, au = chars.CONCAT_QUOTES, chars.ALPHA_LOWER, chars.ALPHA_UPPER
    patterns = {
        "alpha": rf"[{chars.ALPHA}]",
        "lower": rf"[{al}]",
        "upper": rf"[{au}]",
        "before_stop": rf"[0-9{al}%²\-\+{chars.PUNCT}(?:{quotes})]",
        "before_dot": rf"[{al}{quotes}]",
        "after_dot": rf"[{au}{quotes}]",
        "icon": rf"[{chars.CONCAT_ICONS}…]",
        "word": r"\w",
        "digit": r"\d",
    }
    found = {name: "".join(re.findall(pattern, ALL)) for name, pattern in patterns.items()}
    found["space"] = "".join(char for char in ALL if char.isspace())
    lines = "\n".join(ALL)  # what each character is by itself; + depends on what follows
    found["prefix"] = "".join(re.findall(rules.prefix_search.__self__.pattern, lines, re.MULTILINE)).replace("+", "")
    found["suffix"] = "".join(re.findall(rules.suffix_search.__self__.pattern, lines, re.MULTILINE))
    found["punctuation"] = "".join(char for char in ALL if unicodedata.category(char)[0] == "P")
    found["sentence_end"] = "".join(sorted(set(Sentencizer.default_punct_chars)))
    return found


def units() -> list[str]:
    """What is split from a number before it."""
    return sorted({re.sub(r"\\(.)", r"\1", unit) for unit in (*chars.LIST_UNITS, *chars.LIST_CURRENCY)})


def specials() -> dict[str, tuple[str, ...]]:
    """Special case → its tokens; without white space itself, which is never a word."""
    rules = tokenizer().rules
    return {text: tuple(part[ORTH] for part in rules[text]) for text in sorted(rules) if not text.isspace()}


def ranges(members: str) -> str:
    """Characters as hexadecimal ranges."""
    points = sorted(map(ord, members))
    starts = [point for i, point in enumerate(points) if not i or points[i - 1] != point - 1]
    ends = [point for i, point in enumerate(points) if i + 1 == len(points) or points[i + 1] != point + 1]
    return " ".join(f"{start:x}" if start == end else f"{start:x}-{end:x}" for start, end in zip(starts, ends, strict=True))


HEAD = '''"""Tables of the English tokenizer of spaCy {version}, which `words: spacy` follows. Made by tests/spacy_tables.py; not for editing.

Character classes (\\\\w, \\\\d and punctuation: of Unicode {unicode}) as hexadecimal ranges, what is split from a number before it,
and special cases with `{cut}` between their tokens.

From spaCy (https://github.com/explosion/spaCy), under the MIT licence: Copyright (C) 2016-2024 ExplosionAI GmbH, 2016
spaCy GmbH, 2015 Matthew Honnibal. Permission is hereby granted, free of charge, to any person obtaining a copy of this
software and associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the
Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions: The above
copyright notice and this permission notice shall be included in all copies or substantial portions of the Software. THE
SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES
OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS
BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

VERSION = "{version}"
CUT = "{cut}"
'''


def wrapped(words: str) -> str:
    return "\n".join(textwrap.wrap(words, 130, break_long_words=False, break_on_hyphens=False))


def module() -> str:
    """The text of filters/spacy_english.py."""
    text = HEAD.format(version=spacy.__version__, unicode=unicodedata.unidata_version, cut=CUT)
    text += "CLASSES = {\n"
    for name, members in classes().items():
        text += f'    "{name}": """\n{wrapped(ranges(members))}\n""",\n'
    text += '}\nUNITS = """\n' + wrapped(" ".join(units())) + '\n"""\n'
    text += 'SPECIALS = r"""\n' + wrapped(" ".join(CUT.join(parts) for parts in specials().values())) + '\n"""\n'
    return text


if __name__ == "__main__":
    sys.stdout.write(module())
