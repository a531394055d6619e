"""The review page in a real browser: keys judge, a reload resumes, reviewers are blind to each other, hostile text stays text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from browser import Browser, Page, browser
from review_fixture import make_job, record, serving, sheets_of

from tilth.annotators.human_store import ReviewStore
from tilth.core.home import home

PROBE = "from tilth.cli.main import main; main()"


def verdicts(path: Path) -> dict[tuple[str, str], tuple[Any, ...]]:
    """(reviewer, row) → values by model `good`, `bad`, as they are on disk."""
    said, _ = sheets_of(path)
    with ReviewStore(home().reviews) as store:
        found = store.verdicts(said.question.label)
    return {(one.reviewer, one.row_id): tuple(value for _, value in sorted(zip(one.order, one.values, strict=True))) for one in found}


def began(browser: Browser, url: str, name: str | None) -> Page:
    """The page at its first sheet, in English."""
    page = browser.page(url)
    if name is not None:
        page.until("document.activeElement.id === 'name'")
        page.type(name)
        page.key("Enter")
    page.until("document.querySelector('.answer')")
    return page


def judged(page: Page, key: str) -> None:
    """Press a key that judges, and wait for the next sheet or the end."""
    before = page.text("#at b")
    page.key(key)
    page.until(f"document.querySelector('#at b').innerText !== {json.dumps(before)}")


def prefer(page: Page, words: str) -> None:
    """Choose the answer that begins with these words, wherever it stands."""
    judged(page, "ArrowLeft" if page.text("#answer-0 .prose").startswith(words) else "ArrowRight")


def test_keys_judge_and_a_reload_resumes(browser: Browser, tmp_path: Path) -> None:
    path = make_job(tmp_path, [record(n) for n in range(4)])
    with serving(path) as server:
        page = began(browser, server.url, "Ann Lee")
        assert "good" not in page.js("document.documentElement.outerHTML") and page.text("#at b") == "0 of 4"
        prefer(page, "Zinc")
        assert list(verdicts(path).values()) == [(1.0, 0.0)]
        page.key("c")
        page.type("read twice, ← no key here 3")
        page.key("Enter")
        judged(page, "ArrowDown")
        page.open(server.url)  # a reload: the same tab knows who it is, the server where they were
        page.until("document.querySelector('.answer')")
        assert page.text("#at b") == "2 of 4" and page.text("#who") == "Ann Lee"
        judged(page, "x")
        page.key("z")
        page.until("document.querySelector('#at b').innerText === '2 of 4'")
        assert len(verdicts(path)) == 2 and page.js("document.querySelector('#cannot_say').className") == "chosen"
        page.key("ArrowLeft", repeat=True)  # a key held down judges nothing
        prefer(page, "Zinc")
        judged(page, "x")
        assert "All judged" in page.text("#sheet")
        assert sorted(verdicts(path).values(), key=str) == [(0.5, 0.5), (1.0, 0.0), (1.0, 0.0), (None, None)]
        assert page.errors() == []
    with ReviewStore(home().reviews) as store:
        assert [one.comment for one in store.verdicts("pairwise@1")] == ["", "read twice, ← no key here 3", "", ""]


def test_two_reviewers_agree_when_both_have_finished(browser: Browser, tmp_path: Path) -> None:
    path = make_job(tmp_path, [record(n, "zh" if n % 2 else "en") for n in range(3)])
    with serving(path) as server:
        ann, bob = began(browser, server.url, "ann"), began(browser, server.url, "王医生")
        for _ in range(3):
            prefer(ann, "锌" if "锌" in ann.text("#sheet") else "Zinc")
        ann.key("Enter")
        ann.until("document.querySelector('table')")
        assert "when two reviewers have finished" in ann.text("#sheet") and "κ" not in ann.text("#sheet")
        assert bob.text("#at b") == "0 of 3", "nobody sees what another judged"
        bob.key("l")
        assert bob.text("#first").endswith("回答 1 更好") and bob.js("document.documentElement.lang") == "zh"
        for _ in range(2):
            prefer(bob, "锌" if "锌" in bob.text(".answers") else "Zinc")
        prefer(bob, "尚" if "尚" in bob.text(".answers") else "Nothing")
        bob.key("Enter")
        bob.until("document.querySelector('#alpha')")
        assert "66.7%" in bob.text("#sheet")
        bob.key("z")  # agreement has been seen: what was said stands
        bob.js("document.querySelector('#who').click()")
        bob.until("document.activeElement.id === 'name'")  # another sits down, and is shown nothing of bob's
        bob.type("eve")
        bob.key("Enter")
        bob.until("document.querySelector('.answer')")
        assert bob.text("#at b") == "0 / 3" and len(verdicts(path)) == 6
        assert ann.errors() == bob.errors() == []


HOSTILE = [
    "<script>document.title = 'owned'; fetch('/owned')</script><img src=x onerror=\"document.title='owned'\">",
    "[link](javascript:document.title='owned') ![](http://127.0.0.1:9/x.png) <http://127.0.0.1:9> &lt;b&gt; <!-- hidden -->\n\n[ref]: http://x",
    "left \u202eright\u202c \u2066\u0007\u0000 end",
    "| a |\n|---|\n| 1 | lost |\n\n" + "> " * 3000 + "deep\n" + "- " * 2000 + "\n```unclosed\n</pre></style></textarea>",
]


def test_hostile_text_is_shown_as_text_and_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    records = [record(n) for n in range(2)]
    records[0] |= {"prompt": HOSTILE[0] + HOSTILE[1], "options": ["<svg onload=\"document.title='owned'\">", "b"], "reference": HOSTILE[0]}
    records[0]["completions"] = [{"model": "<b>m</b>", "text": HOSTILE[0]}, {"model": "n", "text": HOSTILE[1]}]
    records[1] |= {"prompt": HOSTILE[2] + HOSTILE[3]}
    records[1]["completions"] = [{"model": "m", "text": "word " * 200_000}, {"model": "n", "text": "x" * 200_000}]
    path = make_job(tmp_path, records)
    with serving(path, reviewer="ann") as server:
        page = began(browser, server.url, None)
        for _ in range(2):
            page.key("r")
            shown = page.text("#sheet")
            assert page.js("document.querySelectorAll('#sheet :is(script, img, svg, a, iframe, style)').length") == 0
            if "owned" in shown:
                assert shown.count(HOSTILE[0]) == 3 and "<!-- hidden -->" in shown and "[ref]: http://x" in shown and "&lt;b&gt;" in shown
                assert "javascript:document.title='owned'" in shown
            else:
                assert "\u202e" not in shown and "left \ufffdright" in shown and "lost" in shown and "500,000 more characters" in shown
                assert page.js("document.documentElement.scrollWidth <= innerWidth"), "one long word widens nothing"
            page.key("m")
            judged(page, "ArrowDown")
        assert "owned" not in page.js("document.title") and page.errors() == []


def test_scores_by_digits(browser: Browser, tmp_path: Path) -> None:
    path = make_job(tmp_path, [record(n) for n in range(2)], "listwise")
    with serving(path, reviewer="ann") as server:
        page = began(browser, server.url, None)
        page.key("9")  # no score of this scale
        page.key("4")
        page.until("document.querySelector('#answer-1.active')")
        page.key("ArrowUp")
        page.key("5")
        judged(page, "x")
        page.key("1")
        judged(page, "2")
        page.key("z")
        page.until("document.querySelector('#answer-0 .mark')?.innerText === '1'")
        judged(page, "3")
        assert sorted(map(sorted, [[v or 0 for v in values] for values in verdicts(path).values()])) == [[0, 5], [2, 3]]


@contextmanager
def command(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`tilth review` in a process of its own, and the address that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROBE, "review", *arguments, "--no-browser", "-q"], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait(10)


def test_killed_and_begun_again_nothing_is_lost(browser: Browser, tmp_path: Path) -> None:
    path = make_job(tmp_path, [record(n) for n in range(5)])
    with command(str(path), "--sample", "3") as (process, url), command(str(path)) as (_, other):
        page, second = began(browser, url, "ann"), began(browser, other, "bob")
        prefer(page, "Zinc")
        prefer(second, "Zinc")
        process.kill()
        process.wait(10)
        page.key("ArrowLeft")
        page.until("!document.querySelector('#trouble').hidden")
        assert page.text("#at b") == "1 of 3", "what could not be saved is not said to be"
        prefer(second, "Zinc")
        second.js("sessionStorage.setItem('tilth-reviewer', 'somebody else')")
    with command(str(path), "--reviewer", "ann", "--port", other.split(":")[2].split("/")[0]) as (process, url):
        second.open(url)  # the same origin, where another name is remembered
        second.until("document.querySelector('.answer')")
        assert second.text("#who") == "ann"
        page = began(browser, url, None)
        assert page.text("#at b") == "1 of 3"
        judged(page, "1")
        process.send_signal(2)
        assert process.wait(20) == 0
    table = pl.read_parquet(tmp_path / "judged.parquet")
    assert table.group_by("judge").len().sort("judge").rows() == [("human/ann", 4), ("human/bob", 4)]
