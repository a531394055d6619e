"""The record of a build: all that a release's manifest, card and page are written from.

A build is a folder `<home>/builds/<recipe>/<key>/` with the Parquet files of each config and `build.json`,
which is written last. `builders` writes it, `registry` cuts releases from it, `cards` reads it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tilth.core.errors import StorageError
from tilth.core.fingerprints import digest
from tilth.core.ledger import LedgerLine

SCHEMA_VERSION = 1
RECORD = "build.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Part):
    """One Parquet shard: path inside the release, sha256 (64 hex), size in bytes, rows."""

    path: str
    sha256: str
    bytes: int
    rows: int


class SourceEntry(_Part):
    """One source as it was read."""

    name: str
    title: str | None
    url: str | None
    citation: str | None
    path: str
    revision: str
    sha256: str
    corpora: list[str]
    rows_read: int
    rows_failed: int
    licenses: dict[str, int] = Field(description="licence → rows in the release")
    languages: dict[str, int] = Field(description="language → rows in the release")
    rows_released: dict[str, int] = Field(description="corpus → rows in the release")


class ContaminationEntry(_Part):
    """What one benchmark's items met in one corpus, by one step."""

    corpus: str
    step: str = Field("decontaminate", description="`decontaminate`, or `judged_leaks` where judges were asked")
    benchmark: str
    items: int
    items_unmatchable: int = Field(description="items too short to look for")
    items_found: int
    rows_dropped: int
    rows_allowed: int = Field(description="rows that match and stay, for the reason given")
    rows_common: int = Field(0, description="rows that stay because what they share is said all over their source")
    rows_judged: int = Field(0, description="rows near an item, which judges were asked about")
    rows_unjudged: int = Field(0, description="of these, rows that judges gave no verdict on, and that no other verdict took")
    unjudged: str | None = Field(None, description="what became of those: `quarantined`, `failed` or `keep`")
    reason: str | None


class LeakKind(_Part):
    """One kind of planted leak: how many were planted, how many of them the step found."""

    kind: str
    planted: int
    found: int


class SelfTestEntry(_Part):
    """What decontamination made of leaks that were planted into copies of the corpus's own rows."""

    corpus: str
    step: str
    planted: int
    found: int
    recall_low: float = Field(description="bounds of the share found, 95 %")
    recall_high: float
    rows_without: int = Field(description="rows looked at with nothing planted")
    flagged_wrongly: int = Field(description="rows flagged for something else than what was planted; nobody read them")
    precision_low: float = Field(description="bounds of the share of the flagged rows that hold the planted leak, 95 %")
    precision_high: float
    kinds: list[LeakKind]


class JudgeEntry(_Part):
    """One judge of one question in one corpus."""

    corpus: str
    judge: str = Field(description="provider/model, `baseline` for the non-LLM scorer")
    is_llm: bool
    question: str = Field(description="question@version")
    judgements: int
    statuses: dict[str, int]
    usd: float
    gold_rows: int = Field(0, description="rows of gold that it judged")
    accuracy: float | None = Field(None, description="share of gold's comparisons that it orders the same way, a tie half")
    accuracy_low: float | None = Field(None, description="bounds of it, 95 %")
    accuracy_high: float | None = None
    order_flip_rate: float | None = Field(None, description="share of comparisons in both orders where its preference turned")
    first_share: float | None = Field(None, description="share of its preferences for what was shown earlier")
    length_slope: float | None = Field(None, description="log odds of preferring a candidate for each doubling of its length")
    own_family_win_rate: float | None = Field(None, description="how often it lets its own family win against another")
    own_family_others: float | None = Field(None, description="how often judges of other families let the same ones win")
    canary_pass_rate: float | None = None
    usd_per_1000: float | None = Field(None, description="USD for 1,000 calls")
    seconds_per_1000: float | None = Field(None, description="seconds for 1,000 calls, one after another")


class PanelEntry(_Part):
    """All judges of one question in one corpus, and how they became one score."""

    corpus: str
    question: str = Field(description="question@version")
    aggregation: str
    rows: int
    judges: int
    gold_rows: int
    agreement: float | None = Field(description="share of comparisons that two judges made both and where they agree")
    alpha: float | None = Field(description="Krippendorff's")
    effective_votes: float | None = Field(description="Kish's number: so many independent judges would be worth as much")
    failed: dict[str, float] = Field({}, description="judges that failed their canaries, and the share that each passed")
    weight: float = Field(1.0, description="what the votes of these count: 1, 0.5 or 0")


class SelectionArm(_Part):
    """Rows that came to a selection, those that it chose, or as many chosen otherwise."""

    name: Literal["came", "chosen", "random", "longest"]
    rows: int
    scored: int = Field(description="rows that have the score")
    mean_score: float | None
    mean_characters: float | None
    mean_nearest: float | None = Field(description="mean cosine similarity of a row to the other row most like it; None without vectors")
    sources: dict[str, int] = Field(description="source → rows, most first")
    languages: dict[str, int]


