"""Training from a release: real TRL on a CPU with a tiny random model, a few steps a run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
import tiny_model

from tilth.core.builds import RECORD, BuildRecord, FileEntry, SourceEntry
from tilth.core.errors import NetworkError, RegistryError, StorageError, TrainError, VerifyError, YankedError
from tilth.core.fingerprints import file_digest
from tilth.core.home import Home
from tilth.core.ledger import LedgerLine
from tilth.core.progress import Talk
from tilth.core.rows import MESSAGES, conversation
from tilth.train import base_model, output, provenance
from tilth.train import run as training
from tilth.train.config import Lora, Objective, TrainConfig

os.environ.setdefault("OMP_NUM_THREADS", "1")
QUIET = Talk(quiet=True)
ROWS = 24
SMALL: dict[str, Any] = {
    "max_steps": 4, "batch_size": 2, "gradient_accumulation": 1, "learning_rate": 1e-3, "max_length": 96, "seed": 3, "log_steps": 2,
}  # fmt: skip
COMMON = dict.fromkeys(("id", "content_hash", "source", "license", "language"), pl.String)


def _frame(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pl.DataFrame:
    common = [
        {"id": f"{i:032x}", "content_hash": f"{i:032x}", "source": "notes", "license": "CC-BY-4.0", "language": "en", **row}
        for i, row in enumerate(rows)
    ]
    return pl.DataFrame(common, schema={**COMMON, **dict.fromkeys(columns, MESSAGES)})


def sft_rows(count: int = ROWS) -> pl.DataFrame:
    """Short conversations in English and Chinese; every eighth is too long for 96 tokens."""
    texts = tiny_model.CORPUS
    rows = [
        {
            "messages": conversation(
                [("user", f"{i}: {texts[i % 6]}"), ("assistant", texts[(i + 1) % 6] * (8 if i % 8 == 0 else 1))]
            )
        }
        for i in range(count)
    ]
    return _frame(rows, ("messages",))


def preference_rows(count: int = ROWS) -> pl.DataFrame:
    """Pairs: an answer, and `no`."""
    rows = [
        {
            "prompt": conversation([("user", f"{i}?")]),
            "chosen": conversation([("assistant", tiny_model.CORPUS[i % 6])]),
            "rejected": conversation([("assistant", "no " * (1 + i % 4))]),
        }
        for i in range(count)
    ]
    return _frame(rows, ("prompt", "chosen", "rejected"))


def cut(home: Home, name: str, version: str, frames: dict[str, pl.DataFrame]) -> None:
    """Release `frames` (config → rows) as a build would be released."""
    from tilth.registry import releases

    folder = home.builds / name / version
    configs: dict[str, dict[str, list[FileEntry]]] = {}
    for config, frame in frames.items():
        file = folder / config / "train-00000.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        frame.write_parquet(file)
        entry = FileEntry(path=f"{config}/{file.name}", sha256=file_digest(file), bytes=file.stat().st_size, rows=frame.height)
        configs[config] = {"train": [entry]}
    rows = {config: frame.height for config, frame in frames.items()}
    every = sum(rows.values())
    source = SourceEntry(
        name="notes", title=None, url=None, citation=None, path="notes.jsonl", revision="sha256:0", sha256="0" * 64, corpora=sorted(rows),
        rows_read=every, rows_failed=0, licenses={"CC-BY-4.0": every}, languages={"en": every}, rows_released=rows,
    )  # fmt: skip
    record = BuildRecord(
        name=name, trial=None, recipe={"name": name, "license": "CC-BY-4.0"}, recipe_text=f"name: {name}\n", lock={}, configs=configs, sources=[source],
        funnel=[LedgerLine(corpus=c, step="read", rows_in=n, kept=n, rows_out=n) for c, n in rows.items()],
        contamination=[], judges=[], gates=[],
    )  # fmt: skip
    (folder / RECORD).write_text(record.model_dump_json())
    releases.cut(folder, version, home=home)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with demo@1.0.0, its withdrawn sister old@1.0.0, and releases that cannot be trained on."""
    from tilth.registry import releases

    home = Home(tmp_path_factory.mktemp("home"))
    both = {"sft": sft_rows(), "preference": preference_rows()}
    for name in ("demo", "old", "spoiled"):
        cut(home, name, "1.0.0", both)
    cut(home, "bare", "1.0.0", {"sft": sft_rows().drop("messages").with_columns(pl.lit("x").alias("text"))})
    cut(home, "flat", "1.0.0", {"sft": sft_rows().with_columns(pl.lit("x").alias("messages"))})
    only_user = [{"messages": conversation([("user", "hello")])}, {"messages": conversation([("user", "a"), ("assistant", "b")])}]
    cut(home, "mute", "1.0.0", {"sft": _frame(only_user, ("messages",))})
    releases.yank("old@1.0.0", "row 7 names a patient", home)
    yield home


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.make(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture
def bare_base(tmp_path: Path) -> Path:
    """A model folder that passes every check made before torch is imported, and no other."""
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    (folder / "model.safetensors").write_bytes(b"\0" * 64)
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    return folder


def train(
    objective: Objective, out: Path, home: Home, model: Path, data: str = "demo@1.0.0", **config: Any
) -> provenance.Provenance:
    progress = config.pop("on_progress", None)
    return training.train(
        objective, data, str(model), out, config=TrainConfig(**{**SMALL, **config}), home=home, on_progress=progress, talk=QUIET
    )


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, house: Home, base: Path) -> dict[str, Path]:
    """One run of each objective, straight through."""
    root = tmp_path_factory.mktemp("trained")
    objectives: tuple[Objective, ...] = ("sft", "dpo")
    for objective in objectives:
        train(objective, root / objective, house, base)
    return {objective: root / objective for objective in objectives}


