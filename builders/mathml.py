"""MathML (and TeX beside it) → one line of text: x², a/b, √(x + 1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tilth.builders.xml_tree import entity, name

if TYPE_CHECKING:
    from lxml.etree import _Element

_HIGH = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_LOW = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_ACCENTS = {".": "\u0307", "˙": "\u0307", "¯": "\u0304", "‾": "\u0304", "-": "\u0304", "_": "\u0304", "―": "\u0304", "^": "\u0302", "ˆ": "\u0302",
            "~": "\u0303", "˜": "\u0303", "→": "\u20d7"}  # fmt: skip
_TEX = re.compile(r"\\begin\{document\}\s*(.*?)\s*\\end\{document\}", re.DOTALL)
_LEFT_OUT = {"annotation", "annotation-xml", "mphantom"}


def superscript(text: str) -> str:
    """10 and 9 is not 109: digits and signs become Unicode superscripts, other text (1st, Ca with 2+ aside) stays in line.

    >>> superscript("-3"), superscript("st")
    ('⁻³', 'st')
    """
    return text.translate(_HIGH) if re.fullmatch(r"[+\-−]?\d+[+\-−]?|[+\-−]|n", text) else text


def subscript(text: str) -> str:
    """As `superscript`, below the line: CO₂, but Cmax.

    >>> subscript("2"), subscript("max")
    ('₂', 'max')
    """
    return text.translate(_LOW) if re.fullmatch(r"[+\-−]?\d+[+\-−]?", text) else text


def line(math: _Element) -> str:
    """A formula in one line; presentation MathML's rows, scripts, fractions, roots and tables.

    Raises:
        BadRecord: it holds an entity that stands for nothing known.
    """
    return " ".join(_line(math).split())


def _line(element: _Element) -> str:
    what = name(element)
    if what == "&":
        return entity(element)
    if what in _LEFT_OUT:
        return ""
    parts = [_line(child) for child in element]
    match what, parts:
        case "mover", [base, high] if len(base.strip()) == 1 and high.strip() in _ACCENTS:
            return base.strip() + _ACCENTS[high.strip()]
        case ("msup" | "mover"), [base, high]:
            return base + _script(high, "^", superscript)
        case ("msub" | "munder"), [base, low]:
            return base + _script(low, "_", subscript)
        case ("msubsup" | "munderover"), [base, low, high]:
            return base + _script(low, "_", subscript) + _script(high, "^", superscript)
        case "mfrac", [over, under]:
            return f"{_grouped(over)}/{_grouped(under)}"
        case "msqrt", _:
            return f"√{_grouped(''.join(parts))}"
        case "mroot", [inside, degree]:
            return f"{_script(degree, '', superscript)}√{_grouped(inside)}"
        case "mfenced", _:
            return f"{element.get('open', '(')}{', '.join(parts)}{element.get('close', ')')}"
        case "mtr" | "mlabeledtr", _:
            return ", ".join(part for part in parts if part.strip())
        case "mtable", _:
            return "; ".join(part for part in parts if part.strip())
        case "mspace", _:
            return " "
        case "mo", _:
            return _operator((element.text or "") + "".join(parts))
    return (element.text or "").strip() + "".join(part + (child.tail or "").strip() for part, child in zip(parts, element, strict=True))


def _operator(sign: str) -> str:
    bare = sign.strip().strip("\u2061\u2062\u2063\u2064")  # applied, times, separator, plus: signs that are not seen
    return f" {bare} " if bare in {"=", "+", "-", "−", "±", "×", "·", "<", ">", "≤", "≥", "≈", "≠", "→", "∼", "~"} else bare


def _script(text: str, mark: str, small: object) -> str:
    bare = text.strip()
    if mark == "^" and set(bare) <= set("′″'*"):
        return bare
    tight = bare.replace(" ", "")
    made = superscript(tight) if small is superscript else subscript(tight)
    return made if made != tight or not bare else f"{mark}{_grouped(bare)}"


def _grouped(text: str) -> str:
    bare = text.strip()
    return bare if re.fullmatch(r"[\w.,%°′]+", bare) else f"({bare})"


def tex(source: str) -> str:
    """The formula of a LaTeX document that holds only it, as publishers put it beside the picture.

    >>> tex(r"\\documentclass{minimal} \\begin{document} $$x^2$$ \\end{document}")
    'x^2'
    """
    found = _TEX.search(source)
    return " ".join((found[1] if found else source).strip().strip("$").split())
