"""Question: what is asked about a row. One file under `questions/` with prompt texts, answer schema and parser.

    class Mine(Question, name="mine", version=1):
        def requests(self, row, seed): ...      # row → what to ask, candidates shuffled and named opaquely
        def read(self, raw, names): ...         # reply → a reading for each name shown
        def answer_schema(self): ...

Candidates are shown in an order drawn from hash(seed, row id), and in the reverse of it: a judge that prefers what
stands first contradicts itself and is seen to. Raise `version` when a prompt or the scale changes; a better parser needs no new
version (`CallStore.reparse` reads old replies again for free).
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from tilth.annotators import delimiters
from tilth.annotators.calls import Language, Message, Reading, VerdictStatus
from tilth.core.errors import SourceError
from tilth.core.units import Unit


@dataclass(frozen=True, slots=True)
class Item:
    """A row as questions see it."""

    id: str
    prompt: tuple[Message, ...]
    models: tuple[str, ...]
    """Who wrote each candidate; a second one of the same model is `model#2`."""
    texts: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    """(label, text) of each option of a multiple-choice question."""
    answer: str | None
    """The key: the label of the right option, or its text."""
    reference: str | None
    language: Language

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Item:
        """An item from a row with id, prompt, candidates, and answer, options, reference, language where there are.

        Raises:
            SourceError: the row has no id or no prompt.
        """
        if not row.get("id") or not row.get("prompt"):
            raise SourceError(f"row {row.get('id')!r} has no {'id' if not row.get('id') else 'prompt'} to judge")
        models: list[str] = []
        candidates = [candidate for candidate in row.get("candidates") or () if candidate["text"] is not None]
        for candidate in candidates:
            model = candidate["model"] or "unknown"
            before = sum(known == model or known.startswith(f"{model}#") for known in models)
            models.append(f"{model}#{before + 1}" if before else model)
        return cls(
            id=row["id"],
            prompt=tuple({"role": turn["role"], "content": turn["content"] or ""} for turn in row["prompt"]),
            models=tuple(models),
            texts=tuple(candidate["text"] for candidate in candidates),
            options=tuple((option["label"], option["text"]) for option in row.get("options") or ()),
            answer=row.get("answer"),
            reference=row.get("reference"),
            language="zh" if str(row.get("language") or "").lower().split("-")[0] == "zh" else "en",
        )

    def options_to_show(self) -> str | None:
        """The options, a line each; None where there are none, or the prompt holds them already."""
        if not self.options or all(text in self.prompt[-1]["content"] for _, text in self.options):
            return None
        return "\n".join(f"{label}. {text}" for label, text in self.options)

    def key_text(self) -> str | None:
        """The reference answer, or the key with the text of its option; None where there is neither."""
        if self.answer is None:
            return self.reference
        key = next((f"{label}. {text}" for label, text in self.options if self.answer in (label, text)), self.answer)
        return key if self.reference is None else f"{key}\n{self.reference}"


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing to ask: the messages, and what was shown where."""

    row_id: str
    order: str
    """Position shown → index of the candidate among those of the row that have a text: `2,0,1`. Empty where none is shown;
    `#1` where the same is asked a second time."""
    nonce: str
    messages: tuple[Message, ...]
    names: tuple[str, ...]
    """Opaque names, by position shown."""
    models: tuple[str, ...]
    """Who wrote them, by position shown; never sent."""
    texts: tuple[str, ...]
    """What they wrote, by position shown."""
    item: Item
    aspect: str | None = None
    """What is asked about, where the question asks about several things in requests of their own."""
    sample: int = 0
    """Index of the sample, where the same is asked several times."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said of one candidate (None: of the question): a value on the scale, a label, or why there is neither."""

    candidate: str | None
    value: float | None
    status: VerdictStatus
    rank: int | None = None
    label: str | None = None
    aspect: str | None = None


