"""TerminologyCapabilities: what terminology this server offers (`metadata?mode=terminology`).

Until the terminology service is there this is next to nothing, and the statement says so.
Called by `hub.interactions.capabilities`.
Spec: https://hl7.org/fhir/R4/terminologycapabilities.html
"""

from __future__ import annotations

from typing import Any

DESCRIPTION = (
    "This server has no terminology operations yet: no $expand, $validate-code, $lookup, "
    "$subsumes, $translate or $closure. Required bindings of R4 are checked on write against "
    "the value sets of the core package. CodeSystem, ValueSet and ConceptMap can be stored and "
    "searched as resources."
)


def terminology_capabilities(base: str, date: str, software: dict[str, str]) -> dict[str, Any]:
    """The statement.

    Args:
        base: The hub's own base.
        date: `2026-03-01`.
        software: Name and version.
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
        "codeSearch": "explicit",
    }
