"""Which option a completion chose: the last clear verdict, and nothing where none is clear."""

from __future__ import annotations

import doctest
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tilth.annotators import answers
from tilth.annotators.answers import Verdict, named, verdict

LABELS = "ABCDE"
TEXTS = ("iron", "zinc", "C. difficile toxin", "2 doses", "None of the above")


@pytest.mark.parametrize(
    ("completion", "label"),
    [
        ("So, the answer is C.", "C"),
        ("Answer: C", "C"),
        ("**Answer:** (C) something", "C"),
        ("The correct answer is: **(C)**", "C"),
        ("Final answer\nC", "C"),
        ("The answer is 'C'.", "C"),
        ("The answer is most likely option C, as the fever persists.", "C"),
        ("The best option for a patient of this age is (C).", "C"),
        ("Thus C is the correct answer.", "C"),
        ("Option C (sulfate) is the best choice here.", "C"),
        ("I would choose option C.", "C"),
        ("Option C is correct.", "C"),
        ("There is no doubt the answer is C.", "C"),
        ("Answer: C. Option A is wrong.", "C"),
        ("Answer: C, A and B are wrong.", "C"),
        ("The answer is C because B cells mature there.", "C"),
        ("the most appropriate option is (B), rather than option A", "B"),
        ("The answer is not B but C.", "C"),
        ("The answer isn't B, but rather option C.", "C"),
        ("The answer is A? No. The answer is B.", "B"),
        ("Option A is tempting, and B too. So, the answer is C.", "C"),
        ("The answer is A. On reflection, the answer is D.", "D"),
        ("Option A is correct. Option B is correct. So the wrong one is C; the answer is C.", "C"),
        ("One might think the answer is A. The answer is B.", "B"),
        ("The answer is B. Never would the answer be A; nobody thinks that the answer is not B.", "B"),
        ("答案：C。选项A错误。", "C"),
        ("答案是C", "C"),
        ("答案为（C）。", "C"),
        ("答案是C，A错误，B也错误。", "C"),
        ("综上，故选A。", "A"),
        ("症状不典型，故选A", "A"),
        ("因此应选B而非选A", "B"),
        ("选项A正确，选项C正确，选项D错误，故选D。", "D"),
        ("选项B正确", "B"),
        ("B是正确答案", "B"),
        ("答案不是B，而是C。", "C"),
        ("不选A，选C。", "C"),
        ("It is iron.\n\n**C**", "C"),
        ("The drug is known.\n**C. 2 grams**\nIt works.", "C"),
        (r"So we have \boxed{C}", "C"),
        (r"$\boxed{\text{C}}$", "C"),
        ("Thinking it over\n\nC.", "C"),
        ("(C)", "C"),
        ("C\n\nBecause of the fever.", "C"),
        ('{"step_by_step_thinking": "Option A is ...", "answer_choice": "D. 2 doses"}', "D"),
        ('{"thinking": "The answer is A.", "answer_choice": "D"}', "D"),
        ("{'answer': 'D'}", "D"),
        ('{"answer_choice": "D', "D"),
        ('{"answer_choice": ["D"]}', "D"),
        ('{"thinking": "So the answer is D.", "answer_choice": ""}', "D"),
    ],
)
def test_a_verdict_is_found(completion: str, label: str) -> None:
    found = verdict(completion, LABELS)
    assert (found.label, found.rule is None) == (label, False)


