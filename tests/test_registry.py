"""The local registry: what makes a release, what refuses one, and that no killed process leaves half of one."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest
from builds_fixture import Drop, Row, build, first, fsck, home, plain_card, rows, second

from tilth.core import builds
from tilth.core import manifest as manifests
from tilth.core.builds import GateEntry
from tilth.core.errors import GateError, LedgerError, RegistryError, StorageError, VerifyError, YankedError
from tilth.core.home import Home
from tilth.registry import releases
from tilth.registry.releases import Release, cut, resolve
from tilth.registry.store import Store
from tilth.registry.verify import verify

# --- cutting and finding


def test_a_release_is_found_again_and_loads(home: Home, first: Path) -> None:
    from datasets import load_dataset

    made = cut(first, "1.0.0", home=home, notes=["the first\nof all"])
    assert made == resolve("demo@1.0.0", home=home) == resolve("demo", home=home)
    assert made.digest == builds.read(first).digest() == made.manifest.digest()
    assert {split: data.num_rows for split, data in made["sft"].items()} == {"train": 8, "test": 1}
    assert load_dataset(str(made.path), "cpt")["train"].num_rows == 20
    assert set(made.manifest.files) == {p.relative_to(made.path).as_posix() for p in made.path.rglob("*") if p.is_file()} - {
        "manifest.json"
    }
    assert "- the first of all\n- first release: `cpt` 20 rows, `sft` 9 rows\n" in (made.path / "CHANGELOG.md").read_text()
    assert not list((home.registry / "demo.git").rglob("*.lock")) and not (home.registry / "demo.git/lfs/tmp").exists()
    fsck(home)


def test_the_tag_is_annotated_and_says_the_digest(home: Home, first: Path) -> None:
    made = cut(first, "1.0.0", home=home)
    git = ["git", "-C", str(home.registry / "demo.git")]
    shown = subprocess.run([*git, "cat-file", "tag", "v1.0.0"], capture_output=True, text=True, check=True).stdout
    assert f"object {made.commit}" in shown and f"digest: sha256:{made.digest}" in shown
    pointer = subprocess.run(
        [*git, "show", "main:cpt/train-00000-of-00001.parquet"], capture_output=True, text=True, check=True
    ).stdout
    shard = made.manifest.configs["cpt"]["train"][0]
    assert pointer == f"version https://git-lfs.github.com/spec/v1\noid sha256:{shard.sha256}\nsize {shard.bytes}\n"
    attribute = subprocess.run([*git, "show", "main:.gitattributes"], capture_output=True, text=True, check=True).stdout
    assert attribute == "*.parquet filter=lfs diff=lfs merge=lfs -text\n"


def test_snapshots_are_read_only_links_into_the_store(home: Home, first: Path, second: Path) -> None:
    one, two = cut(first, "1.0.0", home=home), cut(second, "1.1.0", home=home)
    for file in (p for r in (one, two) for p in r.path.rglob("*") if p.is_file()):
        assert stat.S_IMODE(file.stat().st_mode) == 0o444, file
    shared = "sft/train-00000-of-00001.parquet"
    stored = Store(home.registry, "demo").objects.path(one.manifest.files[shared].sha256)
    assert (one.path / shared).stat().st_ino == (two.path / shared).stat().st_ino == stored.stat().st_ino
    assert (first / shared).stat().st_ino != stored.stat().st_ino  # a build may write over its own files


def test_a_snapshot_that_is_gone_is_made_again(home: Home, first: Path) -> None:
    import shutil

    made = cut(first, "1.0.0", home=home)
    before = {p.name: p.read_bytes() for p in made.path.rglob("*") if p.is_file()}
    shutil.rmtree(made.path)
    again = resolve("demo@1.0.0", home=home)
    assert {p.name: p.read_bytes() for p in again.path.rglob("*") if p.is_file()} == before
    verify(again)


def test_cutting_the_same_again_is_nothing_another_is_refused(home: Home, first: Path, second: Path) -> None:
    made = cut(first, "1.0.0", home=home)
    assert cut(first, "1.0.0", home=home) == made
    with pytest.raises(RegistryError, match=r"demo@1\.0\.0 exists") as caught:
        cut(second, "1.0.0", home=home)
    assert "1.0.1" in (caught.value.hint or "")


def test_a_patch_of_an_older_line_follows_that_line(home: Home, first: Path, second: Path) -> None:
    for version in ("1.0.0", "2.0.0"):
        cut(first, version, home=home)
    patch = cut(second, "1.0.1", home=home)
    assert patch.manifest.parent and patch.manifest.parent.version == "1.0.0"
    assert "2.0.0" not in (patch.path / "CHANGELOG.md").read_text()
    assert resolve("demo", home=home).version == "2.0.0"
    head = subprocess.run(
        ["git", "-C", str(home.registry / "demo.git"), "describe", "--tags", "main"], capture_output=True, text=True, check=True
    ).stdout
    assert head == "v2.0.0\n"
    assert [e.version for e in releases.versions("demo", home)] == ["1.0.0", "1.0.1", "2.0.0"]


def test_versions_and_log(home: Home, first: Path, second: Path) -> None:
    one, two = cut(first, "1.0.0", home=home), cut(second, "1.1.0", home=home)
    found = releases.versions("demo", home)
    assert [(e.version, e.commit, e.digest, e.yanked) for e in found] == [
        (r.version, r.commit, r.digest, None) for r in (one, two)
    ]
    assert found[1].rows == {"cpt": 17, "sft": 9, "drops": 3}
    assert abs(found[0].created - time.time()) < 60
    assert [(e.parent, e.changes) for e in releases.log("demo", home)] == [
        (None, one.manifest.changes),
        ("1.0.0", two.manifest.changes),
    ]
    assert releases.names(home) == ["demo"]


def test_the_home_in_force_is_asked(home: Home, first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tilth

    made = cut(first, "1.0.0", home=home)
    monkeypatch.setenv("TILTH_HOME", str(home.root))
    assert tilth.open("demo@1.0.0") == made


def test_the_cards_of_the_house(tmp_path: Path, first: Path) -> None:
    made = cut(first, "1.0.0", home=Home(tmp_path / "home"))
    assert verify(made).digest == made.digest
    assert {"README.md", "croissant.json", "report.html"} <= set(made.manifest.files)


# --- what refuses


def test_failing_gates_are_listed_with_value_and_limit(home: Home, tmp_path: Path) -> None:
    gates = [
        GateEntry(gate="max_contaminated_rows", corpus="cpt", limit=0, value=3, passed=False),
        GateEntry(gate="max_failed_share", corpus=None, limit=0.02, value=0.31, passed=False),
    ]
    with pytest.raises(GateError) as caught:
        cut(build(tmp_path / "b", cpt=rows(5), gates=gates), "1.0.0", home=home)
    assert "max_contaminated_rows of cpt: 3, limit 0" in caught.value.message
    assert "max_failed_share: 0.31, limit 0.02" in caught.value.message
    assert caught.value.exit_code == 1 and not home.registry.exists()


def test_a_trial_is_refused(home: Home, tmp_path: Path) -> None:
    with pytest.raises(GateError, match="--limit 5"):
        cut(build(tmp_path / "b", cpt=rows(5), trial="--limit 5"), "1.0.0", home=home)


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0-rc1", "01.0.0", "", "1.0.0\n", "../1.0.0"])
def test_versions_that_are_none(home: Home, first: Path, version: str) -> None:
    with pytest.raises(RegistryError):
        cut(first, version, home=home)


@pytest.mark.parametrize("name", ["Demo", "../demo", "", "a.git", "a" * 65])
def test_names_that_are_none(home: Home, tmp_path: Path, name: str) -> None:
    with pytest.raises(RegistryError):
        cut(build(tmp_path / "b", name=name, cpt=rows(2)), "1.0.0", home=home)


def test_a_shard_changed_since_the_build_is_refused(home: Home, first: Path) -> None:
    shard = first / "cpt/train-00000-of-00001.parquet"
    shard.write_bytes(shard.read_bytes()[:-20] + b"\0" * 20)
    with pytest.raises(VerifyError, match=r"cpt/train-00000-of-00001\.parquet"):
        cut(first, "1.0.0", home=home)
    assert releases.names(home) == []


def test_rows_that_do_not_add_up_are_refused(home: Home, first: Path) -> None:
    path = first / builds.RECORD
    path.write_text(path.read_text().replace('"rows_out": 20', '"rows_out": 21'))
    with pytest.raises(LedgerError):
        cut(first, "1.0.0", home=home)


@pytest.mark.parametrize("path", ["../outside.parquet", "/etc/outside.parquet"])
def test_a_build_that_points_out_of_itself_is_refused(home: Home, first: Path, path: str) -> None:
    record = first / builds.RECORD
    record.write_text(record.read_text().replace("cpt/train-00000-of-00001.parquet", path))
    with pytest.raises(VerifyError, match="leads out"):
        cut(first, "1.0.0", home=home)


def test_a_card_that_disagrees_stops_the_release(home: Home, first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(folder: Path, manifest: manifests.Manifest) -> None:
        plain_card(folder, manifest)
        (folder / "README.md").write_text((folder / "README.md").read_text().replace("num_examples: 20", "num_examples: 19"))

    monkeypatch.setattr("tilth.cards.release.write", wrong)
    with pytest.raises(VerifyError, match="19 rows of cpt/train, manifest 20"):
        cut(first, "1.0.0", home=home)
    assert releases.names(home) == []


@pytest.mark.parametrize(
    ("ref", "said"), [("demo@9.0.0", "demo@1.0.0"), ("other", "demo"), ("other@1.0.0", "demo"), ("De mo", "small letters")]
)
def test_what_is_not_there_is_told_with_what_is(home: Home, first: Path, ref: str, said: str) -> None:
    cut(first, "1.0.0", home=home)
    with pytest.raises(RegistryError) as caught:
        resolve(ref, home=home)
    assert said in (caught.value.hint or "")


def test_an_empty_home(home: Home) -> None:
    assert releases.names(home) == []
    with pytest.raises(RegistryError, match="no release of 'demo'"):
        resolve("demo", home=home)
    assert not home.root.exists()


def test_no_such_config(home: Home, first: Path) -> None:
    with pytest.raises(RegistryError, match="no config 'preference'") as caught:
        cut(first, "1.0.0", home=home)["preference"]
    assert "cpt, sft" in (caught.value.hint or "")


# --- yanking


def test_a_yank_is_beside_the_release(home: Home, first: Path, second: Path) -> None:
    one, two = cut(first, "1.0.0", home=home), cut(second, "1.1.0", home=home)
    releases.yank("demo@1.1.0", "  patient names in it ", home)
    assert resolve("demo", home=home) == one
    assert resolve("demo@1.1.0", home=home) == two and two.yanked == "patient names in it"
    with pytest.raises(YankedError, match="patient names"):
        resolve("demo@1.1.0", home=home, allow_yanked=False)
    verify(two)
    assert [e.yanked for e in releases.versions("demo", home)] == [None, "patient names in it"]
    for ref, reason in (("demo@1.1.0", "again"), ("demo@1.0.0", " "), ("demo", "x"), ("demo@3.0.0", "x")):
        with pytest.raises(RegistryError):
            releases.yank(ref, reason, home)
    releases.yank("demo@1.0.0", "the same", home)
    with pytest.raises(YankedError, match="every release"):
        resolve("demo", home=home)
    fsck(home)


# --- verify


def _spoil(release: Release, how: str) -> None:
    shard = release.path / "cpt/train-00000-of-00001.parquet"
    manifest = release.path / "manifest.json"
    for file in release.path.rglob("*"):
        if file.is_file():
            file.chmod(0o644)
    match how:
        case "missing":
            shard.unlink()
        case "extra":
            (release.path / "cpt/train-00001-of-00001.parquet").write_bytes(b"PAR1")
        case "bit":
            data = bytearray(shard.read_bytes())
            data[20] ^= 1
            shard.write_bytes(data)
        case "short":
            shard.write_bytes(shard.read_bytes()[:-1])
        case "card":
            (release.path / "README.md").write_text("---\n---\n")
        case "digest":
            manifest.write_text(manifest.read_text().replace('"min_words": 50', '"min_words": 51'))
        case "ledger":
            manifest.write_text(manifest.read_text().replace('"rows_out": 20', '"rows_out": 21'))
        case "not json":
            manifest.write_text("{")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("missing", "parquet: missing"),
        ("extra", "not in the manifest"),
        ("bit", "parquet: sha256"),
        ("short", "bytes, manifest says"),
        ("card", r"README\.md: .* bytes"),
        ("digest", "says digest"),
        ("ledger", "ledger"),
        ("not json", r"manifest\.json"),
    ],
)
def test_verify_names_what_is_wrong(home: Home, first: Path, how: str, said: str) -> None:
    made = cut(first, "1.0.0", home=home)
    assert verify(made).files == len(made.manifest.files) + 1
    _spoil(made, how)
    with pytest.raises(VerifyError, match=said):
        verify(made.path)


@pytest.mark.parametrize("how", ["missing", "short", "card", "digest", "not json"])
def test_what_can_be_seen_at_a_glance_is_seen_on_opening(home: Home, first: Path, how: str) -> None:
    made = cut(first, "1.0.0", home=home)
    _spoil(made, how)
    with pytest.raises(VerifyError):
        resolve("demo@1.0.0", home=home)


def test_a_rewritten_card_is_held_against_the_rows(home: Home, first: Path) -> None:
    made = cut(first, "1.0.0", home=home)
    card, manifest = made.path / "README.md", made.path / "manifest.json"
    before = made.manifest.files["README.md"].sha256
    for file in (card, manifest):
        file.chmod(0o644)
    card.write_text(card.read_text().replace("num_examples: 20", "num_examples: 21"))
    from tilth.core.fingerprints import file_digest

    manifest.write_text(manifest.read_text().replace(before, file_digest(card)))
    with pytest.raises(VerifyError, match="dataset_info says 21 rows of cpt/train, manifest 20"):
        verify(made.path)


def test_verify_of_no_release(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="not a release"):
        verify(tmp_path)


def test_a_full_disk_is_told_and_leaves_nothing(home: Home, first: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space") as caught:
            cut(first, "1.0.0", home=home)
    assert "free some space" in (caught.value.hint or "")
    verify(cut(first, "1.0.0", home=home))
