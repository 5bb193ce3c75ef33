"""TerminologyCapabilities: what terminology this server offers (`metadata?mode=terminology`).

Names the code systems that whoever asks may search: R4's and the record's with their versions.
Called by `hub.interactions.capabilities`.
Spec: https://hl7.org/fhir/R4/terminologycapabilities.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.definitions import conformance_versions
from hub.model.code_syntax import SYSTEMS as BY_RULE

DESCRIPTION = (
    "$lookup, $validate-code, $subsumes, $expand and $translate over R4's own content, over the "
    "CodeSystem, ValueSet and ConceptMap resources of the record, over code systems loaded from "
    "files, and over resources that come with a request (tx-resource). UCUM, BCP-47, BCP-13 and "
    "ISO 4217 are validated by rule, not listed. Searches by :in, :not-in, "
    ":below and :above on codes; memberOf() and subsumes() in FHIRPath. Required bindings are "
    "checked on write. There is no $closure and no $find-matches; post-coordination is not known."
)

NOT_PRESENT = frozenset(("http://hl7.org/fhir/CodeSystem/summary", "http://snomed.info/sct"))
"""Code systems that R4's package names without their concepts."""

EXPANSION_PARAMETERS = (
    "activeOnly",
    "check-system-version",
    "count",
    "default-valueset-version",
    "designation",
    "displayLanguage",
    "excludeNested",
    "exclude-system",
    "filter",
    "force-system-version",
    "includeDefinition",
    "includeDesignations",
    "offset",
    "property",
    "system-version",
    "tx-resource",
    "url",
    "useSupplement",
    "valueSet",
    "valueSetVersion",
)

Systems = Iterable[tuple[str, str]]


def terminology_capabilities(
    base: str, date: str, software: dict[str, str], systems: Systems
) -> dict[str, Any]:
    """The statement.

    Args:
        base: The hub's own base.
        date: `2026-03-01`.
        software: Name and version.
        systems: Url and version ("" without) of the record's code systems.
    """
    return {
        "resourceType": "TerminologyCapabilities",
        "status": "active",
        "date": date,
        "kind": "instance",
        "description": DESCRIPTION,
        "software": software,
        "implementation": {"description": "FHIR R4 hub", "url": base},
        "lockedDate": False,
        "codeSystem": [_system(url, versions) for url, versions in _by_url(systems).items()],
        "expansion": {
            "hierarchical": True,
            "paging": True,
            "incomplete": False,
            "parameter": [{"name": name} for name in EXPANSION_PARAMETERS],
            "textFilter": (
                "All words must occur in the code, the display or a designation, each anywhere "
                "in them and in any case: one Chinese character is enough."
            ),
        },
        "codeSearch": "all",
        "validateCode": {"translations": True},
        "translation": {"needsMap": False},
    }


def _by_url(systems: Systems) -> Mapping[str, list[str]]:
    """Versions by url: the record's, then R4's."""
    found: dict[str, list[str]] = {}
    for url, version in sorted(systems):
        versions = found.setdefault(url, [])
        if version and version not in versions:
            versions.append(version)
    for url, version in conformance_versions("CodeSystem"):
        if url in NOT_PRESENT:
            continue
        versions = found.setdefault(url, [])
        if version and version not in versions:
            versions.append(version)
    for url in BY_RULE.values():
        found.setdefault(url, [])
    return found


def _system(url: str, versions: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"uri": url}
    if versions:
        made["version"] = [{"code": version} for version in versions]
    made["subsumption"] = True
    return made
