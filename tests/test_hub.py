"""Publishing against a Hub on loopback, with the real clients: atomic, repeatable, exact; and every way it is cut off."""

from __future__ import annotations

import os

os.environ["HF_HUB_DISABLE_XET"] = "1"  # read when huggingface_hub is imported; the fixture below serves who came first

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from builds_fixture import Drop, Row, build, plain_card, rows
from hub_server import Blob, HubServer

from tilth.core.errors import NetworkError, RegistryError, VerifyError, YankedError
from tilth.core.home import Home
from tilth.registry import hub, releases
from tilth.registry.releases import Release
from tilth.registry.store import Store
from tilth.registry.verify import verify

TO = "hf://org/demo"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr("tilth.cards.release.write", plain_card)
    return Home(tmp_path / "home")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    with HubServer() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        monkeypatch.setenv("HF_TOKEN", running.TOKEN)
        yield running


@pytest.fixture
def one(home: Home, tmp_path: Path) -> Release:
    return releases.cut(build(tmp_path / "b1", cpt=rows(20), sft=rows(8, "s")), "1.0.0", home=home)


@pytest.fixture
def two(home: Home, tmp_path: Path, one: Release) -> Release:
    held = [*rows(17), Row("new", "another line")]
    drops = [Drop("cpt", f"r{i}", "gopher_quality", "min_words", "60") for i in (17, 18, 19)]
    steps = {"gopher_quality": {"min_words": 80}}
    return releases.cut(build(tmp_path / "b2", cpt=held, sft=rows(8, "s"), drops=drops, steps=steps), "1.1.0", home=home)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Home:
    """Another machine's home: nothing was cut there."""
    return Home(tmp_path / "elsewhere")


def _listing(server: HubServer, revision: str) -> dict[str, tuple[str, str | None]]:
    found = server.repositories["org/demo"].find(revision)
    assert found is not None
    return {path: (blob.oid, blob.lfs[0] if blob.lfs else None) for path, blob in found.tree.items()}


def test_a_push_is_one_commit_then_a_tag_and_bit_identical(server: HubServer, one: Release, home: Home) -> None:
    commit = hub.push(one, TO)
    repo = server.repositories["org/demo"]
    assert repo.tags == {"v1.0.0": commit} and repo.branches == {"main": commit}
    assert [c.title for c in repo.commits.values()] == ["initial commit", "Release v1.0.0"]
    assert repo.private
    blobs = Store(home.registry, "demo").blobs(one.commit)
    assert {path: oid for path, (oid, _) in _listing(server, "v1.0.0").items()} == blobs
    assert {sha for _, sha in _listing(server, "v1.0.0").values() if sha} == {
        f.sha256 for path, f in one.manifest.files.items() if path.endswith(".parquet")
    }
    order = [
        path.split("/")[-2] for method, _, path, _ in server.log if method == "POST" and ("/commit/" in path or "/tag/" in path)
    ]
    assert order == ["commit", "tag"]
    assert one.digest in repo.commits[commit].description


def test_the_token_does_not_reach_the_cdn(server: HubServer, one: Release, elsewhere: Home) -> None:
    hub.push(one, TO)
    hub.pull(f"{TO}@1.0.0", home=elsewhere)
    assert {bool(auth) for _, host, _, auth in server.log if host == "localhost"} == {False}


def test_two_releases_each_load_their_own_rows(server: HubServer, one: Release, two: Release, elsewhere: Home) -> None:
    from datasets import load_dataset

    first, second = hub.push(one, TO), hub.push(two, TO)
    for version, commit, count in (("1.0.0", first, 20), ("1.1.0", second, 18)):
        found = releases.resolve(f"{TO}@{version}", home=elsewhere)
        assert (found.commit, found.where, found.name, found.version) == (commit, TO, "demo", version)
        assert load_dataset(str(found.path), "cpt")["train"].num_rows == count
        assert found["cpt"]["train"].num_rows == count
    assert releases.resolve("org/demo", home=elsewhere).version == "1.1.0"
    assert server.count("GET", "/cdn/") == 4  # two shards, then the new cpt shard and the drops: sft was here already