@pytest.mark.parametrize(
    "completion",
    [
        "",
        "It depends.",
        "The answer is A combination of drugs.",
        "The answer is a beta blocker",
        "The answer is E. coli.",
        "The answer is B-cell lymphoma.",
        "The answer is C-reactive protein.",
        "The answer is A's.",
        "The answer is vitamin C. Vitamin C is the answer.",
        "Answer: A/B",
        "The answer is A and B.",
        "The answer is both A and B",
        "The answer is either A or (C).",
        "Answers: A, B and C",
        "Answer: A, B, C",
        "答案：A、C",
        "故选ABC。",
        "The answer is not B.",
        "The answer B is wrong.",
        "Option A is incorrect.",
        "Option A is the most likely to be wrong",
        "I do not think that the answer is B.",
        "If the answer is B, give it twice.",
        "The incorrect option is A.",
        "Is the answer B?",
        "rather than option A",
        "选项A错误。",
        "答案不是B。",
        "不应选A",
        "选项A正确，选项B正确。",
        "选项：A. 铁 B. 锌",
        "Options:\nA. one\nB. two",
        "**A. one** helps. **B. two** helps too.",
        "The answer is Q.",
        "The answer is B. No: none of these; the answer is none of the above.",
        '{"thinking": "Option A is correct.", "answer_choice": "None of the above"}',
        '{"thinking": "The answer is A.", "answer_choice": "A/B"}',
        '{"thinking": "The answer is A.", "answer_choice": "A and C"}',
        '{"answer_choice": "Q. Other"}',
        '{"options": {"A": "iron"}, "answer_choice": null}',
    ],
)
def test_no_single_verdict_is_none(completion: str) -> None:
    assert verdict(completion, LABELS).label is None


@pytest.mark.parametrize(
    ("completion", "label"),
    [
        ("zinc", "B"),
        ("Zinc.", "B"),
        ("B. zinc", "B"),
        ("B. zinc\nIt is needed for growth.", "B"),
        ("A. iron\nB. zinc", None),
        ("The answer is zinc.", "B"),
        ("The answer is zinc (B).", "B"),
        ("The answer is zinc (A).", None),
        ("The answer is zinc or iron.", None),
        ("The answer is zinc oxide paste.", None),
        ("The answer is C. difficile toxin.", "C"),
        ("The answer is none of the above.", "E"),
        ('{"answer_choice": "None of the above"}', "E"),
        ('{"answer_choice": "2 doses"}', "D"),
        ("zinc and iron", None),
        ("Take zinc.", None),
    ],
)
def test_an_option_may_be_named_by_its_text(completion: str, label: str | None) -> None:
    assert verdict(completion, LABELS, TEXTS).label == label


@pytest.mark.parametrize(
    ("value", "label"), [("D. -80", "D"), ("B - 80", "B"), ("B. 225", None), ("A. 90, B. 80", None), ("225", "C"), ("A. 90 mV", "A")]
)
def test_a_letter_that_contradicts_its_text_is_no_verdict(value: str, label: str | None) -> None:
    assert verdict(f'{{"answer_choice": "{value}"}}', "ABCD", ["90", "80", "225", "-80"]).label == label


def test_a_conclusion_of_no_option_differs_from_silence() -> None:
    assert verdict("The answer is A/B.", LABELS) == Verdict(None, "english")
    assert verdict("Who knows.", LABELS) == Verdict(None, None)


@pytest.mark.parametrize(
    ("completion", "label"),
    [("Take zinc.", "B"), ("Take zinc, not iron.", "B"), ("Iron or zinc.", None), ("The environment matters.", None), ("No, it is not zinc.", None)],
)
def test_the_only_option_named(completion: str, label: str | None) -> None:
    assert named(completion, LABELS, TEXTS) == label


PIECES = ["The answer is ", "答案", "：", "故选", "不是", "not ", " but ", "A", "B", "C", "D", ". ", "\n", "**", "(", ")", '{"answer_choice": "', '"}', "zinc", "/", " and ", "[", "'"]


@given(
    st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)),
    st.lists(st.one_of(st.text(max_size=3), st.sampled_from(LABELS)), max_size=6),
    st.lists(st.one_of(st.text(max_size=9), st.sampled_from(TEXTS)), max_size=6),
)
def test_any_text_has_a_known_label_or_none(completion: str, labels: list[str], texts: list[str]) -> None:
    for found in (verdict(completion, labels).label, verdict(completion, labels, texts).label, named(completion, labels, texts)):
        assert found is None or found in labels


@pytest.mark.parametrize("piece", ["answer ", "the answer is ", "not ", " ", "A, ", '"answer": "', "**", "选", "\n", "(", "option A is "])
def test_a_long_text_is_read_in_good_time(piece: str) -> None:
    start = time.perf_counter()
    verdict(piece * 4000, LABELS, TEXTS)
    assert time.perf_counter() - start < 2


def test_the_examples_hold() -> None:
    assert doctest.testmod(answers).attempted > 4
    assert not doctest.testmod(answers).failed
