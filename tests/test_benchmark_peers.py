"""The benchmarks' inputs are the same every time and hold what was planted; peers are pinned, made once, and measured alike."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import corpus, peers
from benchmarks.peers import environments

RUNNER = """import sys
from pathlib import Path
with open(Path(__file__).with_name("asked"), "a") as file:
    file.write(sys.prefix + "\\n")
{body}
"""
SENTENCES = {
    "english": "The patient number {} was seen again for a fever that had come back in the night, and was sent home on the third day.",
    "chinese": "第{}位病人因夜间再次发热前来复诊，医生检查之后建议继续观察三天，并嘱其多饮温水、注意休息，体温正常之后即可出院。",
}
QUESTIONS = {
    "english": "Which of the following findings in this otherwise healthy {} year old man would most strongly support early discharge today?",
    "chinese": "患者男性{}岁反复上腹部疼痛三年近一周加重伴黑便两次首先应当考虑的诊断是下列哪一项？",
}


def write(path: Path, records: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the layout: a large source and a small one, records of several texts, benchmarks, all in two languages."""
    data = tmp_path_factory.mktemp("data")
    for code, language in corpus.CODES.items():
        texts = ["\n".join(SENTENCES[language].format(f"{i}-{k}") for k in range(9)) for i in range(1500)]
        write(data / "cpt_mix" / f"large_{code}.jsonl", [{"source": f"large_{code}", "lang": code, "text": text} for text in texts])
        write(data / "cpt_mix" / f"small_{code}.jsonl", [{"source": f"small_{code}", "lang": code, "text": text} for text in texts[:40]])
        write(data / f"sft_{code}_qa" / "qa.jsonl", [{"instruction": text, "output": text[::-1]} for text in texts[:70]])
        write(data / f"bench_{code}" / "test.jsonl", [{"Question": QUESTIONS[language].format(i), "A": "?"} for i in range(30)])
        write(data / f"bench_{code}" / "more.jsonl", [{"QUESTION": "为何" if code == "zh" else "Why so?", "answer": None}, {"answer": 1}])
    write(data / "cpt_mix" / "mess.jsonl", [{"lang": "en", "source": "mess", "text": None}, {"lang": "zh"}, {"lang": "de", "text": "Guten Tag"}])
    return data


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_a_corpus_is_the_same_every_time_and_holds_what_was_planted(folder: Path, language: corpus.Language) -> None:
    rows = corpus.documents(folder, language, 1000)
    assert rows == corpus.documents(folder, language, 1000)
    by_id = {one.id: one for one in rows}
    assert len(by_id) == len(rows)
    found = corpus.facts(rows, 1000)
    assert not found["short"] and found["documents"] - found["copies"] == 1000
    assert {name.rpartition("_")[0] for name in found["sources"]} == {"small", "large"}  # none of the second kind: the first suffices
    asked = {one.id: one.question for one in corpus.questions(folder, language)}
    assert len(asked) == 31
    leaks = [one for one in rows if one.leak and not one.copy_of]
    copies = [one for one in rows if one.copy_of]
    assert 8 <= len(leaks) <= 40 and 15 <= len(copies) <= 60
    for one in leaks:
        assert one.text.endswith(f"\n\n{asked[one.leak]}\n") and len(asked[one.leak]) > 15
    for one in copies:
        words, original = corpus.WORD.findall(one.text), corpus.WORD.findall(by_id[one.copy_of].text)
        assert 0.97 * len(original) < len(words) < len(original)


def test_all_kinds_are_used_where_one_has_too_few(folder: Path) -> None:
    found = corpus.facts(corpus.documents(folder, "english", 1600), 1600)
    assert set(found["sources"]) == {"large_en", "small_en", "sft_en_qa"} and not found["short"]
    assert corpus.facts(corpus.documents(folder, "english", 99_000), 99_000)["short"]


def test_a_sample_keeps_a_copy_beside_its_original(folder: Path) -> None:
    rows = corpus.documents(folder, "chinese", 1500)
    chosen = {one.id for one in corpus.sample(rows)}
    assert 30 <= len(chosen) <= 150
    assert all((one.id in chosen) == (one.copy_of in chosen) for one in rows if one.copy_of)
    fewer = corpus.documents(folder, "chinese", 1200)  # a document's place in the sample is its own
    assert {one.id for one in corpus.sample(fewer)} == {one.id for one in fewer if one.id in chosen}


def test_an_empty_folder_makes_an_empty_corpus(tmp_path: Path) -> None:
    assert corpus.documents(tmp_path, "english") == [] and corpus.questions(tmp_path, "chinese") == []


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("language", ["english", "chinese"])
def test_the_real_corpora_are_large_enough_and_of_every_source(data: Path, language: corpus.Language) -> None:
    rows = corpus.documents(data, language)
    found = corpus.facts(rows)
    assert found["documents"] >= 20_000 and not found["short"] and found["leaks"] > 100 and found["copies"] > 400
    told = {record["source"] for record in corpus._records(data / "cpt_raw_mix") if corpus.CODES.get(record["lang"]) == language}
    assert told <= set(found["sources"])
    assert max(found["sources"].values()) <= 0.6 * len(rows)


