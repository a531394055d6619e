"""The chat template of a run: the base model's own, one that ships, or a file; and the marks on the assistant's tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tilth.core.errors import TrainError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SHIPPED = ("zephyr",)
"""`<name>.jinja` beside this file. zephyr: alignment-handbook's default, which UltraMedical trained its base models with."""


def text(chosen: str | None, base: str, folder: Path) -> str | None:
    """The template that `chosen` names; None where it is the base model's own, which must then have one.

    Raises:
        TrainError: no such file, or neither gives a template.
    """
    if chosen is None:
        if not _has_own(folder):
            raise TrainError(
                f"model {base} has no chat template", hint=f"chat_template: {SHIPPED[0]} in --config, or a Jinja file"
            )
        return None
    path = Path(__file__).parent / f"{chosen}.jinja" if chosen in SHIPPED else Path(chosen).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainError(
            f"chat template {chosen}: {error}", hint=f"one that ships ({', '.join(SHIPPED)}), or a Jinja file"
        ) from None


def _has_own(folder: Path) -> bool:
    if (folder / "chat_template.jinja").exists() or (folder / "chat_template.json").exists():
        return True
    try:
        return bool(json.loads((folder / "tokenizer_config.json").read_bytes()).get("chat_template"))
    except (OSError, ValueError, AttributeError):
        return False


def marked(tokens: PreTrainedTokenizerBase) -> tuple[str | None, bool]:
    """(template to use in place of the tokenizer's own, whether the assistant's tokens are marked).

    A template without `{% generation %}` marks is replaced by TRL's marked version of it, where TRL has one.
    """
    from trl.chat_template_utils import get_training_chat_template, has_generation_markers

    if has_generation_markers(tokens.chat_template):
        return None, True
    try:
        return get_training_chat_template(tokens), True
    except ValueError:
        return None, False
