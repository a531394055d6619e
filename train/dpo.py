"""Direct preference optimisation: TRL's DPOTrainer on `prompt`, `chosen`, `rejected`.

The reference model is the base model, loaded a second time from its pinned folder; under adapters it is the model with
the adapters switched off.
"""

from __future__ import annotations

from typing import Any

from tilth.train import loop


def run(this: loop.Run) -> dict[str, Any]:
    """Train and save; gives the metrics."""
    from trl import DPOConfig, DPOTrainer

    tokens = loop.tokenizer(this)
    fitted = loop.rows(this, tokens, None)
    config = this.config
    losses: dict[str, Any] = {"loss_type": [config.loss]}
    if config.sft_weight:
        losses = {"loss_type": [config.loss, "sft"], "loss_weights": [1.0, config.sft_weight]}
    with loop.model_errors(this):
        trainer = DPOTrainer(
            model=str(this.base.path),
            args=DPOConfig(**this.arguments(), **losses, beta=config.beta, label_smoothing=config.label_smoothing),
            processing_class=tokens,
            train_dataset=fitted.dataset,
            peft_config=this.adapters(),
        )
    return loop.finish(this, trainer, fitted, {})
