"""Published shapes, both ways: what is read is written again as it was, and what is written reads as the row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tilth.builders.formats.csv import Csv
from tilth.builders.formats.jsonl import Jsonl
from tilth.builders.published import PUBLISHED
from tilth.builders.records import BadRecord, Blank, Record
from tilth.builders.two_way import CORE, TwoWay, Unfit
from tilth.core import units
from tilth.core.fingerprints import canonical
from tilth.core.rows import conversation

ROOT = Path(__file__).parents[1]


def messages(unit: TwoWay, record: Record) -> list[tuple[str, str]]:
    return [(turn["role"], turn["content"]) for turn in unit.content(record)["messages"]]


# What each published name reads.


def test_ultramedical_rows_carry_options_key_and_difficulty() -> None:
    question = "Which vitamin?\n\nA. Vitamin C\nB. Vitamin D"
    record = {"id": "MedQA,1", "type": "Exam", "answer": "B", "score": "It is about type 2 diabetes. Score: 8",
              "conversations": [{"from": "human", "value": question}, {"from": "gpt", "value": "So, the answer is B."}]}  # fmt: skip
    row = PUBLISHED["ultramedical"].unit().content(record)
    assert row["options"] == [{"label": "A", "text": "Vitamin C"}, {"label": "B", "text": "Vitamin D"}] and row["answer"] == "B"
    assert row["scores"] == [{"name": "difficulty", "value": 8.0}]
    assert json.loads(row["metadata"]) == {"$shape": "ultramedical", "id": "MedQA,1", "type": "Exam", "score": record["score"]}


@pytest.mark.parametrize(
    ("prose", "value"),
    [
        ("This question on type 2 diabetes would be rated a 9.", 9.0), ("Score: 7.5", 7.5), ("rated around a 7. It requires", 7.0), ("8", 8.0),
        ("would likely be rated around a 7 or 8.", None), ("It has 3 parts and 2 concepts.", None), ("Score: 11", None), ("", None), (None, None),
        (7, None), ("难度评分：8分", 8.0),
    ],
)  # fmt: skip
def test_a_score_is_what_the_prose_states_or_absent(prose: Any, value: float | None) -> None:
    record = {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "score": prose}
    unit = PUBLISHED["ultramedical"].unit()
    row = unit.content(record)
    assert row["scores"] == (None if value is None else [{"name": "difficulty", "value": value}])
    assert unit.record(row) == record


def test_ultramedical_preference() -> None:
    asked, good, bad = ({"role": role, "content": text} for role, text in (("user", "q"), ("assistant", "good"), ("assistant", "bad")))
    record = {
        "prompt_id": "WikiInstruct,8304", "label_type": "hard", "prompt": "q", "chosen": [asked, good], "rejected": [asked, bad], "feedback": "…",
        "metadata": {"chosen": {"model": "gpt-4", "rank": 1, "score": "5", "evaluation": ""}, "rejected": {"model": "m", "rank": 4, "score": 2.5}},
    }  # fmt: skip
    unit = PUBLISHED["ultramedical_preference"].unit()
    row = unit.content(record)
    assert (row["prompt"], row["chosen"], row["rejected"]) == ([asked], [good], [bad])
    assert (row["margin"], row["chosen_model"], row["rejected_model"]) == (2.5, "gpt-4", "m")
    assert row["label"] == "hard" and unit.record(row) == record
    assert unit.content({**record, "metadata": {"chosen": {"model": "a", "score": None}, "rejected": {"model": "b", "score": 1}}})["margin"] is None
    spaced = {**record, "chosen": [{**asked, "content": " q\n"}, good]}
    assert unit.content(spaced)["chosen"] == [good] and unit.record(unit.content(spaced)) == spaced
    with pytest.raises(BadRecord, match="another prompt"):
        unit.content({**record, "prompt": "p"})


def test_the_preferred_side_takes_its_model_and_margin_with_it() -> None:
    parameters = {"prompt": "q", "chosen": "a", "rejected": "b", "preferred": "better", "chosen_model": "ma", "rejected_model": "mb",
                  "chosen_score": "sa", "rejected_score": "sb", "form": "texts", "keep": True}  # fmt: skip
    unit = units.find("shape", "pair").model_validate(parameters)
    assert isinstance(unit, TwoWay)
    record = {"q": "?", "a": "one", "b": "two", "better": 1.9, "ma": "m1", "mb": "m2", "sa": 2, "sb": 5}
    row = unit.content(record)
    assert (row["chosen"][0]["content"], row["chosen_model"], row["margin"]) == ("two", "m2", 3.0)
    assert unit.record(row) == record
    for better, kind in ((1.5, Blank), (None, Blank), (3, BadRecord), ("x", BadRecord)):
        with pytest.raises(kind, match="prefers"):
            unit.content({**record, "better": better})


def test_aquilamed_dialogues_are_turns_and_rl_rows_are_pairs() -> None:
    instruct = PUBLISHED["aquilamed_instruct"].unit()
    record = {"instruction": "问：头痛，我想问：怎么办？\n答：多休息。\n问：吃什么药？", "input": "", "output": "答：遵医嘱。"}
    assert messages(instruct, record) == [("user", "头痛，我想问：怎么办？"), ("assistant", "多休息。"), ("user", "吃什么药？"), ("assistant", "遵医嘱。")]
    assert instruct.record(instruct.content(record)) == record
    assert messages(instruct, {"instruction": "感冒？", "input": "", "output": "多喝水。"}) == [("user", "感冒？"), ("assistant", "多喝水。")]
    pairs = PUBLISHED["aquilamed_rl"].unit()
    row = pairs.content({"instruction": "感冒？", "input": "", "output": ["多喝水。", "不知道。"]})
    assert row["chosen"] == conversation([("assistant", "多喝水。")]) and row["rejected"] == conversation([("assistant", "不知道。")])
    assert pairs.record(row) == {"instruction": "感冒？", "input": "", "output": ["多喝水。", "不知道。"]}


def test_history_cases_and_exam_items() -> None:
    record = {"instruction": "现在呢？", "input": "", "output": "好。", "history": [["头痛？", "休息。"]], "cate1": "内科"}
    assert messages(PUBLISHED["cmtmedqa"].unit(), record)[:2] == [("user", "头痛？"), ("assistant", "休息。")]
    case = {"id": 1, "title": "病例", "description": "男，40岁。", "QA_pairs": [{"question": "诊断？", "solution": "肺炎。"}, {"question": "治疗？", "solution": "抗生素。"}]}
    assert messages(PUBLISHED["cmb_clin"].unit(), case)[0] == ("user", "男，40岁。\n\n诊断？")
    exam = {"question": "哪些？", "option": {"A": "一", "B": "二", "C": "三", "D": "四", "E": ""}, "answer": "ABD", "question_type": "多项选择题"}
    row = PUBLISHED["cmb_exam"].unit().content(exam)
    assert row["answer"] == "ABD" and row["messages"] == conversation([("user", "哪些？\n\nA. 一\nB. 二\nC. 三\nD. 四")])
    assert PUBLISHED["cmb_exam"].unit().record(row) == exam
    medqa = {"question": "Which?", "options": {"A": "x", "B": "y"}, "answer": "y", "answer_idx": "B"}
    assert PUBLISHED["medqa"].unit().content(medqa)["answer"] == "B"
    for key in ("C", 7, None):
        with_key = {**medqa, "answer_idx": key}
        if key is None:
            assert PUBLISHED["medqa"].unit().content(with_key)["answer"] is None
        else:
            with pytest.raises(BadRecord, match="names none"):
                PUBLISHED["medqa"].unit().content(with_key)


def test_an_edit_is_written_and_never_undone() -> None:
    """Metadata holds places, no words: the edited words are written in the source's own form."""
    unit = PUBLISHED["huatuo_llama"].unit()
    record = {"instruction": " <user>: 我的电话是13800000000 <bot>: 请描述您的症状。 <user>: 最近一直头痛。", "output": "请多休息并观察。", "input": ""}
    row = unit.content(record)
    assert "13800000000" not in row["metadata"]
    first, *others = row["messages"]
    edited = {**row, "messages": [{**first, "content": "我的电话是<PHONE>，请回复"}, *others]}
    assert unit.record(edited) == {**record, "instruction": record["instruction"].replace("13800000000", "<PHONE>，请回复")}
    noted = json.dumps({**json.loads(row["metadata"]), "written": {"answers": {"model": "m"}}})
    assert unit.record({**row, "metadata": noted}) == record
    scored = PUBLISHED["ultramedical"].unit()
    was = scored.content({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}], "score": "I rate this a 7."})
    now = {**was, "scores": [{"name": "difficulty", "value": 9.0}, {"name": "quality", "value": 3.0}]}
    assert scored.record(now)["score"] == "Score: 9"
    assert scored.record({**was, "scores": None})["score"] is None


