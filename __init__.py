"""Tilth: builds, judges, releases and trains on LLM corpora.

>>> import tilth                                  # doctest: +SKIP
>>> tilth.open("demo@0.1.0")["sft"]["train"]      # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "build", "open"]


def __getattr__(name: str) -> Any:
    # Lazy: `import tilth` must stay cheap, and `tilth --help` cheaper.
    if name == "open":
        from tilth.registry.releases import open as open_release

        return open_release
    if name == "build":
        from tilth.builders.build import build

        return build
    raise AttributeError(f"module 'tilth' has no attribute {name!r}")
