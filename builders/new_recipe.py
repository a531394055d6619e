"""A first recipe for data that nobody has described yet: what `tilth new` writes.

It looks at the first records of each source and says by their field names what they are. That is a guess, and the recipe
says so: everything in it is there to be read and changed before `tilth lock`.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tilth.builders.guess import Guess, guess
from tilth.core.durable import writing
from tilth.core.errors import RecipeError, SourceError
from tilth.core.recipe import NAME, load
from tilth.core.rows import Kind

CHAINS: dict[Kind, tuple[str, ...]] = {
    "cpt": (
        "normalize: {entities: true}", "language: {}", "gopher_quality: {}", "chinese_quality: {}", "gopher_repetition: {}", "exact_dedup: {}",
        "near_dedup: {}", "decontaminate: {}", "pii: {}",
    ),
    "sft": ("normalize: {}", "language: {}", "chat_shape: {}", "exact_dedup: {}", "near_dedup: {}", "decontaminate: {}", "pii: {}"),
    "preference": ("normalize: {}", "language: {}", "exact_dedup: {}", "decontaminate: {}", "option_pairs: {}"),
}  # fmt: skip
"""Steps that fit any domain, English and Chinese."""
WRITTEN = (
    "normalize: {{}}", "exact_dedup: {{}}", "passage_questions: {{model: {model}{ask}}}", "evolve: {{model: {model}{ask}}}", "near_dedup: {{}}", "decontaminate: {{}}",
    "answers: {{model: {model}{ask}}}", "chat_shape: {{}}", "pii: {{}}",
)  # fmt: skip
"""Steps that have a model write questions from passages, make them harder, and answer them, its own key deciding."""
PASSAGE_CHARS = 2000
SPLITS: dict[Kind, str] = {"cpt": "", "sft": "    splits: {test: 0.02}\n", "preference": "    splits: {test: 0.02}\n"}


def write(
    to: Path, name: str, paths: Sequence[str], benchmarks: Sequence[str] = (), *, root: Path, domain: str | None = None,
    language: str | None = None, license: str = "other", model: dict[str, Any] | None = None, on_guess: Callable[[Guess], None] = lambda one: None,
) -> None:  # fmt: skip
    """Look at the sources and write the recipe to `to`, which must not be there yet.

    Args:
        model: {provider: parameters} of a model that is to write questions from the documents, and to answer them.

    Raises:
        SourceError: as in `guess`.
        RecipeError: there is a file already, or a name, licence or language that no recipe may have.
    """
    if not re.match(NAME, name):
        raise RecipeError(f"{name!r} is no name for a dataset", hint="lower-case letters, digits, - and _")
    if to.exists():
        raise RecipeError(f"{to} is there already", hint="remove it, or name another file by --to")
    known = license if license != "other" else None
    sources = [guess(path, root, license=known, language=language) for path in paths]
    items = [guess(path, root, license=known, language=language, benchmark=True) for path in benchmarks]
    written = [passages_of(one) for one in sources if model is not None and one.kind == "cpt" and "text" in one.entry["shape"]]
    if model is not None and not written:
        raise RecipeError(f"{paths[0]}: no source of documents that questions could be written from", hint="leave the model out")
    text = recipe(name, sources, items, domain=domain, license=license, written=written, model=model)
    for one in (*sources, *items):
        on_guess(one)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / to.name
        draft.write_text(text, encoding="utf-8")
        try:
            load(str(draft))
        except RecipeError as error:
            raise RecipeError(error.message.replace(folder + "/", ""), hint=error.hint) from None
    to.parent.mkdir(parents=True, exist_ok=True)
    with writing(to) as path:
        path.write_text(text, encoding="utf-8")


def passages_of(one: Guess) -> Guess:
    """The documents of a source once more, as passages to write questions from."""
    shape = {"passage": {**one.entry["shape"]["text"], "max_chars": PASSAGE_CHARS}}
    return Guess(f"{one.name}_passages", {**one.entry, "shape": shape}, "written", one.records)


def recipe(
    name: str, sources: Sequence[Guess], benchmarks: Sequence[Guess] = (), *, domain: str | None = None, license: str = "other",
    written: Sequence[Guess] = (), model: dict[str, Any] | None = None,
) -> str:  # fmt: skip
    """The recipe as YAML, with comments that say what to look at.

    Args:
        written: passages that `model` writes questions from.

    Raises:
        SourceError: two sources have one name.
    """
    every = [one.name for one in (*sources, *written, *benchmarks)]
    for one in every:
        if every.count(one) > 1:
            raise SourceError(f"two sources would be called {one!r}", hint="name them by one glob, or rename a file")
    title = domain or name
    parts = [
        (f"# A first recipe, written by `tilth new` from the field names of its sources. Read it, then:\n"
        f"#   tilth lock {name}.yaml                             pin the bytes\n"
        f"#   tilth build {name}.yaml --limit 500                a trial\n"
        f"#   tilth whatif {name}.yaml --set STEP.FIELD=VALUE    what another threshold would cost\n"
        f"#   tilth release {name}.yaml --version 0.1.0\n"
        "# docs/recipes.md explains every field, docs/units.md every step; `tilth units` lists them.\n"),
        f"name: {name}\ntitle: {_yaml(f'{title}: a corpus')}\nlicense: {license}  # of the release: an id of the Hub's list\nseed: 0\n",
        "sources:\n" + "\n".join(_entry(one) for one in (*sources, *written)) + "\n",
    ]
    if benchmarks:
        parts.append("# Rows that hold items of these go, with the evidence in the report.\nbenchmarks:\n" + "\n".join(map(_entry, benchmarks)) + "\n")
    else:
        parts.append(
            "# Test sets that a model will be measured on belong here; rows that hold their items go, with the evidence in the report:\n"
            "# benchmarks:\n"
            "#   exam: {path: exam.jsonl, license: MIT, language: en, shape: {item: {options: options}}}\n"
        )
    corpora = []
    ask = {"ask": {"domain": domain}} if domain else {}
    writers = [step.format(model=_yaml(model), ask=f", {_yaml(ask)[1:-1]}" if ask else "") for step in WRITTEN] if written else []
    for kind, plain in CHAINS.items():
        mine = [one.name for one in (*sources, *(written if kind == "sft" else ())) if one.kind in (kind, "written")]
        if not mine:
            continue
        names = ", ".join(mine)
        chain = writers if kind == "sft" and written else plain
        steps = "".join(f"      - {step}\n" for step in chain if benchmarks or not step.startswith("decontaminate"))
        corpora.append(f"  {kind}:\n    from: [{names}]\n    steps:\n{steps}{SPLITS[kind]}")
    parts.append("corpora:\n" + "\n".join(corpora))
    return "\n".join(parts)


def _entry(one: Guess) -> str:
    lines = "".join(f"    {key}: {_yaml(value)}{_note(key, value)}\n" for key, value in one.entry.items())
    return f"  {one.name}:\n{lines}".rstrip("\n")


def _note(key: str, value: Any) -> str:
    if (key, value) == ("license", "other"):
        return "  # say whose data this is"
    return ""


def _yaml(value: Any) -> str:
    """A value on one line: JSON is YAML."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w.-]*", value) and value.lower() not in ("null", "true", "false", "yes", "no", "on", "off", "y", "n"):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_yaml(k)}: {_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
