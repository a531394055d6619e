"""report.html of a release: one page that needs nothing else, without scripts, in light and dark.

Its Content-Security-Policy lets in nothing but its own style sheet, by hash.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tilth.cards import plots
from tilth.cards.duplicates import groupby_shown, sides
from tilth.cards.facts import ARMS, CONFIGS_EN, CONFIGS_ZH, LANGUAGES_ZH, Facts, human_bytes, judge_name, shown_path, source_title
from tilth.cards.markdown import block, figure, one_line, paragraphs, percent, safe_url, share


def page(facts: Facts) -> str:
    """The whole page."""
    sheet = "\n" + style()
    hashed = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'"
    return (
        environment()
        .get_template("report.html.jinja")
        .render(
            f=facts,
            m=facts.manifest,
            style=Markup(sheet),  # ours: a file of this folder, and no value is put into it
            policy=policy,
            plots=plots,
            arms=ARMS,
            kept_share=_kept_share(facts),
            configs_en=CONFIGS_EN,
            configs_zh=CONFIGS_ZH,
            human_bytes=human_bytes,
            judge_name=judge_name,
            source_title=source_title,
            shown_path=shown_path,
            named=functools.partial(_named, order=list(facts.languages)),
            language_labels=[label for label, _ in _named(facts.languages, list(facts.languages))],
            released=_released(facts),
        )
    )


def style() -> str:
    """The style sheet of everything that people read in a browser."""
    return (files("tilth.cards") / "report.css.jinja").read_text(encoding="utf-8")


@functools.cache
def environment() -> Environment:
    """Jinja for HTML, everything escaped."""
    made = Environment(
        loader=PackageLoader("tilth.cards", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(line=one_line, block=block, figure=figure, percent=percent, paragraphs=paragraphs, url=safe_url, rows="{:,}".format)
    made.filters["groupby_shown"] = groupby_shown
    made.globals |= {"share": share, "sides": sides}
    return made


def _named(languages: dict[str, int], order: list[str]) -> list[tuple[str, int]]:
    """Languages with their Chinese names beside the codes, in the order of all the languages of the release."""
    codes = sorted(languages, key=lambda code: (order.index(code) if code in order else len(order), code))
    return [(f"{code} {LANGUAGES_ZH.get(code, '')}".strip(), languages[code]) for code in codes]


def _released(facts: Facts) -> list[tuple[str, int]]:
    """Sources by rows released, most first."""
    counts = [(source_title(source), sum(source.rows_released.values())) for source in facts.manifest.sources]
    return sorted(counts, key=lambda item: (-item[1], item[0]))


def _kept_share(facts: Facts) -> str:
    """Rows out over rows in, all corpora together; a dash where makers make it say nothing."""
    lines = facts.manifest.funnel
    if any(line.made or line.merged for line in lines):
        return "–"
    return share(sum(c[-1].rows_out for c in facts.corpora.values()), sum(c[0].rows_in for c in facts.corpora.values()))