class SelectionEntry(_Part):
    """What a step chose by a score in one corpus, beside as many rows at random and as many of the longest."""

    corpus: str
    step: str
    score: str = Field(description="name of the score")
    rule: str = Field(description="thresholds, in words")
    arms: list[SelectionArm]


class WriterEntry(_Part):
    """One turn of a model that wrote rows or answers for one step."""

    corpus: str
    step: str
    model: str = Field(description="provider/model")
    task: str = Field(description="generator@version, and the turn behind a slash: `worked_answer@1/retry 1`")
    calls: int
    outcomes: dict[str, int] = Field(description="what came of what it wrote: `ok`, or the rule that it broke → how often")
    usd: float

    @property
    def shortfall(self) -> str | None:
        """How much less it wrote than was asked for, in one line; None where it wrote all."""
        missing = self.outcomes.get("not_written", 0)
        return f"{self.corpus}: {self.model} wrote {missing:,} fewer than {self.step} asks for" if missing else None


class PairsEntry(_Part):
    """The pairs of one strategy, as the corpus holds them. Lengths are in characters."""

    strategy: str
    pairs: int
    prompts: int
    chosen_longer: float = Field(description="share of the pairs whose chosen side is the longer one; of equal length: half")
    mean_length_gap: float = Field(description="length of chosen minus that of rejected")
    median_length_gap: float
    median_margin: float | None = Field(description="of the scores, where there are any")
    labels: dict[str, int] = Field(description="label → pairs; those without one are not counted")


class DuplicatePair(_Part):
    """A row that went as a duplicate, the one that stayed, and what differs between them."""

    shown_as: str = Field(description="`largest` cluster, or the band of similarity that it is a sample of")
    cluster_rows: int = Field(description="rows of the cluster, the one that stays included")
    similarity: float | None = Field(description="of the two; None where rows between join them")
    kept_id: str
    kept_source: str
    dropped_id: str
    dropped_source: str
    pieces: list[tuple[str, str]] = Field(description="(`=` shared, `-` only kept, `+` only dropped, `~`, `~-`, `~+` so many words left out; text)")


class DuplicatesEntry(_Part):
    """What one step took for near-duplicates in one corpus, with a sample to look at."""

    corpus: str
    step: str
    clusters: int
    rows_dropped: int
    bands: list[tuple[str, int]] = Field(description="(band of similarity, rows dropped), most similar first")
    pairs: list[DuplicatePair]


class MixPartEntry(_Part):
    """One part of a stage, or one language of it, that a share was asked of."""

    part: str
    language: str | None = Field(description="None: any")
    asked: float = Field(description="share of the stage")
    share: float = Field(description="share that it got")
    had: int = Field(description="units there were to draw from")
    units: int
    rows: int
    copies: int = Field(description="further epochs of these rows")


class MixStageEntry(_Part):
    """One stage of a mix: what was asked and what it got."""

    stage: str
    budget: float | None = Field(description="units asked for; None: as many as the shares allow")
    units: int
    rows: int
    copies: int
    short: str | None = Field(description="the part that had too little, so that the stage is smaller or its rows repeat")
    parts: list[MixPartEntry]
    languages: dict[str, int] = Field(description="language → units")

    @property
    def off(self) -> float:
        """The largest distance of a share from what was asked."""
        return max((abs(one.share - one.asked) for one in self.parts), default=0.0) if self.units else 0.0


class MixEntry(_Part):
    """What a mix was asked for and what came of it."""

    corpus: str
    step: str
    counted_by: str = Field(description="what a unit is")
    tolerance: float
    stages: list[MixStageEntry]

    @property
    def lines(self) -> list[str]:
        """A line a stage, and one a part, for people."""
        lines = []
        for one in self.stages:
            asked = f" of {one.budget:,.0f} asked for" if one.budget is not None else ""
            copies = f" and {one.copies:,} copies" if one.copies else ""
            lines.append(f"{self.corpus} {self.step}{f', {one.stage}' if one.stage else ''}: {one.units:,} {self.counted_by}{asked}; {one.rows:,} rows{copies}")
            if one.short is not None:
                lines.append(f"  short of {one.short}")
            for part in one.parts:
                language = f", {part.language}" if part.language else ""
                lines.append(f"  {part.part}{language}: {part.share:.2%} (asked {part.asked:.2%}), {part.units:,} of {part.had:,} there")
            whole = sum(one.languages.values()) or 1
            lines.append("  languages: " + ", ".join(f"{name} {units / whole:.2%}" for name, units in one.languages.items()))
        return lines


class LeakEntry(_Part):
    """Prompts that stand in two splits of one corpus."""

    corpus: str
    splits: tuple[str, str]
    published: int = Field(ge=0, description="prompts in both, as the sources say their splits")
    released: int = Field(ge=0, description="prompts in both, in the release")

    @property
    def text(self) -> str:
        """What was found, in one line.

        >>> LeakEntry(corpus="preference", splits=("dev", "train"), published=1228, released=0).text
        'preference: 1,228 prompts stand in both dev and train as published, 0 as released'
        """
        return f"{self.corpus}: {self.published:,} prompts stand in both {' and '.join(self.splits)} as published, {self.released:,} as released"


