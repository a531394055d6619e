"""What the Hub holds for the recipes that ship, in small: every repository that they name, its files in the published shape, words our own."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Iterable
from typing import Any

import polars as pl
from hub_server import Blob, HubServer, Repository

LETTERS = "ABCD"
MINERALS = ("zinc", "iron", "copper", "iodine")
ELEMENTS = "锌铁铜碘"
ENGLISH = ["the", "of", "and", "to", "in", "that", "is", "was", "for", "with", "on", "as", "by", "at", "from", "this", "are", "not", "be", "have", "there", "it", "which", "when", "they", "would", "their", "about", "been", "who", "what", "can", "more", "some", "will", "other", "people", "time", "good", "first", "after", "work", "year", "world", "through", "between", "house", "water", "place", "never", "again", "under", "small", "found"]
CHINESE = "的了在是和与也就都而及这那有不为以上中下"
SYLLABLES = [consonant + vowel for consonant in "bdfghklmnprstv" for vowel in "aeiou"]
HAN = "医生发热咳嗽病房护士心脏肺部肝肾血液糖胰岛素压睡眠饮食运动剂量药片早晨晚周月复诊问题回答治疗症状原因风险体征孩子母亲家庭史记录信件港口小船山谷农民种土壤霜冻法官合同双方午田野河流桥梁冬夏花园树木"


def prose(about: str, language: str, sentences: int = 12) -> str:
    """Sentences that look like prose and are nobody's; the same for the same `about`."""
    drawn = random.Random(f"{about}/{language}")
    if language == "zh":
        words = [drawn.choice(CHINESE) + "".join(drawn.choices(HAN, k=3)) for _ in range(4 * sentences)]
        return "".join(word + ("。" if place % 4 == 3 else "") for place, word in enumerate(words))
    words = ["".join(drawn.choices(SYLLABLES, k=drawn.randint(2, 3))) for _ in range(7 * sentences)]
    lines = [" ".join(f"{' '.join(drawn.choices(ENGLISH, k=2))} {word}" for word in words[start : start + 7]) for start in range(0, len(words), 7)]
    return " ".join(f"{line[0].upper()}{line[1:]}." for line in lines)


def asked(place: int, about: str, language: str) -> str:
    """A question of some words that no other is like."""
    return f"{prose(f'{about} {place}', language, 1)}{'该怎么办？' if language == 'zh' else ' What should be done?'}"


def exams(about: str, count: int, language: str) -> Iterable[tuple[str, dict[str, str], str]]:
    """(question, options, key); the right option is zinc."""
    names = list(ELEMENTS if language == "zh" else MINERALS)
    for place in range(count):
        options = names[1:]
        options.insert(place % 4, names[0])
        yield asked(place, about, language), dict(zip(LETTERS, options, strict=True)), LETTERS[place % 4]


