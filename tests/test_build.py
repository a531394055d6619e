"""Building: only what changed runs, rows keep their ids, the ledger adds up, a lock is a lock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import small
from click.testing import CliRunner
from small import rows

from tilth.builders import build as building
from tilth.builders.layout import Options
from tilth.builders.plan import plan
from tilth.builders.trace import trace
from tilth.cli.main import tilth
from tilth.core import fingerprints
from tilth.core.errors import LedgerError, LockError, SourceError, TilthError
from tilth.core.home import Home, home
from tilth.core.ledger import LedgerLine, check
from tilth.registry.diff import Build, diff


def made(recipe: Path, **said: object) -> building.Build:
    building.lock_recipe(str(recipe))
    return building.build(str(recipe), **said)  # type: ignore[arg-type]


def test_a_build_holds_what_the_ledger_says(tmp_path: Path) -> None:
    build = made(small.make(tmp_path))
    lines = [(line.corpus, line.step, line.rows_in, line.rows_out) for line in build.record.funnel]
    assert lines == [
        ("cpt", "read", 5, 5), ("cpt", "normalize", 5, 5), ("cpt", "gopher_quality", 5, 4), ("sft", "read", 3, 3), ("sft", "normalize", 3, 3),
    ]  # fmt: skip
    assert rows(build, "cpt").height == 4
    gone = rows(build, "drops").to_dicts()
    assert [(row["step"], row["rule"], row["status"]) for row in gone] == [("gopher_quality", "short", "dropped")] or gone[0]["step"] == "gopher_quality"


def test_nothing_runs_twice(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    first = made(recipe)
    again = building.build(str(recipe))
    assert first.stages_run > 0
    assert again.stages_run == 0
    assert again.record == first.record
    assert all(line.to_run == 0 for line in plan(building.layout(str(recipe))))


def test_a_threshold_redecides_and_measures_nothing(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    made(recipe)
    recipe.write_text(small.RECIPE.replace("min_words: 8", "min_words: 2"))
    lines = {line.work: line for line in plan(building.layout(str(recipe))) if line.to_run}
    assert set(lines) == {"cpt decide", "cpt write"}
    assert lines["cpt decide"].why == ("parameters.gopher_quality.min_words 8 → 2",)
    assert building.build(str(recipe)).stages_run == 3  # decide, write, tables


def test_an_edited_text_is_a_changed_row(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    before = made(recipe)
    changed = small.notes()
    changed[1]["text"] += " And so it went on with the work of the year."
    small.write_jsonl(tmp_path / "notes.jsonl", changed)
    after = made(recipe)
    [config] = [one for one in diff(Build.at(before.path), Build.at(after.path)).configs if one.config == "cpt"]
    assert (config.added, config.dropped, config.changed, config.unchanged) == (0, 0, 1, 3)


def test_two_equal_rows_keep_two_ids(tmp_path: Path) -> None:
    frame = rows(made(small.make(tmp_path)), "sft")
    assert frame.height == 3
    assert frame["id"].n_unique() == 3
    assert frame["content_hash"].n_unique() == 2


def test_a_source_key_given_twice_makes_two_ids(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    doubled = small.notes()
    doubled[1]["id"] = doubled[0]["id"]
    small.write_jsonl(tmp_path / "notes.jsonl", doubled)
    assert rows(made(recipe), "cpt")["id"].n_unique() == 4


def test_a_build_needs_a_lock_that_matches(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    with pytest.raises(LockError, match="no lock"):
        building.build(str(recipe))
    building.lock_recipe(str(recipe))
    small.write_jsonl(tmp_path / "notes.jsonl", small.notes()[1:])
    with pytest.raises(LockError, match="is not what was locked"):
        building.build(str(recipe))
    assert not (home().builds / "small" / "latest").exists()


def test_a_lock_names_no_path_of_this_machine(tmp_path: Path) -> None:
    path, _ = building.lock_recipe(str(small.make(tmp_path)))
    assert str(tmp_path) not in path.read_text()


def test_the_digest_depends_on_content_not_place_or_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(small.make(tmp_path / "a"), workers=1)
    monkeypatch.setenv("TILTH_HOME", str(tmp_path / "other"))
    second = made(small.make(tmp_path / "b"), workers=2)
    assert second.stages_run > 0
    assert first.record.digest() == second.record.digest()


def test_a_trial_says_so(tmp_path: Path) -> None:
    build = made(small.make(tmp_path), limit=2)
    assert build.record.trial == "--limit 2"
    assert [line.rows_in for line in build.record.funnel if line.step == "read"] == [2, 2]
    assert Options(share=0.5).trial == "--share 0.5"


def test_a_row_is_traced_to_its_line(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    build = made(recipe)
    [gone] = rows(build, "drops").to_dicts()
    found = trace(home(), "small", gone["id"][:12])
    assert found["origin"] == [{"source": "notes", "file": "notes.jsonl", "record": 5}]
    assert found["fates"][0]["rule"] == gone["rule"]
    measured = next(step for step in found["steps"] if step["work"] == "cpt gopher_quality")
    assert measured["signals"]["num_words"] < 8
    by_path = CliRunner().invoke(tilth, ["trace", gone["id"][:12], str(recipe), "--json"])
    assert json.loads(by_path.stdout) == found, "a recipe may be named by its path, as everywhere"
    with pytest.raises(TilthError, match="no row"):
        trace(home(), "small", "0" * 32)


def test_another_library_version_runs_its_stages_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tilth.filters.normalize import Normalize

    monkeypatch.setattr(Normalize, "distributions", ("a-library",))
    before = building.layout(str(recipe)) if (recipe := small.make(tmp_path)) and building.lock_recipe(str(recipe)) else None
    monkeypatch.setattr(fingerprints, "distribution_version", lambda name: "2.0")
    after = building.layout(str(recipe))
    assert before is not None
    keys = [{stage.key for work, _, stage in one.stages() if work.endswith("normalize")} for one in (before, after)]
    assert keys[0].isdisjoint(keys[1])


def test_a_helper_two_imports_away_counts_and_its_words_do_not(tmp_path: Path) -> None:
    """unit → beside → far: code in `far` changes the unit's digests; its docstring and comments do not."""
    code = '''
        import sys, pathlib
        import tilth.filters
        folder = pathlib.Path(sys.argv[1])
        tilth.filters.__path__.append(str(folder))
        from tilth.core.fingerprints import code_digests
        print(code_digests("tilth.filters.unit"))
    '''
    (tmp_path / "unit.py").write_text("from tilth.filters.beside import near\n")
    (tmp_path / "beside.py").write_text("def near():\n    from tilth.filters import far\n    return far.value()\n")

    def digests(far: str) -> str:
        (tmp_path / "far.py").write_text(far)
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], capture_output=True, text=True, check=True, cwd=tmp_path)
        return done.stdout

    plain = digests("def value():\n    return 1\n")
    assert "tilth.filters.far" in plain
    assert digests('"""Words."""\n\n\ndef value():\n    """More."""\n    # and more\n    return 1\n') == plain
    assert digests("def value():\n    return 2\n") != plain


