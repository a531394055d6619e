"""Models that steps read from files: pinned by `tilth lock` like sources, found from the recipe's folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import small

from tilth.builders import build as building
from tilth.builders.whatif import whatif
from tilth.core.errors import LockError, SourceError
from tilth.core.fingerprints import file_digest
from tilth.core.home import home
from tilth.filters.fasttext_training import train

RECIPE = small.RECIPE.replace("gopher_quality: {min_words: 8}", "fasttext_label: {path: models/topic, text: words, keep: [law]}")
TEXTS = {"law": "The judge read the contract and asked both parties.", "farm": "A farmer keeps the seeds dry and sows them in the valley."}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    train(list(TEXTS.values()) * 20, list(TEXTS) * 20, folder / "model.bin")
    return folder


@pytest.fixture
def recipe(model: Path, tmp_path: Path) -> Path:
    path = small.make(tmp_path / "here", RECIPE)
    shutil.copytree(model, path.parent / "models" / "topic")
    return path


def test_a_model_is_locked_by_its_bytes(recipe: Path, tmp_path: Path) -> None:
    """The lock says the digest, the release holds no path, and another folder gives the same build."""
    _, lock = building.lock_recipe(str(recipe))
    assert lock.models == {"models/topic": file_digest(recipe.parent / "models" / "topic" / "model.bin")}
    built = building.build(str(recipe))
    step = built.record.recipe["corpora"]["cpt"]["steps"][1]["fasttext_label"]
    assert step["sha256"] == lock.models["models/topic"] and "path" not in step and str(tmp_path) not in built.record.model_dump_json()
    effect = whatif(str(recipe), ["fasttext_label.keep=[farm]"])
    assert effect.corpora
    elsewhere = tmp_path / "there"
    shutil.copytree(recipe.parent, elsewhere)
    again = building.build(str(elsewhere / recipe.name))
    assert again.record.digest() == built.record.digest() and again.stages_run == 0


def test_another_model_is_refused(recipe: Path) -> None:
    with pytest.raises(LockError, match="no lock"):
        building.build(str(recipe))
    shutil.copy(recipe.parent / "models" / "topic" / "model.bin", recipe.parent / "kept.bin")
    building.lock_recipe(str(recipe))
    (recipe.parent / "models" / "topic" / "model.bin").write_bytes(b"another")
    with pytest.raises(SourceError, match="sha256"):
        building.build(str(recipe))
    assert not list(home().builds.glob("*/*/build.json"))


def test_a_model_that_is_not_there_or_not_locked(recipe: Path) -> None:
    building.lock_recipe(str(recipe))
    recipe.write_text(recipe.read_text().replace("models/topic", "models/other"))
    with pytest.raises(LockError, match=r"models/other, which fasttext_label reads, is not locked") as caught:
        building.build(str(recipe))
    assert caught.value.hint == f"tilth lock {recipe}"
    with pytest.raises(SourceError, match="models/other"):
        building.lock_recipe(str(recipe))
