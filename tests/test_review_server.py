"""The review page's server refuses whoever is not its own page, and says what is wrong with what its page sends."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest
from review_fixture import desk, make_job, record, serving

from tilth.core.errors import RecipeError, StorageError
from tilth.review.server import ReviewServer


def ask(server: ReviewServer, act: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
    """Post as the page does, some headers changed (None: left out)."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    own = {"Origin": f"http://127.0.0.1:{server.server_port}", "Content-Type": "application/json", "Host": f"127.0.0.1:{server.server_port}"}
    sent = {name: value for name, value in (own | headers).items() if value}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.putrequest("POST", act if act.startswith("/") else f"/{server.token}/{act}", skip_host=True)
    for name, value in ({"Content-Length": str(len(data))} | sent).items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(data)
    reply = connection.getresponse()
    told = reply.status, json.loads(reply.read())
    connection.close()
    return told


def test_only_its_own_page_is_answered(tmp_path: Path) -> None:
    with serving(make_job(tmp_path, [record(1)])) as server:
        assert ask(server, "turn", {"reviewer": "ann"})[0] == 200
        other = server.token[:-1] + ("y" if server.token.endswith("x") else "x")
        assert ask(server, "/turn", {})[0] == ask(server, f"/{other}/turn", {})[0] == ask(server, "/", {})[0] == 404
        assert ask(server, "turn", {}, Host=f"evil.example:{server.server_port}")[0] == 404, "a name bound to 127.0.0.1"
        for origin in ("", "null", "http://evil.example", f"http://localhost:{server.server_port}", f"https://127.0.0.1:{server.server_port}"):
            assert ask(server, "turn", {}, Origin=origin)[0] == 403
        assert ask(server, "turn", {}, Content_Type="text/plain", **{"Content-Type": ""})[0] == 415, "what a form could send"
        assert ask(server, "turn", b"x" * 70_000)[0] == 413 and ask(server, "turn", b"{", **{"Content-Length": "-1"})[0] == 413
        assert ask(server, "turn", b"[1]")[0] == ask(server, "turn", b"\xff")[0] == 400
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        connection.request("GET", f"/{server.token}/")
        page = connection.getresponse()
        policy = page.headers["Content-Security-Policy"]
        assert page.status == 200 and "default-src 'none'" in policy and "unsafe" not in policy and "require-trusted-types-for" in policy
        assert b"http" not in page.read(), "nothing comes from elsewhere"


def test_what_the_page_gets_is_blind(tmp_path: Path) -> None:
    with serving(make_job(tmp_path, [record(1)])) as server:
        status, told = ask(server, "turn", {"reviewer": "ann"})
        assert status == 200 and '"good"' not in json.dumps(told) and sorted(told["sheet"]["order"]) == [0, 1]
        assert ask(server, "agreement", {"reviewer": "ann"})[0] == 409


@pytest.mark.parametrize(
    "wrong",
    [{"answer": "third"}, {"answer": [1, 0]}, {"answer": None}, {"order": [0]}, {"order": "0,1"}, {"sheet": "x"}, {"reviewer": "a/b"}, {"reviewer": ""}],
)
def test_what_is_no_verdict_is_not_written(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with desk(make_job(tmp_path, [record(1)])) as made:
        sheet = made.turn({"reviewer": "ann"})["sheet"]
        good = {"reviewer": "ann", "sheet": sheet["key"], "order": sheet["order"], "answer": "first", "seconds": float("inf"), "comment": 7}
        with pytest.raises(RecipeError):
            made.judge(good | wrong)
        assert made.store.verdicts(made.question) == []
        assert made.judge(good)["sheet"] is None and made.store.verdicts(made.question)[0].seconds == 0.0


def test_a_desk_of_one_reviewer_is_nobody_elses(tmp_path: Path) -> None:
    with desk(make_job(tmp_path, [record(1)]), reviewer="ann") as made:
        assert made.turn({})["reviewer"] == "ann"
        with pytest.raises(RecipeError, match="ann's"):
            made.turn({"reviewer": "bob"})


def test_a_port_that_is_taken_says_so(tmp_path: Path) -> None:
    with serving(make_job(tmp_path, [record(1)])) as server, pytest.raises(StorageError, match=f"port {server.server_port}"):
        ReviewServer(server.desk, port=server.server_port)
