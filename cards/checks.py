"""What a release must say and how it must add up before a card is written: blank, invented or wrong is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tilth.cards.shards import ConfigFacts
from tilth.core import ledger
from tilth.core.builds import FileEntry, SourceEntry
from tilth.core.errors import GateError
from tilth.core.manifest import Manifest
from tilth.core.recipe import CODE, NAME

ASIDE = ("judgements", "drops")
"""Configs that hold no corpus, and so have no line in the funnel."""

_SPLIT = re.compile(r"\w+(\.\w+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLACEHOLDER = re.compile(
    r"\W*(todo|tbd|tba|fixme|xxx+|n/?a|none|null|nil|placeholder|lorem ipsum.*|(more )?information needed|your[- _].*here)?\W*",
    re.IGNORECASE,
)


def check(manifest: Manifest) -> None:
    """Refuse a manifest that leaves something out, makes something up, or does not add up.

    Raises:
        GateError: naming the first field that is wrong, by its place in the manifest.
    """
    if not re.fullmatch(NAME, manifest.name):
        raise GateError(f"name: {manifest.name!r} is not a name", hint=f"it must match {NAME}")
    _said("recipe.license", manifest.recipe.get("license"), "the recipe names a licence for the release")
    for field in ("title", "description"):
        if manifest.recipe.get(field) is not None:
            _said(f"recipe.{field}", manifest.recipe[field])
    if manifest.trial:
        raise GateError(f"trial: {manifest.trial}: a trial is not released", hint="build without --limit")
    if manifest.digest() != manifest.digest_sha256:
        raise GateError(f"digest_sha256: says {manifest.digest_sha256[:12]}, the manifest comes to {manifest.digest()[:12]}")
    _configs(manifest)
    names = [source.name for source in manifest.sources]
    if len(set(names)) != len(names):
        raise GateError(f"sources: a name is given twice: {sorted(names)}")
    for source in manifest.sources:
        _source(source)
    _sums(manifest)
    _rest(manifest)


def check_shards(manifest: Manifest, configs: Sequence[ConfigFacts]) -> None:
    """Refuse a manifest whose languages and licences are not those of the rows.

    Raises:
        GateError: naming the field and both counts.
    """
    corpora = [config for config in configs if config.name not in ASIDE]
    for field in ("languages", "licenses"):
        held = [getattr(config, field) for config in corpora]
        if not all(sum(counts.values()) == config.num_rows for counts, config in zip(held, corpora, strict=True)):
            continue  # a config without that column
        _equal_counts(field, _total([getattr(source, field) for source in manifest.sources]), _total(held))


def _equal_counts(field: str, said: dict[str, int], found: dict[str, int]) -> None:
    for value in sorted(said.keys() | found.keys()):
        if said.get(value, 0) != found.get(value, 0):
            raise GateError(f"sources.*.{field}: {said.get(value, 0)} rows of {value!r}, the shards hold {found.get(value, 0)}")


def _total(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in counts:
        for value, rows in one.items():
            total[value] = total.get(value, 0) + rows
    return total


def _said(field: str, value: object, mend: str | None = None) -> None:
    if not isinstance(value, str) or _PLACEHOLDER.fullmatch(value.strip()):
        raise GateError(f"{field}: {'is missing' if value is None else repr(value) + ' says nothing'}", hint=mend)


def _configs(manifest: Manifest) -> None:
    if not manifest.configs:
        raise GateError("configs: there are none")
    for name, splits in manifest.configs.items():
        if not re.fullmatch(r"\w+", name):
            raise GateError(f"configs: {name!r} is not a config name")
        for split, entries in splits.items():
            if not _SPLIT.fullmatch(split):
                raise GateError(f"configs.{name}: {split!r} is not a split name that `datasets` takes")
            if not entries:
                raise GateError(f"configs.{name}.{split}: no shards")
            for entry in entries:
                _entry(f"configs.{name}.{split}", entry, manifest)
        if not sum(entry.rows for entries in splits.values() for entry in entries):
            raise GateError(f"configs.{name}: no rows")
    listed = [entry.path for splits in manifest.configs.values() for entries in splits.values() for entry in entries]
    if len(set(listed)) != len(listed):
        raise GateError("configs: a shard is listed twice")


def _entry(where: str, entry: FileEntry, manifest: Manifest) -> None:
    parts = entry.path.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in entry.path or not re.fullmatch(r"[\w./-]+", entry.path):
        raise GateError(f"{where}: {entry.path!r} is not a path inside a release")
    if not _SHA256.fullmatch(entry.sha256):
        raise GateError(f"{where}: {entry.path}: {entry.sha256!r} is no sha256")
    if entry.rows < 0 or entry.bytes <= 0:
        raise GateError(f"{where}: {entry.path}: {entry.rows} rows in {entry.bytes} bytes")
    digest = manifest.files.get(entry.path)
    if digest is None:
        raise GateError(f"files: {entry.path} is not there, but a config names it")
    if (digest.sha256, digest.bytes) != (entry.sha256, entry.bytes):
        raise GateError(f"files: {entry.path}: other bytes than its config says")


def _source(source: SourceEntry) -> None:
    where = f"sources.{source.name}"
    _said("sources.name", source.name)
    for field in ("path", "revision", "sha256"):
        _said(f"{where}.{field}", getattr(source, field))
    for field in ("title", "url", "citation"):
        if getattr(source, field) is not None:
            _said(f"{where}.{field}", getattr(source, field), "leave it out where it is not known")
    for license in source.licenses:
        _said(f"{where}.licenses", license, "every source has a licence")
    for language in source.languages:
        if not re.fullmatch(CODE, language):
            raise GateError(f"{where}.languages: {language!r} is not a BCP-47 code", hint="`und` where it is not known")
    released = sum(source.rows_released.values())
    for field in ("licenses", "languages"):
        counted = sum(getattr(source, field).values())
        if counted != released:
            raise GateError(f"{where}.{field}: {counted} rows, but {released} released")
    if min(source.rows_read, source.rows_failed, *source.rows_released.values()) < 0:
        raise GateError(f"{where}: a negative count")


def _sums(manifest: Manifest) -> None:
    """Rows of each config: as its files, its funnel and its sources say."""
    rows = {name: sum(e.rows for entries in splits.values() for e in entries) for name, splits in manifest.configs.items()}
    corpora = {line.corpus for line in manifest.funnel}
    held = {name: count for name, count in rows.items() if name in corpora or name not in ASIDE}
    ledger.check(manifest.funnel, held)
    for corpus, count in held.items():
        from_sources = sum(source.rows_released.get(corpus, 0) for source in manifest.sources)
        if from_sources != count:
            raise GateError(f"sources.*.rows_released.{corpus}: {from_sources} rows, the config holds {count}")
    for source in manifest.sources:
        if strange := set(source.rows_released) - set(held):
            raise GateError(f"sources.{source.name}.rows_released: no such corpus: {sorted(strange)}")


def _rest(manifest: Manifest) -> None:
    for entry in manifest.contamination:
        where = f"contamination.{entry.corpus}.{entry.benchmark}"
        _said("contamination.benchmark", entry.benchmark)
        if entry.items_found + entry.items_unmatchable > entry.items:
            raise GateError(
                f"{where}: {entry.items_found} items found and {entry.items_unmatchable} too short, of {entry.items} in all"
            )
    for test in manifest.self_tests:
        if sum(kind.planted for kind in test.kinds) != test.planted or sum(kind.found for kind in test.kinds) != test.found:
            raise GateError(f"self_tests.{test.corpus}.{test.step}: its kinds do not add up to {test.found} of {test.planted} found")
    for judge in manifest.judges:
        where = f"judges.{judge.corpus}"
        _said(f"{where}.judge", judge.judge)
        _said(f"{where}.question", judge.question)
        if sum(judge.statuses.values()) != judge.judgements:
            raise GateError(
                f"{where}.{judge.judge}: {judge.judgements} judgements, statuses add up to {sum(judge.statuses.values())}"
            )
        for field in ("accuracy", "order_flip_rate", "first_share", "own_family_win_rate", "canary_pass_rate"):
            found = getattr(judge, field)
            if found is not None and not 0 <= found <= 1:
                raise GateError(f"{where}.{judge.judge}.{field}: {found} is no share")
    for mix in manifest.mixes:
        for stage in mix.stages:
            if sum(part.units for part in stage.parts) != stage.units or sum(stage.languages.values()) != stage.units:
                raise GateError(f"mixes.{mix.corpus}.{stage.stage}: its parts and languages do not add up to {stage.units}")
    for gate in manifest.gates:
        _said("gates.gate", gate.gate)
    for alarm in manifest.alarms:
        where = f"alarms.{alarm.corpus}.{alarm.step}.{alarm.name}"
        _said("alarms.rule", alarm.rule)
        if not alarm.rule_rows <= alarm.rows_gone <= alarm.rows_in:
            raise GateError(f"{where}: {alarm.rows_gone} of {alarm.rows_in} rows gone, {alarm.rule_rows} by {alarm.rule}")
        if alarm.expected is not None:
            _said(f"{where}.expected", alarm.expected, "say why it is expected")
