"""Supervised fine-tuning: TRL's SFTTrainer on `messages`, loss on the assistant's tokens only.

The chat template must mark those tokens with `{% generation %}`. TRL has marked versions of the well-known templates; for
another, the run says so and trains on every token.
"""

from __future__ import annotations

from typing import Any

from tilth.train import loop, template


def run(this: loop.Run) -> dict[str, Any]:
    """Train and save; gives the metrics."""
    from trl import SFTConfig, SFTTrainer

    tokens = loop.tokenizer(this)
    instead, assistant_only = template.marked(tokens)
    if this.config.loss_on == "all":
        instead, assistant_only = None, False
    elif not assistant_only:
        this.talk.say("  the chat template has no {% generation %} marks: loss on every token, the user's too")
    fitted = loop.rows(this, tokens, instead)
    shared = this.arguments()
    with loop.model_errors(this):
        trainer = SFTTrainer(
            model=str(this.base.path),
            args=SFTConfig(
                **shared, assistant_only_loss=assistant_only, packing=this.config.packing, shuffle_dataset=this.config.packing
            ),
            processing_class=tokens,
            train_dataset=fitted.dataset,
            peft_config=this.adapters(),
        )
    return loop.finish(this, trainer, fitted, {"loss_on": "assistant" if assistant_only else "all"})
