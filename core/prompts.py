"""Prompts: what is asked in a row, and its key, by which rows with the same prompt are told.

Two prompts are the same after NFKC, casefold and collapsing of white space; instructions to the system are no part of it.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tilth.core.rows import Kind

Turns = Sequence[Mapping[str, str]]


def folded(text: str) -> str:
    """Text without width, case and the kind of white space.

    >>> folded("  Ｗhich\\nVitamin? ")
    'which vitamin?'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def prompt_key(turns: Turns, kind: Kind) -> int:
    """64 bits of a pair's prompt, or of a conversation up to its first answer.

    >>> ask = lambda text: [{"role": "user", "content": text}]
    >>> prompt_key(ask("Which vitamin?"), "sft") == prompt_key(ask("which  vitamin?"), "preference")
    True
    """
    said = []
    for turn in turns:
        if kind == "sft" and turn["role"] == "assistant":
            break
        if turn["role"] != "system":
            said.append(f"{turn['role']}\x1f{folded(turn['content'])}")
    return int.from_bytes(hashlib.blake2b("\x1e".join(said).encode(), digest_size=8).digest(), "big")


def prompt_keys(frame: pl.DataFrame, kind: Kind) -> pl.Series:
    """`prompt_key` of every row (u64); null of rows that have no prompt: documents, completions that wait for theirs."""
    if kind == "cpt":
        return pl.Series("prompt", [None] * frame.height, dtype=pl.UInt64)
    turns = frame["messages" if kind == "sft" else "prompt"].to_list()
    keys = np.array([prompt_key(one, kind) if one else 0 for one in turns], dtype=np.uint64)
    return pl.Series("prompt", keys).set(pl.Series([not one for one in turns]), None)
