"""Asking every judge once: is the name right, the key, the address; does it keep to the form asked for; what does a call take and cost."""

from __future__ import annotations

import asyncio
import difflib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass

from tilth.annotators.batches_api import ApiErrors
from tilth.annotators.calls import Message
from tilth.annotators.failures import CallFailedError
from tilth.annotators.jobs import run
from tilth.annotators.provider import ApiProvider, Provider
from tilth.annotators.spend import price_of
from tilth.annotators.wire import json_body
from tilth.core.errors import TilthError

PING: tuple[Message, ...] = ({"role": "user", "content": 'Can you read this? Say so in JSON, with "ok" true or false.'},)
PING_SCHEMA = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": False}
MOST_MODELS = 2000
_MENDS = (
    (("response_format", "output_config", "json_schema", "structured"), "set `structured: json_object` or `structured: none`"),
    (("temperature",), "set `temperature: null`"),
    (("effort",), "leave `effort` out"),
)
"""What a server that refuses the request may have stumbled over."""


@dataclass(frozen=True)
class Check:
    """One judge asked once."""

    judge: str
    ok: bool
    message: str
    """What is wrong, or how it answered."""
    hint: str | None = None
    seconds: float | None = None
    structured: bool | None = None
    """Whether it kept to the form asked for; None where none was."""
    usd: float | None = None
    """What this call cost, where the price is known."""


def check(judges: Sequence[Provider]) -> list[Check]:
    """Ask every judge once, a question of a few tokens; nothing is stored. A judge that cannot answer is a line, not an error."""

    async def work() -> list[Check]:
        return list(await asyncio.gather(*(_ask(judge) for judge in judges)))

    return run(work)


async def _ask(judge: Provider) -> Check:
    if not isinstance(judge, ApiProvider):
        return Check(judge.label, True, "needs no connection")
    try:
        session = judge.connect()
        try:
            reply = await session.ask(judge.request_of(PING, PING_SCHEMA))
        finally:
            await session.close()
    except CallFailedError as error:
        return Check(judge.label, False, error.message, await _mend(judge, error))
    except TilthError as error:
        return Check(judge.label, False, error.message, error.hint)
    seconds, usd = round(reply.latency_s, 2), price_of(judge).usd(reply.usage)
    if reply.status != "ok":
        hint = "raise max_tokens: reasoning counts too" if reply.status == "truncated" else None
        return Check(judge.label, False, reply.status, hint, seconds, None, usd)
    kept = None if judge.form == "none" else _kept(reply.raw)
    hint = "answers are read from its text; `structured: none` stops asking for a form" if kept is False else None
    return Check(
        judge.label, True, "answered" if kept is not False else "answered, in a form of its own", hint, seconds, kept, usd
    )


def _kept(raw: str) -> bool:
    try:
        return isinstance(json_body(raw.encode("utf-8", "replace")).get("ok"), bool)
    except ValueError:
        return False


async def _mend(judge: ApiProvider, error: CallFailedError) -> str | None:
    """The nearest way out that the error, and the server's own list of models, point to."""
    if error.status == 404:
        models = await _models(judge)
        if models is None:
            return "is this the address of the API? OpenAI's and most servers' end in /v1" if judge.base_url else error.hint
        if judge.model not in models:
            near = difflib.get_close_matches(judge.model, models, n=3, cutoff=0.4) or models[:3]
            return f"did you mean {', '.join(near)}?" if near else "the server has no model"
    if error.status in (400, 422):
        return next((mend for words, mend in _MENDS if any(word in error.message for word in words)), error.hint)
    return error.hint


async def _models(judge: ApiProvider) -> list[str] | None:
    """The models that the key may use; None where the server does not say."""
    client = judge.client()
    try:
        found: list[str] = []
        with ApiErrors(judge, importlib.import_module(type(client).__module__.partition(".")[0])):
            async for model in client.models.list():
                found.append(str(getattr(model, "id", "")))
                if len(found) == MOST_MODELS:
                    break
        return found
    except (CallFailedError, AttributeError, TypeError):  # only a hint is lost, whatever a server that is none answers here
        return None
    finally:
        await client.close()