@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_a_trained_model_names_its_release(trained: dict[str, Path], house: Home, base: Path, objective: Objective) -> None:
    from tilth.registry import releases

    folder = trained[objective]
    release = releases.resolve("demo@1.0.0", home=house)
    said = json.loads((folder / "provenance.json").read_bytes())
    assert said == provenance.read(folder).plain()
    assert said["objective"] == objective and said["seed"] == 3
    assert said["data"] == {
        "name": "demo", "version": "1.0.0", "tag": "v1.0.0", "where": "local", "commit": release.commit, "digest": release.digest,
        "manifest_sha256": file_digest(release.path / "manifest.json"), "config": {"sft": "sft", "dpo": "preference"}[objective],
        "split": "train", "rows": ROWS, "license": "CC-BY-4.0",
    }  # fmt: skip
    assert said["base_model"]["id"] == "base" and said["base_model"]["revision"] == base_model.resolve(str(base), None).revision
    assert said["config"]["learning_rate"] == 1e-3 and said["config"]["scheduler"] == "cosine"
    assert ("beta" in said["config"]) == (objective == "dpo")
    assert {"torch", "transformers", "trl"} <= set(said["versions"])
    assert said["metrics"]["steps"] == 4 and said["metrics"]["train_loss"] > 0
    card = (folder / "README.md").read_text()
    assert "demo@1.0.0" in card and release.digest in card


def test_nothing_of_this_machine_is_published(trained: dict[str, Path], base: Path) -> None:
    for folder in trained.values():
        names = {file.name for file in folder.iterdir()}
        assert not names & {"checkpoints", "training_args.bin"}
        for file in folder.glob("*.json"):
            assert str(base.parent) not in file.read_text(), file.name


def test_a_trained_model_loads_and_answers(trained: dict[str, Path], base: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    for folder in trained.values():
        model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": "高血压"}], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        assert model.generate(**prompt, max_new_tokens=4).shape[1] > prompt["input_ids"].shape[1]
        assert model.config.training_data[0]["name"] == "demo"
        assert weights(folder) != weights(base)


def test_a_model_trained_on_a_trained_model_names_both_releases(trained: dict[str, Path], house: Home, tmp_path: Path) -> None:
    made = train("dpo", tmp_path / "out", house, trained["sft"], max_steps=1)
    history = json.loads((tmp_path / "out" / "config.json").read_bytes())["training_data"]
    assert [item["objective"] for item in history] == ["sft", "dpo"]
    assert made.base_model.training_data == history[:1]


def test_the_loss_falls_on_what_is_learnt(house: Home, base: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, float | None]] = []
    made = train(
        "sft", tmp_path / "out", house, base, max_steps=30, learning_rate=2e-2, batch_size=8,
        on_progress=lambda step, total, loss: seen.append((step, total, loss)),
    )  # fmt: skip
    assert [step for step, _, _ in seen] == list(range(1, 31)) and {total for _, total, _ in seen} == {30}
    losses = [loss for _, _, loss in seen if loss is not None]
    assert made.metrics["final_loss"] < 0.7 * losses[0]


