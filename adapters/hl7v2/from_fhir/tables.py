"""FHIR codes as codes of HL7 tables: the table maps of messages in, turned round.

Where several codes mean the same in FHIR, the first of the map is written, or the one that `_OWN`
prefers; what only goes out stands there too. A site's local codes come over both. HL7 v2.5
chapter 2A and appendix A. Called by `datatypes`, `scene` and the modules of the segments.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from adapters.hl7v2.mapping import files
from adapters.hl7v2.sites import Site

Codes = Mapping[str, str]

ADMITTED = frozenset("I")
"""Patient classes that are admitted (A01); the others are registered (A04)."""

LOCATION_PARTS: Mapping[str, int] = MappingProxyType({"ro": 1, "bd": 2, "bu": 6, "lvl": 7, "wa": 0})
"""Location.physicalType to its place in PL; whatever is not here is the point of care."""

_OWN: Mapping[str, Codes] = MappingProxyType(
    {
        "address-use": {"old": "BA"},
        "code-systems": {
            "http://hl7.org/fhir/sid/icd-10": "I10",
            "http://hl7.org/fhir/sid/icd-10-cm": "I10C",
            "http://hl7.org/fhir/sid/icd-9-cm": "I9C",
        },
        "document-completion": {"preliminary": "IP", "amended": "AU", "entered-in-error": "DO"},
        "encounter-class": {
            "ACUTE": "I",
            "NONAC": "I",
            "SS": "I",
            "OBSENC": "I",
            "VR": "O",
            "HH": "O",
            "FLD": "O",
        },
        "name-use": {"temp": "TEMP", "old": "NOUSE"},
        "referral-priority": {"urgent": "A"},
        "report-status": {
            "registered": "O",
            "preliminary": "P",
            "amended": "C",
            "appended": "C",
            "entered-in-error": "X",
        },
        "result-status": {"entered-in-error": "W", "amended": "C"},
        "telecom-system": {"sms": "CP", "other": "MD"},
        "telecom-use": {"temp": "VHN"},
    }
)
_V2_TABLE = "http://terminology.hl7.org/CodeSystem/v2-"


@lru_cache(maxsize=64)
def turned(name: str) -> Codes:
    """A table map of ours turned round: from FHIR's code to the table's.

    Args:
        name: Of its file.
    """
    found: dict[str, str] = {}
    for code, target in files.ours("tables")[name]["codes"].items():
        found.setdefault(_target(target), code)
    found.pop("", None)
    return MappingProxyType({**found, **_OWN.get(name, {})})


def own_codes(site: Site) -> Mapping[str, Codes]:
    """A site's local tables turned round, by the names of the tables."""
    found: dict[str, Codes] = {}
    for name, content in site.tables.items():
        inside = content.get("codes")
        codes = inside if isinstance(inside, Mapping) else content
        local: dict[str, str] = {}
        for code, target in codes.items():
            local.setdefault(_target(target), str(code))
        found[name] = local
    return found


def _target(target: Any) -> str:
    """The code that a table gives: itself, or the first of code, display and system."""
    if isinstance(target, list):
        return str(target[0]) if target else ""
    return target if isinstance(target, str) else ""


def code(name: str, given: object, default: str = "") -> str:
    """A FHIR code in an HL7 table.

    Args:
        name: Of the table map.
        given: The code, None for none.
        default: When the table has nothing for it.
    """
    return turned(name).get(given, default) if isinstance(given, str) else default


def coding_system(system: str) -> str:
    """A code system by its name in table 0396; one that has none by its own uri.

    Args:
        system: Coding.system; "" is a local code (L).
    """
    if not system:
        return "L"
    if system.startswith(_V2_TABLE):
        return f"HL7{system.removeprefix(_V2_TABLE)}"
    return turned("code-systems").get(system, system.removeprefix("urn:oid:"))


def address_type(use: object, kind: object) -> str:
    """Address.use, or else its type, to table 0190."""
    return code("address-use", use, "M" if kind == "postal" else "")


def telecom(use: object, system: object) -> tuple[str, str]:
    """ContactPoint.use and system to tables 0201 and 0202."""
    if system == "email":
        return "NET", "Internet"
    if use == "mobile":
        return code("telecom-use", use), "CP"
    return code("telecom-use", use), code("telecom-system", system)
