"""Where Tilth keeps things: `TILTH_HOME`, or the nearest `.tilth` folder, or `./.tilth`.

.tilth/
├── stages/<stage>/<key>/      what a stage made, under the hash of all that decides it
├── builds/<recipe>/<key>/     the corpora of one build, ready to release; `latest` names the newest
├── calls.sqlite               every model call ever made here
├── reviews.sqlite             every verdict that people gave here
└── registry/
    ├── <name>.git/            one bare repository a dataset, with a standard git-LFS store
    ├── snapshots/<name>/<version>/   read-only folders that `datasets.load_dataset` loads
    └── hub/<org>/<name>/<version>-<commit>/   releases pulled from the Hub, pinned to a commit
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tilth.core.errors import StorageError


@dataclass(frozen=True)
class Home:
    """The folders of one Tilth home. Making a `Home` creates nothing."""

    root: Path

    @property
    def stages(self) -> Path:
        return self.root / "stages"

    @property
    def builds(self) -> Path:
        return self.root / "builds"

    @property
    def calls(self) -> Path:
        return self.root / "calls.sqlite"

    @property
    def reviews(self) -> Path:
        return self.root / "reviews.sqlite"

    @property
    def registry(self) -> Path:
        return self.root / "registry"


def home() -> Home:
    """The home in force here: `$TILTH_HOME`, else the nearest `.tilth` in this folder or above, else `./.tilth`.

    Raises:
        StorageError: `TILTH_HOME` names a file.
    """
    if named := os.environ.get("TILTH_HOME"):
        root = Path(named).expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise StorageError(f"TILTH_HOME={named} is no folder", hint="name a folder, or unset it")
        return Home(root)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".tilth").is_dir():
            return Home(folder / ".tilth")
    return Home(here / ".tilth")
