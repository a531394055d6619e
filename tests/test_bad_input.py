"""Bad input gets one line that names the thing and the mend, exit 2, and leaves no half build or release."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import small
import zstandard
from click.testing import CliRunner

from tilth.annotators.job_file import load
from tilth.builders.job_rows import of_file
from tilth.cli import main as cli
from tilth.core.errors import RecipeError, SourceError
from tilth.core.home import home


def tilth(*words: str) -> tuple[int, str]:
    """Exit code and stderr of a command, in a process of its own: what a user sees."""
    done = subprocess.run([sys.executable, "-m", "tilth.cli.main", *words], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr


def refused(recipe: Path, *wanted: str, verb: str = "lock") -> None:
    code, said = tilth(verb, str(recipe))
    assert code == 2, said
    first = said.splitlines()[0]
    for words in wanted:
        assert words in first, said
    assert not list(home().builds.glob("*/*/build.json"))
    assert not home().registry.exists()


def edit(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


RECIPES = {
    "malformed YAML": (edit("license: cc0-1.0", "license: [cc0"), ("small.yaml:", "not YAML")),
    "a key twice": (edit("name: small", "name: small\nname: other"), ("small.yaml:2", "given twice")),
    "unknown field": (edit("license: cc0-1.0", "license: cc0-1.0\nlicence: x"), ("licence", "no such field")),
    "unknown step": (edit("normalize", "normalise"), ("small.yaml:10", "unknown step 'normalise'")),
    "unknown parameter": (edit("min_words: 8", "min_word: 8"), ("small.yaml:11", "gopher_quality.min_word", "no such field")),
    "wrong type": (edit("min_words: 8", "min_words: many"), ("small.yaml:11", "gopher_quality.min_words", "'many'")),
    "no licence": (edit("path: notes.jsonl, license: CC0-1.0", "path: notes.jsonl"), ("sources.notes.license", "is missing")),
    "blank licence": (edit("path: notes.jsonl, license: CC0-1.0", "path: notes.jsonl, license: ' '"), ("sources.notes", "license is blank")),
    "source not there": (edit("from: [notes]", "from: [note]"), ("'note'", "not under sources")),
    "two names in a step": (edit("normalize: {}", "{normalize: {}, pii: {}}"), ("small.yaml:10", "a step is one name")),
    "step of another corpus": (edit("normalize: {}", "chat_shape: {}"), ("small.yaml:10", "not on cpt")),
    "unknown shape": (edit("shape: {text: {}}", "shape: {txt: {}}"), ("unknown shape 'txt'",)),
    "unknown format": (edit("path: notes.jsonl", "path: notes.doc"), ("notes.doc",)),
    "no such file": (edit("path: notes.jsonl", "path: gone.jsonl"), ("gone.jsonl", "no such file")),
    "code in YAML": (edit("name: small", "name: !!python/object/apply:os.system [id]"), ("not allowed",)),
    "a split that is a path": (edit("    from: [notes]\n", "    from: [notes]\n    splits: {../../evil: 0.5}\n"), ("no name for a split",)),
    "a split named all": (edit("    from: [notes]\n", "    from: [notes]\n    splits: {all: 0.5}\n"), ("no name for a split",)),
    "a source twice": (edit("from: [notes]", "from: [notes, notes]"), ("'notes' twice",)),
    "a licence of nobody": (edit("license: cc0-1.0", "license: mitt"), ("'mitt'", "none that the Hub knows", "mit")),
    "a language of nobody": (edit("language: en", "language: English!"), ("no BCP-47 code",)),
    "a bad integer": (edit("min_words: 8", "min_words: !!int x"), ("small.yaml:11", "'x' is no int")),
    "an integer beyond JSON": (edit("min_words: 8", "min_words: " + "9" * 30), ("JSON",)),
    "within itself": (edit("name: small", "name: &a [*a]"), ("nested too deep",)),
    "nested deep": (edit("name: small", "name: " + "[" * 3000 + "]" * 3000), ("nested too deep",)),
    "a bomb": (edit("name: small", "title: [&a '" + "x" * 90_000 + "', " + "*a, " * 200 + "]\nname: small"), ("characters",)),
    "a NUL": (edit("path: notes.jsonl", 'path: "notes\\0.jsonl"'), ("small.yaml:4", "a NUL character")),
    "no such format": (edit("path: notes.jsonl", "path: notes.jsonl, format: docx"), ("small.yaml:4", "unknown format 'docx'")),
    "a name with spaces": (edit("name: small", "name: Small Name"), ("name", "Small Name")),
}


@pytest.mark.parametrize("case", RECIPES)
def test_a_wrong_recipe(case: str, tmp_path: Path) -> None:
    change, wanted = RECIPES[case]
    refused(small.make(tmp_path, change(small.RECIPE)), *wanted)


def truncated(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def parquet(columns: dict[str, list[object]]) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("notes.jsonl", b"", ("no records",)),
        ("notes.jsonl", "头痛怎么办\n".encode("gb18030"), ("notes.jsonl:1", "not UTF-8")),
        ("notes.jsonl.zst", truncated(zstandard.compress(b'{"id": "a", "text": "b"}\n' * 9999)), ("notes.jsonl.zst", "cut off")),
        ("notes.jsonl.zst", b"\x28\xb5\x2f\xfd" + b"\xff" * 99, ("notes.jsonl.zst", "corrupt")),
        ("notes.jsonl.gz", truncated(gzip.compress(bytes(range(256)) * 999)), ("notes.jsonl.gz", "corrupt")),
        ("notes.parquet", b"PAR1 and then nothing of the kind", ("notes.parquet", "not a whole Parquet file")),
        ("notes.csv", "id,text\n1,头痛怎么办\n".encode("gb18030"), ("notes.csv", "not utf-8")),
        ("notes.parquet", parquet({"id": [datetime.date(2026, 1, 1)], "text": ["x"]}), ("holds a date",)),
        ("notes.csv", b"id,id\n1,2\n", ("notes.csv:1", "two columns have one name")),
    ],
    ids=["empty", "gb18030", "cut zstd", "corrupt zstd", "cut gzip", "cut parquet", "gb18030 csv", "date key", "csv header"],
)
def test_a_damaged_source(name: str, content: bytes, wanted: tuple[str, ...], tmp_path: Path) -> None:
    recipe = small.make(tmp_path, small.RECIPE.replace("notes.jsonl", name))
    (tmp_path / name).write_bytes(content)
    if "date" in wanted[0]:  # its bytes can be locked; its keys cannot be read
        assert tilth("lock", str(recipe))[0] == 0
        refused(recipe, *wanted, verb="build")
    else:
        refused(recipe, *wanted)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    for name in ("notes.jsonl", "talks.jsonl"):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + (tmp_path / name).read_bytes())
    assert tilth("lock", str(recipe))[0] == 0
    code, said = tilth("build", str(recipe))
    assert (code, "fails" in said) == (0, False), said


@pytest.mark.parametrize(
    ("old", "new"), [('"rows": 5', '"rows": 6'), ('"tilth_lock": 1', '"tilth_lock": 99'), ('"revision": "sha256:', '"revision": "sha512:')]
)
def test_a_lock_edited_by_hand(old: str, new: str, tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    assert tilth("lock", str(recipe))[0] == 0
    lock = recipe.with_suffix(".lock")
    lock.write_text(lock.read_text().replace(old, new))
    refused(recipe, "lock", verb="build")


def test_a_missing_column(tmp_path: Path) -> None:
    recipe = small.make(tmp_path, small.RECIPE.replace("shape: {text: {}}", "shape: {text: {field: body}}"))
    assert tilth("lock", str(recipe))[0] == 0
    refused(recipe, "notes.jsonl", "'body'", verb="build")


def test_a_missing_parquet_column(tmp_path: Path) -> None:
    recipe = small.make(tmp_path, small.RECIPE.replace("notes.jsonl", "notes.parquet"))
    pl.DataFrame({"id": ["a"], "body": ["b"]}).write_parquet(tmp_path / "notes.parquet")
    assert tilth("lock", str(recipe))[0] == 0
    refused(recipe, "notes.parquet", "'text'", verb="build")


def test_bad_lines_fail_and_are_listed(tmp_path: Path) -> None:
    """One bad line of many is a failed row, listed; a gate holds their share."""
    recipe = small.make(tmp_path)
    with (tmp_path / "notes.jsonl").open("a") as file:
        file.write("{not json}\n[1, 2]\n" + '{"id": "x"}\n' + '{"id": "y", "text": null}\n')
    assert tilth("lock", str(recipe))[0] == 0
    code, said = tilth("build", str(recipe))
    assert code == 0, said
    assert "gate failed_share of cpt fails" in said
    code, said = tilth("release", str(recipe), "--version", "1.0.0")
    assert code == 1
    assert "failed_share" in said


def test_a_build_without_lock_or_after_a_change(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    refused(recipe, "no lock", verb="build")
    assert tilth("lock", str(recipe))[0] == 0
    with (tmp_path / "notes.jsonl").open("a") as file:
        file.write('{"id": "n9", "text": "more"}\n')
    refused(recipe, "notes.jsonl is not what was locked", verb="build")


def test_no_network(tmp_path: Path) -> None:
    recipe = small.make(tmp_path, small.RECIPE.replace("path: notes.jsonl", "path: hf://datasets/org/name@v1/data/*.jsonl"))
    done = subprocess.run(
        [sys.executable, "-m", "tilth.cli.main", "lock", str(recipe)], capture_output=True, text=True, check=False,
        env={"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_XET": "1", "PATH": "", "TILTH_HOME": str(tmp_path / "home"), "HF_HOME": str(tmp_path / "hf")},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "cannot be reached" in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("show", "nothing@1.0.0"), "nothing"),
        (("show", "demo@one"), "MAJOR.MINOR.PATCH"),
        (("verify", "nothing@1.0.0"), "nothing"),
        (("drops", "nothing@1.0.0"), "nothing"),
        (("trace", "abcdef0123", "nothing"), "nothing"),
        (("trace", "abc"), "no id"),
        (("build", "no-such-recipe"), "no recipe"),
        (("annotate", "no-such-job.yaml"), "no such file"),
        (("yank", "nothing@1.0.0", "--reason", "x"), "nothing"),
        (("nonsense",), "nonsense"),
        (("build",), "Missing argument"),
    ],
)
def test_wrong_words(words: tuple[str, ...], wanted: str) -> None:
    code, said = tilth(*words)
    assert code == 2
    assert wanted in said


@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_a_job_whose_rows_show_nothing_to_compare(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("name: j\ninput: rows.jsonl\nquestion: {pairwise: {}}\njudges: [baseline: {}]\n")
    (tmp_path / "rows.jsonl").write_text(json.dumps({"prompt": "谁付押金？", "chosen": "承租人。", "rejected": "无人。"}) + "\n")
    code, said = tilth("annotate", str(tmp_path / "job.yaml"), *words)
    assert code == 2 and "nothing to ask" in said and "two candidates" in said


JOB = """name: j
input: rows.jsonl
question: {pairwise: {}}
judges: [baseline: {}]
completions: {models: [openai: {model: m}]}
"""


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({"completions": ["x", None]}, "'completions': completion 2 has no text"),
        ({"completions": [{"mode": "x"}]}, "completion 1 has no text"),
        ({"options": [1, {"label": "B"}]}, "'options': option 2 has no label or no text"),
        ({"options": {"A": None, "B": "x"}}, "option 1 has no label"),
        ({"options": [str(i) for i in range(27)]}, "option 27 has no label"),
        ({"options": "A. x"}, "'options' is neither a list"),
        ({"prompt": [{"role": "user", "content": None}]}, "'prompt': message 1"),
        ({"prompt": [{"role": "god", "content": "x"}]}, "message 1"),
        ({"prompt": ["x"]}, "message 1"),
        ({"prompt": ""}, "neither text nor messages"),
    ],
)
def test_a_row_that_no_judge_can_be_shown(row: dict[str, object], wanted: str, tmp_path: Path) -> None:
    (tmp_path / "j.yaml").write_text(JOB)
    (tmp_path / "rows.jsonl").write_text(json.dumps({"id": "a", "prompt": "p", "completions": ["x", "y"]} | row))
    with pytest.raises(SourceError, match=wanted) as error:
        of_file(load(tmp_path / "j.yaml"))
    assert "rows.jsonl:1: " in error.value.message


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("output: rows.jsonl", "j.yaml:6: output: .*rows.jsonl' is its input"),
        ("output: ./j.yaml", "is the job itself"),
        ("output: .", "is a folder"),
        ("output: j.completions.parquet", "is where the completions go"),
        ("gold: {file: gold.csv}\noutput: gold.csv", "is its gold"),
    ],
)
def test_a_job_writes_over_nothing_that_it_reads(line: str, wanted: str, tmp_path: Path) -> None:
    (tmp_path / "j.yaml").write_text(JOB + line + "\n")
    with pytest.raises(RecipeError, match=wanted):
        load(tmp_path / "j.yaml")


@pytest.mark.parametrize(
    ("field", "wanted"),
    [(f'base_url: "{url}"', "j.yaml:5: completions.models.0.openai.base_url") for url in ("ftp://x", "here", "", "http://[::1", "http://a:99999", "http://a b")]
    + [("extra: {n: 5}", "n is not for `extra`"), ("extra: {model: other}", "model is not for `extra`")],
)
def test_a_judge_that_cannot_be_asked(field: str, wanted: str, tmp_path: Path) -> None:
    (tmp_path / "j.yaml").write_text(JOB.replace("{model: m}", f"{{model: m, {field}}}"))
    with pytest.raises(RecipeError, match=re.escape(wanted)):
        load(tmp_path / "j.yaml")


@pytest.mark.parametrize("cap", ["nan", "inf", "-1"])
def test_a_cap_that_is_none(cap: str) -> None:
    done = CliRunner().invoke(cli.tilth, ["annotate", "j.yaml", "--max-usd", cap])
    assert done.exit_code == 2
    assert "Invalid value for '--max-usd'" in done.output


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    """A home on a file system with no room: one line, nothing half done."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    from tilth.core.durable import write_whole, writing
    from tilth.core.errors import StorageError

    with pytest.raises(StorageError, match="No space left"), writing(tmp_path / "file") as path:
        path.symlink_to(full)
        path.write_bytes(b"x" * 100_000)
    assert not list(tmp_path.iterdir())
    write_whole(tmp_path / "file", b"x")


def test_a_really_full_disk(tmp_path: Path) -> None:
    """The demo in a home of a few hundred KiB: one line, and neither build nor release."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(tmp_path)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tilth.cli.main", "demo", "--quiet"], capture_output=True, text=True, check=False,
            env={**os.environ, "TILTH_HOME": str(tmp_path / "home")},
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert "No space left" in done.stderr.splitlines()[0]
        assert not list(tmp_path.rglob("build.json"))
        assert not list(tmp_path.rglob("manifest.json"))
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_help_is_quick_to_import() -> None:
    """`tilth --help` loads nothing heavy (the time itself is no test: machines differ)."""
    probe = "import sys; import tilth.cli.main; print([m for m in ('polars', 'pyarrow', 'datasets', 'torch', 'openai', 'pydantic', 'rich') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    shown = CliRunner().invoke(cli.tilth, ["--help"])
    assert shown.exit_code == 0
    assert "A first walk" in shown.output
