"""TrainConfig: every choice of a training run, with its default and where the default comes from.

UltraMedical's own configurations (TsinghuaC3I/UltraMedical, `recipes/`): SFT at learning rate 1e-5, 8,192 tokens, 16 rows a
step; DPO at 3e-7, beta 0.1, 2,048 tokens, 32 pairs a step; both cosine with 10 % warm-up and seed 42. What the papers
do not give is chosen here and said to be chosen.

>>> TrainConfig(max_steps=4).resolved("dpo").learning_rate
3e-07
"""

from __future__ import annotations

import os
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tilth.core.errors import TrainError

Objective = Literal["sft", "dpo"]
DpoLoss = Literal["sigmoid", "hinge", "ipo", "robust", "nca_pair", "sigmoid_norm", "apo_zero", "apo_down"]

CONFIG_OF: dict[Objective, str] = {"sft": "sft", "dpo": "preference"}
"""Objective → config of the release that it reads."""

_DEFAULTS: dict[Objective, dict[str, Any]] = {
    "sft": {"learning_rate": 1e-5, "max_length": 8192, "batch_size": 2},
    "dpo": {"learning_rate": 3e-7, "max_length": 2048, "batch_size": 4, "beta": 0.1, "loss": "sigmoid"},
}
_ROWS_A_STEP: dict[Objective, int] = {"sft": 16, "dpo": 32}
_ONLY: dict[Objective, tuple[str, ...]] = {
    "sft": ("packing", "loss_on"),
    "dpo": ("beta", "loss", "label_smoothing", "sft_weight"),
}
_SAME_WEIGHTS = ("device", "save_steps", "log_steps", "keep_checkpoints")
"""Fields that a run may change between being interrupted and going on."""


class Lora(BaseModel):
    """Low-rank adapters on all linear layers. Chosen: the papers train all weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    r: int = Field(16, ge=1, description="rank")
    alpha: int = Field(32, ge=1, description="scale: the update is multiplied by alpha / r")
    dropout: float = Field(0.0, ge=0, lt=1)
    target_modules: str | tuple[str, ...] = Field("all-linear", description="PEFT's word for all linear layers, or names")


class TrainConfig(BaseModel):
    """A training run. None means the objective's own default, which `resolved` fills in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: str | None = Field(None, description="config of the release; sft reads `sft`, dpo reads `preference`")
    split: str = "train"
    seed: int = Field(42, ge=0, description="seed of data order, adapters and dropout (UltraMedical)")
    epochs: float = Field(1.0, gt=0, description="passes over the rows")
    max_steps: int | None = Field(None, ge=1, description="stop after so many steps, whatever `epochs` says")
    batch_size: int | None = Field(None, ge=1, description="rows a device takes at once: 2 (sft), 4 (dpo) (UltraMedical)")
    gradient_accumulation: int | None = Field(
        None, ge=1, description="passes a step; None: as many as make 16 (sft) or 32 (dpo) rows a step (UltraMedical)"
    )
    max_length: int | None = Field(None, ge=8, description="tokens a row: 8192 (sft), 2048 (dpo) (UltraMedical)")
    overlong: Literal["truncate", "drop"] = Field(
        "truncate", description="what becomes of longer rows; they are counted either way"
    )
    learning_rate: float | None = Field(None, gt=0, description="peak: 1e-5 (sft), 3e-7 (dpo) (UltraMedical)")
    scheduler: Literal["cosine", "linear", "constant_with_warmup", "constant"] = "cosine"
    warmup: float = Field(0.1, ge=0, lt=1, description="share of the steps (UltraMedical)")
    weight_decay: float = Field(0.0, ge=0)
    lora: Lora | None = Field(None, description="train low-rank adapters only")
    chat_template: str | None = Field(None, description="`zephyr`, or a Jinja file; None: the base model's own")
    loss_on: Literal["assistant", "all"] = Field("assistant", description="sft: tokens that carry loss")
    packing: bool = Field(False, description="sft: fill each sequence with several rows (best-fit decreasing)")
    beta: float | None = Field(None, gt=0, description="dpo: 0.1 (UltraMedical)")
    loss: DpoLoss | None = Field(None, description="dpo: TRL's loss_type; sigmoid is DPO, nca_pair UltraMedical's NCA")
    label_smoothing: float = Field(0.0, ge=0, lt=0.5, description="dpo: share of pairs taken to be the wrong way round")
    sft_weight: float = Field(0.0, ge=0, description="dpo: weight of an added likelihood loss on the chosen side (RPO)")
    device: Literal["auto", "cpu", "gpu"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the weights; auto: float32, bfloat16 under adapters where the device has it"
    )
    gradient_checkpointing: bool | None = Field(None, description="trade compute for memory; None: on a GPU")
    attention: Literal["sdpa", "eager", "flash_attention_2"] | None = None
    deterministic: bool = Field(False, description="torch's deterministic kernels as well as seeds; slower on a GPU")
    save_steps: int = Field(500, ge=1, description="a checkpoint every so many steps")
    log_steps: int = Field(10, ge=1)
    keep_checkpoints: bool = Field(False, description="keep the checkpoints of a run that ended well")

    def resolved(self, objective: Objective) -> TrainConfig:
        """The same with the objective's defaults filled in.

        Raises:
            TrainError: a field of another objective was set.
        """
        for other, names in _ONLY.items():
            if other == objective:
                continue
            for name in names:
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise TrainError(
                        f"{name}={getattr(self, name)!r} has no meaning in {objective}", hint=f"it belongs to {other}"
                    )
        filled = {"config": CONFIG_OF[objective], **_DEFAULTS[objective]}
        filled = {name: value for name, value in filled.items() if getattr(self, name) is None}
        full = self.model_copy(update=filled)
        if full.gradient_accumulation is None:
            assert full.batch_size
            passes = max(1, _ROWS_A_STEP[objective] // (full.batch_size * processes()))
            full = full.model_copy(update={"gradient_accumulation": passes})
        return full

    def recorded(self, objective: Objective) -> dict[str, Any]:
        """The fields that mean something for this objective, as plain JSON values."""
        alien = {name for other, names in _ONLY.items() if other != objective for name in names}
        return self.model_dump(mode="json", exclude=alien)

    def identity(self, objective: Objective) -> dict[str, Any]:
        """The fields that decide the weights: a run goes on only from checkpoints with the same."""
        return {name: value for name, value in self.recorded(objective).items() if name not in _SAME_WEIGHTS}


def processes() -> int:
    """How many processes train together (`accelerate launch` and `torchrun` say so in WORLD_SIZE)."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Which of them this is; 0 checks, talks and writes."""
    return int(os.environ.get("RANK", "0"))
