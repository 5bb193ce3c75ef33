"""A commit of the audit chain as a Provenance: who wrote these versions, with which app.

Made when it is read, like the AuditEvent of the same row. Called by `rendered`.
Spec: https://hl7.org/fhir/R4/provenance.html
"""

from __future__ import annotations

from typing import Any

from hub.audit.event import who
from hub.audit.kinds import OWN
from hub.model.body import instant
from hub.storage.port import AuditRecord

_OPERATIONS = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_PARTICIPANTS = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_AUTHOR = {"system": _PARTICIPANTS, "code": "author", "display": "Author"}
_ASSEMBLER = {"system": _PARTICIPANTS, "code": "assembler", "display": "Assembler"}
_ACTIVITIES = {
    "C": {"system": _OPERATIONS, "code": "CREATE", "display": "create"},
    "U": {"system": _OPERATIONS, "code": "UPDATE", "display": "revise"},
    "D": {"system": _OPERATIONS, "code": "DELETE", "display": "delete"},
}


def targets(record: AuditRecord) -> list[str]:
    """The versions that a commit wrote; it has a Provenance when there are any."""
    return [entity for entity in record.entities if "/_history/" in entity]


def provenance(id: str, written: int, record: AuditRecord) -> dict[str, Any]:
    """The Provenance of a commit.

    Args:
        id: Its logical id.
        written: When, milliseconds since the epoch.
        record: The commit's audit record, which names the versions it wrote.
    """
    person = record.agent or record.principal != record.client
    agents = []
    if person:
        agents.append(_agent(_AUTHOR, who(record.principal, record.agent)))
    if record.client:
        client = {"identifier": {"value": record.client}, "display": record.client}
        agents.append(_agent(_ASSEMBLER, client))
    activity = _ACTIVITIES.get(record.action, {"system": OWN, "code": record.interaction})
    return {
        "resourceType": "Provenance",
        "id": id,
        "meta": {"versionId": "1", "lastUpdated": instant(written)},
        "target": [{"reference": target} for target in targets(record)],
        "recorded": instant(record.time),
        "activity": {"coding": [activity]},
        "agent": agents or [_agent(_AUTHOR, who("", ""))],
    }


def _agent(type: dict[str, str], who: dict[str, Any]) -> dict[str, Any]:
    return {"type": {"coding": [type]}, "who": who}
