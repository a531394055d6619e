"""Training a transformers encoder to label texts, or to give them a number: the classifiers of Aquila-Med as its report has them.

Multilingual BERT (arXiv 2406.12182): domains with batch 64, learning rate 2e-5, 10 epochs, the best checkpoint by accuracy; quality by
regression with batch 128 and 3e-4. The checkpoint is chosen on a tenth of what teaches, never on what tests.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ConfigDict

from tilth.core.errors import RecipeError, SourceError
from tilth.filters import encoders

EPOCHS = 10
CLASSIFICATION, REGRESSION = (64, 2e-5), (128, 3e-4)
"""(batch, learning rate)"""
CHOOSE_EVERY = 10
"""One in so many texts chooses the checkpoint."""


@dataclass(frozen=True, kw_only=True)
class EncoderTraining:
    """How an encoder is trained; the defaults are Aquila-Med's."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    path: str
    """Folder of a transformers model, or `org/name@<commit>` on the Hub."""
    sha256: str | None = None
    """Of a folder (64 hex digits; a wrong one is told the right one)."""
    epochs: int = EPOCHS
    batch_size: int | None = None
    """None: 64, of scores 128."""
    learning_rate: float | None = None
    """None: 2e-5, of scores 3e-4."""
    max_tokens: int = 512
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.max_tokens < 8 or (self.batch_size or 1) < 1 or not 0 < (self.learning_rate or 1) <= 1:
            raise ValueError("epochs and batch_size are at least 1, max_tokens 8, learning_rate above 0")


def train(
    texts: Sequence[str], targets: Sequence[str] | Sequence[float], folder: Path, training: EncoderTraining, *,
    seed: int = 0, on_epoch: Callable[[int, int, float], None] | None = None,
) -> list[float]:  # fmt: skip
    """Train on texts and their labels (a classifier) or numbers (a regressor), and save the best checkpoint into `folder`.

    Args:
        on_epoch: told (epoch, epochs, how good: the accuracy, or minus the mean squared error).

    Returns:
        How good each epoch was on the texts that choose.

    Raises:
        RecipeError: torch or transformers is not installed, or there are too few texts.
        SourceError: the encoder is not there, or not the one named.
    """
    if len(texts) < 2 * CHOOSE_EVERY:
        raise RecipeError(f"{len(texts)} labelled texts: an encoder needs {2 * CHOOSE_EVERY} or more")
    labels = sorted({one for one in targets if isinstance(one, str)})
    run = _Run.load(training, labels, seed)
    values = [float(labels.index(one)) if isinstance(one, str) else one for one in targets]
    order = np.random.default_rng(seed).permutation(len(texts))
    choose, learn = order[::CHOOSE_EVERY], np.delete(order, np.s_[::CHOOSE_EVERY])
    best, history = -np.inf, []
    for epoch in range(training.epochs):
        run.epoch(texts, values, np.random.default_rng([seed, epoch]).permutation(learn))
        found = run.outputs([texts[i] for i in choose])
        truth = np.array([values[i] for i in choose])
        good = float((found.argmax(axis=1) == truth).mean() if labels else -((found[:, 0] - truth) ** 2).mean())
        history.append(good)
        if good > best:
            best = good
            run.save(folder)
        if on_epoch is not None:
            on_epoch(epoch + 1, training.epochs, good)
    return history


@dataclass(frozen=True)
class _Run:
    """A model while it learns."""

    network: Any
    tokenizer: Any
    optimizer: Any
    is_classifier: bool
    batch: int
    training: EncoderTraining

    @classmethod
    def load(cls, training: EncoderTraining, labels: list[str], seed: int) -> _Run:
        missing = RecipeError("an encoder needs torch and transformers", hint="pip install 'tilth[train]', or leave `encoder` out")
        try:
            import torch
        except ImportError:
            raise missing from None
        torch.manual_seed(seed)
        kind: dict[str, Any] = {"num_labels": len(labels), "id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}
        head = kind if labels else {"num_labels": 1, "problem_type": "regression"}
        tokenizer, network = encoders.pretrained(
            "AutoModelForSequenceClassification", "encoder", training.path, training.sha256, training.device, missing, **head
        )
        if tokenizer.pad_token is None:
            tokenizer.pad_token = tokenizer.eos_token
        network.config.pad_token_id = tokenizer.pad_token_id
        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1))  # one model learns, unlike the workers that ask
        batch, rate = CLASSIFICATION if labels else REGRESSION
        optimizer = torch.optim.AdamW(network.parameters(), lr=training.learning_rate or rate)
        return cls(network, tokenizer, optimizer, bool(labels), training.batch_size or batch, training)

    def epoch(self, texts: Sequence[str], values: Sequence[float], order: np.ndarray) -> None:
        import torch

        self.network.train()
        for start in range(0, len(order), self.batch):
            some = order[start : start + self.batch]
            logits = self.network(**self._tokens([texts[i] for i in some])).logits
            wanted = torch.tensor([values[i] for i in some], device=logits.device)
            if self.is_classifier:
                loss = torch.nn.functional.cross_entropy(logits, wanted.long())
            else:
                loss = torch.nn.functional.mse_loss(logits[:, 0], wanted.to(logits.dtype))
            if not torch.isfinite(loss):
                raise SourceError(f"encoder {self.training.path}: the loss is {float(loss)}", hint="lower `learning_rate`")
            self.optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()

    def outputs(self, texts: Sequence[str]) -> np.ndarray:
        return encoders.outputs(self.network, self.tokenizer, texts, self.training.max_tokens, self.training.device)

    def _tokens(self, texts: list[str]) -> Any:
        return encoders.tokens(self.tokenizer, texts, self.training.max_tokens, self.training.device)

    def save(self, folder: Path) -> None:
        self.network.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
