"""Cards: what people read of a release says only what is so, loads, and lets no hostile title out of its cell."""

from __future__ import annotations

import hashlib
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tilth.cards import dataset_card, markdown, model, page, release
from tilth.cards.croissant import croissant
from tilth.cards.facts import Facts
from tilth.cards.shards import ConfigFacts, SplitFacts
from tilth.core import licenses
from tilth.core.errors import GateError
from tilth.core.manifest import Manifest

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = 'Ward | notes\n---\n<script src="https://evil.example/x.js"></script> `rm` [a](javascript:alert(1)) 病历 </details>'
MESSAGES = pa.large_list(pa.struct([("role", pa.string()), ("content", pa.string())]))
COMMON = [("id", pa.string()), ("content_hash", pa.string()), ("source", pa.string()), ("revision", pa.string())]
COMMON += [("license", pa.string()), ("language", pa.string()), ("parents", pa.list_(pa.string()))]
SCHEMAS = {
    "cpt": pa.schema([*COMMON, ("text", pa.large_string())]),
    "sft": pa.schema([*COMMON, ("messages", MESSAGES)]),
    "drops": pa.schema([("corpus", pa.string()), ("id", pa.string()), ("step", pa.string()), ("rule", pa.string())]),
}


def _row(config: str, index: int, source: str, license: str, language: str) -> dict[str, Any]:
    if config == "drops":
        return {"corpus": "cpt", "id": f"{index:032x}", "step": "gopher_quality", "rule": "min_words"}
    row: dict[str, Any] = {"id": f"{index:032x}", "content_hash": f"{index * 7:032x}", "source": source, "revision": "r1"}
    row |= {"license": license, "language": language, "parents": []}
    if config == "cpt":
        return row | {"text": f"The patient {index} was seen. 患者复诊。" * 3}
    turns = [("user", f"What is case {index}?"), ("assistant", "A cold. 感冒。")]
    return row | {"messages": [{"role": role, "content": content} for role, content in turns]}


ROWS = {
    ("cpt", "train"): [("notes", "CC-BY-4.0", "en")] * 6
    + [("wards", "CC-BY-NC-4.0", "zh")] * 3
    + [("wards", "CC-BY-NC-4.0", "und")],
    ("sft", "train"): [("chats", "MIT", "zh")] * 4 + [("chats", "MIT", "en")] * 2,
    ("sft", "test"): [("chats", "MIT", "en")] * 2,
    ("drops", "train"): [("", "", "")] * 5,
}


def _line(corpus: str, step: str, rows_in: int, **gone: int) -> dict[str, Any]:
    made, merged = gone.pop("made", 0), gone.pop("merged", 0)
    kept = rows_in - sum(gone.values())
    line: dict[str, Any] = {"corpus": corpus, "step": step, "rows_in": rows_in, "kept": kept, **gone}
    return line | {"made": made, "merged": merged, "rows_out": kept + made - merged}


def _source(name: str, corpus: str, licenses: dict[str, int], languages: dict[str, int], **more: Any) -> dict[str, Any]:
    rows = sum(licenses.values())
    entry: dict[str, Any] = {"name": name, "title": None, "url": None, "citation": None, "path": f"data/{name}.jsonl"}
    entry |= {"revision": "sha256:" + name[0].encode().hex() * 8, "sha256": "ab" * 32, "corpora": [corpus], "rows_read": rows + 4}
    entry |= {"rows_failed": 0, "licenses": licenses, "languages": languages, "rows_released": {corpus: rows}}
    return entry | more


