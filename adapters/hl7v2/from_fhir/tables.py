"""FHIR codes as codes of HL7 tables.

HL7 v2.5 chapter 2A and appendix A. Called by `datatypes` and the modules of the segments.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SEX: Mapping[str, str] = MappingProxyType(
    {"male": "M", "female": "F", "other": "O", "unknown": "U"}
)
"""Administrative gender to table 0001."""

_NAME_TYPES = {
    "official": "L",
    "usual": "D",
    "nickname": "N",
    "maiden": "M",
    "anonymous": "MSK",
    "temp": "TEMP",
    "old": "NOUSE",
}
_ADDRESS_TYPES = {"home": "H", "work": "B", "temp": "C", "old": "BA", "billing": "BI"}
_TELECOM_USES = {"home": "PRN", "work": "WPN", "mobile": "PRS", "temp": "VHN"}
_EQUIPMENT = {"phone": "PH", "fax": "FX", "pager": "BP", "sms": "CP", "other": "MD"}

PATIENT_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "IMP": "I",
        "ACUTE": "I",
        "NONAC": "I",
        "SS": "I",
        "OBSENC": "I",
        "EMER": "E",
        "AMB": "O",
        "VR": "O",
        "HH": "O",
        "FLD": "O",
        "PRENC": "P",
    }
)
"""Encounter.class to table 0004; codes of 0004 itself stay."""

ADMITTED = frozenset("I")
"""Patient classes that are admitted (A01); the others are registered (A04)."""

REPORT_STATUS: Mapping[str, str] = MappingProxyType(
    {
        "registered": "O",
        "partial": "R",
        "preliminary": "P",
        "final": "F",
        "amended": "C",
        "corrected": "C",
        "appended": "C",
        "cancelled": "X",
        "entered-in-error": "X",
    }
)
"""DiagnosticReport.status to table 0123."""

RESULT_STATUS: Mapping[str, str] = MappingProxyType(
    {
        "registered": "I",
        "preliminary": "P",
        "final": "F",
        "amended": "C",
        "corrected": "C",
        "cancelled": "X",
        "entered-in-error": "W",
    }
)
"""Observation.status to table 0085."""

PRIORITY: Mapping[str, str] = MappingProxyType(
    {"routine": "R", "urgent": "A", "asap": "A", "stat": "S"}
)
"""Request priority to table 0280."""

COMPLETION: Mapping[str, str] = MappingProxyType(
    {"preliminary": "IP", "final": "AU", "amended": "AU", "entered-in-error": "DO"}
)
"""DocumentReference.docStatus to table 0271."""

AVAILABILITY: Mapping[str, str] = MappingProxyType(
    {"current": "AV", "superseded": "OB", "entered-in-error": "CA"}
)
"""DocumentReference.status to table 0273."""

LOCATION_PARTS: Mapping[str, int] = MappingProxyType({"ro": 1, "bd": 2, "bu": 6, "lvl": 7, "wa": 0})
"""Location.physicalType to its place in PL; whatever is not here is the point of care."""

_V2_TABLE = "http://terminology.hl7.org/CodeSystem/v2-"
_SYSTEMS = {
    "http://loinc.org": "LN",
    "http://snomed.info/sct": "SCT",
    "http://unitsofmeasure.org": "UCUM",
    "http://hl7.org/fhir/sid/icd-10": "I10",
    "http://hl7.org/fhir/sid/icd-10-cm": "I10C",
    "http://hl7.org/fhir/sid/icd-9-cm": "I9C",
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RXNORM",
    "http://hl7.org/fhir/sid/ndc": "NDC",
    "http://www.whocc.no/atc": "ATC",
}


def coding_system(system: str) -> str:
    """A code system by its name in table 0396; one that has none by its own uri.

    Args:
        system: Coding.system; "" is a local code (L).
    """
    if not system:
        return "L"
    if system.startswith(_V2_TABLE):
        return f"HL7{system.removeprefix(_V2_TABLE)}"
    return _SYSTEMS.get(system, system.removeprefix("urn:oid:"))


def name_type(use: str) -> str:
    """HumanName.use to table 0200; none: the legal name."""
    return _NAME_TYPES.get(use, "L")


def address_type(use: str, kind: str) -> str:
    """Address.use, or else its type, to table 0190."""
    return _ADDRESS_TYPES.get(use, "M" if kind == "postal" else "")


def telecom(use: str, system: str) -> tuple[str, str]:
    """ContactPoint.use and system to tables 0201 and 0202."""
    if system == "email":
        return "NET", "Internet"
    if use == "mobile":
        return _TELECOM_USES[use], "CP"
    return _TELECOM_USES.get(use, ""), _EQUIPMENT.get(system, "")


def patient_class(code: str) -> str:
    """Encounter.class to table 0004; none: N, not applicable."""
    if len(code) == 1:
        return code
    return PATIENT_CLASSES.get(code, "O" if code else "N")
