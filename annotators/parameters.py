"""Which parameters a model takes. What it does not take is left out, by this table, before the call.

Read from the SDKs and the API references, November 2026: OpenAI's reasoning models take no temperature and name the token limit
`max_completion_tokens`; anthropic 2.x has no temperature argument, and only models up to the 4.5 series still take one
in the body. A compatible server (vLLM, SGLang, Ollama, `transformers serve`) takes temperature and `max_tokens`.

>>> takes_temperature("openai", "gpt-4.1"), takes_temperature("openai", "gpt-5.4-mini"), takes_temperature("anthropic", "claude-opus-5")
(True, False, False)
"""

from __future__ import annotations

import re
from typing import Literal

_OPENAI = re.compile(r"^(ft:)?(gpt-|o\d|chatgpt-|codex-)")
_OPENAI_REASONING = re.compile(r"^(ft:)?(o\d|gpt-([5-9]|\d\d)|codex-)")
_ANTHROPIC_WITH_TEMPERATURE = re.compile(r"^claude-(2|3|instant|(opus|sonnet|haiku)-4-([015](?!\d)|20\d{6}))")

_ANTHROPIC_FREE_TEXT = re.compile(r"^claude-(2|3|instant|(opus|sonnet)-4-(0(?!\d)|20\d{6}))")
_OPENAI_FREE_TEXT = re.compile(r"^(gpt-4(-0314|-0613|-32k.*)?|o1-(preview|mini).*)$")
_OPENAI_JSON_OBJECT = re.compile(r"^(gpt-3\.5|gpt-4-(turbo|1106|0125)|gpt-4o-2024-05-13)")
_CACHE_MINIMUM = ((re.compile(r"^claude-(haiku-[4-9]|opus-(4-[5-9]|[5-9]))"), 4096), (re.compile(r"^claude-3.*haiku"), 2048))


def takes_temperature(provider: str, model: str) -> bool:
    """Whether the model takes a temperature."""
    if provider == "anthropic":
        return bool(_ANTHROPIC_WITH_TEMPERATURE.match(model))
    return not _OPENAI_REASONING.match(model)


def takes_effort(provider: str, model: str) -> bool:
    """Whether the model takes a reasoning effort."""
    if provider == "anthropic":
        return not _ANTHROPIC_WITH_TEMPERATURE.match(model)
    return not _OPENAI.match(model) or bool(_OPENAI_REASONING.match(model))


def token_limit_name(model: str, own_server: bool) -> str:
    """The name of the token limit in an OpenAI-shaped request."""
    return "max_tokens" if own_server and not _OPENAI.match(model) else "max_completion_tokens"


def structured_output(provider: str, model: str) -> Literal["json_schema", "json_object", "none"]:
    """The strictest form of structured output that the model takes; the prompts ask for JSON in any case.

    >>> [structured_output("openai", model) for model in ("gpt-5.4-mini", "gpt-4-turbo", "gpt-4", "Qwen/Qwen3-8B")]
    ['json_schema', 'json_object', 'none', 'json_schema']
    """
    if provider == "anthropic":
        return "none" if _ANTHROPIC_FREE_TEXT.match(model) else "json_schema"
    if _OPENAI_FREE_TEXT.match(model):
        return "none"
    return "json_object" if _OPENAI_JSON_OBJECT.match(model) else "json_schema"


def worth_caching(model: str, system: str) -> bool:
    """Whether a system prompt is long enough for Anthropic's prompt cache, which takes from 1,024 tokens (Haiku 3: 2,048; Opus and
    Haiku from 4.5: 4,096). Counted at four bytes a token."""
    least = next((tokens for pattern, tokens in _CACHE_MINIMUM if pattern.match(model)), 1024)
    return len(system.encode()) >= 4 * least
