"""Gates and alarms of a recipe: what refuses a release, and what a build calls out."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


class Gates(BaseModel):
    """What a release must hold. `tilth release` refuses, with the figures, while one fails."""

    model_config = _STRICT

    max_failed_share: float = Field(0.02, ge=0, le=1, description="failed rows / rows read, in any corpus")
    min_rows: int = Field(1, ge=0, description="rows in every config")
    decontaminated: bool = Field(True, description="every corpus is checked against the recipe's benchmarks, where it names any")
    max_wipeout: float | None = Field(
        None, ge=0, le=1, description="largest share of a source or a language that one step may take; left out: an alarm, no refusal"
    )
    max_leaked_prompts: int | None = Field(
        0, ge=0, description="prompts that stand in two splits of a corpus; null: they are counted and refuse nothing"
    )


class Alarms(BaseModel):
    """When a build calls out that a step takes most of a source or of a language."""

    model_config = _STRICT

    wipeout: float = Field(0.5, ge=0, le=1, description="share of a source's or a language's rows; a step that takes more raises the alarm")
    min_rows: int = Field(20, ge=1, description="sources and languages of which fewer rows come to the step raise none")
    expected: dict[str, str] = Field(
        default_factory=dict, description="`step/source` or `step/language` → reason why so many go there; neither alarm nor gate minds"
    )

    @model_validator(mode="after")
    def _expected_says_why(self) -> Alarms:
        for place, reason in self.expected.items():
            if not all(place.partition("/")):
                raise ValueError(f"expected names {place!r}, must be step/source or step/language, as in gopher_quality/laws")
            if not reason.strip():
                raise ValueError(f"expected.{place} gives no reason")
        return self
