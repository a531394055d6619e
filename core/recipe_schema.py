"""The JSON schema of recipes, for editors: every field, every shape, every step with its parameters.

    # yaml-language-server: $schema=…/recipes/schema.json

`recipes/schema.json` is what `tilth units --schema` prints; a test holds them equal.
"""

from __future__ import annotations

from typing import Any

from tilth.core import units
from tilth.core.recipe import Recipe


def recipe_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a recipe file."""
    schema = Recipe.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Tilth recipe"
    definitions = schema["$defs"]
    definitions["Source"]["properties"]["shape"] = _one_of("shape", definitions)
    definitions["Corpus"]["properties"]["steps"]["items"] = _one_of("step", definitions)
    return schema


def _one_of(kind: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """One mapping with one key: the name of a unit of that kind, over its parameters."""
    choices = []
    for name, cls in units.every(kind).items():
        own = cls.model_json_schema(by_alias=True)
        definitions.update(own.pop("$defs", {}))
        own["description"] = (cls.__doc__ or "").strip().splitlines()[0]
        definitions[f"{kind}:{name}"] = own
        choices.append({
            "type": "object", "properties": {name: {"$ref": f"#/$defs/{kind}:{name}"}}, "required": [name], "additionalProperties": False,
        })  # fmt: skip
    return {"oneOf": choices}