def test_numbers_of_other_models_are_scores_and_no_number_is_none() -> None:
    unit = units.find("shape", "qa")(scores={"quality": "q.score", "edu": "edu"}, keep=True)  # type: ignore[call-arg]
    assert isinstance(unit, TwoWay)
    record = {"question": "a", "answer": "b", "q": {"score": "4.5", "by": "m"}, "edu": None}
    row = unit.content(record)
    assert row["scores"] == [{"name": "quality", "value": 4.5}] and unit.record(row) == record
    assert unit.record({**row, "scores": [{"name": "edu", "value": 2.0}]}) == {"question": "a", "answer": "b", "q": {"score": None}, "edu": 2.0}


def test_what_would_take_for_ever_or_break_is_told() -> None:
    deep: Any = "x"
    for _ in range(3000):
        deep = [deep]
    with pytest.raises(BadRecord, match="cannot be kept"):
        PUBLISHED["alpaca"].unit().content({"instruction": "a", "input": "", "output": "b", "deep": deep})
    turns = [{"from": "human", "value": f"turn {i} {'x' * 20}", "note": f"note {i} of many"} for i in range(20_000)]
    for name, record in (
        ("sharegpt", {"conversations": turns}),
        ("hh", {"chosen": " " * 1_000_000 + "Human: a", "rejected": "\n" * 1_000_000}),
        ("ultramedical", {"conversations": [{"from": "human", "value": "A. b\n" * 200_000}, {"from": "gpt", "value": "c"}]}),
    ):
        unit = PUBLISHED[name].unit()
        with suppress(BadRecord):
            assert unit.record(unit.content(record)) == record
    for metadata in ("[]", "5", "{", '{"$shape": "qa", "$without": 5, "x": {"$text": [[99]]}}', '{"$shape": "qa", "input": {"$text": 3}}', "[" * 100_000):
        row = {"messages": conversation([("user", "a"), ("assistant", "b")]), "metadata": metadata}
        assert PUBLISHED["alpaca"].unit().record(row) == {"instruction": "a", "input": "", "output": "b"}, metadata