class Question(Unit):
    """One question; see the module's words for what to override."""

    kind: ClassVar[str] = "question"
    scale: ClassVar[tuple[int, int] | None] = None
    """Lowest and highest value, for a question on an integer scale."""
    shows_candidates: ClassVar[bool] = True
    """Whether the judge sees answers, or the question only."""
    compares: ClassVar[bool] = False
    """Whether a better answer gets a higher value, whatever the row: then canaries test its judges."""

    language: Literal["row", "en", "zh"] = Field("row", description="language of the prompt text: the row's own, or always this")

    @property
    def label(self) -> str:
        """`name@version`, as in the judgements."""
        return f"{self.name}@{self.version}"

    def labelled(self, aspect: str | None) -> str:
        """The label of what is asked about one aspect: `name@version/aspect`."""
        return self.label if aspect is None else f"{self.label}/{aspect}"

    @abstractmethod
    def requests(self, row: Item, seed: int) -> list[Ask]:
        """What to ask about a row, in a fixed order; empty where there is nothing to ask."""
        raise NotImplementedError

    @abstractmethod
    def answer_schema(self) -> dict[str, Any]:
        """JSON schema of the answer: the same for every request, so that providers compile it once; empty: free text."""
        raise NotImplementedError

    @abstractmethod
    def read(self, raw: str, names: Sequence[str]) -> list[Reading]:
        """A reading for each name shown (one with name None where there are none), ranges checked, nothing guessed."""
        raise NotImplementedError

    @abstractmethod
    def expected_output_tokens(self, num_names: int) -> int:
        """Tokens of a usual answer, for estimates."""
        raise NotImplementedError

    @classmethod
    def takes_shares(cls) -> bool:
        """Whether a scorer that is no LLM can answer it."""
        return cls.reply_from is not Question.reply_from

    def reply_from(self, shares: Sequence[float | None], names: Sequence[str]) -> str:
        """The reply that a scorer's shares (0 worst – 1 best, None unknown) amount to, as a judge would write it.

        Raises:
            NotImplementedError: a scorer cannot answer this question.
        """
        raise NotImplementedError

    def parse(self, raw: str, ask: Ask) -> list[Verdict]:
        """What the reply says, by candidate."""
        models: dict[str | None, str | None] = {None: None}
        models.update(zip(ask.names, ask.models, strict=True))
        return [
            Verdict(models[found.name], found.value, found.status, found.rank, found.label, found.aspect or ask.aspect)
            for found in self.read(raw, ask.names)
        ]

    def language_of(self, row: Item) -> Language:
        """Language of the prompt text for a row."""
        return row.language if self.language == "row" else self.language


def several(ask: Ask, times: int) -> list[Ask]:
    """The same ask, as often as that; from the second on, `order` and the request's sample say which one it is."""
    return [replace(ask, order=f"#{number}" if number else ask.order, sample=number) for number in range(times)]


def shuffled(count: int, seed: int, row_id: str) -> list[int]:
    """A permutation of `range(count)` drawn from hash(seed, row id)."""
    return sorted(range(count), key=lambda index: hashlib.sha256(f"{seed}/{row_id}/{index}".encode()).digest())


def orders(count: int, seed: int, row_id: str, both: bool) -> list[list[int]]:
    """The order to show candidates in, and its reverse where `both` and there is more than one."""
    first = shuffled(count, seed, row_id)
    return [first, first[::-1]] if both and count > 1 else [first]


def order_text(order: Sequence[int]) -> str:
    """A permutation as it is stored: `2,0,1`."""
    return ",".join(map(str, order))


def opaque_names(count: int, mark: str) -> tuple[str, ...]:
    """Names that say nothing about place or maker, and that no candidate can know: a letter and two digits from the nonce."""
    names: list[str] = []
    turn = 0
    while len(names) < count:
        number = int.from_bytes(hashlib.sha256(f"{mark}/{turn}".encode()).digest()[:4])
        name = f"{'CFGHJKLMNPQRTVWXYZ'[number % 18]}{10 + number // 18 % 90}"
        turn += 1
        if name not in names:
            names.append(name)
    return tuple(names)


def make_ask(
    row: Item, order: Sequence[int], seed: int, language: Language, system: str, task: str, *,
    names: tuple[str, ...] | None = None, list_names: bool = False, reference: str | None = None, aspect: str | None = None,
    subject: Mapping[Language, str] = delimiters.QUESTION, candidate: Mapping[Language, str] = delimiters.RESPONSE,
) -> Ask:  # fmt: skip
    """An ask that shows the prompt, its options where they are not in it, the reference where given, and the candidates of `order`.

    Args:
        names: fixed names in place of opaque ones.
        list_names: end the task with the names.
        aspect: what the task asks about, where the question has several.
        subject: what the row's prompt is called.
        candidate: what its candidates are called.
    """
    texts = tuple(row.texts[index] for index in order)
    shown = order_text(order)
    mark = delimiters.nonce(seed, row.id, shown, (*(turn["content"] for turn in row.prompt), *texts))
    if names is None:
        names = opaque_names(len(order), mark)
    blocks = [delimiters.conversation(row.prompt, mark, subject[language])]
    if options := row.options_to_show():
        blocks.append(delimiters.block(delimiters.OPTIONS[language], options, mark))
    if reference is not None:
        blocks.append(delimiters.block(delimiters.REFERENCE[language], reference, mark))
    blocks += [delimiters.block(f"{candidate[language]} {name}", text, mark) for name, text in zip(names, texts, strict=True)]
    if list_names:
        task += ", ".join(names)
    messages = (
        {"role": "system", "content": system},
        {"role": "user", "content": delimiters.request_text(blocks, task, mark, language)},
    )
    return Ask(row.id, shown, mark, messages, names, tuple(row.models[index] for index in order), texts, row, aspect)
