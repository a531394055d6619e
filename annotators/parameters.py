"""Which parameters a model takes. What it does not take is left out, by this table, before the call.

Read from the SDKs and the API references, November 2026: OpenAI's reasoning models take no temperature and name the token limit
`max_completion_tokens`; anthropic 2.x has no temperature argument, and only models up to the 4.5 series still take one
in the body. A compatible server (vLLM, SGLang, Ollama, `transformers serve`) takes temperature and `max_tokens`.

>>> takes_temperature("openai", "gpt-4.1"), takes_temperature("openai", "gpt-5.4-mini"), takes_temperature("anthropic", "claude-opus-5")
(True, False, False)
"""

from __future__ import annotations

import re

_OPENAI = re.compile(r"^(ft:)?(gpt-|o\d|chatgpt-|codex-)")
_OPENAI_REASONING = re.compile(r"^(ft:)?(o\d|gpt-([5-9]|\d\d)|codex-)")
_ANTHROPIC_WITH_TEMPERATURE = re.compile(r"^claude-(2|3|instant|(opus|sonnet|haiku)-4-([015](?!\d)|20\d{6}))")


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