def test_a_row_that_does_not_fit_says_why() -> None:
    long = {"messages": conversation([("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")])}
    with pytest.raises(Unfit, match="4 messages"):
        PUBLISHED["alpaca"].unit().record(long)
    with pytest.raises(Unfit, match="does not end with an answer"):
        PUBLISHED["alpaca"].unit().record({"messages": long["messages"][:1]})
    assert PUBLISHED["aquilamed_instruct"].unit().record(long) == {"instruction": "问：a\n答：b\n问：c", "input": "", "output": "d"}
    assert PUBLISHED["sharegpt"].unit().record(long)["conversations"][0] == {"from": "human", "value": "a"}
    with pytest.raises(Unfit):  # the word would begin a turn when it is read again
        PUBLISHED["aquilamed_instruct"].unit().record({"messages": conversation([("user", "答：a"), ("assistant", "b")])})
    with pytest.raises(BadRecord, match=r"\$text"):
        PUBLISHED["alpaca"].unit().content({"instruction": "a", "output": "b", "input": "", "x": {"$text": [[0]]}})


# Laws, over invented records and rows.

WORDS = st.text(alphabet="ab A.B问：答\n\r \t。<user>:Human说é\u3000😀\"{}", min_size=1, max_size=24)
EXTRA = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
                     lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6)  # fmt: skip
TEXT_OR_ONE = WORDS | st.lists(WORDS, min_size=1, max_size=1) | st.integers() | st.none() | st.just("")
TURNS = st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system", "human"]), "content": WORDS},
                                       optional={"note": EXTRA}), min_size=1, max_size=4)  # fmt: skip