def test_the_stock_clients_read_a_tag(server: HubServer, one: Release, two: Release, tmp_path: Path) -> None:
    hub.push(one, TO)
    hub.push(two, TO)
    code = """
import json, os
from datasets import load_dataset
from huggingface_hub import HfFileSystem, snapshot_download
import pyarrow.parquet as pq
out = []
for tag in ("v1.0.0", "v1.1.0"):
    remote = load_dataset("parquet", data_files=f"hf://datasets/org/demo@{tag}/cpt/train-*.parquet")["train"].num_rows
    local = load_dataset(snapshot_download("org/demo", revision=tag, repo_type="dataset"), "cpt")["train"].num_rows
    with HfFileSystem().open(f"datasets/org/demo@{tag}/sft/train-00000-of-00001.parquet", "rb") as file:
        out.append([remote, local, pq.read_table(file).num_rows])
print(json.dumps(out), flush=True)
os._exit(0)  # pyarrow's read-ahead threads over a remote file now and then abort the interpreter on its way out
"""
    env = {**os.environ, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[20, 20, 8], [18, 18, 8]]


def test_pushing_again_changes_nothing(server: HubServer, one: Release) -> None:
    commit = hub.push(one, TO)
    before = server.count("POST", "/commit/")
    assert hub.push(one, TO) == commit
    assert server.count("POST", "/commit/") == before and server.count("PUT", "/cdn/") == 2


def test_files_of_no_release_are_removed(server: HubServer, one: Release, two: Release) -> None:
    hub.push(two, "org/demo")
    hub.push(one, "hf://org/other")
    repo = server.repositories["org/demo"]
    repo.commit("main", {**repo.commits[repo.branches["main"]].tree, "stray.txt": Blob(b"x")}, "Add stray.txt")
    third = hub.push(_next(two), "org/demo")
    assert "stray.txt" not in repo.commits[third].tree


def _next(release: Release, version: str = "1.2.0") -> Release:
    """The same content as another version."""
    home = Home(release.path.parents[3])
    build_folder = next(p for p in (home.root.parent / "b2", home.root.parent / "b1") if p.exists())
    return releases.cut(build_folder, version, home=home)


@pytest.mark.parametrize("pattern", ["/commit/", "/tag/"])
def test_an_answer_lost_after_the_work_is_found_again(server: HubServer, one: Release, pattern: str) -> None:
    server.fail("POST", pattern, drop=True)
    commit = hub.push(one, TO)
    repo = server.repositories["org/demo"]
    assert repo.tags == {"v1.0.0": commit} and len(repo.commits) == 2


def test_a_push_killed_after_its_commit_goes_on_to_the_tag(server: HubServer, one: Release) -> None:
    server.fail("POST", "/tag/", status=500)
    with pytest.raises(NetworkError, match="500"):
        hub.push(one, TO)
    repo = server.repositories["org/demo"]
    assert not repo.tags and len(repo.commits) == 2
    assert repo.tags.get("v1.0.0") is None
    commit = hub.push(one, TO)
    assert repo.tags == {"v1.0.0": commit} and len(repo.commits) == 2


def test_a_commit_refused_by_the_hub_is_told_and_nothing_is_tagged(server: HubServer, one: Release) -> None:
    server.fail("POST", "/commit/", status=503)
    with pytest.raises(NetworkError) as caught:
        hub.push(one, TO)
    assert caught.value.hint
    assert not server.repositories["org/demo"].tags


def test_another_release_that_comes_first_is_followed(server: HubServer, one: Release, home: Home) -> None:
    hub.push(one, TO)
    second, third = _next(one, "1.1.0"), _next(one, "1.2.0")
    server.fail("POST", "/commit/", before=lambda: hub.push(second, TO))
    hub.push(third, TO)
    repo = server.repositories["org/demo"]
    assert set(repo.tags) == {"v1.0.0", "v1.1.0", "v1.2.0"}
    assert repo.commits[repo.tags["v1.2.0"]].parent == repo.tags["v1.1.0"]


def test_somebody_elses_commit_in_between_is_told(server: HubServer, one: Release) -> None:
    hub.push(one, TO)
    repo = server.repositories["org/demo"]
    tree = repo.commits[repo.branches["main"]].tree
    server.fail("POST", "/commit/", before=lambda: repo.commit("main", {**tree, "README.md": Blob(b"mine")}, "Edit the card"))
    with pytest.raises(RegistryError, match="somebody committed 'Edit the card'"):
        hub.push(_next(one, "1.1.0"), TO)
    assert set(repo.tags) == {"v1.0.0"}


