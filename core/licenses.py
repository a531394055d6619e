"""Licences as the Hub and SPDX name them: what the card's front matter may say, and what a licence forbids.

The Hub's identifiers are those of https://huggingface.co/docs/hub/repositories-licenses (mid-2026).
"""

from __future__ import annotations

import re

_HUB = """
    apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m
    afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5
    cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
    cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0
    cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0
    lgpl lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl
    openmdw-1.0 openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license
    fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 grok2-community gemma
    unknown other
"""
HUB = frozenset(_HUB.split())
"""Values that the Hub takes for `license:`."""

_FAMILY = {
    "odc-by-1.0": "odc-by",
    "odbl-1.0": "odbl",
    "pddl-1.0": "pddl",
    "gpl-2.0-only": "gpl-2.0",
    "gpl-3.0-only": "gpl-3.0",
    "lgpl-2.1-only": "lgpl-2.1",
    "lgpl-3.0-only": "lgpl-3.0",
    "agpl-3.0-only": "agpl-3.0",
}
"""SPDX ids that the Hub knows by a shorter name."""


def hub_id(license: str) -> str | None:
    """The Hub's identifier of a licence, None where the Hub has none.

    >>> hub_id("CC-BY-4.0"), hub_id("ODbL-1.0"), hub_id("Hospital terms")
    ('cc-by-4.0', 'odbl', None)
    """
    name = license.strip().lower()
    name = _FAMILY.get(name, name)
    return name if name in HUB else None


def text_url(license: str) -> str | None:
    """Where the licence's text stands: SPDX's page for an SPDX id, the licence itself where it is a URL, else None.

    >>> text_url("cc-by-4.0"), text_url("Hospital terms")
    ('https://spdx.org/licenses/CC-BY-4.0.html', None)
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if re.fullmatch(r"https?://[^\s<>\"'()\\|`]+", license):
        return license
    try:
        name = canonicalize_license_expression(license)
    except InvalidLicenseExpression:
        return None
    return None if " " in name or name.startswith("LicenseRef-") else f"https://spdx.org/licenses/{name}.html"


def front_matter(license: str, files: frozenset[str]) -> dict[str, str]:
    """`license`, or `license: other` with `license_name` and, where there is one to give, `license_link`.

    Args:
        license: as the recipe gives it.
        files: paths in the release; a `LICENSE` among them is what an unknown licence links to.
    """
    if (known := hub_id(license)) and known != "other":
        return {"license": known}
    name = re.sub(r"[^a-z0-9.]+", "-", license.lower().removeprefix("https://").removeprefix("http://")).strip("-.")
    fields = {"license": "other", "license_name": name[:96] or "other"}
    link = next((path for path in ("LICENSE", "LICENSE.md") if path in files), None) or text_url(license)
    return fields | ({"license_link": link} if link else {})


def forbids(license: str) -> tuple[str, ...]:
    """What a Creative Commons licence withholds, as its own name says: commercial use, derivatives.

    >>> forbids("CC-BY-NC-ND-4.0")
    ('commercial use', 'derivatives')
    """
    parts = license.lower().split("-")
    terms = {"nc": "commercial use", "nd": "derivatives"}
    return tuple(term for part, term in terms.items() if parts[0] == "cc" and part in parts)
