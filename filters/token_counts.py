"""How long texts are, in tokens: by a tokenizer of the `tokenizers` library, or in words and signs, the same for every script."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from tilth.core.batch import Batch
from tilth.core.errors import RecipeError, SourceError
from tilth.core.fingerprints import file_digest
from tilth.core.steps import ON_HUB
from tilth.filters import words

FILE = "tokenizer.json"


def counts(batch: Batch, tokenizer: str | None, sha256: str | None) -> np.ndarray:
    """int64 [rows]: the tokens of each text, special ones not counted.

    Args:
        tokenizer: a `tokenizer.json`, a folder that holds one, or `org/name@<commit>` on the Hub; None: each run of letters and
            digits, each character of Han or Kana and each sign is a token (`words`, definition `script`).

    Raises:
        RecipeError: `tokenizers` is not installed.
        SourceError: the tokenizer is not there, or not the one that `sha256` names.
    """
    if tokenizer is None:
        return np.diff(words.tokens(batch).offsets)
    found = _tokenizer(tokenizer, sha256).encode_batch(batch.texts.to_list(), add_special_tokens=False)
    return np.array([len(one.ids) for one in found], np.int64)


def file_of(path: Path) -> Path:
    """The tokenizer's file: the path, or `tokenizer.json` in the folder."""
    return path / FILE if path.is_dir() else path


@functools.cache
def _tokenizer(tokenizer: str, sha256: str | None) -> Any:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise RecipeError("a tokenizer needs the library `tokenizers`", hint="pip install 'tilth[train]', or leave `tokenizer` out") from None
    if sha256 is None and not ON_HUB.match(tokenizer):
        raise SourceError(f"tokenizer {tokenizer}: which is meant?", hint="give its sha256, or of the Hub org/name@<commit>")
    path = _on_hub(tokenizer) if ON_HUB.match(tokenizer) else Path(tokenizer).expanduser()
    path = file_of(path)
    try:
        digest = file_digest(path)
        if sha256 is not None and digest != sha256:
            raise SourceError(f"tokenizer {path}: its sha256 is {digest}, the recipe says {sha256}", hint="write the one it has, if that is meant")
        made = Tokenizer.from_file(str(path))
    except OSError as error:
        raise SourceError(f"tokenizer {path}: {error.strerror}", hint=f"a {FILE}, or a folder that holds one") from None
    except Exception as error:  # `tokenizers` raises nothing narrower for a file that it cannot read
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"tokenizer {path}: {str(error).splitlines()[0]}") from None
    made.no_truncation()
    made.no_padding()
    return made


def _on_hub(tokenizer: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    name, _, revision = tokenizer.partition("@")
    try:
        return Path(hf_hub_download(name, FILE, revision=revision))
    except (OSError, HfHubHTTPError) as error:
        raise SourceError(f"tokenizer {tokenizer}: {str(error).splitlines()[0]}") from None
