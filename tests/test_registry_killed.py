"""Writers at once and writers killed: a release is whole or not there, and git finds nothing to complain of."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from builds_fixture import Drop, Row, build, first, fsck, home, plain_card, rows, second

from tilth.core.errors import RegistryError
from tilth.core.home import Home
from tilth.registry import releases
from tilth.registry.releases import cut, resolve
from tilth.registry.verify import verify


def test_two_writers_of_one_version_make_one_release(home: Home, first: Path, second: Path) -> None:
    done: list[object] = []

    def one(folder: Path) -> None:
        try:
            done.append(cut(folder, "1.0.0", home=home))
        except RegistryError as error:
            done.append(error)

    threads = [threading.Thread(target=one, args=(folder,)) for folder in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(item).__name__ for item in done) == ["RegistryError", "Release"]
    fsck(home)


def test_what_a_killed_writer_left_is_cleared(home: Home, first: Path, second: Path) -> None:
    cut(first, "1.0.0", home=home)
    git = home.registry / "demo.git"
    for stale in (git / "refs/tags/v1.1.0.lock", git / "refs/heads/main.lock", git / "packed-refs.lock"):
        stale.write_bytes(b"")
    (git / "lfs/tmp/half").mkdir(parents=True)
    (home.registry / "other.git.new").mkdir()
    cut(second, "1.1.0", home=home)
    assert not list(git.rglob("*.lock"))
    fsck(home)


CHILD = """
import os, signal, sys, pathlib
sys.path.insert(0, {tests!r})
import tilth.cards.release
from builds_fixture import plain_card
from tilth.core.home import Home
from tilth.registry import releases, store, lfs, cutting
from tilth.core import durable
import dulwich.repo, dulwich.lfs, dulwich.objects, polars, pyarrow.parquet
tilth.cards.release.write = plain_card
root, build, points = pathlib.Path({root!r}), pathlib.Path({build!r}), {points!r}
seen = 0

def at(name, owner):
    real = getattr(owner, name)
    def counted(*args, **kwargs):
        global seen
        if seen == point:
            os.kill(os.getpid(), signal.SIGKILL)
        seen += 1
        return real(*args, **kwargs)
    setattr(owner, name, counted)

for point in points:
    child = os.fork()
    if child == 0:
        for name in ("replace", "rename", "link", "fsync", "unlink", "mkdir", "chmod"):
            at(name, os)
        releases.cut(build, "1.0.0", home=Home(root / str(point)))
        print("finished", point, seen, flush=True)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    print("point", point, "killed" if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status), flush=True)
"""


def _check_after_kill(home: Home, folder: Path) -> bool:
    """After a kill: the release is whole or not there; then the same cut succeeds. Returns whether it was there."""
    names = releases.names(home)
    if names:
        verify(resolve("demo@1.0.0", home=home))
        fsck(home, killed=True)
    else:
        with pytest.raises(RegistryError):
            resolve("demo", home=home)
    made = cut(folder, "1.0.0", home=home)
    verify(made)
    main = (home.registry / "demo.git/refs/heads/main").read_text().strip()
    assert main == made.commit
    assert sorted(p.name for p in (home.registry / "snapshots/demo").iterdir()) == ["1.0.0"]
    assert not [p for p in home.registry.rglob("*.lock") if p.name != "demo.lock"]
    fsck(home, killed=True)
    return bool(names)


def _kill_at(points: list[int], tmp_path: Path, folder: Path) -> str:
    code = CHILD.format(tests=str(Path(__file__).parent), root=str(tmp_path / "homes"), build=str(folder), points=points)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_killed_at_a_few_system_calls(home: Home, tmp_path: Path, first: Path) -> None:
    points = [0, 6, 14, 25, 40]
    assert _kill_at(points, tmp_path, first).count("killed") == len(points)
    for point in points:
        _check_after_kill(Home(tmp_path / "homes" / str(point)), first)


@pytest.mark.slow
def test_killed_at_every_system_call(home: Home, tmp_path: Path, first: Path) -> None:
    said = _kill_at(list(range(400)), tmp_path, first)
    killed = said.count("killed")
    assert 30 < killed < 400, "every point up to the end was tried"
    there = [_check_after_kill(Home(tmp_path / "homes" / str(point)), first) for point in range(killed)]
    assert there == sorted(there) and not there[0] and there[-1], "a release exists from its tag on"


@pytest.mark.slow
def test_killed_at_random_times_while_cutting_many(home: Home, tmp_path: Path, first: Path, second: Path) -> None:
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
import tilth.cards.release
from builds_fixture import plain_card
from pathlib import Path
from tilth.core.home import Home
from tilth.registry.releases import cut, versions, names
tilth.cards.release.write = plain_card
home = Home(Path({str(home.root)!r}))
start = len(versions("demo", home)) if names(home) else 0
print("ready", flush=True)
for i in range(start, start + 200):
    cut(Path(({str(first)!r}, {str(second)!r})[i % 2]), f"0.{{i}}.0", home=home)
"""
    random.seed(20261121)
    for _ in range(12):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert child.stdout and child.stdout.readline() == b"ready\n"
        time.sleep(random.uniform(0.0, 0.5))
        child.send_signal(signal.SIGKILL)
        child.wait()
        if releases.names(home):
            for entry in releases.versions("demo", home)[-4:]:
                verify(resolve(f"demo@{entry.version}", home=home))
            fsck(home, killed=True)
    made = releases.versions("demo", home)
    assert [e.version for e in made] == [f"0.{i}.0" for i in range(len(made))] and len(made) > 3
