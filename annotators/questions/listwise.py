"""All candidates in one request, each scored 1–5, and a full ranking.

Rubric: UltraMedical (arXiv 2406.03949; TsinghuaC3I/UltraMedical, `run_feedback.py`): question, reference answer where there is
one, all candidates, a five-point biomedical scale from inadequate to excellent, a ranking of all even where scores are
equal, by logic, richness and naturalness. Unlike there, candidates are shuffled and shown in both orders, and a
candidate without a score stays without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import orjson
from pydantic import Field

from tilth.annotators.calls import Language, Reading
from tilth.annotators.question import Ask, Item, Question, make_ask, orders
from tilth.annotators.replies import code_name, json_object, listed_scores, listed_scores_schema, object_schema

SYSTEM: dict[Language, str] = {
    "en": """You are an expert evaluator. You are given a question, a reference answer where there is one, and several responses,
each under a code name. Score every response on this scale:
5 excellent: correct, complete, well reasoned, safe and clearly written
4 good: correct and useful, with small omissions
3 fair: mostly correct, but incomplete or unclear in places that matter
2 poor: notable errors, omissions or unsupported claims
1 inadequate: wrong, harmful, or no answer to the question
Judge what is said. Length, confidence and order of presentation are no merits. Where a reference answer is given, a response that
contradicts it is at most 2.
Then rank all responses from best to worst, those with equal scores too, by soundness of reasoning, richness, and naturalness.""",
    "zh": """你是一名专业评审。你会看到一个问题、（如果有的话）一份参考答案，以及若干份回答，每份回答有一个代号。
请按以下标准为每份回答打分：
5 优秀：正确、完整、论证充分、安全、表达清晰
4 良好：正确且有用，仅有细小遗漏
3 一般：大体正确，但在重要之处不完整或不清楚
2 较差：有明显错误、遗漏或缺乏依据的说法
1 不合格：错误、有害，或没有回答问题
只评判内容本身；篇幅、语气自信与否、出现的先后都不是优点。若给出参考答案，与之矛盾的回答最高 2 分。
然后将所有回答从好到差排序，分数相同者也要排序，依据论证是否严密、内容是否丰富、表达是否自然。""",
}
TASK: dict[Language, str] = {
    "en": 'Answer with JSON only: {"scores": [{"candidate": code name, "score": 1-5}, …], "ranking": [code names, best first]}. '
    "Score every response once. The code names are: ",
    "zh": '只用 JSON 作答：{"scores": [{"candidate": 代号, "score": 1-5}, …], "ranking": [代号，由好到差]}。'
    "每份回答都要打一次分。代号为：",
}


class Listwise(Question, name="listwise", version=1):
    """All candidates in one request: a score 1–5 for each, and a ranking."""

    scale: ClassVar[tuple[int, int] | None] = (1, 5)
    compares: ClassVar[bool] = True

    both_orders: bool = Field(True, description="ask again with the candidates in reverse order")
    use_reference: bool = Field(True, description="show the reference answer or the answer key to the judge")

    def requests(self, row: Item, seed: int) -> list[Ask]:
        if not row.texts:
            return []
        language = self.language_of(row)
        reference = row.key_text() if self.use_reference else None
        return [
            make_ask(row, order, seed, language, SYSTEM[language], TASK[language], list_names=True, reference=reference)
            for order in orders(len(row.texts), seed, row.id, self.both_orders)
        ]

    def answer_schema(self) -> dict[str, Any]:
        return object_schema(scores=listed_scores_schema(1, 5), ranking={"type": "array", "items": {"type": "string"}})

    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        answer = json_object(raw)
        ranks = {} if answer is None else _ranks(answer.get("ranking"), names)
        readings = listed_scores(answer, names, 1, 5)
        return [replace(one, rank=ranks.get(str(one.name))) if one.status == "ok" else one for one in readings]

    def expected_output_tokens(self, num_names: int) -> int:
        return 12 + 22 * num_names

    def reply_from(self, shares: Sequence[float | None], names: Sequence[str]) -> str:
        known = [(name, share) for name, share in zip(names, shares, strict=True) if share is not None]
        scores = [{"candidate": name, "score": 1 + round(4 * share)} for name, share in known]
        ranking = [name for name, share in sorted(known, key=lambda pair: -pair[1])]
        return orjson.dumps({"scores": scores, "ranking": ranking}).decode()


def _ranks(ranking: object, names: Sequence[str]) -> dict[str, int]:
    """Name → rank, for a ranking that holds shown names only, each once; empty for any other."""
    codes = [code_name(code) for code in ranking] if isinstance(ranking, list) else []
    if len(set(codes)) != len(codes) or not set(codes) <= set(names):
        return {}
    return {code: rank for rank, code in enumerate(codes, start=1)}
