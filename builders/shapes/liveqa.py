"""The XML of the TREC LiveQA medical test set (Ben Abacha et al. 2017): consumer questions and their paraphrases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from pydantic import Field

from tilth.builders.records import BadRecord, Record, Shape, take_text


class LiveQa(Shape, name="liveqa", version=1):
    """Items of every XML document among the records: each question as it was sent, and its NIST paraphrase."""

    makes = "item"
    field: str = Field("text", description="field that holds a whole file's text; files that are not XML are passed over")

    def content(self, record: Record) -> dict[str, Any]:
        raise BadRecord("one file holds many items")

    def contents(self, record: Record) -> Iterator[dict[str, Any]]:
        text = take_text(record, self.field)
        if not text.lstrip().startswith("<?xml"):
            return
        try:
            root = ElementTree.fromstring(text.encode())
        except ElementTree.ParseError as error:
            raise BadRecord(f"not XML: {error}") from None
        for question in root.iter("NLM-QUESTION"):
            said = [question.findtext("Original-Question/SUBJECT") or "", question.findtext("Original-Question/MESSAGE") or ""]
            for words in ("\n".join(part for part in said if part.strip()), question.findtext("NIST-PARAPHRASE") or ""):
                if words.strip():
                    yield {"question": words, "options": [], "answer": None}
