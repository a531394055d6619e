"""A task of lm-eval as a source: its dataset's files of one split, and templates for question, options and answer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tilth.builders.lm_eval_files import LOADERS, files_of
from tilth.builders.lm_eval_tasks import PythonFunction, changed, folder_of, read_task
from tilth.builders.shapes.choices import LABELS
from tilth.core.errors import LockError, SourceError
from tilth.core.lock import LockedSource, LockedTask
from tilth.core.recipe import Source, Task, named_unit

CUE_BEFORE = re.compile(r"^(?:[^{}]*\n)?(?:[^{}\n]{0,20}[:：][^\S\n]*\n?)?(?=\{\{)")
"""Instructions on lines of their own and a word such as `Question:`: the same before every item, they are no part of one."""
CUE_AFTER = re.compile(r"(?<=\}\})\s+[^{}\n]{0,20}[:：]\s*$")


def from_task(name: str, task: Task, root: Path) -> tuple[Source, LockedTask]:
    """The source that a task stands for, and what of it goes into the lock.

    Raises:
        SourceError: the task cannot be read without running Python, or its dataset has no such files.
        NetworkError: the Hub cannot be reached.
    """
    found = read_task(name, task, root)
    shape = {"templates": templates(name, found.config)}
    named_unit("shape", shape)
    path = files_of(name, found.config, task.revision)
    held = LockedTask(lm_eval=task.lm_eval, tasks=task.tasks, revision=task.revision, files=found.files, shape=shape)
    return _source(task, path, shape), held


def held_task(name: str, task: Task, locked: LockedSource, root: Path | None = None, mend: str = "tilth lock") -> Source:
    """The source that the lock says a task came to; with `root`, its files are held against the lock where they are at hand.

    Raises:
        LockError: another task is locked, or a file of it has changed.
    """
    held = locked.task
    if held is None or (held.lm_eval, held.tasks, held.revision) != (task.lm_eval, task.tasks, task.revision):
        raise LockError(f"source {name}: the recipe says lm_eval: {task.lm_eval}, the lock {held.lm_eval if held else locked.path}", hint=mend)
    folder = folder_of(task, root) if root is not None else None
    if folder is not None and (file := changed(held.files, folder)):
        raise LockError(f"source {name}: {file} of task {task.lm_eval} is not what was locked", hint=f"{mend}, if the change is meant")
    return _source(task, locked.path, held.shape)


def _source(task: Task, path: str, shape: dict[str, dict[str, Any]]) -> Source:
    terms = {field: getattr(task, field) for field in ("license", "language", "key", "title", "url", "citation")}
    return Source(path=path, shape=shape, **terms)


def templates(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """Parameters of the shape `templates` for a task: what it asks without the words around it, its options, its key.

    Raises:
        SourceError: what it asks is Python.
    """
    for field in ("process_docs", "custom_dataset"):
        if config.get(field) is not None:
            raise _unread(name, config, field)
    text, query = config.get("doc_to_text"), config.get("doc_to_decontamination_query")
    choices = config.get("doc_to_choice")
    fixed = [str(one) for one in choices.values()] if isinstance(choices, dict) else choices
    fixed = [str(one) for one in fixed] if isinstance(fixed, list) else None
    asked, options = _parted(text, fixed) if isinstance(text, str) else ("", [])
    question = _bare(query) if isinstance(query, str) and query.strip() else asked
    if not question:
        raise _unread(name, config, "doc_to_text")
    target = config.get("doc_to_target")
    made: dict[str, Any] = {"question": question}
    if options:
        made["options"] = options
    elif isinstance(choices, str):
        made["options"] = choices
    elif fixed and any(len(one) > 3 for one in fixed):
        made["options"] = fixed
    if fixed and ("options" not in made or options):
        made["labels"] = fixed
    return {**made, "answer": target if isinstance(target, str | int) and target != "" else None}


def _parted(text: str, labels: list[str] | None) -> tuple[str, list[str]]:
    """A prompt's template as the question's and one for each option, where labels stand before them; no options where none do.

    >>> _parted("Question: {{q}}\\nA. {{c[0]}}\\nB. {{c[1]}}\\nAnswer:", None)
    ('{{q}}', ['{{c[0]}}', '{{c[1]}}'])
    """
    places: list[re.Match[str]] = []
    for label in (labels or LABELS) if "{%" not in text else ():
        mark = re.compile(rf"(?:^|\s+)[(（]?{re.escape(label.strip('() '))}[.):）、．：][ \t]*(?=\{{\{{)")
        found = mark.search(text, places[-1].end() if places else 0)
        if not found:
            break
        places.append(found)
    if len(places) < 2 or (labels and len(places) != len(labels)):
        places = []
    question = text[: places[0].start()] if places else text
    ends = [place.start() for place in places[1:]]
    options = [text[place.end() : end] for place, end in zip(places, ends, strict=False)]
    if places:
        options.append(text[places[-1].end() :].partition("\n")[0])
    return _bare(question), [option.strip() for option in options]


def _bare(template: str) -> str:
    """A template without the words before and after every item."""
    template = template.strip()
    return template if "{%" in template else CUE_AFTER.sub("", CUE_BEFORE.sub("", template))


def _unread(name: str, config: dict[str, Any], field: str) -> SourceError:
    said = config.get(field)
    what = f"is Python ({said.name}), which is not run" if isinstance(said, PythonFunction) else "is no template" if said else "is empty"
    path = config.get("dataset_path")
    where = f"hf://datasets/{path}/…" if isinstance(path, str) and path not in LOADERS else "…"
    return SourceError(
        f"source {name}: task {config.get('task')}: {field} {what}",
        hint=f"write it as a source: {{path: {where}, shape: {{templates: {{question: FIELD, options: …, answer: FIELD}}}}}}",
    )