@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_the_same_seed_gives_the_same_weights(
    trained: dict[str, Path], house: Home, base: Path, tmp_path: Path, objective: Objective
) -> None:
    train(objective, tmp_path / "again", house, base)
    train(objective, tmp_path / "other", house, base, seed=4)
    assert weights(tmp_path / "again") == weights(trained[objective]) != weights(tmp_path / "other")


@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_ctrl_c_saves_and_the_same_command_goes_on(
    trained: dict[str, Path], house: Home, base: Path, tmp_path: Path, objective: Objective
) -> None:
    def interrupt(step: int, total: int, loss: float | None) -> None:
        if step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    out = tmp_path / "out"
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(objective, out, house, base, on_progress=interrupt)
    assert signal.getsignal(signal.SIGINT) is handler
    assert [folder.name for folder in (out / "checkpoints").glob("checkpoint-*")] == ["checkpoint-2"]
    assert not (out / "provenance.json").exists()
    with pytest.raises(TrainError, match="holds another run: config"):
        train(objective, out, house, base, seed=9)
    steps: list[int] = []
    made = train(objective, out, house, base, on_progress=lambda step, *_: steps.append(step))
    assert steps == [3, 4]
    assert weights(out) == weights(trained[objective])
    straight = provenance.read(trained[objective]).metrics
    assert made.metrics["train_loss"] == pytest.approx(straight["train_loss"])


def test_a_checkpoint_that_was_being_written_is_passed_over(tmp_path: Path) -> None:
    for step, whole in ((5, True), (10, True), (15, False)):
        folder = tmp_path / "checkpoints" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        if whole:
            (folder / "trainer_state.json").write_text("{}")
    found = output.checkpoint(tmp_path)
    assert found is not None and found.name == "checkpoint-10"


def test_adapters(house: Home, base: Path, tmp_path: Path) -> None:
    from peft import AutoPeftModelForCausalLM

    made = train("dpo", tmp_path / "out", house, base, lora=Lora(r=4), max_steps=2)
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "provenance.json"} <= names and "model.safetensors" not in names
    assert made.config["lora"]["r"] == 4
    AutoPeftModelForCausalLM.from_pretrained(tmp_path / "out")
    with pytest.raises(TrainError, match="is a LoRA adapter"):
        train("sft", tmp_path / "next", house, tmp_path / "out")


