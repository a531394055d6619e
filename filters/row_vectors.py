"""The vector of every row of a batch, by the encoder that a step names; made once for all steps that name the same."""

from __future__ import annotations

import numpy as np
import polars as pl

from tilth.core.batch import Batch
from tilth.filters import encoders
from tilth.filters.encoders import Pooling
from tilth.filters.folding import batch_tokens
from tilth.filters.term_hashing import term_vectors

TERMS = "terms"
"""An encoder that is no model: what texts have in common is their words."""


def row_vectors(batch: Batch, encoder: str, sha256: str | None, pooling: Pooling, max_tokens: int, prefix: str, device: str) -> pl.Series:
    """`vector` (array of float16, unit length to its rounding): zeros for a row without text, or that the file of vectors does not have.

    Args:
        encoder: `terms`, a folder of a `transformers` encoder, `org/name@<commit>`, or a Parquet file {id, vector}.

    Raises:
        SourceError, RecipeError: the encoder is not there, or not the one named.
    """

    def make() -> pl.Series:
        texts = batch.texts
        if encoder == TERMS:
            made = term_vectors(batch_tokens(batch))
        elif encoder.endswith(".parquet") and sha256:
            made = encoders.stored(encoder, sha256, batch.frame["id"])
        else:
            encode, width = encoders.model(encoder, sha256, pooling, max_tokens, device)
            made = np.zeros((len(batch), width), np.float32)
            said = np.flatnonzero(texts.str.strip_chars().str.len_bytes().to_numpy())
            if len(said):
                made[said] = encode([prefix + text for text in texts.gather(said).to_list()])
        return pl.Series("vector", made, dtype=pl.Array(pl.Float32, made.shape[1])).cast(pl.Array(pl.Float16, made.shape[1]))

    return batch.memo(f"row_vectors/{(encoder, sha256, pooling, max_tokens, prefix, device)}", make)