def test_every_peer_is_pinned_and_none_needs_a_gpu() -> None:
    listed = sorted(environments.HERE.glob("*.txt"))
    assert {path.stem for path in listed} < set(peers.names())
    for path in listed:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        assert lines and all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in lines), path.name
        assert not re.search(r"(?im)^(torch|triton|nvidia|cu(da|py|df)|ray|vllm)", "\n".join(lines)), path.name


def test_runners_import_nothing_of_ours() -> None:
    alone = [path for path in environments.HERE.glob("run_*.py") if path.with_name(f"{path.stem.removeprefix('run_')}.txt").exists()]
    assert len(alone) >= 5
    for path in [*alone, environments.HERE / "runner.py"]:
        assert not re.search(r"^\s*(from|import) (tilth|benchmarks)\b", path.read_text(encoding="utf-8"), re.MULTILINE), path.name


def test_an_environment_is_made_once_and_again_when_half_made_or_changed(tmp_path: Path) -> None:
    here, cache = tmp_path / "peers", tmp_path / "cache"
    here.mkdir()
    (here / "run_one.py").write_text(RUNNER.format(body=""))
    (here / "one.txt").write_text("# nothing to install\n")
    asked = here / "asked"
    python = peers.ensure("one", here=here, cache=cache)
    assert python == cache / "one" / "bin" / "python" and Path(asked.read_text().strip()) == cache / "one"
    assert peers.ensure("one", here=here, cache=cache) == python and len(asked.read_text().splitlines()) == 1
    (cache / "one" / environments.STAMP).unlink()  # as after a kill
    (cache / "one" / "rest").touch()
    assert peers.ensure("one", here=here, cache=cache) == python and len(asked.read_text().splitlines()) == 2
    assert not (cache / "one" / "rest").exists()
    (here / "one.txt").write_text("# still nothing\n")
    assert peers.ensure("one", here=here, cache=cache) == python and len(asked.read_text().splitlines()) == 3


def test_what_could_not_be_made_says_why_and_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "run_bad.py").write_text(RUNNER.format(body="import no_such_library"))
    (tmp_path / "bad.txt").write_text("")
    for _ in range(2):
        found = peers.ensure("bad", here=tmp_path, cache=tmp_path / "cache")
        assert isinstance(found, peers.Unavailable) and "No module named 'no_such_library'" in found.reason
    with pytest.raises(ValueError, match=r"no peer is called 'worse'; there are bad"):
        peers.ensure("worse", here=tmp_path, cache=tmp_path / "cache")


def test_the_command_names_an_unknown_peer() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks.peers", "nobody"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "no peer is called 'nobody'; there are curator, " in done.stderr


def test_one_thread_and_nothing_of_ours_for_a_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    given = peers.environment()
    assert "PYTHONPATH" not in given and given["PATH"] == os.environ["PATH"]
    assert {given[name] for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS")} == {"1"}


def test_the_plain_script_finds_what_was_planted(folder: Path, tmp_path: Path) -> None:
    rows = corpus.documents(folder, "english", 600)
    corpus.write(tmp_path / "in.jsonl", rows)
    corpus.write(tmp_path / "questions.jsonl", corpus.questions(folder, "english"))
    options = ("--questions", str(tmp_path / "questions.jsonl"))
    measured = peers.call("script", "decontamination", tmp_path / "in.jsonl", tmp_path / "out.jsonl", *options, repeat=3)
    assert isinstance(measured, peers.Measured), measured
    assert measured.documents == len(rows) and measured.bytes == corpus.facts(rows)["bytes"]
    assert len(measured.laps) == 3 and measured.mb_per_second > 0 and measured.figures["index_ngrams"] > 100
    decided = measured.decisions()
    assert [one["id"] for one in decided] == [one.id for one in rows]
    planted = {one.id for one in rows if one.leak}
    assert {one["id"] for one in decided if not one["kept"]} == planted
    assert all(one["reason"] == "contaminated" and one["questions"] for one in decided if one["id"] in planted)


def test_a_failed_task_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("not json\n")
    (tmp_path / "questions.jsonl").write_text("")
    options = ("--questions", str(tmp_path / "questions.jsonl"))
    found = peers.call("script", "decontamination", tmp_path / "in.jsonl", tmp_path / "out.jsonl", *options)
    assert isinstance(found, peers.Unavailable) and "decontamination failed: " in found.reason and "JSONDecodeError" in found.reason


@pytest.mark.parametrize("name", ["rows.jsonl.zst", "rows.parquet"])
def test_polars_writes_what_it_read(folder: Path, tmp_path: Path, name: str) -> None:
    import polars as pl

    rows = corpus.documents(folder, "chinese", 50)
    frame = pl.DataFrame([{"id": one.id, "text": one.text, "source": one.source} for one in rows])
    (frame.write_parquet if name.endswith("parquet") else frame.write_ndjson)(tmp_path / name, compression="zstd")
    measured = peers.call("polars", "read_write", tmp_path / name, tmp_path / f"again.{name}", "--bytes", "12")
    assert isinstance(measured, peers.Measured), measured
    assert measured.documents == len(rows) and measured.bytes == 12
    assert (pl.read_parquet if name.endswith("parquet") else pl.read_ndjson)(tmp_path / f"again.{name}").equals(frame)
