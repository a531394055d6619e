"""One contract for every unit: documented, versioned, round-trips through JSON, and a new one needs one file."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl
import pytest

from tilth.core import units
from tilth.core.batch import Batch
from tilth.core.errors import RecipeError
from tilth.core.recipe_schema import recipe_schema
from tilth.core.rows import content_hashes, conversation, schema
from tilth.core.steps import Context, Step
from tilth.core.unit_reference import reference
from tilth.core.units import Unit

ROOT = Path(__file__).parents[1]
KINDS = tuple(units.ROOMS)
UNITS = [(kind, name, cls) for kind in KINDS for name, cls in units.every(kind).items()]
STEPS = [cls for kind, _, cls in UNITS if kind == "step"]


@pytest.mark.parametrize(("kind", "name", "cls"), UNITS, ids=lambda value: str(value) if isinstance(value, str) else "")
def test_unit_is_documented(kind: str, name: str, cls: type[Unit]) -> None:
    assert cls.__doc__ and len(cls.__doc__) > 20, "says what it does"
    module = sys.modules[cls.__module__]
    assert module.__doc__, "its file says what it is"
    assert cls.__module__.endswith(f".{name}"), "its file bears its name"
    assert cls.version >= 1
    for field, info in cls.model_fields.items():
        if field != "encoding":
            assert info.description, f"{field} is documented"


WHOLE = [c for c in STEPS if all(not f.is_required() for f in c.model_fields.values())]
"""Steps that a recipe may name without parameters."""


@pytest.mark.parametrize("cls", WHOLE, ids=lambda c: c.name)
def test_step_defaults_round_trip(cls: type[Step]) -> None:
    step = cls()
    assert cls.model_validate_json(step.model_dump_json()) == step
    assert set(step.measured_parameters()) <= set(step.parameters())


ROWS = {
    "cpt": {"text": "The doctor said that the patient should rest and drink water with every meal.\n病人应该多休息，多喝水。"},
    "sft": {"messages": conversation([("user", "What is anaemia?"), ("assistant", "A lack of healthy red blood cells. 贫血。")])},
    "preference": {
        "prompt": conversation([("user", "Which vitamin?")]),
        "chosen": conversation([("assistant", "The answer is A.")]),
        "rejected": conversation([("assistant", "The answer is B.")]),
    },
}


@pytest.mark.parametrize("cls", [c for c in WHOLE if c.does("measure") or c.does("edit")], ids=lambda c: c.name)
def test_step_keeps_rows_and_is_pure(cls: type[Step]) -> None:
    """An edit keeps rows and order; measuring twice, or in two halves, gives the same signals."""
    step = cls()
    for kind in step.corpora:
        blank = {name: None for name in schema(kind)}
        rows = [{**blank, "id": f"{i:032x}", "language": language, **ROWS[kind]} for i, language in enumerate(["en", "zh", None])]
        frame = pl.DataFrame(rows, schema=schema(kind))
        batch = Batch(frame.with_columns(content_hashes(frame, kind)), kind)
        context = Context(kind, 0, pl.DataFrame(schema={"benchmark": pl.String, "item": pl.String, "question": pl.String,
                                                         "options": pl.List(pl.String), "answer": pl.String}))  # fmt: skip
        after = step.edit(batch)
        assert after.frame["id"].equals(batch.frame["id"])
        assert step.edit(after).frame.equals(after.frame), "an edit of an edited batch changes nothing"
        if cls.does("measure"):
            whole = step.measure(after, context)
            assert whole.height == len(batch)
            halves = [step.measure(Batch(after.frame.slice(i, 1), kind), context) for i in range(len(batch))]
            assert pl.concat(halves).equals(whole)


def test_unknown_unit_names_the_near_ones() -> None:
    with pytest.raises(RecipeError, match="unknown step") as caught:
        units.find("step", "gopher_qualty")
    assert "gopher_quality" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("room", "kind", "base"),
    [("filters", "step", "core.steps import Step"), ("builders.strategies", "strategy", "builders.strategy import FromTop")],
)
def test_one_file_adds_a_unit(room: str, kind: str, base: str, tmp_path: Path) -> None:
    """A file put into a room is a unit that every recipe can name; no list was edited."""
    code = textwrap.dedent(f'''
        """A unit for a test."""
        from tilth.{base} as Kind
        class NewUnit(Kind, name="brand_new", version=1):
            """Does nothing, for a test."""
    ''')
    probe = f"import tilth.{room} as room; room.__path__.append({str(tmp_path)!r}); from tilth.core import units; print(units.find({kind!r}, 'brand_new').name)"
    (tmp_path / "brand_new.py").write_text(code)
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "brand_new"


def test_the_shipped_schema_and_reference_are_current() -> None:
    """`tilth units --schema > recipes/schema.json` and `tilth units --markdown > docs/units.md` after a change."""
    assert json.loads((ROOT / "recipes" / "schema.json").read_text(encoding="utf-8")) == recipe_schema()
    assert (ROOT / "docs" / "units.md").read_text(encoding="utf-8") == reference()
