"""A row of the audit chain as an AuditEvent, made when it is read.

Who, what, when and with what outcome; the entities are the versions that the commit wrote.
Called by whoever shows the audit. Spec: https://hl7.org/fhir/R4/auditevent.html
"""

from __future__ import annotations

from typing import Any

from hub.model.body import instant
from hub.storage.port import AuditRecord

_TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_INTERACTIONS = "http://hl7.org/fhir/restful-interaction"
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_OPERATION = "urn:fhir-hub:operation"
_RESTFUL = frozenset(
    [
        "read",
        "vread",
        "create",
        "update",
        "patch",
        "delete",
        "history-instance",
        "history-type",
        "history-system",
        "search-type",
        "search-system",
        "batch",
        "transaction",
        "capabilities",
    ]
)


def audit_event(number: int, time: int, record: AuditRecord, source: str) -> dict[str, Any]:
    """One row as an AuditEvent.

    Args:
        number: Row number in the chain; makes the logical id.
        time: When it was written, milliseconds since the epoch.
        record: The row.
        source: Name of this server: AuditEvent.source.observer.display.
    """
    system = _INTERACTIONS if record.interaction in _RESTFUL else _OPERATION
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"audit-{number}",
        "meta": {"versionId": "1", "lastUpdated": instant(time)},
        "type": {"system": _TYPES, "code": "rest", "display": "RESTful Operation"},
        "subtype": [{"system": system, "code": record.interaction}],
        "action": record.action,
        "recorded": instant(time),
        "outcome": record.outcome,
        "agent": [
            {
                "type": {
                    "coding": [{"system": _DICOM, "code": "110153", "display": "Source Role ID"}]
                },
                "who": {"identifier": {"value": record.principal}, "display": record.principal},
                "requestor": True,
            }
        ],
        "source": {"observer": {"display": source}},
    }
    entities: list[dict[str, Any]] = [{"what": {"reference": entity}} for entity in record.entities]
    if record.request_id:
        entities.append(
            {
                "what": {"identifier": {"value": record.request_id}},
                "type": {
                    "system": "http://terminology.hl7.org/CodeSystem/audit-entity-type",
                    "code": "4",
                    "display": "Other",
                },
                "name": "request id",
            }
        )
    if entities:
        event["entity"] = entities
    return event
