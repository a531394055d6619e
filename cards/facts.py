"""What the card and the page both say of a release: roll-ups and gaps, derived from the manifest and the shards."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tilth.cards.checks import ASIDE
from tilth.cards.evidence import Hit
from tilth.cards.shards import ConfigFacts
from tilth.core import licenses
from tilth.core.builds import JudgeEntry, SourceEntry
from tilth.core.intervals import wilson
from tilth.core.ledger import LedgerLine
from tilth.core.manifest import Manifest

LANGUAGES_ZH = {
    "en": "英文", "zh": "中文", "ja": "日文", "ko": "韩文", "fr": "法文", "de": "德文", "es": "西班牙文", "ru": "俄文",
    "pt": "葡萄牙文", "ar": "阿拉伯文", "it": "意大利文", "und": "语言未知",
}  # fmt: skip
CONFIGS_ZH = {"cpt": "继续预训练", "sft": "指令微调", "preference": "偏好对", "judgements": "评审与撰写记录", "drops": "被剔除的行"}
CONFIGS_EN = {
    "cpt": "continued pretraining",
    "sft": "supervised fine-tuning",
    "preference": "preference pairs",
    "judgements": "what judges said, and what came of what models wrote",
    "drops": "the rows that went, with the reason",
}

JUDGE_MEASURES = (
    ("accuracy", "Right on gold", "与金标准一致"),
    ("order_flip_rate", "Preference turns with the order", "换序后改判"),
    ("first_share", "Prefers what is shown first", "偏向先出现者"),
    ("own_family_win_rate", "Lets its own family win", "自家模型胜率"),
    ("canary_pass_rate", "Canaries passed", "通过金丝雀测试"),
)
"""Shares of a judge that the page draws: field of `JudgeEntry`, title in English and Chinese."""


ARMS = {
    "came": ("that came", "候选"), "chosen": ("chosen", "选中"), "random": ("as many at random", "同量随机"),
    "longest": ("as many of the longest", "同量最长"),
}  # fmt: skip
"""Rows of a selection and what they are held against, in English and Chinese."""


@dataclass(frozen=True)
class Facts:
    """A manifest and what its shards hold, with the sums that people ask for."""

    manifest: Manifest
    configs: tuple[ConfigFacts, ...]
    evidence: tuple[Hit, ...] = ()

    @property
    def title(self) -> str:
        return str(self.manifest.recipe.get("title") or self.manifest.name)

    @property
    def license(self) -> str:
        return str(self.manifest.recipe["license"])

    @cached_property
    def corpora(self) -> dict[str, list[LedgerLine]]:
        """Corpus → its lines of the funnel, in the order of the funnel."""
        found: dict[str, list[LedgerLine]] = {}
        for line in self.manifest.funnel:
            found.setdefault(line.corpus, []).append(line)
        return found

    @cached_property
    def corpus_configs(self) -> tuple[ConfigFacts, ...]:
        return tuple(config for config in self.configs if config.name not in ASIDE)

    @property
    def num_rows(self) -> int:
        """Rows of all corpora (judgements and drops are not counted)."""
        return sum(config.num_rows for config in self.corpus_configs)

    @property
    def default_config(self) -> str:
        """sft if there is one, else cpt, else the first."""
        names = [config.name for config in self.configs]
        return next((name for name in ("sft", "cpt") if name in names), names[0])

    @cached_property
    def languages(self) -> dict[str, int]:
        """Language → rows of all corpora, most first."""
        return _ranked(source.languages for source in self.manifest.sources)

    @cached_property
    def licenses(self) -> dict[str, int]:
        """Licence → rows of all corpora, most first."""
        return _ranked(source.licenses for source in self.manifest.sources)

    @cached_property
    def hub_sources(self) -> list[str]:
        """Hub data sets among the sources, as `org/name`."""
        found = set()
        for source in self.manifest.sources:
            if source.path.startswith("hf://datasets/"):
                org, name = [*source.path.removeprefix("hf://datasets/").split("/"), ""][:2]
                found.add(f"{org}/{name.partition('@')[0]}")
        return sorted(found)

    @property
    def written_by_llm(self) -> bool:
        return bool(self.manifest.writers)

    @property
    def judged_by_llm(self) -> bool:
        return any(judge.is_llm for judge in self.manifest.judges)

    def drops(self, corpus: str, limit: int = 10) -> list[tuple[str, int]]:
        """The most frequent reasons of a corpus, as (step/rule, rows)."""
        counts = self.manifest.drops.get(corpus, {})
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]

    def steps(self, corpus: str) -> list[str]:
        """Names of the corpus's steps, as the recipe lists them."""
        lines = self.manifest.recipe.get("corpora", {}).get(corpus, {}).get("steps", [])
        return [name for line in lines for name in line]

    def steps_from(self, corpus: str) -> list[str]:
        """Names of the corpus's sources."""
        return [source.name for source in self.manifest.sources if corpus in source.corpora]

    @cached_property
    def judges_measured(self) -> list[tuple[tuple[str, str], list[tuple[str, float, float | None, float | None]]]]:
        """(title English, Chinese) and (judge, share, low, high), for each measure that any judge has."""
        found = []
        for name, english, chinese in JUDGE_MEASURES:
            judges = [j for j in self.manifest.judges if getattr(j, name) is not None]
            bounds = [(j.accuracy_low, j.accuracy_high) if name == "accuracy" else (None, None) for j in judges]
            rows = [(judge_name(j), float(getattr(j, name)), *bound) for j, bound in zip(judges, bounds, strict=True)]
            if rows:
                found.append(((english, chinese), rows))
        return found

    @cached_property
    def chosen_longer(self) -> list[tuple[str, float, float | None, float | None]]:
        """(strategy, share of its pairs whose chosen side is the longer one, bounds of 95 %)."""
        return [(one.strategy, one.chosen_longer, *wilson(one.chosen_longer * one.pairs, one.pairs)) for one in self.manifest.pairs]

    @cached_property
    def commit(self) -> str | None:
        """Commit of the code that built it."""
        found = self.manifest.environment.get("code_commit") or self.manifest.environment.get("commit")
        return str(found) if found else None

    @cached_property
    def versions(self) -> dict[str, str]:
        """Distribution → version in the environment that built it."""
        found: Any = self.manifest.environment.get("versions")
        versions = {str(k): str(v) for k, v in sorted(found.items())} if isinstance(found, dict) else {}
        python = self.manifest.environment.get("python")
        return ({"python": str(python)} if python else {}) | versions

    @cached_property
    def locked(self) -> dict[str, dict[str, Any]]:
        """Source or benchmark → what the lock pins."""
        found: Any = self.manifest.lock.get("sources")
        return {k: v for k, v in sorted(found.items()) if isinstance(v, dict)} if isinstance(found, dict) else {}

    @cached_property
    def gaps(self) -> list[str]:
        """What a reader should know is missing or weak: derived facts only, as plain sentences."""
        return [*self._gaps_of_sources(), *self._gaps_of_licences(), *self._gaps_of_rows(), *self._gaps_of_judges()]

    def _gaps_of_sources(self) -> Iterator[str]:
        for source in self.manifest.sources:
            if unknown := source.languages.get("und", 0):
                yield f"{source.name}: {_rows(unknown)} in a language that is not known."
            missing = [name for name in ("title", "url", "citation") if getattr(source, name) is None]
            if missing:
                yield f"{source.name}: the recipe gives no {', no '.join(missing)}."
            if source.rows_read and not sum(source.rows_released.values()):
                yield f"{source.name}: {_rows(source.rows_read)} read, none released."

    def _gaps_of_licences(self) -> Iterator[str]:
        fields = licenses.front_matter(self.license, frozenset(self.manifest.files))
        if fields["license"] == "other" and "license_link" not in fields:
            yield f"The licence {self.license} is none that the Hub or SPDX names, and no link to its text is given."
        for name, rows in self.licenses.items():
            if licenses.hub_id(name) == "unknown":
                yield f"{_rows(rows)} under an unknown licence."
            withheld = [term for term in licenses.forbids(name) if term not in licenses.forbids(self.license)]
            if withheld:
                yield f"{_rows(rows)} under {name}, which forbids {' and '.join(withheld)}; {self.license} does not."

    def _gaps_of_rows(self) -> Iterator[str]:
        for corpus, lines in self.corpora.items():
            for status in ("failed", "quarantined"):
                if count := sum(getattr(line, status) for line in lines):
                    yield f"{corpus}: {_rows(count)} {status}."
            for mix in self.manifest.mixes:
                for stage in mix.stages if mix.corpus == corpus else ():
                    if stage.short is not None and stage.budget is not None:
                        yield f"{corpus}: {stage.units:,} of {stage.budget:,.0f} {mix.counted_by} asked for, {stage.copies:,} copies among them: too little of {stage.short}."
            for alarm in self.manifest.alarms:
                if alarm.corpus == corpus and alarm.expected is None:
                    yield f"{alarm.text}."
            entries = [entry for entry in self.manifest.contamination if entry.corpus == corpus]
            if not entries:
                yield f"{corpus}: no benchmark was looked for in it."
            for entry in entries:
                if entry.items_unmatchable:
                    short = f"{entry.items_unmatchable:,} of {entry.items:,} items of {entry.benchmark}"
                    yield f"{corpus}: {short} too short to look for."
                if entry.rows_unjudged:
                    became = "kept" if entry.unjudged == "keep" else entry.unjudged
                    yield f"{corpus}: {_rows(entry.rows_unjudged)} near an item of {entry.benchmark} that judges gave no verdict on, {became}."
                if entry.rows_allowed:
                    reason = (entry.reason or "no reason given").rstrip(".")
                    yield f"{corpus}: {_rows(entry.rows_allowed)} allowed in spite of matching {entry.benchmark}: {reason}."

    def _gaps_of_judges(self) -> Iterator[str]:
        for judge in self.manifest.judges:
            if bad := judge.judgements - judge.statuses.get("ok", 0):
                yield f"{judge.corpus}: {bad:,} of {judge.judgements:,} judgements of {judge_name(judge)} without a value."
            if judge.accuracy is not None and judge.accuracy_low is not None and judge.accuracy_low <= 0.5:
                yield f"{judge.corpus}: {judge_name(judge)} is right on {judge.accuracy:.0%} of {judge.gold_rows} rows of gold, no better than chance."
        for panel in self.manifest.panels:
            if self.judged_by_llm and not panel.gold_rows:
                yield f"{panel.corpus}: no gold, so nobody knows how often the judges are right."
            for name, share in panel.failed.items():
                count = "count in full" if panel.weight == 1 else "count half" if panel.weight else "count for nothing"
                yield f"{panel.corpus}: {name} passes only {share:.0%} of its canaries; its votes {count}."
        for writer in self.manifest.writers:
            if writer.shortfall is not None:
                yield f"{writer.shortfall}."
        if self.manifest.judges and not self.judged_by_llm:
            yield "Nothing here was judged by a language model: the baseline is a non-LLM scorer."


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def judge_name(judge: JudgeEntry) -> str:
    """The judge's name, said to be no language model wherever it is none."""
    return judge.judge if judge.is_llm else f"{judge.judge} (non-LLM scorer)"


def source_title(source: SourceEntry) -> str:
    """The title, or the name where the recipe gives none."""
    return source.title or source.name


def shown_path(path: object) -> str:
    """A source's path as the recipe gives it; of an absolute one only the last name, for the rest is this machine's.

    >>> shown_path("data/a.jsonl"), shown_path("/home/me/a.jsonl")
    ('data/a.jsonl', 'a.jsonl')
    """
    text = str(path)
    absolute = text.startswith(("/", "~", "file:")) or re.match(r"[A-Za-z]:[\\/]", text)
    return re.split(r"[\\/]", text)[-1] if absolute else text


def human_bytes(count: int) -> str:
    """A size for people, in decimal units.

    >>> human_bytes(999), human_bytes(1_234_567)
    ('999 B', '1.2 MB')
    """
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _ranked(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))
