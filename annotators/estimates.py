"""What calls will take: tokens by rule of thumb, sharpened by what the same judge used for the same question before.

The rule counts characters by kind (`tokens.py`). From stored calls, its count of Latin script, its count of Han and a constant (framing, the
answer's schema) each get a factor, fitted by ridge regression towards the rule; output tokens are the mean of earlier answers,
those to requests in Chinese apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import orjson

from tilth.annotators.calls import Request, Usage
from tilth.annotators.question import Question
from tilth.annotators.store import CallStore
from tilth.annotators.tokens import split_count, weights_of
from tilth.core.fingerprints import canonical

ENOUGH_CALLS = 20
"""Stored calls of a judge from which its averages go before rules of thumb."""
SAMPLE = 400
"""Stored calls that are looked at, at most."""
FRAMING_TOKENS = 12.0
PULL = 3.0
"""Weight of what is known before, in calls."""
MOSTLY_HAN = 0.5
PREFIX_TOKENS = 1024
"""A prompt's beginning that is shorter than this no provider caches."""


@dataclass(frozen=True)
class Expected:
    """What one call will take."""

    usage: Usage
    prefix_tokens: int
    """Of the input: what all requests of the job begin with, where a provider's cache would take it, else 0."""


class Estimator:
    """Expects the calls of one judge and one question."""

    def __init__(self, request: Request, question: Question, store: CallStore) -> None:
        self._question = question
        self._weights = weights_of(request.model)
        self._schema = sum(self._counted(canonical(request.schema))) if request.schema is not None else 0.0
        self._factors = np.array([FRAMING_TOKENS + self._schema, 1.0, 1.0])
        self._output: dict[bool, float] = {}
        self._cached_share = 0.0
        known = store.sample(request.provider, request.model, question.label, SAMPLE)
        self.calls = len(known)
        """Earlier calls that the estimate rests on; 0: a rule of thumb."""
        if self.calls >= ENOUGH_CALLS:
            self._learn(known)
        else:
            self.calls = 0

    def _learn(self, known: list[tuple[str, int, int, int]]) -> None:
        counted = np.array([self._features(orjson.loads(text)["messages"]) for text, *_ in known])
        into, out, cached = (np.array([row[column] for row in known], dtype=float) for column in (1, 2, 3))
        # Relative errors: each call counts alike. The constant is held loosely, since the schema's price is the provider's own.
        scale = 1 / np.maximum(into, 1.0)
        pull = np.diag([1e-6, PULL * 1e-2, PULL * 1e-2])
        rows = counted * scale[:, None]
        self._factors = np.linalg.solve(rows.T @ rows + pull, rows.T @ (into * scale) + pull @ self._factors)
        # A ridge leaves a little of the sum behind; the sum is what is paid.
        self._factors *= into.sum() / max(1.0, float((counted @ self._factors).sum()))
        self._cached_share = float(cached.sum() / max(1.0, into.sum()))
        wide = counted[:, 2] > MOSTLY_HAN * (counted[:, 1] + counted[:, 2])
        for group in (False, True):
            own = out[wide == group]
            self._output[group] = float((own.sum() + PULL * out.mean()) / (len(own) + PULL))

    def expect(self, request: Request, num_names: int) -> Expected:
        """What a request will take."""
        if not request.messages:  # no model reads it
            return Expected(Usage(), 0)
        features = self._features(list(request.messages))
        into = max(1, round(float(np.dot(features, self._factors))))
        group = bool(features[2] > MOSTLY_HAN * (features[1] + features[2]))
        out = self._output[group] if self._output else self._question.expected_output_tokens(num_names)
        system = sum(sum(self._counted(turn["content"].encode())) for turn in request.messages if turn["role"] == "system")
        prefix = round(system + self._schema) if system + self._schema >= PREFIX_TOKENS else 0
        return Expected(Usage(into, round(out), round(into * self._cached_share)), min(prefix, into))

    def _features(self, messages: list[dict[str, str]]) -> tuple[float, float, float]:
        narrow = wide = 0.0
        for turn in messages:
            latin, han = self._counted(turn["content"].encode("utf-8", "replace"))
            narrow, wide = narrow + latin, wide + han
        return 1.0, narrow, wide

    def _counted(self, text: bytes) -> tuple[float, float]:
        return split_count(text, self._weights)
