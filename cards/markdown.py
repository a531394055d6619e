"""Markdown from facts that other people wrote: whatever a template prints is escaped, unless it is `Markdown` already.

Titles, licences and reasons come out of data sets and recipes, and are hostile until escaped: a pipe, a newline, a
backtick or a tag in one must not change the table, the page or the YAML around it.
"""

from __future__ import annotations

import functools
import re
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

MAX_CHARACTERS = 600
"""A title longer than this is cut: a table cell is no place for a page."""

_UNSEEN = re.compile(
    r"[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;"}
_MARKS = re.compile(r"[&<>|`\\*_\[\]~$]")
_LEADING = re.compile(r"^(?:([#+=:-])|(\d+)([.)])(?=\s|$))")
_PLAIN_CODE = re.compile(r"[^`|<>\\]+")


class Markdown(str):
    """Text that is Markdown already and is printed as it is."""

    __slots__ = ()


def one_line(text: str, limit: int = MAX_CHARACTERS) -> str:
    """The text on one line, without control characters and marks that turn the direction of writing, cut when too long.

    >>> one_line("a\\n---\\nb\\u202e")
    'a --- b'
    """
    flat = " ".join(_UNSEEN.sub(" ", text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def inline(text: str) -> str:
    """As `one_line`, blanks at the ends kept and nothing cut: a piece of a line.

    >>> inline(" a\\n b\\u202e")
    ' a b '
    """
    return re.sub(r"\s+", " ", _UNSEEN.sub(" ", text))


def escape(value: object) -> Markdown:
    """Any value as inline Markdown that shows exactly its text. Numbers get thousands separators.

    >>> escape("a|b `c` <i>"), escape(12345)
    ('a&#124;b &#96;c&#96; &lt;i&gt;', '12,345')
    """
    if isinstance(value, Markdown):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Markdown(f"{value:,}")
    return _escape_line(one_line(str(value)))


def _escape_line(text: str) -> Markdown:
    return _escape_start(_escape_marks(text))


def _escape_start(text: str) -> Markdown:
    """No heading, list, rule or underline of a heading begins a line."""
    return Markdown(_LEADING.sub(lambda m: f"\\{m[1]}" if m[1] else f"{m[2]}\\{m[3]}", text))


def _escape_marks(text: str) -> str:
    text = _MARKS.sub(lambda mark: _ENTITIES.get(mark[0]) or "\\" + mark[0], text)
    return re.sub(r"(https?:)//", r"\1&#47;/", text, flags=re.IGNORECASE)  # else the Hub would make a link of it


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text (parted by blank lines), each on one line, at most 4,000 characters long."""
    parts = re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n"))
    return [line for part in parts if (line := one_line(part, 4_000))]


def prose(text: str) -> Markdown:
    """A text of paragraphs, escaped."""
    return Markdown("\n\n".join(_escape_line(line) for line in paragraphs(text)))


def bullet(line: str) -> Markdown:
    """A line of the changelog as an item of a list: its own dash and depth kept, its code spans kept, the rest escaped.

    >>> bullet("- `cpt`: <b> a|b")
    '- `cpt`: &lt;b&gt; a&#124;b'
    """
    depth = min(len(line) - len(line.lstrip(" ")), 6)
    parts = re.split(r"(`[^`]+`)", one_line(line).removeprefix("- "))
    shown = "".join(code(part[1:-1]) if index % 2 else _escape_marks(part) for index, part in enumerate(parts))
    return Markdown(" " * depth + "- " + _escape_start(shown))


def code(value: object) -> Markdown:
    """A code span where the text can stand in one, escaped text where it cannot."""
    text = one_line(str(value))
    return Markdown(f"`{text}`") if _PLAIN_CODE.fullmatch(text) else escape(text)


def safe_url(url: str | None) -> str | None:
    """The URL where it is http(s) with a host, quoted so that it can end no link or attribute; None otherwise."""
    if url is None or _UNSEEN.search(url) or url != url.strip():
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    return quote(url, safe="%/:?#&=+,;@~!$-._")


def link(url: str | None, text: str | None = None) -> Markdown:
    """A link where the URL can be one, its text escaped where it cannot; nothing for None."""
    target = safe_url(url)
    if target is None:
        return escape(url or "")
    shown = text or re.sub(r"^https?://(www\.)?", "", url or "").rstrip("/")
    return Markdown(f"[{escape(shown)}](<{target}>)")


def block(text: str) -> str:
    """Text of several lines: ends of lines made one, characters that nobody sees shown as U+FFFD."""
    return _UNSEEN.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n")).rstrip("\n")


def fence(text: str, language: str = "") -> Markdown:
    """A code block that no run of backticks inside can close."""
    body = block(text)
    longest = max((len(run) for run in re.findall(r"`+", body)), default=0)
    ticks = "`" * max(3, longest + 1)
    return Markdown(f"{ticks}{language}\n{body}\n{ticks}")


def share(part: int, whole: int) -> str:
    """A share in percent, with one decimal; `0%` only for none.

    >>> share(1, 3), share(0, 3), share(1, 10_000_000), share(0, 0)
    ('33.3%', '0%', '<0.1%', '0%')
    """
    if not part or not whole:
        return "0%"
    percent = 100 * part / whole
    return "<0.1%" if percent < 0.05 else f"{percent:.1f}%"


def figure(value: float) -> str:
    """A number for people: whole ones with separators, others with four digits.

    >>> figure(10000.0), figure(0.02), figure(512.34)
    ('10,000', '0.02', '512.3')
    """
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def percent(value: float | None) -> str:
    """A share for people; a dash where it is not known.

    >>> percent(0.8125), percent(None)
    ('81.2%', '–')
    """
    return "–" if value is None else f"{100 * value:.1f}%"


@functools.cache
def environment() -> Environment:
    """Jinja for Markdown: every printed value goes through `escape`."""
    made = Environment(
        loader=PackageLoader("tilth.cards", ""),
        autoescape=False,  # `finalize` escapes for Markdown, where HTML's rules are not enough
        finalize=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(bullet=bullet, prose=prose, code=code, link=link, fence=fence, share=share, figure=figure, percent=percent)
    made.globals["share"] = share
    return made


def render(template: str, **values: object) -> str:
    """A template of this folder with those values."""
    return environment().get_template(template).render(**values)
