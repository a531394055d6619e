"""Long texts in passages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.builders.records import Blank
from tilth.builders.shapes.passage import Passage, passages

LAW = "第一条　为了保护民事主体的合法权益，制定本法。\n\n第二条　民法调整人身关系和财产关系。\n第三条　民事主体的财产权利受法律保护。"


@given(st.text(st.sampled_from("ab。. \n"), max_size=300), st.integers(5, 40))
def test_nothing_is_lost_and_none_is_too_long(text: str, most: int) -> None:
    found = passages(text, most)
    assert all(0 < len(one) <= most and one.strip() for one in found)
    assert "".join("".join(found).split()) == "".join(text.split())


def test_articles_of_a_law_stay_whole() -> None:
    assert passages(LAW, 26) == LAW.replace("\n\n", "\n").split("\n")
    assert passages(LAW, 45) == [LAW.split("\n\n")[0], LAW.split("\n\n")[1]]
    shape = Passage(field="law", max_chars=100)
    assert [one["messages"][0]["content"] for one in shape.contents({"law": LAW * 3})] == passages(LAW * 3, 100)
    with pytest.raises(Blank):
        list(shape.contents({"law": " "}))