SHAREGPT = st.lists(st.fixed_dictionaries({"from": st.sampled_from(["human", "gpt", "user", "system"]), "value": WORDS}), min_size=1, max_size=4)
CHOICE = WORDS | TEXT_OR_ONE
OPTIONS = st.dictionaries(st.sampled_from("ABCDE"), CHOICE, min_size=2, max_size=5) | st.lists(CHOICE, min_size=2, max_size=5)
RECORDS: dict[str, st.SearchStrategy[Record]] = {
    "text": st.fixed_dictionaries({"text": TEXT_OR_ONE}),
    "messages": st.fixed_dictionaries({"messages": TURNS}),
    "sharegpt": st.fixed_dictionaries({"conversations": SHAREGPT}),
    "alpaca": st.fixed_dictionaries({"instruction": TEXT_OR_ONE, "input": TEXT_OR_ONE, "output": TEXT_OR_ONE}),
    "huatuo26m": st.fixed_dictionaries({"instruction": TEXT_OR_ONE, "output": TEXT_OR_ONE}),
    "huatuo_llama": st.fixed_dictionaries({"instruction": TEXT_OR_ONE, "output": TEXT_OR_ONE}),
    "aquilamed_instruct": st.fixed_dictionaries({"instruction": TEXT_OR_ONE, "input": TEXT_OR_ONE, "output": TEXT_OR_ONE}),
    "cmtmedqa": st.fixed_dictionaries({"instruction": WORDS, "input": TEXT_OR_ONE, "output": WORDS},
                                      optional={"history": st.lists(st.lists(WORDS, min_size=2, max_size=2), max_size=3) | st.none()}),
    "mts_dialog": st.fixed_dictionaries({"dialogue": WORDS}),
    "ultramedical": st.fixed_dictionaries({"conversations": SHAREGPT}, optional={"answer": st.sampled_from(["A", "B", None, "x"]), "score": EXTRA}),
    "ultramedical_preference": st.fixed_dictionaries({
        "label_type": st.sampled_from(["easy", "hard", None, 3]), "prompt": WORDS, "chosen": TURNS | WORDS, "rejected": TURNS | WORDS,
        "metadata": st.fixed_dictionaries({"chosen": st.fixed_dictionaries({"model": EXTRA, "score": EXTRA}),
                                           "rejected": st.fixed_dictionaries({"model": EXTRA, "score": EXTRA})})}),
    "ultramedical_judged": st.fixed_dictionaries({"conversations": SHAREGPT, "answer": st.sampled_from("AB"),
                                                  "model_outputs": st.lists(st.dictionaries(WORDS, WORDS, max_size=2), max_size=3)}),
    "aquilamed_rl": st.fixed_dictionaries({"instruction": TEXT_OR_ONE, "output": st.lists(WORDS, max_size=3)}),
    "hh": st.tuples(WORDS, WORDS, WORDS).map(lambda t: {"chosen": f"\n\nHuman: {t[0]}\n\nAssistant: {t[1]}", "rejected": f"\n\nHuman: {t[0]}\n\nAssistant: {t[2]}"}),
    "llmbar": st.fixed_dictionaries({"input": WORDS, "output_1": WORDS, "output_2": WORDS, "label": st.sampled_from([1, 2, "2", 3])}),
    "medqa": st.fixed_dictionaries({"question": WORDS, "options": OPTIONS, "answer_idx": st.sampled_from(["A", "B", 0, 1, None])}),
    "medmcqa": st.fixed_dictionaries({"question": WORDS, "opa": CHOICE, "opb": WORDS, "opc": CHOICE, "opd": CHOICE, "cop": st.integers(1, 4)},
                                     optional={"exp": TEXT_OR_ONE}),
    "pubmedqa": st.fixed_dictionaries({"QUESTION": WORDS, "CONTEXTS": st.lists(WORDS, max_size=3) | WORDS | st.none(), "final_decision": st.sampled_from(["yes", "no", "Maybe"])},
                                      optional={"LONG_ANSWER": TEXT_OR_ONE}),
    "cmb_exam": st.fixed_dictionaries({"question": WORDS, "option": OPTIONS, "answer": st.sampled_from(["A", "AB", "B,A", 0])}),
    "cmb_clin": st.fixed_dictionaries({"description": WORDS, "QA_pairs": st.lists(st.fixed_dictionaries({"question": WORDS, "solution": WORDS}, optional={"n": EXTRA}), max_size=3)}),
}  # fmt: skip


def same(a: Record, b: Record) -> bool:
    return canonical(a) == canonical(b)


@pytest.mark.parametrize("name", RECORDS)
def test_any_record_is_written_as_it_was(name: str) -> None:
    unit = PUBLISHED[name].unit()
    outcomes: Counter[str] = Counter()

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(RECORDS[name], st.dictionaries(WORDS, EXTRA, max_size=2))
    def law(record: Record, extra: Record) -> None:
        record = {**extra, **record}
        try:
            row = unit.content(record)
        except BadRecord:
            outcomes["no row"] += 1
            return
        outcomes["row"] += 1
        assert same(unit.record(row), record)

    law()
    assert outcomes["row"] > 3, outcomes