def test_rows_that_do_not_fit_are_counted(
    trained: dict[str, Path], house: Home, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut_short = provenance.read(trained["sft"]).metrics
    assert (cut_short["truncated_rows"], cut_short["dropped_rows"], cut_short["rows_kept"]) == (3, 0, ROWS)
    config = TrainConfig(**{**SMALL, "max_steps": 1, "overlong": "drop"})
    made = training.train("sft", "demo@1.0.0", str(base), tmp_path / "out", config=config, home=house)
    assert (made.metrics["truncated_rows"], made.metrics["dropped_rows"], made.metrics["rows_kept"]) == (0, 3, ROWS - 3)
    captured = capsys.readouterr()
    assert "3 of 24 rows are longer than 96 tokens and are dropped" in captured.err
    assert captured.out == ""


def test_loss_on_the_assistant_where_the_template_marks_it(
    trained: dict[str, Path], house: Home, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert provenance.read(trained["sft"]).metrics["loss_on"] == "assistant"
    plain = tmp_path / "plain"
    shutil.copytree(base, plain)
    (plain / "chat_template.jinja").write_text(tiny_model.PLAIN_TEMPLATE)
    config = TrainConfig(**{**SMALL, "max_steps": 1})
    made = training.train("sft", "demo@1.0.0", str(plain), tmp_path / "out", config=config, home=house)
    assert made.metrics["loss_on"] == "all"
    assert "loss on every token" in capsys.readouterr().err


def test_a_model_without_chat_template_takes_one_that_ships(house: Home, base: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    shutil.copytree(base, plain)
    (plain / "chat_template.jinja").unlink()
    with pytest.raises(TrainError, match="no chat template"):
        train("sft", tmp_path / "none", house, plain)
    made = train("sft", tmp_path / "out", house, plain, chat_template="zephyr", max_steps=1)
    assert made.metrics["loss_on"] == "assistant" and made.config["chat_template"] == "zephyr"
    assert "<|assistant|>" in (tmp_path / "out" / "chat_template.jinja").read_text()


def test_packing(house: Home, base: Path, tmp_path: Path) -> None:
    made = train("sft", tmp_path / "out", house, base, packing=True, max_steps=2, max_length=256)
    assert made.metrics["rows_kept"] == ROWS


REFUSED: list[tuple[str, Objective, dict[str, Any], type[Exception], str]] = [
    ("no version", "sft", {"data": "demo"}, RegistryError, "which version"),
    ("another version", "sft", {"data": "demo@9.0.0"}, RegistryError, "9.0.0"),
    ("another name", "sft", {"data": "nothing@1.0.0"}, RegistryError, "nothing"),
    ("withdrawn", "sft", {"data": "old@1.0.0"}, YankedError, "row 7 names a patient"),
    ("no such config", "dpo", {"data": "mute@1.0.0"}, TrainError, "no config 'preference'"),
    ("no such split", "sft", {"split": "test"}, TrainError, "no split 'test'"),
    ("no such column", "sft", {"data": "bare@1.0.0"}, TrainError, "no column 'messages'"),
    ("another type", "sft", {"data": "flat@1.0.0"}, TrainError, "not a list of"),
    ("no answer", "sft", {"data": "mute@1.0.0"}, TrainError, "1 of 2 rows have no assistant message"),
    ("wrong columns for the objective", "dpo", {"config": "sft"}, TrainError, "no column 'prompt'"),
    ("no such model", "sft", {"model": "./nowhere"}, TrainError, "no such folder"),
    ("a field of another objective", "sft", {"beta": 0.2}, TrainError, "beta=0.2 has no meaning in sft"),
    ("no such template", "sft", {"chat_template": "nowhere.jinja"}, TrainError, "chat template nowhere.jinja"),
]


@pytest.mark.parametrize(
    ("objective", "given", "error", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_refused(
    objective: Objective,
    given: dict[str, Any],
    error: type[Exception],
    message: str,
    house: Home,
    bare_base: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(error, match=message):
        train(objective, tmp_path / "out", house, **{"model": bare_base, **given})
    assert not (tmp_path / "out").exists()


def test_a_changed_shard_is_refused(house: Home, bare_base: Path, tmp_path: Path) -> None:
    from tilth.registry import releases

    shard = releases.resolve("spoiled@1.0.0", home=house).path / "sft" / "train-00000.parquet"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.parent.chmod(0o755)
    shard.chmod(0o644)
    shard.unlink()
    shard.write_bytes(content)
    with pytest.raises(VerifyError):
        train("sft", tmp_path / "out", house, bare_base, data="spoiled@1.0.0")


def test_an_output_folder_in_use_is_refused(trained: dict[str, Path], house: Home, bare_base: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(TrainError, match=r"is not empty: .*notes\.txt"):
        train("sft", tmp_path, house, bare_base)
    with pytest.raises(TrainError, match="is a file"):
        train("sft", tmp_path / "notes.txt", house, bare_base)
    with pytest.raises(TrainError, match="holds a finished model"):
        train("sft", trained["sft"], house, bare_base)


def test_a_full_disk_is_refused(house: Home, bare_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 10))
    with pytest.raises(StorageError, match="are free"):
        train("sft", tmp_path / "out", house, bare_base)


def test_missing_packages_are_named_with_the_mend(
    house: Home, bare_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(TrainError, match="torch, transformers, trl, accelerate") as caught:
        train("sft", tmp_path / "out", house, bare_base)
    assert caught.value.hint == "pip install -c constraints.txt 'tilth[train]'"


def test_a_broken_model_is_refused_in_one_line(house: Home, base: Path, bare_base: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainError, match=r"^model .*bare cannot be trained: \S.*$"):
        train("sft", tmp_path / "one", house, bare_base)
    broken = tmp_path / "broken"
    shutil.copytree(base, broken)
    (broken / "model.safetensors").write_bytes((base / "model.safetensors").read_bytes()[:999])
    with pytest.raises(TrainError, match=r"^model .*broken cannot be trained: \S.*$"):
        train("dpo", tmp_path / "two", house, broken)


def test_a_base_model_is_known_by_its_files(bare_base: Path) -> None:
    before = base_model.resolve(str(bare_base), None).revision
    (bare_base / "checkpoint-5").mkdir()
    (bare_base / "checkpoint-5" / "model.safetensors").write_bytes(b"1")
    assert base_model.resolve(str(bare_base), None).revision == before
    (bare_base / "model.safetensors").write_bytes(b"\1" * 64)
    assert base_model.resolve(str(bare_base), None).revision != before
    with pytest.raises(TrainError, match="is a folder and has no revision"):
        base_model.resolve(str(bare_base), "main")


class _Hub(BaseHTTPRequestHandler):
    """The Hub's answers about one model, `org/tiny`, whose branch `main` stands at `COMMIT`."""

    COMMIT = "c0ffee" + "0" * 34
    folder: Path
    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(path)
        names = sorted(file.name for file in self.folder.iterdir())
        status, content, headers = 200, b"", {"X-Repo-Commit": self.COMMIT}
        if path in ("/api/models/org/tiny/revision/main", "/api/models/org/tiny", f"/api/models/org/tiny/revision/{self.COMMIT}"):
            content = json.dumps(
                {"id": "org/tiny", "sha": self.COMMIT, "siblings": [{"rfilename": name} for name in names]}
            ).encode()
        elif path.startswith(f"/api/models/org/tiny/tree/{self.COMMIT}"):
            sizes = {name: (self.folder / name).stat().st_size for name in names}
            content = json.dumps(
                [{"type": "file", "path": n, "size": size, "oid": f"{i:040x}"} for i, (n, size) in enumerate(sizes.items())]
            ).encode()
        elif path.startswith(f"/org/tiny/resolve/{self.COMMIT}/") and path.rpartition("/")[2] in names:
            content = (self.folder / path.rpartition("/")[2]).read_bytes()
            headers["ETag"] = f'"{hashlib.sha1(content).hexdigest()}"'
        else:
            status, headers = 404, {"X-Error-Code": "RevisionNotFound" if "tiny" in path else "RepoNotFound"}
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return


def test_a_model_on_the_hub_is_pinned_to_the_commit_of_its_branch(
    house: Home, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants as hub

    _Hub.folder = base
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(hub, "ENDPOINT", url)
    monkeypatch.setattr(hub, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(hub, "HF_HUB_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out"
    config = TrainConfig(**{**SMALL, "max_steps": 1}, lora=Lora(r=2))
    try:
        made = training.train("dpo", "demo@1.0.0", "org/tiny", out, model_revision="main", config=config, home=house, talk=QUIET)
        assert (made.base_model.id, made.base_model.revision) == ("org/tiny", _Hub.COMMIT)
        adapter = json.loads((out / "adapter_config.json").read_bytes())
        assert (adapter["base_model_name_or_path"], adapter["revision"]) == ("org/tiny", _Hub.COMMIT)
        with pytest.raises(TrainError, match="has no revision 'v9'"):
            base_model.resolve("org/tiny", "v9")
        with pytest.raises(TrainError, match="no such model on the Hub"):
            base_model.resolve("org/other", None)
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(NetworkError, match="cannot be reached"):
        base_model.resolve("org/tiny", "main")
    assert base_model.resolve("org/tiny", _Hub.COMMIT).revision == _Hub.COMMIT  # a cached commit needs no network


def test_torch_is_not_imported_before_the_checks_pass(house: Home, bare_base: Path, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from tilth.core.errors import TrainError
from tilth.core.home import Home
from tilth.train.run import train
(Path({str(tmp_path)!r}) / "used").mkdir()
(Path({str(tmp_path)!r}) / "used" / "file").touch()
try:
    train("sft", "demo@1.0.0", {str(bare_base)!r}, Path({str(tmp_path)!r}) / "used", home=Home(Path({str(house.root)!r})))
except TrainError as error:
    assert "is not empty" in error.message, error
else:
    raise SystemExit("not refused")
assert not {{"torch", "transformers", "trl"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
