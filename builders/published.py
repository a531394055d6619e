"""Published names of data shapes → the shape, with its parameters, that reads and writes them.

`tilth export --as alpaca` takes these names; in a recipe write the shape out, as docs/shapes.md shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tilth.builders.two_way import TwoWay
from tilth.core.recipe import named_unit

MT_DIALOG = {"Doctor:": "assistant", "Patient:": "user", "Guest_family:": "user"}


@dataclass(frozen=True)
class Published:
    """A name, the datasets that have records of that shape, and the shape."""

    name: str
    datasets: str
    shape: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def unit(self) -> TwoWay:
        """The shape, keeping what else a record says."""
        made = named_unit("shape", {self.shape: {**self.parameters, "keep": True}})
        assert isinstance(made, TwoWay)
        return made


def _p(name: str, datasets: str, shape: str, **parameters: Any) -> Published:
    return Published(name, datasets, shape, parameters)


_ALL = (
    _p("text", "any corpus of documents", "text"),
    _p("messages", "TRL, OpenAI, Zephyr", "chat"),
    _p("sharegpt", "ShareGPT, Deita, UltraChat in LLaMA-Factory", "chat", messages="conversations", role="from", text="value"),
    _p("alpaca", "Alpaca, ChatDoctor, Medical Meadow, MedInstruct-52k, ChatMed", "qa", question=["instruction", "input"], answer="output"),
    _p("huatuo26m", "Huatuo-26M (`instruction` and `output` are lists of one text)", "qa", question="instruction", answer="output"),
    _p("huatuo_llama", "Huatuo-Llama-Med-Chinese, dialogues with <user>: and <bot>:", "qa", question="instruction", answer="output",
       speakers={"<user>:": "user", "<bot>:": "assistant"}),
    _p("medquad", "MedQuAD", "qa", question="Question", answer="Answer"),
    _p("chinese_medical_dialogue", "Chinese medical dialogue data (CSV: department, title, ask or question, answer)", "qa",
       question=["title", "ask"], answer="answer"),
    _p("cmtmedqa", "CMtMedQA, and any Alpaca set with `history`", "qa", question=["instruction", "input"], answer="output", history="history"),
    _p("mts_dialog", "MTS-Dialog", "dialogue", speakers=MT_DIALOG),
    _p("smile", "SMILE (client and counselor)", "chat", messages="dialog", roles={"client": "user", "counselor": "assistant"}),
    _p("aquilamed_instruct", "BAAI/AquilaMed-Instruct", "qa", question=["instruction", "input"], answer="output",
       speakers={"问：": "user", "答：": "assistant"}),
    _p("aquilamed_rl", "BAAI/AquilaMed-RL", "pair", prompt="instruction", chosen="output.0", rejected="output.1", form="texts"),
    _p("ultramedical", "TsinghuaC3I/UltraMedical", "ultramedical"),
    _p("ultramedical_preference", "TsinghuaC3I/UltraMedical-Preference", "pair", chosen_score="metadata.chosen.score",
       rejected_score="metadata.rejected.score", chosen_model="metadata.chosen.model", rejected_model="metadata.rejected.model",
       label="label_type", form="conversations"),
    _p("ultramedical_judged", "UltraMedical's judge stage (`model_outputs`)", "completions", question="conversations.0.value",
       options_in_question=True, answer="answer", completions="model_outputs", model=None),
    _p("medqa", "MedQA (USMLE, options as a mapping)", "exam", answer="answer_idx"),
    _p("medmcqa", "MedMCQA (its own files; on the Hub `cop` counts from 0: `base: 0`)", "exam",
       options=["opa", "opb", "opc", "opd"], answer="cop", base=1, reply="exp"),
    _p("pubmedqa", "PubMedQA (ori_pqal, ori_pqaa)", "exam", question="QUESTION", context="CONTEXTS",
       options={"A": "yes", "B": "no", "C": "maybe"}, answer="final_decision", reply="LONG_ANSWER"),
    _p("cmb_exam", "FreedomIntelligence/CMB, CMB-Exam", "exam", options="option", several=True),
    _p("cmb_clin", "FreedomIntelligence/CMB, CMB-Clin", "case"),
    _p("cmmlu", "CMMLU", "exam", question="Question", options=["A", "B", "C", "D"], answer="Answer"),
    _p("mmlu", "MMLU", "exam", options=["A", "B", "C", "D"]),
    _p("hh", "Anthropic HH-RLHF", "pair", prompt=None, speakers={"Human:": "user", "Assistant:": "assistant"}, form="dialogues"),
    _p("alpaca_eval", "AlpacaEval's annotations", "pair", prompt="instruction", chosen="output_1", rejected="output_2", preferred="preference",
       chosen_model="generator_1", rejected_model="generator_2", form="texts"),
    _p("llmbar", "LLMBar", "pair", prompt="input", chosen="output_1", rejected="output_2", preferred="label", form="texts"),
)  # fmt: skip

PUBLISHED = {one.name: one for one in _ALL}
"""Name → what is published under it."""