class GateEntry(_Part):
    """One gate: its limit, the value found, whether it lets a release pass."""

    gate: str
    corpus: str | None
    limit: float
    value: float
    passed: bool


class AlarmEntry(_Part):
    """One step that took most of the rows of one source or one language that came to it."""

    corpus: str
    step: str = Field(description="`read` for what could not be read")
    of: Literal["source", "language"]
    name: str = Field(description="the source, or the language")
    rows_in: int = Field(ge=1)
    rows_gone: int = Field(ge=1)
    rule: str = Field(description="the rule that took most of them")
    rule_rows: int = Field(ge=1)
    expected: str | None = Field(description="why the recipe expects it; then it is no alarm")

    @property
    def share(self) -> float:
        """Rows gone of rows in."""
        return self.rows_gone / self.rows_in

    @property
    def text(self) -> str:
        """What happened, in one line.

        >>> AlarmEntry(corpus="cpt", step="gopher_quality", of="source", name="laws", rows_in=200, rows_gone=199,
        ...            rule="few_stop_words", rule_rows=190, expected=None).text
        'cpt: gopher_quality took 99.5% of the source laws (199 of 200 rows), most by few_stop_words (190)'
        """
        rows = f"{self.rows_gone:,} of {self.rows_in:,} rows"
        return (
            f"{self.corpus}: {self.step} took {100 * self.share:.1f}% of the {self.of} {self.name} ({rows}), "
            f"most by {self.rule} ({self.rule_rows:,})"
        )


class BuildRecord(_Part):
    """Everything a release says about how it was made."""

    name: str
    trial: str | None = Field(None, description="why this build cannot be released (`--limit 500`), None where it can")
    recipe: dict[str, Any] = Field(description="canonical recipe")
    recipe_text: str = Field(description="the recipe file as written")
    lock: dict[str, Any]
    configs: dict[str, dict[str, list[FileEntry]]] = Field(description="config → split → shards")
    funnel: list[LedgerLine]
    sources: list[SourceEntry]
    contamination: list[ContaminationEntry]
    judges: list[JudgeEntry]
    panels: list[PanelEntry] = Field(default_factory=list, description="what the judges amount to together: outside the digest")
    writers: list[WriterEntry] = Field(default_factory=list, description="models that wrote rows or answers: outside the digest")
    pairs: list[PairsEntry] = Field(default_factory=list, description="the preference pairs by strategy: outside the digest")
    gates: list[GateEntry]
    self_tests: list[SelfTestEntry] = Field(default_factory=list, description="planted leaks, one entry a step that decontaminates: outside the digest")
    mixes: list[MixEntry] = Field(default_factory=list, description="what each mix was asked for and what came of it")
    leaks: list[LeakEntry] = Field(default_factory=list, description="prompts that stand in two splits, as published and as released")
    alarms: list[AlarmEntry] = Field(default_factory=list, description="steps that took most of a source or a language, worst first")
    signals: dict[str, dict[str, float]] = Field(
        default_factory=dict, description="`corpus/step.signal` → {mean, p5, p50, p95} over the rows measured"
    )
    drops: dict[str, dict[str, int]] = Field(default_factory=dict, description="corpus → `step/rule` → rows")
    selections: list[SelectionEntry] = Field(default_factory=list, description="choices by a score, beside their baselines: outside the digest")
    duplicates: list[DuplicatesEntry] = Field(default_factory=list, description="clusters of near-duplicates, a sample: outside the digest")
    environment: dict[str, Any] = Field(
        default_factory=dict, description="code commit, versions, seconds, USD: outside the digest"
    )

    def digest(self) -> str:
        """The digest of a release made from this build (64 hex digits)."""
        return release_digest(self.configs, self.recipe, self.lock)


def release_digest(configs: dict[str, dict[str, list[FileEntry]]], recipe: dict[str, Any], lock: dict[str, Any]) -> str:
    """sha256 of the canonical JSON of {configs: {config: {split: [[path, sha256, rows]]}}, recipe, lock, schema version}."""
    files = {
        config: {split: [[f.path, f.sha256, f.rows] for f in shards] for split, shards in splits.items()}
        for config, splits in configs.items()
    }
    return digest({"configs": files, "recipe": recipe, "lock": lock, "schema_version": SCHEMA_VERSION})


def read(folder: Path) -> BuildRecord:
    """The record of the build in `folder`.

    Raises:
        StorageError: there is none, or it is damaged.
    """
    path = folder / RECORD
    try:
        return BuildRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise StorageError(f"{folder}: no finished build", hint="tilth build") from None
    except ValueError as error:
        raise StorageError(f"{path}: damaged: {str(error).splitlines()[0]}", hint="build again") from None