def jsonl(rows: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def array(rows: Iterable[dict[str, Any]]) -> bytes:
    return json.dumps(list(rows), ensure_ascii=False, indent=1).encode()


def parquet(rows: Iterable[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(list(rows)).write_parquet(out)
    return out.getvalue()


def _medqa(about: str, count: int) -> bytes:
    return jsonl({"question": q, "options": options, "answer": options[key], "answer_idx": key, "meta_info": "step1"} for q, options, key in exams(about, count, "en"))


def _medmcqa(about: str, count: int) -> bytes:
    found = enumerate(exams(about, count, "en"))
    return parquet(
        {"id": f"{about}-{place}", "question": q, **dict(zip(("opa", "opb", "opc", "opd"), options.values(), strict=True)), "cop": LETTERS.index(key), "exp": None}
        for place, (q, options, key) in found
    )


def _pubmedqa(about: str, count: int) -> bytes:
    return parquet(
        {"pubid": place, "question": asked(place, about, "en"), "context": {"contexts": [prose(f"{about}{place}", "en", 3)]}, "long_answer": "So it is.",
         "final_decision": ("yes", "no", "maybe")[place % 3]} for place in range(count)
    )  # fmt: skip


def _cmb(about: str, count: int, answers: bool = True) -> bytes:
    return array(
        {"exam_type": "医师考试", "question": q, "question_type": "单项选择题", "option": options} | ({"answer": key} if answers else {"id": place})
        for place, (q, options, key) in enumerate(exams(about, count, "zh"))
    )


MEDICINE = {"en": "The patient takes this dose in the ward. ", "zh": "这位患者在病房服药。"}
POOR = {"en": "Buy it now for less than that. ", "zh": "这是便宜的，快来买了。"}


def _documents(about: str, count: int, language: str, *, medicine: bool = False) -> list[dict[str, Any]]:
    """Documents of which every third is poor."""
    rows = []
    for place in range(count):
        marks = (MEDICINE[language] if medicine else "") + (POOR[language] if place % 3 == 0 else "")
        rows.append({"id": f"{about}-{place}", "text": "\n".join(marks + prose(f"{about} {place} {part}", language, 4) for part in range(6))})
    return rows


def _ceval(about: str) -> bytes:
    return parquet({"id": place, "question": q, **options, "answer": ""} for place, (q, options, _) in enumerate(exams(about, 4, "zh")))


def files() -> dict[str, dict[str, bytes]]:
    """Repository → path → bytes."""
    qa = ("chatdoctor", "medinstruct", "chinese dialogue")
    alpaca = {about: [{"instruction": asked(i, about, "en"), "input": asked(i, about + "!", "en"), "output": prose(f"a{i}", "en", 2)} for i in range(12)] for about in qa[:2]}
    alpaca[qa[2]] = [{"instruction": asked(i, qa[2], "zh"), "input": "", "output": prose(f"答{i}", "zh", 6)} for i in range(16)]
    talk = [
        {"utterances": "\n".join(f"{who}：{asked(turn, f'talk {i}', 'zh')}" for turn, who in enumerate(("病人", "医生") * 2))} for i in range(16)
    ]
    mmlu = ("clinical_knowledge", "medical_genetics", "anatomy", "professional_medicine", "college_biology", "college_medicine")
    human = [{"Conversation": f"[|Human|]{asked(i, 'mi', 'en')}\n[|AI|]{prose(f'mi{i}', 'en', 3)}"} for i in range(8)]
    return {
        "GBaker/MedQA-USMLE-4-options": {"phrases_no_exclude_train.jsonl": _medqa("train", 16), "phrases_no_exclude_test.jsonl": _medqa("test", 6)},
        "openlifescienceai/medmcqa": {
            "data/train-00000-of-00001.parquet": _medmcqa("mcq", 12), "data/validation-00000-of-00001.parquet": _medmcqa("mcqdev", 6),
        },
        "MedRAG/textbooks": {"chunk/Anatomy_Gray.jsonl": jsonl({"id": f"Anatomy_Gray_{i}", "content": prose(f"gray {i}", "en", 5)} for i in range(8))},
        "qiaojin/PubMedQA": {
            "pqa_artificial/train-00000-of-00001.parquet": _pubmedqa("pqaa", 8), "pqa_labeled/train-00000-of-00001.parquet": _pubmedqa("pqal", 5),
        },
        "lavita/ChatDoctor-HealthCareMagic-100k": {"data/train-00000-of-00001-5e7cb295b9cff0bf.parquet": parquet(alpaca["chatdoctor"])},
        "lavita/MedQuAD": {"data/train-00000-of-00001.parquet": parquet({"question": asked(i, "quad", "en"), "answer": prose(f"q{i}", "en", 3)} for i in range(8))},
        "lavita/AlpaCare-MedInstruct-52k": {"data/train-00000-of-00001.parquet": parquet(alpaca["medinstruct"])},
        "Mohammed-Altaf/medical-instruction-120k": {"data/train-00000-of-00001.parquet": parquet(human)},
        "cais/mmlu": {
            f"{name}/test-00000-of-00001.parquet": parquet(
                {"question": q, "choices": list(options.values()), "answer": LETTERS.index(key)} for q, options, key in exams(name, 3, "en")
            ) for name in mmlu
        },
        "BAAI/IndustryCorpus_medicine": {
            f"{code}/rank_00000.jsonl.gz": gzip.compress(jsonl(_documents(f"medicine {code}", 30, code, medicine=True)), mtime=0) for code in ("zh", "en")
        },
        "BAAI/CCI3-HQ": {"data/part_000000.jsonl": jsonl(_documents("cci", 20, "zh"))},
        "HuggingFaceFW/fineweb-edu": {"sample/10BT/000_00000.parquet": parquet(_documents("edu", 20, "en"))},
        "ticoAg/Chinese-medical-dialogue": {"data/train_0001_of_0001.json": array(alpaca["chinese dialogue"])},
        "FreedomIntelligence/Huatuo26M-Lite": {
            "format_data.jsonl": jsonl({"id": i, "question": asked(i, "huatuo", "zh"), "answer": prose(f"华{i}", "zh", 5), "score": 5} for i in range(20))
        },
        "UCSD26/medical_dialog": {"processed.zh/train/0000.parquet": parquet(talk)},
        "michaelwzhu/ChatMed_Consult_Dataset": {
            "ChatMed_Consult-v0.3.json": jsonl({"query": asked(i, "chatmed", "zh"), "response": prose(f"咨{i}", "zh", 5)} for i in range(16))
        },
        "FreedomIntelligence/CMB": {
            "CMB-Exam/CMB-train/CMB-train-merge.json": _cmb("cmb", 16), "CMB-Exam/CMB-test/CMB-test-choice-question-merge.json": _cmb("cmbtest", 6, False),
            "CMB-Clin/CMB-Clin-qa.json": array({"id": str(i), "title": "病例", "description": prose(f"例{i}", "zh", 5), "QA_pairs": []} for i in range(3)),
        },
        "ceval/ceval-exam": {f"{name}/test-00000-of-00001.parquet": _ceval(name) for name in ("clinical_medicine", "basic_medicine", "physician")},
    }  # fmt: skip


def fill(hub: HubServer) -> None:
    """Put all of it on a Hub on loopback, in a branch `main`, and where a recipe asks for it in `refs/convert/parquet`."""
    for repository, tree in files().items():
        made = hub.repositories[repository] = Repository(private=False)
        blobs = {path: Blob(data) for path, data in tree.items()}
        for branch in ("main", "refs/convert/parquet"):
            made.commit(branch, blobs, "as published")