ROWS = {
    "sft": st.fixed_dictionaries({"messages": st.lists(st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": WORDS}), min_size=1, max_size=4)}),
    "preference": st.tuples(WORDS, WORDS, WORDS).map(lambda t: {"prompt": conversation([("user", t[0])]), "chosen": conversation([("assistant", t[1])]),
                                                               "rejected": conversation([("assistant", t[2])])}),
    "cpt": st.fixed_dictionaries({"text": WORDS}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_any_row_is_written_whole_or_refused(name: str) -> None:
    """With the metadata of another record too, as a row has after edits that left nothing of it."""
    unit = PUBLISHED[name].unit()

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(ROWS[unit.makes], RECORDS.get(name, st.just({})))  # type: ignore[index]
    def law(row: dict[str, Any], other: Record) -> None:
        with suppress(BadRecord):
            row = {**row, "metadata": unit.content(other)["metadata"]}
        try:
            back = unit.content(unit.record(row))
        except Unfit:
            return
        assert {column: back.get(column) for column in CORE} == {column: row.get(column) for column in CORE}

    law()


def test_every_published_name_is_in_the_docs_and_every_name_can_be_found() -> None:
    """docs/shapes.md is written by hand around this table."""
    page = (ROOT / "docs" / "shapes.md").read_text(encoding="utf-8")
    for one in PUBLISHED.values():
        said = json.dumps(one.parameters, ensure_ascii=False) if one.parameters else "{}"
        assert f"| `{one.name}` | {one.datasets} | `{one.shape}` `{said}` |" in page, one.name
        assert isinstance(one.unit(), units.find("shape", one.shape))


# The real records.

REAL = {
    "peer_ultramedical_samples/examples": ("ultramedical", {}),
    "peer_ultramedical_samples/medqa": ("ultramedical", {}),
    "peer_ultramedical_samples/medqa_outputs": ("ultramedical_judged", {}),
    "sft_en_chatdoctor5k/chatdoctor5k": ("alpaca", {}),
    "sft_en_medalpaca_small/medical_meadow_small": ("alpaca", {}),
    "sft_en_medquad/medquad": ("medquad", {"Blank": 31034}),
    "sft_en_mts_dialog/train": ("mts_dialog", {}),
    "sft_en_mts_dialog/augmented_fr_es_backtranslated": ("mts_dialog", {}),
    "sft_zh_huatuo26m_test/huatuo26M_test": ("huatuo26m", {}),
    "sft_zh_huatuo_llama/llama_data": ("alpaca", {}),
    "sft_zh_huatuo_llama/liver_cancer": ("huatuo_llama", {}),
    "sft_zh_smile/smile": ("smile", {}),
    "sft_zh_toyhom_sample/internal_medicine_5000_6000": ("chinese_medical_dialogue", {}),
    "bench_medqa_us_test/test": ("medqa", {}),
    "bench_medmcqa_dev/dev": ("medmcqa", {}),
    "bench_pubmedqa/ori_pqal": ("pubmedqa", {}),
    "bench_cmmlu_medical_a/cmmlu": ("cmmlu", {}),
    "bench_mmlu_medical_a/test": ("mmlu", {}),
    "pref_hh_harmless_test/test": ("hh", {"Blank": 1, "BadRecord": 3}),
    "pref_alpaca_eval_judged/annotations": ("alpaca_eval", {"Blank": 46}),
    "pref_llmbar/dataset": ("llmbar", {"Blank": 1}),
}
"""File → published name, and the records that are no row, by why: answers that are null, dialogues without a question, no preference."""


def records(path: Path) -> Iterator[Record]:
    for _, record in Jsonl().records(path, path.name):
        assert isinstance(record, dict)
        yield record


def round_trip(path: Path, name: str, limit: int | None) -> Counter[str]:
    """Outcomes: `equal`, `different`, or why there is no row."""
    unit, found = PUBLISHED[name].unit(), Counter[str]()
    for record in records(path):
        if found["equal"] == limit:
            break
        try:
            row = unit.content(record)
        except BadRecord as error:
            found[type(error).__name__] += 1
            continue
        written = unit.record(row)
        found["equal" if same(written, record) and unit.content(written) == row else "different"] += 1
    return found


@pytest.mark.data
@pytest.mark.parametrize("file", REAL)
def test_real_records_are_written_as_they_were(data: Path, file: str) -> None:
    """The first 300 rows of each set; all 129,074 records in `make slow`."""
    found = round_trip(data / f"{file}.jsonl.zst", REAL[file][0], 300)
    assert found["equal"] > 0 and not found["different"], found


@pytest.mark.data
def test_a_dialogue_csv_in_gb18030_is_written_as_it_was(data: Path) -> None:
    unit, path = PUBLISHED["chinese_medical_dialogue"].unit(), data / "sft_zh_toyhom_sample" / "original_gb18030.csv.zst"
    read = [record for _, record in Csv(encoding="gb18030").records(path, path.name)]
    assert len(read) == 7644 and all(isinstance(one, dict) and unit.record(unit.content(one)) == one for one in read)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("file", REAL)
def test_all_real_records_are_written_as_they_were(data: Path, file: str) -> None:
    name, expected = REAL[file]
    found = round_trip(data / f"{file}.jsonl.zst", name, None)
    assert {k: v for k, v in found.items() if k != "equal"} == expected, found
