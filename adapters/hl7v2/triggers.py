"""Which trigger event a change is: what a version says, and what the one before said.

HL7 v2.5 sections 3.3.1 to 3.3.31. Called by `adapters.hl7v2.outbox`.
"""

from __future__ import annotations

from typing import Any

from adapters.hl7v2.announcing import RESULT_STATUS
from adapters.hl7v2.from_fhir import tables
from adapters.hl7v2.from_fhir.pv1 import patient_class

_HERE = frozenset(("in-progress", "onleave"))
_NEVER = frozenset(("cancelled", "entered-in-error"))
_SENT = RESULT_STATUS - _NEVER

Resource = dict[str, Any]


def trigger_of(now: Resource, before: Resource | None) -> str:
    """`ADT^A01` and the like; "" when nobody needs to know.

    Args:
        now: The version.
        before: The version before it, None when there was none or it was deleted.
    """
    match now["resourceType"]:
        case "Patient":
            return "ADT^A28" if before is None else "ADT^A31"
        case "Encounter":
            return _visit(now, before)
        case _:
            return _result(now, before)


def _visit(now: Resource, before: Resource | None) -> str:
    status = now.get("status")
    was = None if before is None else before.get("status")
    if status in _NEVER:
        return "ADT^A11" if was in _HERE or was == "finished" else ""
    if status == "finished":
        return "ADT^A08" if was == "finished" else "ADT^A03"
    if status not in _HERE:
        return ""
    if was in _HERE or was == "finished":
        return "ADT^A08"
    return "ADT^A01" if patient_class(now) in tables.ADMITTED else "ADT^A04"


def _result(now: Resource, before: Resource | None) -> str:
    status = now.get("status")
    was = None if before is None else before.get("status")
    if status in _SENT or (status in _NEVER and was in _SENT):
        return "ORU^R01"
    return ""