@pytest.mark.parametrize("status", [409, 412])
def test_a_hub_that_is_busy_for_ever(server: HubServer, one: Release, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PAUSE_SECONDS", 0.001)
    server.fail("POST", "/commit/", status=status, times=100)
    with pytest.raises(RegistryError, match="8 times another commit came first"):
        hub.push(one, TO)
    assert not server.repositories["org/demo"].tags


def test_a_hub_that_is_busy_for_a_moment(server: HubServer, one: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "PAUSE_SECONDS", 0.001)
    server.fail("POST", "/commit/", status=409, times=2)
    assert server.repositories.keys() == set() and hub.push(one, TO) == server.repositories["org/demo"].tags["v1.0.0"]


def test_a_tag_is_never_moved(server: HubServer, one: Release, two: Release) -> None:
    commit = hub.push(one, TO)
    repo = server.repositories["org/demo"]
    other = repo.commit("main", {"README.md": Blob(b"---\n---\n")}, "Other")
    repo.tags["v1.1.0"] = other.oid
    with pytest.raises(RegistryError, match="names another release") as caught:
        hub.push(two, TO)
    assert caught.value.hint and "next version" in caught.value.hint
    assert repo.tags == {"v1.0.0": commit, "v1.1.0": other.oid}


def test_a_tag_set_by_another_at_the_last_moment_stays(server: HubServer, one: Release) -> None:
    def steal() -> None:
        repo = server.repositories["org/demo"]
        repo.tags["v1.0.0"] = next(iter(repo.commits))

    server.fail("POST", "/tag/", before=steal)
    with pytest.raises(RegistryError, match=r"tag v1\.0\.0 names"):
        hub.push(one, TO)


def test_a_patch_of_an_older_line_leaves_main_alone(server: HubServer, one: Release, two: Release, elsewhere: Home) -> None:
    hub.push(two, TO)
    commit = hub.push(one, TO)
    repo = server.repositories["org/demo"]
    assert repo.branches["main"] == repo.tags["v1.1.0"] and repo.tags["v1.0.0"] == commit
    assert releases.resolve(f"{TO}@1.0.0", home=elsewhere).digest == one.digest


def test_a_private_dataset_without_a_token(
    server: HubServer, one: Release, elsewhere: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.push(one, TO, private=True)
    following = _next(one, "1.1.0")
    monkeypatch.delenv("HF_TOKEN")
    for action in (
        lambda: releases.resolve(f"{TO}@1.0.0", home=elsewhere),
        lambda: verify(f"{TO}@1.0.0"),
        lambda: hub.push(one, "hf://org/new"),
        lambda: hub.push(following, TO, token=HubServer.READER),
    ):
        with pytest.raises(RegistryError) as caught:
            action()
        assert "HF_TOKEN" in (caught.value.hint or ""), caught.value.message


def test_a_public_dataset_needs_none(server: HubServer, one: Release, elsewhere: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.push(one, TO, private=False)
    monkeypatch.delenv("HF_TOKEN")
    assert releases.resolve(f"{TO}@1.0.0", home=elsewhere).digest == one.digest


def test_a_hub_that_is_down(one: Release, elsewhere: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with HubServer() as gone:
        pass
    monkeypatch.setenv("HF_ENDPOINT", gone.endpoint)
    monkeypatch.setenv("HF_TOKEN", "x")
    for action in (lambda: hub.push(one, TO), lambda: hub.pull(f"{TO}@1.0.0", home=elsewhere), lambda: verify(f"{TO}@1.0.0")):
        with pytest.raises(NetworkError) as caught:
            action()
        assert gone.endpoint in (caught.value.hint or "")


def test_what_was_pulled_is_used_without_the_hub(
    server: HubServer, one: Release, elsewhere: Home, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hub.push(one, TO)
    here = releases.resolve(f"{TO}@1.0.0", home=elsewhere)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with caplog.at_level(logging.WARNING):
        assert releases.resolve(f"{TO}@1.0.0", home=elsewhere) == here
    assert "using the copy here" in caplog.text
    with pytest.raises(NetworkError):
        releases.resolve(f"{TO}@1.1.0", home=elsewhere)


def test_a_tag_moved_by_its_owner_is_noticed(server: HubServer, one: Release, two: Release, elsewhere: Home) -> None:
    hub.push(one, TO)
    releases.resolve(f"{TO}@1.0.0", home=elsewhere)
    repo = server.repositories["org/demo"]
    tree = dict(repo.commits[repo.tags["v1.0.0"]].tree)
    repo.tags["v1.0.0"] = repo.commit("main", {**tree, "README.md": Blob(b"---\n---\n")}, "Quiet change").oid
    with pytest.raises(RegistryError, match="its tag was moved"):
        releases.resolve(f"{TO}@1.0.0", home=elsewhere)


def test_what_is_not_the_release_is_not_pulled(server: HubServer, one: Release, elsewhere: Home) -> None:
    hub.push(one, TO)
    repo = server.repositories["org/demo"]
    tree = repo.commits[repo.tags["v1.0.0"]].tree
    tree["README.md"] = Blob(tree["README.md"].data.replace(b"num_examples: 20", b"num_examples: 21"))
    for action in (lambda: verify(f"{TO}@1.0.0"), lambda: releases.resolve(f"{TO}@1.0.0", home=elsewhere)):
        with pytest.raises(VerifyError, match=r"README\.md: sha256"):
            action()
    assert not list((elsewhere.registry / "hub").rglob("*.parquet"))
    del tree["sft/train-00000-of-00001.parquet"]
    with pytest.raises(VerifyError, match="missing"):
        verify(f"{TO}@1.0.0")


def test_verify_by_metadata_fetches_no_shard(server: HubServer, one: Release, elsewhere: Home) -> None:
    hub.push(one, TO)
    done = verify(f"{TO}@1.0.0")
    assert (done.digest, done.downloaded, server.count("GET", "/cdn/")) == (one.digest, False, 0)
    full = verify(f"{TO}@1.0.0", home=elsewhere, download=True)
    assert (full.digest, full.downloaded, full.files, full.bytes) == (one.digest, True, done.files, done.bytes)


def test_damage_on_the_way_is_seen(server: HubServer, one: Release, elsewhere: Home) -> None:
    hub.push(one, TO)
    for oid, data in server.objects.items():
        server.objects[oid] = data[:20] + bytes([data[20] ^ 1]) + data[21:]
    with pytest.raises((VerifyError, NetworkError)):
        releases.resolve(f"{TO}@1.0.0", home=elsewhere)
    assert not [p for p in (elsewhere.registry / "hub" / "org" / "demo").iterdir() if p.is_dir()]


def test_a_damaged_release_is_not_pushed(server: HubServer, one: Release) -> None:
    card = one.path / "README.md"
    card.chmod(0o644)
    card.write_text("---\n---\n")
    with pytest.raises(VerifyError, match=r"README\.md"):
        hub.push(one, TO)
    assert not server.repositories


def test_yank_on_the_hub(server: HubServer, one: Release, two: Release, elsewhere: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.push(one, TO)
    hub.push(two, TO)
    releases.yank(f"{TO}@1.1.0", "leaked a benchmark", elsewhere)
    assert releases.resolve(TO, home=elsewhere).version == "1.0.0"
    withdrawn = releases.resolve(f"{TO}@1.1.0", home=elsewhere)
    assert withdrawn.yanked == "leaked a benchmark"
    with pytest.raises(YankedError, match="leaked a benchmark"):
        releases.resolve(f"{TO}@1.1.0", home=elsewhere, allow_yanked=False)
    with pytest.raises(RegistryError, match="already"):
        hub.yank(f"{TO}@1.1.0", "again")
    with pytest.raises(RegistryError, match="no release"):
        hub.yank(f"{TO}@9.0.0", "what")
    hub.push(_next(two), TO)  # the list stays on main, and is of no release
    assert releases.resolve(TO, home=elsewhere).version == "1.2.0"
    assert verify(f"{TO}@1.2.0").digest == releases.resolve(f"{TO}@1.2.0", home=elsewhere).digest
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(YankedError):
        releases.resolve(f"{TO}@1.1.0", home=elsewhere, allow_yanked=False)


def test_a_withdrawn_release_is_not_pushed(server: HubServer, one: Release, home: Home) -> None:
    releases.yank("demo@1.0.0", "no licence", home)
    with pytest.raises(YankedError, match="no licence"):
        hub.push(one, TO)


@pytest.mark.parametrize("name", ["hf://demo", "hf://a/b/c", "org/", "hf://org/a b"])
def test_names_that_are_none(name: str, one: Release) -> None:
    with pytest.raises(RegistryError, match="not a dataset on the Hub"):
        hub.push(one, name)


def test_versions_that_are_not_there_are_told(server: HubServer, one: Release, elsewhere: Home) -> None:
    hub.push(one, TO)
    with pytest.raises(RegistryError) as caught:
        releases.resolve(f"{TO}@3.0.0", home=elsewhere)
    assert "hf://org/demo@1.0.0" in (caught.value.hint or "")
