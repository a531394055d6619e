"""Vectors of texts: from a sentence encoder by `transformers` (mean or CLS pooling), or from a Parquet file made elsewhere.

An encoder is a folder as `save_pretrained` writes it, or `org/name@<commit>` on the Hub; a folder is held by the digest of
its weights, configuration and tokenizer, so that its path means nothing. A process runs it on one thread: workers are
what there is more of, and the number of threads can change the last digits of a vector.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from tilth.core.errors import RecipeError, SourceError
from tilth.core.fingerprints import file_digest
from tilth.core.steps import ON_HUB

Encode = Callable[[Sequence[str]], np.ndarray]
"""Texts → float32 [texts, width], unit length."""
Pooling = Literal["mean", "cls"]
Precision = Literal["float32", "bfloat16"]
BATCH_TEXTS = 32
_MADE_OF = ("*.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "*.model")


def digest(path: Path) -> str:
    """sha256 of a Parquet file, or over the files that a model's folder is made of (name and sha256 of each, sorted).

    Raises:
        SourceError: there is no such file, or the folder has no weights in `safetensors`.
    """
    try:
        if path.is_file():
            return file_digest(path)
        found = sorted({file for pattern in _MADE_OF for file in path.glob(pattern)})
        if not any(file.suffix == ".safetensors" for file in found):
            raise SourceError(f"encoder {path}: no *.safetensors there", hint="name a folder as save_pretrained writes it, or a Parquet file of vectors")
        lines = [f"{file.name} {file_digest(file)}" for file in found]
    except OSError as error:
        raise SourceError(f"encoder {path}: {error.strerror}") from None
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def check(path: Path, sha256: str) -> None:
    """Refuse an encoder that is not the one the recipe names.

    Raises:
        SourceError: with the sha256 that it has.
    """
    if (found := digest(path)) != sha256:
        raise SourceError(f"encoder {path}: its sha256 is {found}, the recipe says {sha256}", hint="write the one it has, if that is meant")


@functools.cache
def model(encoder: str, sha256: str | None, pooling: Pooling, max_tokens: int, device: str) -> tuple[Encode, int]:
    """(what encodes, width of its vectors), loaded once a process.

    Raises:
        RecipeError: torch and transformers are not installed.
        SourceError: the folder is not what the recipe says, or holds no model.
    """
    missing = RecipeError("semantic_dedup: an encoder needs torch and transformers", hint="pip install 'tilth[train]', or name a Parquet file of vectors")
    tokenizer, network = pretrained("AutoModel", "encoder", encoder, sha256, device, missing)
    import torch

    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"

    width = int(network.config.hidden_size)

    def pooled(some: list[str]) -> np.ndarray:
        tokens = tokenizer(some, padding=True, truncation=True, max_length=max_tokens, return_tensors="pt").to(device)
        with torch.inference_mode():
            states = network(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
        one = states[:, 0] if pooling == "cls" else (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        made: np.ndarray = torch.nn.functional.normalize(one, dim=1).cpu().numpy()
        return made

    return lambda texts: _in_batches(texts, width, pooled), width


def _in_batches(texts: Sequence[str], width: int, of: Callable[[list[str]], np.ndarray]) -> np.ndarray:
    """float32 [texts, width]: what a model makes of each text, like lengths together: little padding."""
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), i))
    made = np.zeros((len(texts), width), np.float32)
    for start in range(0, len(order), BATCH_TEXTS):
        some = order[start : start + BATCH_TEXTS]
        made[some] = of([texts[i] for i in some])
    return made


def pretrained(
    kind: Literal["AutoModel", "AutoModelForCausalLM", "AutoModelForSequenceClassification"], called: str, model: str, sha256: str | None,
    device: str, missing: RecipeError, precision: Precision = "float32", **head: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """(tokenizer, network ready to be asked, on one thread) of a folder, or of a pinned model on the Hub.

    Args:
        kind: the class of transformers that opens it.
        called: what an error calls it.
        missing: raised where torch or transformers is not installed.
        head: what the model's configuration is to say instead, of a head that is to be trained.

    Raises:
        SourceError: the folder is not what the recipe says, or holds no such model.
    """
    try:
        import torch
        import transformers
        from transformers.utils import logging
    except ImportError:
        raise missing from None
    if sha256 is None and not ON_HUB.match(model):
        raise SourceError(f"{called} {model}: which is meant?", hint="give its sha256 (any; the error says the one it has), or of the Hub org/name@<commit>")
    name, _, revision = model.partition("@") if ON_HUB.match(model) else (model, "", "")
    if sha256 is not None:
        check(Path(model), sha256)
    torch.set_num_threads(1)
    logging.disable_progress_bar()
    if head:
        logging.set_verbosity_error()  # that the head is new is what is asked for
    try:
        pinned = {"revision": revision} if revision else {}
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, **pinned)
        network = getattr(transformers, kind).from_pretrained(name, dtype=getattr(torch, precision), **pinned, **head).to(device).eval()
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceError(f"{called} {model}: {str(error).splitlines()[0]}") from None
    return tokenizer, network


def tokens(tokenizer: Any, texts: Sequence[str], max_tokens: int, device: str) -> Any:
    """A padded batch of the tokenizer, cut to what the model reads."""
    most = min(max_tokens, getattr(tokenizer, "model_max_length", None) or max_tokens)
    return tokenizer(list(texts), padding=True, truncation=True, max_length=most, return_token_type_ids=False, return_tensors="pt").to(device)


def outputs(network: Any, tokenizer: Any, texts: Sequence[str], max_tokens: int, device: str) -> np.ndarray:
    """float32 [texts, outputs]: what a model with a head says of each text."""
    import torch

    network.eval()

    def said(some: list[str]) -> np.ndarray:
        with torch.inference_mode():
            made: np.ndarray = network(**tokens(tokenizer, some, max_tokens, device)).logits.float().cpu().numpy()
        return made

    return _in_batches(texts, network.config.num_labels, said)


@functools.cache
def _checked(path: str, sha256: str) -> None:
    check(Path(path), sha256)


def stored(path: str, sha256: str, ids: pl.Series) -> np.ndarray:
    """float32 [ids, width] out of a Parquet file with the columns id and vector; zeros for a row that it does not have.

    Raises:
        SourceError: the file is another, has no such columns, names a row twice, or its vectors differ in length.
    """
    _checked(path, sha256)
    try:
        lazy = pl.scan_parquet(path).select("id", pl.col("vector").cast(pl.List(pl.Float32)))
        width = lazy.select(pl.col("vector").drop_nulls().list.len().first()).head(1).collect().item()
        found = lazy.filter(pl.col("id").is_in(ids.unique().implode()), pl.col("vector").is_not_null()).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"vectors {path}: {str(error).splitlines()[0]}", hint="columns: id (as in the corpus) and vector (a list of numbers)") from None
    odd = found.filter(pl.col("vector").list.len() != width)
    if odd.height:
        raise SourceError(f"vectors {path}: row {odd['id'][0]} has {len(odd['vector'][0])} numbers, the first {width}")
    if found["id"].is_duplicated().any():
        raise SourceError(f"vectors {path}: row {found['id'].filter(found['id'].is_duplicated())[0]} stands there twice")
    made = np.zeros((len(ids), width or 1), np.float32)
    places = pl.DataFrame({"id": ids}).with_row_index("place").join(found.with_row_index("at"), on="id", how="inner")
    if places.height:
        values = found["vector"].explode().to_numpy().reshape(found.height, width)[places["at"].to_numpy()]
        norms = np.linalg.norm(values, axis=1, keepdims=True)
        made[places["place"].to_numpy()] = values / np.where(norms > 0, norms, 1)
    return made
