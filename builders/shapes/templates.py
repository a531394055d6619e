"""A benchmark item by templates over a record's fields, as the task files of lm-eval write them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, model_validator

from tilth.builders.records import BadRecord, Blank, MissingField, Record, Shape
from tilth.builders.shapes.choices import LABELS

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEMPLATE = 20_000

WIDENING = {"format", "format_map", "center", "ljust", "rjust", "zfill", "expandtabs"}
"""What makes gigabytes of one letter: methods and filters that a template does not get."""


class Templates(Shape, name="templates", version=1):
    """One item a record: each part is the name of a field, or a Jinja template over the fields, rendered in a sandbox."""

    makes = "item"
    distributions = ("jinja2",)
    question: str = Field("question", description="field or template of the question")
    options: str | list[str] | None = Field(None, description="field or template that gives the list of options; or a list of templates, one an option")
    labels: list[str] | None = Field(None, description="labels of the options, in order; left out: A, B, C …")
    answer: str | int | None = Field(
        None, description="field or template of the key: a number from 0, a label, an option's text, or any text; a number out of range: hidden"
    )

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        from jinja2 import TemplateSyntaxError

        for template in self._templates():
            try:
                compiled(template)
            except (TemplateSyntaxError, RecursionError, OverflowError, MemoryError) as error:
                raise ValueError(f"{template[:60]!r} is no template: {error}") from None
        return self

    def _templates(self) -> Iterator[str]:
        options = self.options if isinstance(self.options, list) else [self.options]
        yield from (part for part in (self.question, self.answer, *options) if isinstance(part, str))

    def content(self, record: Record) -> dict[str, Any]:
        question = self._text(value(self.question, record)).strip()
        if not question:
            raise Blank("the question is blank")
        options = self._options(record)
        return {"question": question, "options": options, "answer": self._answer(record, options)}

    def _options(self, record: Record) -> list[str]:
        if isinstance(self.options, list):
            found = [rendered(template, record) for template in self.options]
        else:
            found = value(self.options, record) if self.options is not None else []
        if isinstance(found, dict):
            found = list(found.values())
        if not isinstance(found, list | tuple):
            raise BadRecord(f"{str(self.options)[:60]!r} gives a {type(found).__name__}, not a list of options")
        return [self._text(one) for one in found]

    def _answer(self, record: Record, options: list[str]) -> str | None:
        found = value(self.answer, record) if isinstance(self.answer, str) else self.answer
        found = found[0] if isinstance(found, list) and found else found
        if found is None or found == []:
            return None
        labels = self.labels or list(LABELS[: len(options)])
        text = self._text(found).strip()
        if isinstance(found, str):
            same = [i for i, option in enumerate(options) if option.strip() == text]
            if text in labels or not labels:
                return text or None
            if len(same) == 1 and same[0] < len(labels):
                return labels[same[0]]
        if not labels or not text.lstrip("-").isdecimal():
            return text or None
        return labels[int(text)] if len(text) < 4 and 0 <= int(text) < len(labels) else None

    @staticmethod
    def _text(found: Any) -> str:
        if isinstance(found, bool):
            return str(int(found))
        if found is None or isinstance(found, str | int | float):
            return "" if found is None else str(found)
        raise BadRecord(f"a {type(found).__name__} where a text should be")


def value(template: str, record: Record) -> Any:
    """The field of that name; else what the template gives: a value of its own kind where it is one expression, else text.

    >>> value("{{[a, b]}}", {"a": 1, "b": "two"})
    [1, 'two']

    Raises:
        BadRecord: there is no such field, or the template fails on this record.
    """
    if template in record:
        return record[template]
    if "{{" not in template and "{%" not in template:
        raise MissingField(template, record)
    return rendered(template, record, whole=False)


def rendered(template: str, record: Record, whole: bool = True) -> Any:
    """What the template gives for a record, as text (`whole`) or, where it is one expression, as a value.

    Raises:
        BadRecord: it names a field that is not there, or fails on this record.
    """
    from jinja2 import TemplateError, Undefined

    run, names = compiled(template)
    try:
        found = run(record)
        return str(found) if whole or isinstance(found, Undefined) else found
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError, MemoryError) as error:
        if missing := sorted(names - set(record)):
            raise MissingField(missing[0], record) from None
        raise BadRecord(f"template {template[:60]!r}: {str(error)[:200]}") from None


@functools.lru_cache(maxsize=1000)
def compiled(template: str) -> tuple[Callable[[Record], Any], frozenset[str]]:
    """A template as a function of a record, and the fields that it names.

    Raises:
        TemplateSyntaxError: it is none.
    """
    from jinja2 import TemplateSyntaxError, meta

    if len(template) > MAX_TEMPLATE:
        raise TemplateSyntaxError(f"longer than {MAX_TEMPLATE:,} characters", 1)
    sandbox = _sandbox()
    names = frozenset(meta.find_undeclared_variables(sandbox.parse(template)))
    inner = template.strip().removeprefix("{{").removesuffix("}}")
    if len(inner) + 4 == len(template.strip()) and "{{" not in inner and "}}" not in inner:
        return sandbox.compile_expression(inner.strip("-"), undefined_to_none=False), names
    return sandbox.from_string(template).render, names


@functools.cache
def _sandbox() -> ImmutableSandboxedEnvironment:
    """Templates see the record and nothing else: no attributes behind the values, no files, no counting to a billion."""
    from jinja2 import StrictUndefined
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**", "%"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "**" or not isinstance(left, int | float) or not isinstance(right, int | float):
                raise SecurityError(f"{operator} is not for text, nor powers")
            return super().call_binop(context, operator, left, right)

        def getattr(self, obj: Any, attribute: str) -> Any:
            return super().getattr(_narrow(obj, attribute), attribute)

        def getitem(self, obj: Any, argument: Any) -> Any:
            return super().getitem(_narrow(obj, argument), argument)

    def _narrow(obj: Any, name: Any) -> Any:
        if isinstance(obj, str) and isinstance(name, str) and name in WIDENING:
            raise SecurityError(f"{name} is not for templates")
        return obj

    sandbox = Sandbox(undefined=StrictUndefined, keep_trailing_newline=True)
    sandbox.globals.clear()
    for name in (*WIDENING, "indent", "wordwrap", "batch", "slice", "attr"):
        sandbox.filters.pop(name, None)
    return sandbox