def _fields(title: str = HOSTILE) -> dict[str, Any]:
    """A release's manifest as plain fields, without configs, files and digest."""
    recipe = {
        "name": "clinic",
        "title": "Clinic: notes and talks 门诊",
        "description": "A small corpus of clinical notes and conversations.\n\n# Not a heading",
        "license": "CC-BY-4.0",
        "corpora": {
            "cpt": {"from": ["notes", "wards"], "steps": [{"normalize": {}}, {"gopher_quality": {"min_words": 80}}]},
            "sft": {"from": ["chats"], "steps": [{"decontaminate": {}}]},
        },
    }
    contamination = {"corpus": "cpt", "benchmark": "medqa", "items": 1273, "items_unmatchable": 41, "items_found": 3}
    contamination |= {"rows_dropped": 2, "rows_allowed": 1, "reason": "a guideline | quoted by both"}
    alarm = {"corpus": "cpt", "step": "gopher_quality", "of": "source", "name": "wards", "rows_in": 40, "rows_gone": 36}
    alarm |= {"rule": "few_stop_words", "rule_rows": 30, "expected": None}
    measured = {
        "gold_rows": 7, "accuracy": 0.5, "accuracy_low": 0.25, "accuracy_high": 0.75, "order_flip_rate": 0.125, "first_share": 0.625,
        "length_slope": 0.5, "own_family_win_rate": 0.75, "own_family_others": 0.5, "canary_pass_rate": 1.0, "usd_per_1000": 156.25,
        "seconds_per_1000": 812.0,
    }  # fmt: skip
    arm = {"rows": 8, "scored": 8, "mean_score": 7.5, "mean_characters": 120.0, "mean_nearest": 0.61, "sources": {"chats": 8}, "languages": {"zh": 4, "en": 4}}
    arms = [arm | {"name": "came", "rows": 20}, arm | {"name": "chosen"}, arm | {"name": "random", "mean_score": 5.25}]
    arms.append(arm | {"name": "longest", "scored": 0, "mean_score": None, "mean_nearest": None})
    panel = {"corpus": "sft", "question": "listwise@1", "aggregation": "strongest", "rows": 8, "judges": 2, "gold_rows": 0,
             "agreement": 0.75, "alpha": 0.5, "effective_votes": 1.5}  # fmt: skip
    judge = {"corpus": "sft", "judge": "baseline", "is_llm": False, "question": "helpfulness@2", "judgements": 8, "usd": 0.0}
    return {
        "name": "clinic",
        "version": "1.1.0",
        "recipe": recipe,
        "recipe_text": "name: clinic\nlicense: CC-BY-4.0\n# ``` </details><script>alert(1)</script>\n",
        "lock": {
            "tilth_lock": 1,
            "recipe": "clinic",
            "sources": {"notes": {"path": "notes.jsonl", "revision": "r|1", "rows": 10}},
        },
        "funnel": [
            _line("cpt", "normalize", 22, failed=1),
            _line("cpt", "gopher_quality", 21, dropped=8),
            _line("cpt", "decontaminate", 13, dropped=2, quarantined=1),
            _line("sft", "decontaminate", 12, dropped=2),
            _line("sft", "group_turns", 10, made=3, merged=5),
        ],
        "sources": [
            _source(
                "notes",
                "cpt",
                {"CC-BY-4.0": 6},
                {"en": 6},
                title=title,
                url="https://example.org/a b|<c>",
                citation="@misc{x,\n```\n}",
            ),
            _source("wards", "cpt", {"CC-BY-NC-4.0": 4}, {"zh": 3, "und": 1}, url="javascript:alert(1)", rows_failed=1),
            _source("chats", "sft", {"MIT": 8}, {"zh": 4, "en": 4}, path="hf://datasets/org/chats@" + "c" * 40 + "/data/*.jsonl"),
        ],
        "contamination": [contamination],
        "judges": [
            judge | {"statuses": {"ok": 8}},
            judge | {"judge": "openai/gpt-x", "is_llm": True, "statuses": {"ok": 7, "refused": 1}, "usd": 1.25} | measured,
        ],
        "panels": [panel, panel | {"aggregation": "mean_of_stacks", "gold_rows": 4, "judges": 1, "agreement": None, "effective_votes": None}],
        "selections": [{"corpus": "sft", "step": "diverse_selection", "score": "deita|", "rule": "tau 0.9, count 8", "arms": arms}],
        "gates": [{"gate": "min_rows", "corpus": None, "limit": 1, "value": 8, "passed": True}],
        "alarms": [alarm, alarm | {"of": "language", "name": "zh|", "expected": "menus | all of them"}],
        "signals": {"cpt/gopher_quality.words": {"mean": 120.5, "p5": 20, "p50": 101, "p95": 410}},
        "drops": {
            "cpt": {"gopher_quality/min_words": 7, "gopher_quality/<b>|x": 1, "decontaminate/match": 2},
            "sft": {"decontaminate/match": 2},
        },
        "environment": {"code_commit": "f" * 40, "versions": {"polars": "2.0.0", "tilth": "0.1.0"}, "seconds": 12.5},
        "parent": {"version": "1.0.0", "digest": "d" * 64},
        "changes": ["`notes` gains | 3 rows"],
    }


