"""The card of a trained model: which release it was trained on, to the byte, and how.

What the provenance does not say is left out. No licence is written for the model: that of its data and of its base
model do not decide it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tilth.cards import markdown
from tilth.cards.dataset_card import dump

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NAMES = {
    "sft": "supervised fine-tuning (SFT)",
    "dpo": "direct preference optimisation (DPO)",
    "reward": "reward modelling",
    "kto": "Kahneman–Tversky optimisation (KTO)",
    "cpt": "continued pretraining (CPT)",
}


def model_card(provenance: Mapping[str, Any]) -> str:
    """README.md of a model, from what the training run recorded.

    Args:
        provenance: `tool_version, objective, data {name, version, where, commit, digest, manifest_sha256, config, split,
            rows, license}, base_model {id, revision,
            training_data [{objective, name, version, digest, …}]}, seed, config {…}, versions {…}, code_commit, metrics {…}`;
            a key that is missing or None is left out of the card.
    """
    data = _mapping(provenance.get("data"))
    base = _mapping(provenance.get("base_model"))
    objective = str(provenance.get("objective") or "")
    body = markdown.render(
        "model_card.md.jinja",
        p=provenance,
        data=data,
        base=base,
        base_shown=_base_shown(base),
        title=_title(data, base, objective),
        objective=_NAMES.get(objective, objective),
        hub_dataset=hub_dataset(data),
        data_rows=_present(data, ("version", "commit", "digest", "manifest_sha256", "config", "split", "rows", "license")),
        history=[_mapping(item) for item in base.get("training_data") or ()],
        config=_flat(_mapping(provenance.get("config"))),
        versions=_flat(_mapping(provenance.get("versions"))),
        metrics=_flat(_mapping(provenance.get("metrics"))),
    )
    return f"---\n{dump(front_matter(provenance))}---\n\n{body}"


def front_matter(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata that the Hub reads: ids of the Hub only, and nothing that is not known."""
    data = _mapping(provenance.get("data"))
    base = _mapping(provenance.get("base_model"))
    fields: dict[str, Any] = {"library_name": "transformers"}
    if identity := hub_model(base):
        fields["base_model"] = identity
    if dataset := hub_dataset(data):
        fields["datasets"] = [dataset]
    fields["tags"] = ["tilth", *([str(provenance["objective"])] if provenance.get("objective") else [])]
    pinned = _present(data, ("name", "version", "commit", "digest", "manifest_sha256", "config", "split"))
    if pinned:
        fields["tilth"] = {"trained_on": {key: _plain(value) for key, value in pinned}}
    return fields


def hub_dataset(data: Mapping[str, Any]) -> str | None:
    """`org/name` where the release came from the Hub, None where it did not.

    >>> hub_dataset({"where": "hf://org/name@1.0.0"}), hub_dataset({"where": "hf://datasets/org/name"}), hub_dataset({})
    ('org/name', 'org/name', None)
    """
    where = str(data.get("where") or "")
    if not where.startswith("hf://"):
        return None
    name = where.removeprefix("hf://").removeprefix("datasets/").partition("@")[0].rstrip("/")
    return name if _HUB_ID.fullmatch(name) and "/" in name else None


def hub_model(base: Mapping[str, Any]) -> str | None:
    """The base model's id where it is one of the Hub: pinned to a commit of 40 hex digits; a folder's name is none."""
    identity, revision = str(base.get("id") or ""), str(base.get("revision") or "")
    return identity if _HUB_ID.fullmatch(identity) and _COMMIT.fullmatch(revision) else None


def _base_shown(base: Mapping[str, Any]) -> str:
    """The id, or for a folder its last name: no path of the machine stands in a card."""
    identity = str(base.get("id") or "")
    return hub_model(base) or identity.rstrip("/").rpartition("/")[2]


def _title(data: Mapping[str, Any], base: Mapping[str, Any], objective: str) -> str:
    release = f"{data['name']}@{data['version']}" if data.get("name") and data.get("version") else str(data.get("name") or "")
    parts = [_base_shown(base).rpartition("/")[2], objective, release]
    return " · ".join(part for part in parts if part) or "A model"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _present(mapping: Mapping[str, Any], keys: tuple[str, ...]) -> list[tuple[str, Any]]:
    return [(key, mapping[key]) for key in keys if mapping.get(key) not in (None, "")]


def _plain(value: Any) -> Any:
    """The value as YAML can hold it: text on one line."""
    return value if isinstance(value, int | float | bool) else markdown.one_line(str(value))


def _flat(mapping: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Key → value as text, sorted; what is no plain value as JSON. Keys that hold a path of the machine are left out."""
    found = []
    for key, value in sorted(mapping.items()):
        if isinstance(value, str) and (value.startswith(("/", "~")) or re.match(r"[A-Za-z]:\\", value)):
            continue
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
        found.append((str(key), shown))
    return found
