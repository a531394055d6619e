"""pairs: what each pair strategy would make of judgements that are bought."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from tilth.cli import options, output

BARS = "·▁▂▃▄▅▆▇█"
MODELS = 12
"""Lines of the table of models; `--json` has them all."""


@click.command()
@options.recipe
@options.data_root
@options.as_json
def pairs(recipe: str, data_root: Path | None, json_: bool) -> None:
    """Say what each strategy would make of the judgements of R's last build: pairs, length gap, margins, who wins.

    Asks nobody and writes nothing. Choose one with `judged_pairs: {strategy: …}` in the recipe; the next build then makes those pairs, and
    pays for no judgement again. Lengths are in characters; the bars show the pairs by margin, from 0 to the widest.
    """
    from tilth.builders.pair_survey import survey

    found = survey(recipe, data_root=data_root)
    if json_:
        output.as_json([asdict(one) for one in found])
        return
    for one in found:
        _show(one)


def _show(survey: Any) -> None:
    rules = ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in survey.rules.items())
    output.say(f"{survey.prompts:,} prompts judged by {survey.question} of {', '.join(survey.judges)}; {rules}")
    lines = [
        [
            _title(one), one.prompts, one.pairs, _percent(one.chosen_longer), _signed(one.mean_length_gap),
            _signed(one.median_length_gap), *(one.margins or (None, None, None)), bars(one.margin_counts),
        ]
        for one in survey.strategies
    ]  # fmt: skip
    titles = ["strategy", "prompts", "pairs", "chosen longer", "mean gap", "median", "margin 10%", "50%", "90%", f"0 … {survey.widest:.3g}"]
    output.table(titles, lines, right=range(1, 9))
    click.echo()
    output.table(["strategy", "prompts without a pair, by rule"], [[_title(one), _without(one.without)] for one in survey.strategies])
    click.echo()
    _models(survey)
    output.say("* as the recipe says, the others with their defaults" + (f"; the judgements are those of a trial ({survey.trial})" if survey.trial else ""), err=True)


def _models(survey: Any) -> None:
    """How often each model is chosen and rejected, those first that win most where all pairs are made."""
    widest = max(survey.strategies, key=lambda one: one.pairs)
    told = {_title(one): {line.model: f"{line.chosen:,}:{line.rejected:,}" for line in one.models} for one in survey.strategies}
    lines = [[line.model, *(counts.get(line.model) for counts in told.values())] for line in widest.models[:MODELS]]
    output.table(["model (chosen:rejected)", *told], lines, right=range(1, len(told) + 1))
    if len(widest.models) > MODELS:
        output.say(f"and {len(widest.models) - MODELS} more: --json has them")


def _title(one: Any) -> str:
    return f"{one.strategy} *" if one.in_recipe else str(one.strategy)


def bars(counts: tuple[int, ...]) -> str:
    """Counts as one line of bars, the highest full; a single pair can still be seen.

    >>> bars((0, 1, 40, 80))
    '·▁▄█'
    """
    most = max(counts, default=0)
    return "".join(BARS[-(-count * 8 // most) if count else 0] for count in counts)


def _without(counts: dict[str, int]) -> str | None:
    return ", ".join(f"{rule} {number:,}" for rule, number in counts.items()) or None


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f}%"


def _signed(value: float | None) -> str | None:
    return None if value is None else f"{value:+,.1f}"


VERBS = (pairs,)
