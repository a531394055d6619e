"""From a reply, or from there being none, to the call that the store keeps; the same for single calls and for batches."""

from __future__ import annotations

from dataclasses import replace

from tilth.annotators.calls import Asked, Call, CallStatus, Endpoint, Reply, Usage, summarise
from tilth.annotators.question import Question
from tilth.annotators.spend import Price


def answered_call(
    key: str, request: str, asked: Asked, endpoint: Endpoint, reply: Reply, price: Price, question: Question | None
) -> Call:
    """The call that a reply makes.

    Args:
        request: canonical, JSON.
        question: reads the reply; None where it is not known here, and the reply stays unread.
    """
    # JSON may hold half a surrogate pair, which no UTF-8 file can.
    reply = replace(reply, raw=reply.raw.encode("utf-8", "replace").decode())
    readings = None
    status: CallStatus = reply.status
    if reply.status == "ok":
        readings = tuple(question.read(reply.raw, asked.names)) if question is not None else None
        status = summarise(readings or ())
    return Call(
        key=key, provider=endpoint.provider, base_url=endpoint.base_url, model=endpoint.model, request=request, asked=asked,
        raw=reply.raw, readings=readings, status=status, usage=reply.usage, usd=price.usd(reply.usage),
        price_version=price.version, latency_s=reply.latency_s,
    )  # fmt: skip


def failed_call(key: str, request: str, asked: Asked, endpoint: Endpoint, message: str, price: Price) -> Call:
    """The call that got no reply."""
    return Call(
        key=key, provider=endpoint.provider, base_url=endpoint.base_url, model=endpoint.model, request=request, asked=asked,
        raw=message.encode("utf-8", "replace").decode(), readings=None, status="failed", usage=Usage(), usd=0.0, price_version=price.version, latency_s=0.0,
    )  # fmt: skip
