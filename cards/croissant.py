"""croissant.json of a release: Croissant 1.0 (http://mlcommons.org/croissant/1.0), every shard with its sha256.

`creator`, `datePublished` and `url` are left out: the manifest does not know them, and nothing is made up here.
"""

from __future__ import annotations

import json
from typing import Any

from tilth.cards import markdown
from tilth.cards.facts import CONFIGS_EN, Facts
from tilth.cards.shards import ConfigFacts
from tilth.core import licenses

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
PARQUET = "application/x-parquet"


def croissant(facts: Facts) -> str:
    """The JSON-LD, with a newline at its end."""
    from tilth.cards.dataset_card import bibtex

    manifest = facts.manifest
    description = manifest.recipe.get("description") or f"{facts.title}, release {manifest.version}"
    fields: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": manifest.name,
        "alternateName": markdown.one_line(facts.title),
        "description": markdown.one_line(str(description)),
        "version": manifest.version,
        "license": licenses.text_url(facts.license) or facts.license,
        "identifier": f"sha256:{manifest.digest_sha256}",
        "isLiveDataset": False,
        "citeAs": bibtex(facts),
        "keywords": ["tilth", *(config.name for config in facts.configs)],
    }
    if known := [code for code in facts.languages if code != "und"]:
        fields["inLanguage"] = known
    if urls := [url for source in manifest.sources if (url := markdown.safe_url(source.url))]:
        fields["isBasedOn"] = urls
    fields["distribution"] = [item for config in facts.configs for item in _distribution(config, facts)]
    fields["recordSet"] = [_record_set(config) for config in facts.configs]
    return json.dumps(fields, ensure_ascii=False, indent=2) + "\n"


def _distribution(config: ConfigFacts, facts: Facts) -> list[dict[str, Any]]:
    """One FileObject a shard, and the FileSet of them all, which the fields read."""
    entries = [entry for shards in facts.manifest.configs[config.name].values() for entry in shards]
    files: list[dict[str, Any]] = [
        {
            "@type": "cr:FileObject",
            "@id": entry.path,
            "name": entry.path.replace("/", "_"),
            "contentUrl": entry.path,
            "contentSize": f"{entry.bytes} B",
            "encodingFormat": PARQUET,
            "sha256": entry.sha256,
        }
        for entry in entries
    ]
    together = {
        "@type": "cr:FileSet",
        "@id": f"{config.name}-shards",
        "name": f"{config.name}-shards",
        "containedIn": [{"@id": entry.path} for entry in entries],
        "encodingFormat": PARQUET,
        "includes": f"{config.name}/*.parquet",
    }
    return [*files, together]


def _record_set(config: ConfigFacts) -> dict[str, Any]:
    split = {
        "@type": "cr:Field",
        "@id": f"{config.name}/split",
        "name": "split",
        "description": "split of the row, as the shard's name says",
        "dataType": "sc:Text",
        "source": {
            "fileSet": {"@id": f"{config.name}-shards"},
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": f"{config.name}/(.+?)(?:-\\d+-of-\\d+)?\\.parquet$"},
        },
    }
    fields = [] if "split" in config.schema.names else [split]
    for column in config.schema:
        source = {"fileSet": {"@id": f"{config.name}-shards"}, "extract": {"column": column.name}}
        fields.append(_field(f"{config.name}/{column.name}", column.name, column.type, source))
    found: dict[str, Any] = {
        "@type": "cr:RecordSet",
        "@id": config.name,
        "name": config.name,
        "description": f"{CONFIGS_EN.get(config.name, config.name)}: {config.num_rows} rows",
    }
    if "id" in config.schema.names and config.name not in ("judgements", "drops"):
        found["key"] = {"@id": f"{config.name}/id"}
    return {**found, "field": fields}


def _field(identity: str, name: str, arrow: Any, source: dict[str, Any]) -> dict[str, Any]:
    """A Croissant field of an Arrow type; lists are `repeated`, structs have sub-fields found by JSON path."""
    import pyarrow as pa

    field: dict[str, Any] = {"@type": "cr:Field", "@id": identity, "name": name}
    while pa.types.is_list(arrow) or pa.types.is_large_list(arrow) or pa.types.is_fixed_size_list(arrow):
        field["repeated"] = True
        arrow = arrow.value_type
    if pa.types.is_struct(arrow):
        steps = source.get("transform", [])
        field["subField"] = [
            _field(
                f"{identity}/{inner.name}", inner.name, inner.type, {**source, "transform": [*steps, {"jsonPath": inner.name}]}
            )
            for inner in arrow
        ]
    else:
        field["dataType"] = _data_type(arrow)
    return {**field, "source": source}


def _data_type(arrow: Any) -> str:
    import pyarrow as pa

    if pa.types.is_boolean(arrow):
        return "sc:Boolean"
    if pa.types.is_integer(arrow):
        return "sc:Integer"
    if pa.types.is_floating(arrow) or pa.types.is_decimal(arrow):
        return "sc:Float"
    if pa.types.is_timestamp(arrow):
        return "sc:DateTime"
    return "sc:Date" if pa.types.is_date(arrow) else "sc:Text"
