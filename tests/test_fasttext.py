"""Our reader of fastText models: labels and scores are the package's own, and a file that is none is refused."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tilth.core.errors import SourceError
from tilth.filters import _kernels, fasttext_models
from tilth.tests import fasttext_models as trained

PIECES = [
    *trained.ENGLISH.split(), *trained.FRENCH.split()[:8], *trained.SIMPLIFIED, *trained.CANTONESE, trained.SIMPLIFIED, "3.14", "é", "😀", "\ufffd",
    "</s>", "<", ">", "<the>", "__label__", "__label__eng_Latn", "__label__no", "_", "x" * 70, "\u3000", "\x00", "\x0b", "\r\n", "\t", " ", "  ", "\n",
]  # fmt: skip
mixed = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join)
texts = st.lists(mixed | st.text(max_size=30), max_size=6)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return trained.train(tmp_path_factory.mktemp("fasttext"), *trained.KINDS)


@pytest.fixture(scope="module")
def pairs(files: dict[str, Path]) -> dict[str, tuple[fasttext_models.FastTextModel, Any]]:
    """Ours and the package's; an older version of one of them too, whose n-grams neither may read."""
    fasttext = pytest.importorskip("fasttext")
    old = files["sampled"].with_name("old.bin")
    old.write_bytes(b"".join((files["sampled"].read_bytes()[:4], struct.pack("<i", 11), files["sampled"].read_bytes()[8:])))
    return {kind: (fasttext_models.load(path), fasttext.load_model(str(path))) for kind, path in {**files, "old": old}.items()}


def asked(model: Any, series: list[str]) -> tuple[list[str], list[float]]:
    """What the package says."""
    labels, scores = model.predict([text.replace("\n", " ") for text in series], k=1) if series else ([], [])
    return (
        [found[0].removeprefix("__label__") if len(found) else "und" for found in labels],
        [float(found[0]) if len(found) else 0.0 for found in scores],
    )


def test_the_kinds_are_what_they_say(pairs: dict[str, tuple[fasttext_models.FastTextModel, Any]]) -> None:
    for kind, (ours, package) in pairs.items():
        assert sorted(ours.labels) == sorted(label.removeprefix("__label__") for label in package.labels)
        assert package.is_quantized() == (trained.KINDS.get(kind, (None, None))[1] is not None)
    found, scores = pairs["pruned"][0].best(pl.Series([trained.FRENCH, trained.ENGLISH, trained.SIMPLIFIED, trained.CANTONESE]))
    assert found == ["fra_Latn", "eng_Latn", "cmn_Hani", "yue_Hant"] and min(scores) > 0.5


@given(texts)
@example(["", "\n", "</s> the", "the </s> ward", "__label__eng_Latn", "x" * 5000, "the ward " * 3000, "a"])
@settings(max_examples=150, deadline=None)
def test_labels_and_scores_are_the_packages(pairs: dict[str, tuple[fasttext_models.FastTextModel, Any]], series: list[str]) -> None:
    for kind, (ours, package) in pairs.items():
        assert ours.best(pl.Series(series, dtype=pl.String)) == asked(package, series), kind


def asked_all(model: Any, labels: tuple[str, ...], series: list[str]) -> list[list[float]]:
    """What the package says of every label."""
    found = [dict(zip(*model.predict(text.replace("\n", " "), k=-1), strict=True)) for text in series]
    return [[float(one.get(f"__label__{label}", 0.0)) for label in labels] for one in found]


@given(texts)
@example(["", "\n", "</s> the", "the ward " * 3000, "ward 患者", "a"])
@settings(max_examples=60, deadline=None)
def test_all_scores_are_the_packages(pairs: dict[str, tuple[fasttext_models.FastTextModel, Any]], series: list[str]) -> None:
    for kind, (ours, package) in pairs.items():
        assert ours.scores(pl.Series(series, dtype=pl.String)).tolist() == asked_all(package, ours.labels, series), kind


def load(raw: bytes) -> Any:
    return _kernels.fasttext_model(raw)


def test_a_file_that_is_no_model_is_refused_in_one_line(files: dict[str, Path], tmp_path: Path) -> None:
    raw = files["hierarchical"].read_bytes()

    def said(place: int, *values: int) -> bytes:
        """The file with other int32s at that place of its arguments."""
        return raw[: 4 * place] + struct.pack(f"<{len(values)}i", *values) + raw[4 * (place + len(values)) :]

    wrong = {
        "it does not begin as one": b"\x1f\x8b" + raw,
        "its version is neither 11 nor 12": said(1, 13),
        "it is not supervised, it has no labels": said(9, 1),
        "its loss is unknown": said(8, 9),
        "its dimension is not positive": said(2, 0),
        "its n-grams are longer than 64": said(12, 1 << 30),
        "it has n-grams, but no buckets for them": said(10, 0),
        "its words and labels do not add up": said(16, -5),
        "its matrices do not fit its dictionary": said(10, 1 << 30),
        "it ends too early": raw[:-1],
        "cannot mmap an empty file": b"",
    }
    for reason, content in wrong.items():
        path = tmp_path / "model.bin"
        path.write_bytes(content)
        with pytest.raises(SourceError, match=f"model.bin: no fastText model: {reason}") as refused:
            fasttext_models.load(path)
        assert "\n" not in str(refused.value) and refused.value.hint
    with pytest.raises(SourceError, match="No such file"):
        fasttext_models.load(tmp_path / "absent.bin")
    nan = np.frombuffer(raw, np.uint8).copy()
    nan[-4 * 16 * 4 :] = 0xFF
    path.write_bytes(nan.tobytes())
    with pytest.raises(SourceError, match="weights that are not numbers"):
        fasttext_models.load(path).best(pl.Series(["the ward"]))
    with pytest.raises(ValueError, match="Capsule"):
        _kernels.fasttext_best(None, b"", np.zeros(1, np.int64), bytearray(), bytearray())
    with pytest.raises(ValueError, match="four bytes"):
        _kernels.fasttext_best(load(raw)[0], np.frombuffer(b"the", np.uint8), np.array([0, 3]), np.empty(2, np.int32), np.empty(1, np.float32))
    for size in (0, 3, 5, 8):
        with pytest.raises(ValueError, match="every label of every row"):
            _kernels.fasttext_all(load(raw)[0], np.frombuffer(b"the", np.uint8), np.array([0, 3]), np.empty(size, np.float32))


@pytest.mark.parametrize("kind", ["pruned", "many-each", "hierarchical"])
def test_broken_files_are_refused_or_answer(files: dict[str, Path], kind: str) -> None:
    """Cut and flipped anywhere, the first kilobytes the most: an error or an answer, whatever it says."""
    chance = random.Random(7)
    raw = files[kind].read_bytes()
    data, offsets = np.frombuffer("the ward 患者因发热 x</s>".encode(), np.uint8), np.array([0, 9, 24, 29])
    refused = 0
    for attempt in range(400):
        broken = bytearray(raw)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(min(len(raw), chance.choice([140, 4000, len(raw)])))
            broken[place] = chance.choice([0, 1, 127, 128, 255, broken[place] ^ 1 << chance.randrange(8)])
        if attempt % 4 == 0:
            del broken[chance.randrange(len(broken)) :]
        try:
            model, labels = load(bytes(broken))
            found = np.empty(3, np.int32)
            _kernels.fasttext_best(model, data, offsets, found, np.empty(3, np.float32))
            assert ((found >= -1) & (found < len(labels))).all()
            _kernels.fasttext_all(model, data, offsets, np.empty((3, len(labels)), np.float32))
        except (ValueError, MemoryError):
            refused += 1
    assert 100 < refused < 400
