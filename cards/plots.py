"""Plots for the report page: inline SVG made from counts, without scripts or fonts from elsewhere.

Colours are CSS classes (`kept`, `dropped`, `c0` …) that the page's style sheet fills, so that light and dark both work.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from markupsafe import Markup

from tilth.cards.markdown import one_line, share
from tilth.core.ledger import LedgerLine

_LABEL = 236
_RIVER = 520
_STEP = 54
_GAP = 20
_WIDTH = 960
_PALETTE = 8

_FATES = (("dropped", "dropped"), ("failed", "failed"), ("quarantined", "quarantined"))


def funnel(lines: Sequence[LedgerLine]) -> Markup:
    """The river of one corpus: its width is the rows still there; what leaves at a step flows off to the right.

    Args:
        lines: the corpus's lines of the ledger, in order, at least one.
    """
    most = max(1, *(max(line.rows_in, line.rows_out) for line in lines))
    parts: list[Markup] = []
    top = 14.0
    parts.append(_node(_LABEL, top, lines[0].rows_in, most, "kept"))
    parts.append(_step_label("rows read", "读入", top, lines[0].rows_in))
    for line in lines:
        bottom = top + _STEP
        parts.extend(_flow(line, most, top, bottom))
        parts.append(_step_label(line.step, "", bottom, line.rows_out))
        top = bottom
    first, last = lines[0].rows_in, lines[-1].rows_out
    title = f"{lines[0].corpus}: {first:,} rows read, {last:,} rows released, {len(lines)} steps"
    return _svg(_WIDTH, top + 22, title, parts)


def _flow(line: LedgerLine, most: int, top: float, bottom: float) -> list[Markup]:
    """One step: what stays, what leaves by fate, what is made."""
    stays = max(0, line.kept - line.merged)
    width, start, left = _wide(line.made, most), _LABEL + _wide(line.kept, most), _LABEL + _wide(stays, most)
    notes: list[tuple[str, str]] = []
    if line.made and not stays:  # every row became something else: the river itself turns
        parts = [_ribbon(_LABEL, _wide(line.kept, most), _LABEL, width, top, bottom, "made")]
    else:
        parts = [_ribbon(_LABEL, _wide(line.kept, most), _LABEL, _wide(stays, most), top, bottom, "kept")]
        parts.append(_ribbon(left + width / 2, 0, left, width, top + _STEP * 0.35, bottom, "made"))
    parts += [_node(_LABEL, bottom, stays, most, "kept"), _node(left, bottom, line.made, most, "made")]
    if line.made:
        left += width
        notes.append(("made", f"+{line.made:,} made 生成"))
    if line.merged:
        notes.append(("kept", f"{line.merged:,} merged 合并"))
    left = max(left, start) + _GAP
    for fate, css in _FATES:
        if count := getattr(line, fate):
            width = _wide(count, most)
            parts.append(_ribbon(start, width, left, width, top, bottom - 8, css))
            parts.append(_node(left, bottom - 8, count, most, css))
            start += width
            left += width + 4
            notes.append((css, f"−{count:,} {'' if fate == 'dropped' else fate + ' '}({share(count, line.rows_in)})"))
    offset = bottom - 8 - 15 * (len(notes) - 1) / 2 + 4
    for row, (css, note) in enumerate(notes):
        parts.append(_text(min(left, _WIDTH - 175) + 8, offset + 15 * row, note, f"note t-{css}"))
    return parts


def _step_label(name: str, chinese: str, y: float, count: int) -> Markup:
    shown = _cut(name, 21) + (f" {chinese}" if chinese else "")
    return _text(0, y + 4, shown, "step") + _text(_LABEL - 14, y + 4, f"{count:,}", "count", anchor="end")


def _wide(count: int, most: int) -> float:
    """Width of that many rows; a single row can still be seen."""
    return 0.0 if not count else max(1.5, _RIVER * count / most)


def _node(x: float, y: float, count: int, most: int, css: str) -> Markup:
    return _element("rect", css=f"f-{css}", x=x, y=y - 2, width=_wide(count, most), height=4, rx=1) if count else Markup()


def _ribbon(x0: float, w0: float, x1: float, w1: float, y0: float, y1: float, css: str) -> Markup:
    """A band from (x0, width w0) at y0 to (x1, width w1) at y1, bent smoothly."""
    if not w0 and not w1:
        return Markup()
    y0, y1 = y0 + 2, y1 - 2
    middle = (y0 + y1) / 2
    path = (
        f"M{x0:.1f} {y0:.1f}C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}H{x1 + w1:.1f}"
        f"C{x1 + w1:.1f} {middle:.1f} {x0 + w0:.1f} {middle:.1f} {x0 + w0:.1f} {y0:.1f}Z"
    )
    return _element("path", css=f"f-{css} band", d=path)


def bars(items: Sequence[tuple[str, int]], whole: int, css: str = "kept") -> Markup:
    """Horizontal bars: label, bar, count and share of `whole`. The longest bar is the largest count."""
    if not items:
        return Markup()
    most = max(1, *(count for _, count in items))
    parts = []
    for row, (label, count) in enumerate(items):
        y = 24 * row
        width = 0.0 if not count else max(1.5, 430 * count / most)
        parts.append(_text(290, y + 16, _cut(label, 42), "label", anchor="end"))
        parts.append(_element("rect", css=f"f-{css}", x=304, y=y + 5, width=width, height=14, rx=2))
        parts.append(_text(304 + width + 10, y + 16, f"{count:,}  ·  {share(count, whole)}", "note"))
    title = ", ".join(f"{one_line(label)} {count:,}" for label, count in items)
    return _svg(_WIDTH, 24 * len(items) + 2, title, parts)


def shares(items: Sequence[tuple[str, float, float | None, float | None]]) -> Markup:
    """Horizontal bars of shares: label, share, and the bounds of its interval where they are known; a line at one half."""
    parts = [_element("rect", css="track", x=304 + 215, y=0.0, width=1, height=24 * len(items))]
    for row, (label, found, low, high) in enumerate(items):
        y = 24 * row
        parts.append(_text(290, y + 16, _cut(label, 42), "label", anchor="end"))
        parts.append(_element("rect", css="f-kept", x=304, y=y + 5, width=max(1.5, 430 * found), height=14, rx=2))
        text = f"{100 * found:.1f}%"
        if low is not None and high is not None:
            parts.append(_element("rect", css="f-ink", x=304 + 430 * low, y=y + 11, width=max(1.0, 430 * (high - low)), height=2))
            text += f"  ·  {100 * low:.1f}–{100 * high:.1f}"
        parts.append(_text(304 + 430 + 10, y + 16, text, "note"))
    title = ", ".join(f"{one_line(label)} {100 * found:.1f}%" for label, found, _, _ in items)
    return _svg(_WIDTH, 24 * len(items) + 2, title, parts)


def stack(name: str, items: Sequence[tuple[str, int]], order: Sequence[str] = ()) -> Markup:
    """One bar divided among the items, with a key under it; beyond seven they share one colour.

    Args:
        name: what the bar is of.
        items: (label, count), in the order of the bar.
        order: all labels of a row of such bars, so that one label has one colour in all of them.
    """
    whole = sum(count for _, count in items)
    if not whole:
        return Markup()
    shown = list(items) if len(items) <= _PALETTE else [*items[: _PALETTE - 1], ("…", sum(n for _, n in items[_PALETTE - 1 :]))]
    parts = [_text(0, 15, _cut(name, 28), "step"), _text(_WIDTH, 15, f"{whole:,}", "count", anchor="end")]
    x, key, line = 0.0, 0.0, 0
    for place, (label, count) in enumerate(shown):
        index = min(list(order).index(label) if label in order else place, _PALETTE - 1)
        width = (_WIDTH - 2 * (len(shown) - 1)) * count / whole
        parts.append(_element("rect", css=f"c{index}", x=x, y=24, width=max(1.0, width), height=16, rx=2))
        x += width + 2
        text = f"{_cut(label, 32)}  {count:,} · {share(count, whole)}"
        length = 18 + 7.2 * _columns(text) + 18
        if key and key + length > _WIDTH:
            key, line = 0.0, line + 1
        parts.append(_element("rect", css=f"c{index}", x=key, y=52 + 20 * line, width=10, height=10, rx=2))
        parts.append(_text(key + 16, 61 + 20 * line, text, "note"))
        key += length
    title = f"{one_line(name)}: " + ", ".join(f"{one_line(label)} {count:,}" for label, count in items)
    return _svg(_WIDTH, 74 + 20 * line, title, parts)


def span(low: float, middle: float, high: float, mean: float) -> Markup:
    """A small picture of a distribution: a line from p5 to p95, a dot at the median, a tick at the mean."""
    left, right = min(low, mean, middle, 0.0), max(high, mean, middle)
    scale = 196 / (right - left) if right > left else 0.0

    def at(value: float) -> float:
        return 6 + (value - left) * scale

    parts = [
        _element("rect", css="track", x=2, y=9, width=204, height=2, rx=1),
        _element("rect", css="f-kept", x=at(low), y=7, width=max(2.0, at(high) - at(low)), height=6, rx=3),
        _element("rect", css="f-ink", x=at(mean) - 0.75, y=3, width=1.5, height=14),
        _element("circle", css="f-dot", cx=at(middle), cy=10, r=4),
    ]
    return _svg(208, 20, f"p5 {low:g}, median {middle:g}, p95 {high:g}, mean {mean:g}", parts)


def _svg(width: float, height: float, title: str, parts: Sequence[Markup]) -> Markup:
    body = Markup().join(parts)
    return Markup('<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>').format(
        f"{width:g}", f"{height:g}", f"{width:g}", f"{height:g}", title, body
    )


def _element(tag: str, css: str, **attributes: object) -> Markup:
    shown = {"class": css, **attributes}
    pairs = Markup(" ").join(
        Markup('{}="{}"').format(name, f"{value:.1f}" if isinstance(value, float) else value) for name, value in shown.items()
    )
    return Markup("<{} {}/>").format(tag, pairs)


def _text(x: float, y: float, text: str, css: str, anchor: str = "start") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        css, f"{x:.1f}", f"{y:.1f}", anchor, one_line(text)
    )


def _columns(text: str) -> int:
    """Width of a text in columns: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _cut(text: str, columns: int) -> str:
    """The text on one line, cut to so many columns."""
    text = one_line(text)
    if _columns(text) <= columns:
        return text
    kept = ""
    for character in text:
        if _columns(kept + character) > columns - 1:
            break
        kept += character
    return kept + "…"
