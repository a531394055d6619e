"""Which family a model is of, by its name: a judge should not decide alone about its own."""

from __future__ import annotations

import re

_FAMILIES = (
    ("openai", r"gpt|chatgpt|o[134]|davinci"),
    ("anthropic", r"claude"),
    ("google", r"gemini|gemma|palm|bard"),
    ("meta", r"llama|llama\d|vicuna|alpaca"),
    ("qwen", r"qwen|qwq|通义"),
    ("mistral", r"mistral|mixtral|ministral|magistral|zephyr"),
    ("deepseek", r"deepseek"),
    ("zhipu", r"glm|chatglm"),
    ("moonshot", r"kimi|moonshot"),
    ("baidu", r"ernie|文心"),
    ("tencent", r"hunyuan|混元"),
    ("bytedance", r"doubao|豆包|seed"),
    ("minimax", r"minimax|abab"),
    ("baichuan", r"baichuan|百川"),
    ("internlm", r"internlm"),
    ("01", r"yi"),
    ("xai", r"grok"),
    ("microsoft", r"phi"),
    ("cohere", r"command|aya"),
    ("falcon", r"falcon"),
)
_PATTERNS = tuple((family, re.compile(rf"(?<![^\W\d_])(?:{names})(?![^\W\d_])", re.IGNORECASE)) for family, names in _FAMILIES)


def family_of(model: str) -> str | None:
    """The family that a model's name says; None where it says none.

    The first name of a family counts: a fine-tune names its base first or only.

    >>> family_of("openai/gpt-5.4-mini"), family_of("claude-haiku-5-5#2"), family_of("Qwen2.5-7B-Instruct"), family_of("HuatuoGPT2")
    ('openai', 'anthropic', 'qwen', None)
    """
    name = model.rpartition("/")[2]
    found = [(match.start(), family) for family, pattern in _PATTERNS if (match := pattern.search(name))]
    return min(found)[1] if found else None
