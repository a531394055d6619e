"""The pages of a release: README.md, croissant.json and report.html, written from its manifest and its shards.

Everything written is a function of those two: no clock, no host, no path of this machine.
"""

from __future__ import annotations

from pathlib import Path

from tilth.cards import checks, croissant, dataset_card, evidence, page, shards
from tilth.cards.checks import check
from tilth.cards.facts import Facts
from tilth.core.errors import StorageError
from tilth.core.manifest import Manifest

__all__ = ["FILES", "check", "write"]

FILES = ("README.md", "croissant.json", "report.html")
"""What `write` writes."""


def write(folder: Path, manifest: Manifest) -> None:
    """Write the pages into a release's folder, beside the shards that the manifest names.

    Raises:
        GateError: a field is blank or invented, sums do not add up, or the shards are not what the manifest says;
            nothing is written then.
        StorageError: the folder cannot be written.
    """
    check(manifest)
    configs = shards.read(folder, manifest)
    checks.check_shards(manifest, configs)
    facts = Facts(manifest, configs, evidence.read(folder, manifest))
    texts = dict(zip(FILES, (dataset_card.card(facts), croissant.croissant(facts), page.page(facts)), strict=True))
    for name, text in texts.items():
        try:
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise StorageError(f"{folder / name}: {error.strerror}") from error