def test_a_ledger_that_does_not_add_up_fails() -> None:
    good = LedgerLine(corpus="cpt", step="read", rows_in=3, kept=3, rows_out=3)
    check([good], {"cpt": 3})
    for bad in (good.model_copy(update={"kept": 2}), good.model_copy(update={"rows_out": 4}), good.model_copy(update={"made": -1, "rows_out": 2})):
        with pytest.raises(LedgerError):
            check([bad], {"cpt": 3})
    with pytest.raises(LedgerError, match="put out 3"):
        check([good, LedgerLine(corpus="cpt", step="next", rows_in=2, kept=2, rows_out=2)], {"cpt": 2})
    with pytest.raises(LedgerError, match="holds 2"):
        check([good], {"cpt": 2})


def test_a_damaged_source_leaves_no_build(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    (tmp_path / "notes.jsonl").write_bytes("结尾".encode("gb18030") + b"\n")
    with pytest.raises(SourceError, match="not UTF-8"):
        building.lock_recipe(str(recipe))
    assert not recipe.with_suffix(".lock").exists()


def test_a_corpus_that_loses_all_its_rows_is_built_and_not_released(tmp_path: Path) -> None:
    """Nothing survives the first segment: the maker gets no rows, later steps neither, and the gate says so."""
    recipe = small.make(tmp_path, small.EMPTIED)
    small.write_jsonl(tmp_path / "exams.jsonl", [small.exam(right="A", wrong="A")])
    build = made(recipe)
    assert [(line.step, line.rows_out) for line in build.record.funnel] == [("read", 1), ("objective_pairs", 0), ("exact_dedup", 0)]
    assert build.record.configs["preference"] == {}
    [gate] = [gate for gate in build.record.gates if gate.gate == "min_rows"]
    assert not gate.passed


def test_rows_without_a_pair_stop_the_build(tmp_path: Path) -> None:
    recipe = small.make(tmp_path, small.EMPTIED.replace("objective_pairs: {}", "objective_pairs: {without_key: keep}").replace(", answer: answer", ""))
    small.write_jsonl(tmp_path / "exams.jsonl", [small.exam(right="A", wrong="B")])
    with pytest.raises(TilthError, match="end without a pair"):
        made(recipe)


@pytest.mark.slow
def test_ray_gives_the_same_digest(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'tilth[ray]'")
    recipe = small.make(tmp_path)
    local = made(recipe)
    assert building.build(str(recipe), executor="ray", where=Home(tmp_path / "ray")).record.digest() == local.record.digest()


def test_the_order_in_which_a_recipe_names_things_decides_nothing(tmp_path: Path) -> None:
    """Two homes, two orders of splits and of corpora: one digest."""
    splits = "\n    splits: {%s}\n  sft:"
    one = small.RECIPE.replace("\n  sft:", splits % "a: 0.3, b: 0.4")
    cpt, sft = one.split("corpora:\n")[1].split("  sft:\n")
    other = one.split("corpora:\n")[0] + "corpora:\n  sft:\n" + sft + cpt.replace("a: 0.3, b: 0.4", "b: 0.4, a: 0.3")
    first = made(small.make(tmp_path / "one", one), where=Home(tmp_path / "h1"))
    second = made(small.make(tmp_path / "other", other), where=Home(tmp_path / "h2"))
    assert first.record.digest() == second.record.digest()


def test_a_renamed_file_is_read_again(tmp_path: Path) -> None:
    """Origins and drops name the file: a renamed one may not be served from the old reading."""
    recipe = small.make(tmp_path, small.RECIPE.replace("path: notes.jsonl", 'path: "*notes.jsonl"'))
    made(recipe)
    (tmp_path / "notes.jsonl").rename(tmp_path / "my-notes.jsonl")
    again = made(recipe)
    [gone] = rows(again, "drops").to_dicts()
    assert trace(home(), "small", gone["id"])["origin"][0]["file"] == "my-notes.jsonl"


def test_a_lock_does_not_depend_on_the_folder_it_is_made_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small.make(tmp_path / "p", small.RECIPE.replace("path: notes.jsonl", 'path: "*otes.jsonl"'))
    monkeypatch.chdir(tmp_path)
    _, outside = building.lock_recipe("p/small.yaml")
    monkeypatch.chdir(tmp_path / "p")
    _, inside = building.lock_recipe("small.yaml")
    assert outside == inside
    assert outside.sources["notes"].files[0].name == "notes.jsonl"
    assert recipe.exists()


def test_a_question_or_judge_that_changes_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tilth.annotators.questions.listwise import Listwise

    recipe = small.make(tmp_path, small.EMPTIED.replace("exact_dedup: {}", "judged_pairs: {}"))
    small.write_jsonl(tmp_path / "exams.jsonl", [small.exam(right="A", wrong="B")])
    building.lock_recipe(str(recipe))

    def key() -> str:
        return next(stage.key for work, _, stage in building.layout(str(recipe)).stages() if work == "preference judged_pairs")

    before = key()
    monkeypatch.setattr(Listwise, "version", Listwise.version + 1)
    assert key() != before


def test_gc_keeps_what_the_last_build_uses(tmp_path: Path) -> None:
    """A step used twice keeps both its stages; what an older recipe left goes; the next build runs nothing."""
    from tilth.builders.upkeep import collect, garbage

    twice = small.RECIPE.replace("      - normalize: {}\n  ", "      - normalize: {}\n      - exact_dedup: {}\n      - exact_dedup: {of: text}\n  ")
    recipe = small.make(tmp_path, twice)
    made(recipe)
    assert garbage(home()) == []
    recipe.write_text(twice.replace("min_words: 8", "min_words: 2"))
    made(recipe)
    assert collect(garbage(home())) > 0
    assert building.build(str(recipe)).stages_run == 0


def test_a_damaged_build_is_put_together_again(tmp_path: Path) -> None:
    recipe = small.make(tmp_path)
    first = made(recipe)
    (first.path / "build.json").write_text("{")
    second = building.build(str(recipe))
    assert second.record.digest() == first.record.digest()
    shard = next(second.path.rglob("cpt/*.parquet"))
    shard.unlink()
    assert building.build(str(recipe)).record.digest() == first.record.digest()
    assert shard.is_file()


def test_a_corpus_that_was_not_decontaminated_is_not_released(tmp_path: Path) -> None:
    benchmarks = "benchmarks:\n  exam: {path: exams.jsonl, license: MIT, shape: {item: {options: options}}}\ncorpora:"
    recipe = small.make(tmp_path, small.RECIPE.replace("corpora:", benchmarks))
    small.write_jsonl(tmp_path / "exams.jsonl", [small.exam(right="A", wrong="B")])
    gates = {(gate.gate, gate.corpus): gate.passed for gate in made(recipe).record.gates}
    assert gates["decontaminated", "cpt"] is False


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The command line in a group of its own, both its workers busy for a minute."""
    recipe = small.make(tmp_path)
    building.lock_recipe(str(recipe))
    code = f"""
        import pathlib, sys, time
        from tilth.builders import read
        from tilth.cli.main import main
        def wait(self):
            (pathlib.Path({str(tmp_path)!r}) / f"working-{{self.name}}").touch()
            time.sleep(60)
        read.SourceReader.read = wait
        if __name__ == "__main__":
            sys.argv = ["tilth", "build", {str(recipe)!r}, "--workers", "2"]
            main()
    """
    script = tmp_path / "wait.py"
    script.write_text(textwrap.dedent(code))
    process = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.PIPE, text=True, start_new_session=True)
    until(lambda: len(list(tmp_path.glob("working-*"))) == 2)
    yield process
    until(lambda: not alive_in_group(process.pid))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize(("sent", "to", "status"), [(signal.SIGINT, os.killpg, 130), (signal.SIGTERM, os.kill, 143)])
def test_an_interrupt_ends_all_workers(reading: subprocess.Popen[str], sent: signal.Signals, to: Callable[[int, int], None], status: int) -> None:
    """A terminal sends SIGINT to the whole group, a scheduler SIGTERM to us: no traceback of a worker, nobody left behind."""
    to(reading.pid, sent)
    _, said = reading.communicate(timeout=30)
    assert reading.returncode == status, said
    assert "Traceback" not in said


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_workers_of_a_killed_build_hold_no_lock_and_go(reading: subprocess.Popen[str]) -> None:
    workers = [int(one) for one in alive_in_group(reading.pid) if int(one) != reading.pid]
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)  # they notice nothing yet
    reading.kill()
    reading.wait()
    with building.alone(home()):
        pass
    for worker in workers:
        os.kill(worker, signal.SIGCONT)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("fork", [False, True])
def test_one_crew_serves_all_stages(tmp_path: Path, fork: bool) -> None:
    """Reading and every sweep run in the same two processes, on a core each, forked from one that has the steps; none is left behind."""
    recipe = small.make(tmp_path)
    building.lock_recipe(str(recipe))
    code = f"""
        import os, pathlib, sys
        import polars
        from tilth.builders import build, read, sweep
        def noted(found, what):
            def run(*words):
                known = "tilth.filters.gopher_quality" in sys.modules and polars.thread_pool_size() == 1
                (pathlib.Path({str(tmp_path)!r}) / f"{{what}}-{{os.getpid()}}-{{known}}").touch()
                return found(*words)
            return run
        read.SourceReader.read = noted(read.SourceReader.read, "read")
        sweep.ReadShards.run = noted(sweep.ReadShards.run, "sweep")
        if __name__ == "__main__":
            build.build({str(recipe)!r}, workers=2, fork={fork})
    """
    script = tmp_path / "crew.py"
    script.write_text(textwrap.dedent(code))
    process = subprocess.Popen([sys.executable, str(script)], start_new_session=True)
    assert process.wait(60) == 0
    seen = [path.name.split("-") for path in tmp_path.glob("*-*-True")]
    assert {what for what, _, _ in seen} == {"read", "sweep"}
    assert len({worker for _, worker, _ in seen}) <= 2 and str(process.pid) not in {worker for _, worker, _ in seen}
    assert not list(tmp_path.glob("*-*-False"))
    until(lambda: not alive_in_group(process.pid))


def test_workers_are_not_forked_from_a_process_at_work(tmp_path: Path) -> None:
    """Its polars has threads by now: a fork of it would wait for them for ever."""
    assert made(small.make(tmp_path), workers=2, fork=True).stages_run > 0


def until(what: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.1)


def alive_in_group(group: int) -> list[str]:
    """Processes of a group that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


def test_a_worker_that_is_killed_ends_the_build(tmp_path: Path) -> None:
    """As by the kernel for want of memory: one line, no hang, and the same command goes on."""
    recipe = small.make(tmp_path)
    building.lock_recipe(str(recipe))
    code = f"""
        import os, signal
        from tilth.builders import build, read
        def die(self):
            os.kill(os.getpid(), signal.SIGKILL)
        if __name__ == "__main__":
            from tilth.core.errors import StorageError
            try:
                build.build({str(recipe)!r}, workers=2)
            except StorageError as error:
                print(error.message)
        else:
            read.SourceReader.read = die
    """
    script = tmp_path / "kill.py"
    script.write_text(textwrap.dedent(code))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=True)
    assert "a worker process was killed" in done.stdout
    assert building.build(str(recipe), workers=2).stages_run > 0