def _manifest(fields: dict[str, Any], configs: dict[str, dict[str, list[dict[str, Any]]]]) -> Manifest:
    entries = [entry for splits in configs.values() for shards in splits.values() for entry in shards]
    files = {entry["path"]: {"sha256": entry["sha256"], "bytes": entry["bytes"]} for entry in entries}
    draft = Manifest.model_validate({**fields, "configs": configs, "files": files, "digest_sha256": ""})
    return draft.model_copy(update={"digest_sha256": draft.digest()})


def _write_shards(folder: Path) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Parquet shards of `ROWS`: cpt in two of them."""
    configs: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for (config, split), rows in ROWS.items():
        table = pa.Table.from_pylist([_row(config, i, *row) for i, row in enumerate(rows)], schema=SCHEMAS[config])
        parts = [table.slice(0, 6), table.slice(6)] if config == "cpt" else [table]
        for index, part in enumerate(parts):
            path = folder / config / f"{split}-{index:05d}-of-{len(parts):05d}.parquet"
            path.parent.mkdir(exist_ok=True)
            pq.write_table(part, path, row_group_size=4)
            data = path.read_bytes()
            entry = {"path": path.relative_to(folder).as_posix(), "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            configs.setdefault(config, {}).setdefault(split, []).append(entry | {"rows": part.num_rows})
    return configs


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    folder = tmp_path_factory.mktemp("clinic")
    manifest = _manifest(_fields(), _write_shards(folder))
    release.write(folder, manifest)
    return folder, manifest


def _invented(title: str = HOSTILE) -> Facts:
    """Facts with made-up digests and sizes, so that no version of pyarrow is in the golden files."""
    configs: dict[str, dict[str, list[dict[str, Any]]]] = {}
    facts = []
    for config, splits in {"cpt": {"train": 10}, "sft": {"train": 6, "test": 2}, "drops": {"train": 5}}.items():
        found = []
        for split, rows in splits.items():
            entry = {"path": f"{config}/{split}-00000-of-00001.parquet", "sha256": "e" * 64, "bytes": 1000, "rows": rows}
            configs.setdefault(config, {})[split] = [entry]
            found.append(SplitFacts(split, (entry["path"],), rows, 2000, 1000))
        languages = {"cpt": {"en": 6, "zh": 3, "und": 1}, "sft": {"en": 4, "zh": 4}}.get(config, {})
        facts.append(ConfigFacts(config, SCHEMAS[config], tuple(found), languages, {}))
    return Facts(_manifest(_fields(title), configs), tuple(facts))


def _front_matter(text: str) -> dict[str, Any]:
    assert text.startswith("---\n")
    loaded = yaml.safe_load(text.split("\n---\n", 1)[0][4:])
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize(("name", "make"), [("release_README.md", dataset_card.card), ("release_croissant.json", croissant)])
def test_golden(name: str, make: Any) -> None:
    """`TILTH_GOLDEN=write pytest tests/test_cards.py` writes them anew; read the difference before committing it."""
    text = make(_invented())
    if os.environ.get("TILTH_GOLDEN") == "write":
        (GOLDEN / name).write_text(text, encoding="utf-8")
    assert text == (GOLDEN / name).read_text(encoding="utf-8")


def test_every_config_loads_with_verification(written: tuple[Path, Manifest], tmp_path: Path) -> None:
    from datasets import VerificationMode, load_dataset

    folder, _ = written
    said = {info["config_name"]: info for info in _front_matter((folder / "README.md").read_text("utf-8"))["dataset_info"]}
    for config in ("cpt", "sft", "drops"):
        loaded = load_dataset(str(folder), config, cache_dir=str(tmp_path), verification_mode=VerificationMode.ALL_CHECKS)
        for split in said[config]["splits"]:
            rows = ROWS[config, split["name"]]
            assert loaded[split["name"]].num_rows == split["num_examples"] == len(rows)
            assert loaded[split["name"]].info.splits[split["name"]].num_bytes == split["num_bytes"]
    assert set(load_dataset(str(folder), cache_dir=str(tmp_path))) == {"train", "test"}  # sft is the default


def test_a_lost_row_is_found_by_datasets(written: tuple[Path, Manifest], tmp_path: Path) -> None:
    import shutil

    from datasets import load_dataset
    from datasets.exceptions import DatasetGenerationError
    from datasets.utils.info_utils import NonMatchingSplitsSizesError

    copy = Path(shutil.copytree(written[0], tmp_path / "copy"))
    shard = copy / "sft" / "test-00000-of-00001.parquet"
    pq.write_table(pq.read_table(shard).slice(1), shard)
    with pytest.raises((NonMatchingSplitsSizesError, DatasetGenerationError)):
        load_dataset(str(copy), "sft", cache_dir=str(tmp_path / "cache"))


def test_front_matter_says_what_the_hub_reads(written: tuple[Path, Manifest]) -> None:
    fields = _front_matter((written[0] / "README.md").read_text("utf-8"))
    assert fields["license"] == "cc-by-4.0" and "license_name" not in fields
    assert fields["language"] == ["en", "zh"]
    assert fields["source_datasets"] == ["org/chats"]
    assert fields["annotations_creators"] == ["machine-generated"]
    assert [config["config_name"] for config in fields["configs"] if config.get("default")] == ["sft"]
    assert fields["configs"][0]["data_files"] == [{"split": "train", "path": "cpt/train-*.parquet"}]
    assert fields["tilth"] == {"version": "1.1.0", "digest": written[1].digest_sha256}


def test_twice_the_same_bytes(written: tuple[Path, Manifest]) -> None:
    folder, manifest = written
    before = {name: (folder / name).read_bytes() for name in release.FILES}
    release.write(folder, manifest)
    assert before == {name: (folder / name).read_bytes() for name in release.FILES}
    assert all(str(folder).encode() not in text for text in before.values())


def test_the_baseline_is_never_called_a_language_model(written: tuple[Path, Manifest]) -> None:
    card = (written[0] / "README.md").read_text("utf-8")
    assert all("non-LLM scorer" in line or "非大模型" in line for line in card.splitlines() if "baseline" in line)


def test_gaps_are_derived(written: tuple[Path, Manifest]) -> None:
    card = (written[0] / "README.md").read_text("utf-8")
    gaps = card.split("## Known gaps")[1].split("## Provenance")[0]
    for fact in ("wards: 1 row in a language that is not known", "4 rows under CC-BY-NC-4.0, which forbids commercial use",
                 "41 of 1,273 items of medqa", "1 row allowed in spite of matching medqa", "sft: no benchmark", "1 row quarantined",
                 "gopher\\_quality took 90.0% of the source wards (36 of 40 rows)"):  # fmt: skip
        assert fact in gaps


def _broken(change: Any) -> Manifest:
    facts = _invented()
    plain = facts.manifest.model_dump(mode="json")
    change(plain)
    draft = Manifest.model_validate(plain)
    return draft.model_copy(update={"digest_sha256": draft.digest()})


def _set(*path: Any, to: Any) -> Any:
    def change(plain: Any) -> None:
        for part in path[:-1]:
            plain = plain[part]
        plain[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_set("recipe", "license", to=" "), "recipe.license"),
        (_set("recipe", "license", to=None), "recipe.license"),
        (_set("recipe", "license", to="TODO"), "recipe.license"),
        (_set("name", to=""), "name"),
        (_set("trial", to="--limit 500"), "trial"),
        (_set("sources", 0, "name", to=""), "sources.name"),
        (_set("sources", 0, "title", to="  "), "sources.notes.title"),
        (_set("sources", 0, "url", to="[More Information Needed]"), "sources.notes.url"),
        (_set("sources", 0, "revision", to=""), "sources.notes.revision"),
        (_set("alarms", 0, "rows_gone", to=41), "alarms.cpt.gopher_quality.wards"),
        (_set("alarms", 0, "expected", to="TODO"), "alarms.cpt.gopher_quality.wards.expected"),
        (_set("sources", 0, "licenses", to={"": 6}), "sources.notes.licenses"),
        (_set("sources", 0, "licenses", to={}), "sources.notes.licenses"),
        (_set("sources", 0, "languages", to={"english": 6}), "sources.notes.languages"),
        (_set("sources", 0, "languages", to={"zh_CN": 6}), "sources.notes.languages"),
        (_set("sources", 0, "rows_released", to={"cpt": 5}), "sources.notes.licenses"),
        (_set("configs", to={}), "configs"),
        (_set("configs", "sft", "test", to=[]), "configs.sft.test"),
        (_set("configs", "drops", "train", 0, "rows", to=0), "configs.drops"),
        (_set("configs", "sft", "train", 0, "rows", to=7), "sft"),
        (_set("configs", "sft", "train", 0, "path", to="../x.parquet"), "configs.sft.train"),
        (_set("files", to={}), "files"),
        (_set("files", "cpt/train-00000-of-00001.parquet", "bytes", to=3), "files"),
        (_set("funnel", 0, "dropped", to=1), "cpt/normalize"),
        (_set("judges", 0, "judgements", to=3), "judges.sft.baseline"),
        (_set("contamination", 0, "items", to=2), "contamination.cpt.medqa"),
    ],
)
def test_check_refuses(change: Any, named: str) -> None:
    with pytest.raises(GateError) as caught:
        release.check(_broken(change))
    assert named in caught.value.message


def test_check_passes_what_is_whole() -> None:
    release.check(_broken(lambda plain: None))


def test_refuses_shards_that_are_not_those_of_the_manifest(tmp_path: Path) -> None:
    configs = _write_shards(tmp_path)
    fields = _fields()
    fields["sources"][1]["languages"] = {"zh": 4}
    with pytest.raises(GateError, match=r"languages: 0 rows of 'und'|languages: 4 rows of 'zh'"):
        release.write(tmp_path, _manifest(fields, configs))
    (tmp_path / "sft" / "test-00000-of-00001.parquet").unlink()
    with pytest.raises(GateError, match="not in the release"):
        release.write(tmp_path, _manifest(_fields(), configs))
    assert not (tmp_path / "README.md").exists()


class _Walk(HTMLParser):
    """Every tag closed in order; notes the tags and the addresses."""

    VOID = frozenset({"meta", "br", "rect", "path", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on") and name != "style", (tag, name)
            if name in ("href", "src", "srcset", "data", "action", "poster"):
                (self.links if tag == "a" and name == "href" else self.loads).append(value or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"


def _walk(html: str) -> _Walk:
    walk = _Walk()
    walk.feed(html)
    walk.close()
    assert walk.open == []
    return walk


def test_the_page_is_well_formed_and_alone(written: tuple[Path, Manifest]) -> None:
    html = (written[0] / "report.html").read_text("utf-8")
    walk = _walk(html)
    assert not walk.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert walk.loads == [] and "url(" not in html and "@import" not in html
    assert all(link.startswith(("#", "https://")) for link in walk.links)
    assert "default-src &#39;none&#39;" in html
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    import base64

    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src &#39;sha256-{digest}&#39;" in html


def test_croissant_names_every_shard_with_its_sha256(written: tuple[Path, Manifest]) -> None:
    folder, manifest = written
    found = json.loads((folder / "croissant.json").read_text("utf-8"))
    files = {item["contentUrl"]: item["sha256"] for item in found["distribution"] if item["@type"] == "cr:FileObject"}
    assert files == {path: hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in manifest.files}
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    identities: list[str] = []
    used: list[str] = []

    def walk(node: Any, key: str = "") -> None:
        if isinstance(node, dict):
            if set(node) == {"@id"}:
                used.append(node["@id"])
            elif "@type" in node and "@id" in node:
                identities.append(node["@id"])
            for name, item in node.items():
                walk(item, name) if name != "@context" else None
        elif isinstance(node, list):
            for item in node:
                walk(item, key)

    walk(found)
    assert len(identities) == len(set(identities)) and set(used) <= set(identities)
    sft = next(item for item in found["recordSet"] if item["@id"] == "sft")
    messages = next(field for field in sft["field"] if field["name"] == "messages")
    assert messages["repeated"] and [field["name"] for field in messages["subField"]] == ["role", "content"]


def _cells(line: str) -> int:
    return line.count("|") - line.count("\\|")


@settings(max_examples=60, deadline=None)
@given(
    st.text(min_size=1, max_size=60)
    | st.sampled_from(["a\n---\nb: c", "```", "</td>|<x>", "- [ ] x", "\\", "\\|", "\x00", "\u2028---\u2028"])
)
def test_any_title_stays_in_its_cell(title: str) -> None:
    facts, plain = _invented(title), _invented("plain")
    facts.manifest.recipe["title"] = title
    card, expected = dataset_card.card(facts), dataset_card.card(plain)
    fields = _front_matter(card)
    assert {**fields, "pretty_name": 0, "tilth": 0} == {**_front_matter(expected), "pretty_name": 0, "tilth": 0}
    body, before = card.split("\n---\n", 1)[1].split("## Load it")[1], expected.split("\n---\n", 1)[1].split("## Load it")[1]
    assert len(body.splitlines()) == len(before.splitlines())
    tables = [[_cells(line) for line in text.splitlines() if line.startswith("|")] for text in (body, before)]
    assert tables[0] == tables[1]
    html = page.page(facts)
    walk = _walk(html)
    assert "script" not in walk.tags and walk.loads == []


@given(st.text())
def test_escaped_text_holds_no_markup(text: str) -> None:
    escaped = markdown.escape(text)
    assert not re.search(r"[\n\r`<>|]", escaped)
    assert "\n" not in markdown.code(text) and "|" not in markdown.code(text)


@given(st.text(alphabet="`~\n a<|"))
def test_no_text_closes_its_fence(text: str) -> None:
    lines = markdown.fence(text).splitlines()
    assert lines[0] == lines[-1] and lines[0] not in [line.strip() for line in lines[1:-1]]


@pytest.mark.parametrize(
    ("license", "files", "fields"),
    [
        ("Apache-2.0", (), {"license": "apache-2.0"}),
        ("ODC-By-1.0", (), {"license": "odc-by"}),
        (
            "CC-BY-1.0",
            (),
            {"license": "other", "license_name": "cc-by-1.0", "license_link": "https://spdx.org/licenses/CC-BY-1.0.html"},
        ),
        ("Hospital terms", (), {"license": "other", "license_name": "hospital-terms"}),
        ("Hospital terms", ("LICENSE",), {"license": "other", "license_name": "hospital-terms", "license_link": "LICENSE"}),
    ],
)
def test_licences_as_the_hub_takes_them(license: str, files: tuple[str, ...], fields: dict[str, str]) -> None:
    assert licenses.front_matter(license, frozenset(files)) == fields


PROVENANCE: dict[str, Any] = {
    "tool_version": "0.1.0",
    "objective": "dpo",
    "data": {
        "name": "clinic", "version": "1.1.0", "where": "hf://org/clinic@1.1.0", "commit": "b" * 40, "digest": "d" * 64,
        "manifest_sha256": "e" * 64, "config": "preference", "split": "train", "rows": 12345, "license": "CC-BY-4.0",
    },
    "base_model": {
        "id": "org/base-1b", "revision": "a" * 40,
        "training_data": [{"objective": "sft", "name": "clinic", "version": "1.0.0", "digest": "9" * 64}],
    },
    "seed": 7,
    "config": {"learning_rate": 5e-7, "beta": 0.1, "output_dir": "/home/someone/out", "note": "a|b"},
    "versions": {"trl": "1.16.0"},
    "code_commit": "f" * 40,
    "metrics": {"eval_loss": 0.5},
}  # fmt: skip


def test_a_model_names_its_release() -> None:
    card = model.model_card(PROVENANCE)
    fields = _front_matter(card)
    assert fields["base_model"] == "org/base-1b" and fields["datasets"] == ["org/clinic"]
    assert "license" not in fields and fields["library_name"] == "transformers"
    for said in (
        "`clinic@1.1.0`",
        "b" * 40,
        "d" * 64,
        "e" * 64,
        "12,345",
        "a&#124;b",
        "| seed | 7 |",
        "CC-BY-4.0",
        "`clinic@1.0.0`, sft",
    ):
        assert said in card
    assert "/home/someone" not in card


def test_a_model_card_makes_nothing_up() -> None:
    local = {
        **PROVENANCE,
        "base_model": {"id": "/home/someone/models/tiny", "revision": None},
        "data": {"name": "clinic", "where": "local"},
    }
    card = model.model_card(local)
    fields = _front_matter(card)
    assert "base_model" not in fields and "datasets" not in fields
    assert "/home/someone" not in card and "`tiny`" in card
    assert _front_matter(model.model_card({})) == {"library_name": "transformers", "tags": ["tilth"]}
