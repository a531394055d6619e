"""README.md of a release: the Hub's front matter, and a card in English with a summary in Chinese.

The front matter is built as a dict and dumped; the body is a template whose every value is escaped.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from typing import Any

from tilth.cards import markdown
from tilth.cards.facts import ARMS, CONFIGS_EN, CONFIGS_ZH, LANGUAGES_ZH, Facts, human_bytes, judge_name, shown_path, source_title
from tilth.cards.shards import ConfigFacts, SplitFacts
from tilth.core import licenses

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
    (10_000_000_000, "1B<n<10B"),
    (100_000_000_000, "10B<n<100B"),
    (1_000_000_000_000, "100B<n<1T"),
)
_LOAD_HERE = """\
import tilth

rows = tilth.open("{ref}")["{config}"]  # `tilth verify` reads every byte
"""
_LOAD_HUB = """\
from datasets import load_dataset

rows = load_dataset("ORG/{name}", "{config}", revision="v{version}")
"""
_TAGS = {"cpt": "continued-pretraining", "sft": "sft", "preference": "preference", "judgements": "judgements"}


def card(facts: Facts) -> str:
    """The whole README.md."""
    name, version = facts.manifest.name, facts.manifest.version
    body = markdown.render(
        "dataset_card.md.jinja",
        f=facts,
        m=facts.manifest,
        configs_en=CONFIGS_EN,
        configs_zh=CONFIGS_ZH,
        languages_zh=LANGUAGES_ZH,
        arms=ARMS,
        human_bytes=human_bytes,
        judge_name=judge_name,
        source_title=source_title,
        shown_path=shown_path,
        license_url=licenses.text_url,
        bibtex=bibtex(facts),
        load_here=_LOAD_HERE.format(ref=f"{name}@{version}", config=facts.default_config),
        load_hub=_LOAD_HUB.format(name=name, version=version, config=facts.default_config),
    )
    return f"---\n{dump(front_matter(facts))}---\n\n{body}"


def dump(fields: dict[str, Any]) -> str:
    """A dict as YAML, keys in their order, characters as they are."""
    import yaml

    return yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, width=10_000)


def front_matter(facts: Facts) -> dict[str, Any]:
    """The metadata that the Hub and `datasets` read."""
    manifest = facts.manifest
    fields: dict[str, Any] = {}
    if known := [code for code in facts.languages if code != "und"]:
        fields["language"] = known
    fields |= licenses.front_matter(facts.license, frozenset(manifest.files))
    fields["pretty_name"] = markdown.one_line(facts.title)
    fields["size_categories"] = [size_category(facts.num_rows)]
    fields["task_categories"] = ["text-generation"]
    if facts.hub_sources:
        fields["source_datasets"] = facts.hub_sources
    fields["annotations_creators"] = ["machine-generated" if facts.judged_by_llm or facts.written_by_llm else "no-annotation"]
    fields["tags"] = _tags(facts)
    fields["configs"] = [_config(config, facts) for config in facts.configs]
    fields["dataset_info"] = [_dataset_info(config) for config in facts.configs]
    fields["tilth"] = {"version": manifest.version, "digest": manifest.digest_sha256}
    return fields


def size_category(num_rows: int) -> str:
    """The Hub's bucket for that many rows.

    >>> size_category(999), size_category(1000), size_category(2 * 10**12)
    ('n<1K', '1K<n<10K', 'n>1T')
    """
    return next((name for limit, name in _SIZES if num_rows < limit), "n>1T")


def _tags(facts: Facts) -> list[str]:
    tags = ["tilth", *(_TAGS[config.name] for config in facts.configs if config.name in _TAGS)]
    if facts.manifest.contamination:
        tags.append("decontaminated")
    if facts.judged_by_llm:
        tags.append("llm-as-a-judge")
    if facts.written_by_llm:
        tags.append("synthetic")
    return tags


def _config(config: ConfigFacts, facts: Facts) -> dict[str, Any]:
    files = [path for split in config.splits for path in split.paths] + list(facts.manifest.files)
    found: dict[str, Any] = {"config_name": config.name}
    if config.name == facts.default_config:
        found["default"] = True
    found["data_files"] = [{"split": split.name, "path": _pattern(config, split, files)} for split in config.splits]
    return found


def _pattern(config: ConfigFacts, split: SplitFacts, files: Sequence[str]) -> str | list[str]:
    """`sft/train-*.parquet` where that names the split's shards and nothing else, else the shards one by one."""
    pattern = f"{config.name}/{split.name}-*.parquet"
    if {path for path in files if fnmatch.fnmatchcase(path, pattern)} == set(split.paths):
        return pattern
    return split.paths[0] if len(split.paths) == 1 else list(split.paths)


def _dataset_info(config: ConfigFacts) -> dict[str, Any]:
    """What `datasets` checks a load against, in its own notation.

    `num_bytes` is the size as Arrow; only `num_examples` is verified by `load_dataset` (datasets 5.2).
    """
    from datasets import DatasetInfo, Features, SplitDict, SplitInfo
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    splits = SplitDict()
    for split in config.splits:
        splits.add(SplitInfo(name=split.name, num_bytes=split.num_bytes, num_examples=split.num_rows))
    info = DatasetInfo(
        features=Features.from_arrow_schema(config.schema),
        splits=splits,
        download_size=config.file_bytes,
        dataset_size=sum(split.num_bytes for split in config.splits),
    )
    data = DatasetCardData()
    DatasetInfosDict({config.name: info}).to_dataset_card_data(data)
    return {"config_name": config.name, **data.get("dataset_info")}


def bibtex(facts: Facts) -> str:
    """How to cite the release itself: no author and no year, for the manifest knows neither."""
    title = re.sub(r"[{}\\%#]", " ", markdown.one_line(facts.title))
    manifest = facts.manifest
    return "\n".join(
        [
            f"@misc{{{manifest.name}_{manifest.version.replace('.', '_')},",
            f"  title   = {{{title}}},",
            f"  version = {{{manifest.version}}},",
            f"  note    = {{release {manifest.name}@{manifest.version}, digest {manifest.digest_sha256}}}",
            "}",
        ]
    )
