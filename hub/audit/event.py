"""An event of the audit chain as an AuditEvent, made when it is read.

The shapes are those of IHE's Basic Audit Log Patterns: who (user, client, server), the patients,
the resources, the query as it was sent. One event of ours may name several patients and several
resources, where BALP would write one AuditEvent for each patient. What was refused for lack of
a right (401, 403) is a security alert. Called by `rendered`.
Spec: https://hl7.org/fhir/R4/auditevent.html, https://profiles.ihe.net/ITI/BALP
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

from hub.audit.kinds import ACTIVITY, ALERT, DICOM, KINDS, REST, Kind, kind_of
from hub.model.body import instant
from hub.model.identity import valid_id
from hub.storage.port import AuditRecord

OBSERVER = "FHIR hub"
_ENTITY_TYPES = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLES = "http://terminology.hl7.org/CodeSystem/object-role"
_REQUEST_ID = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_SOURCE_TYPES = "http://terminology.hl7.org/CodeSystem/security-source-type"
_URI = "urn:ietf:rfc:3986"

_PERSON = {"system": _ENTITY_TYPES, "code": "1", "display": "Person"}
_OBJECT = {"system": _ENTITY_TYPES, "code": "2", "display": "System Object"}
_PATIENT_ROLE = {"system": _ROLES, "code": "1", "display": "Patient"}
_DOMAIN_ROLE = {"system": _ROLES, "code": "4", "display": "Domain Resource"}
_USER_ROLE = {"system": _ROLES, "code": "6", "display": "User"}
_QUERY_ROLE = {"system": _ROLES, "code": "24", "display": "Query"}
_APPLICATION = {"system": DICOM, "code": "110150", "display": "Application"}
_SOURCE = {"system": DICOM, "code": "110153", "display": "Source Role ID"}
_DESTINATION = {"system": DICOM, "code": "110152", "display": "Destination Role ID"}
_RECIPIENT = {"system": _PARTICIPATION, "code": "IRCP", "display": "information recipient"}

_IP, _URL = "2", "5"
_REFUSED = ("401", "403")
_WORDS = {
    "audit-unclean": (
        "The process ended without a stop: what it answered in its last quarter of a second may "
        "be missing here."
    )
}


def audit_event(id: str, written: int, record: AuditRecord, base: str) -> dict[str, Any]:
    """One event as an AuditEvent.

    Args:
        id: Its logical id.
        written: When its row was written, milliseconds since the epoch.
        record: The event, with its time.
        base: The hub's own base URL: AuditEvent.source and the server's agent.
    """
    kind = kind_of(record.interaction)
    refused = kind.type == REST and record.detail.startswith(_REFUSED)
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": id,
        "meta": {"versionId": "1", "lastUpdated": instant(written)},
        "type": (ALERT if refused else kind.type).coding(),
        "subtype": [code.coding() for code in kind.subtypes],
        "action": record.action,
        "recorded": instant(record.time),
        "outcome": record.outcome,
    }
    if record.detail:
        event["outcomeDesc"] = _WORDS.get(record.detail, record.detail)
    event["agent"] = _agents(record, kind, base)
    event["source"] = {
        "site": base,
        "observer": _server(base),
        "type": [{"system": _SOURCE_TYPES, "code": "4", "display": "Application Server"}],
    }
    entities = _entities(record)
    if entities:
        event["entity"] = entities
    return event


def who(principal: str, agent: str) -> dict[str, Any]:
    """A Reference to who acted: by reference where it is in the record, and by account name."""
    made: dict[str, Any] = {}
    if is_reference(agent):
        made["reference"] = agent
    if principal:
        made["identifier"] = {"value": principal}
        made["display"] = principal
    return made or {"display": "unknown"}


def is_reference(text: str) -> bool:
    """Whether it is `Type/id`, or one with a version."""
    type, _, rest = text.partition("/")
    id, history, version = rest.partition("/_history/")
    return type[:1].isupper() and valid_id(id) and (not history or version.isdigit())


def _agents(record: AuditRecord, kind: Kind, base: str) -> list[dict[str, Any]]:
    """User, client and server."""
    who_acts = record.principal or record.client or record.agent or record.address
    if kind.type == ACTIVITY or not who_acts:
        return [_acting(_APPLICATION, _server(base), requestor=False)]
    agents = []
    has_user = bool(record.agent or (record.principal and record.principal != record.client))
    if has_user:
        user = _acting(_RECIPIENT, who(record.principal, record.agent), requestor=True)
        if record.principal:
            user["altId"] = user["name"] = record.principal
        agents.append(user)
    reads = kind.type == REST and record.action == "R"
    ours, theirs = (_SOURCE, _DESTINATION) if reads else (_DESTINATION, _SOURCE)
    if record.client or record.address:
        client: dict[str, Any] = {"display": record.address}
        if record.client:
            client = {"identifier": {"value": record.client}, "display": record.client}
        found = _acting(theirs, client, requestor=not has_user)
        if record.client:
            found["altId"] = found["name"] = record.client
        if record.address:
            found["network"] = {"address": record.address, "type": _IP}
        agents.append(found)
    server = _acting(ours, _server(base), requestor=False)
    server["network"] = {"address": base, "type": _URL}
    agents.append(server)
    return agents


def _acting(type: dict[str, str], who: dict[str, Any], *, requestor: bool) -> dict[str, Any]:
    return {"type": {"coding": [type]}, "who": who, "requestor": requestor}


@lru_cache(maxsize=16)
def _server(base: str) -> dict[str, Any]:
    return {"identifier": {"system": _URI, "value": base}, "display": OBSERVER}


def _operated(record: AuditRecord) -> str:
    """What a query that names no type was sent to: `Patient/7/$everything`."""
    place = record.entities[0] if record.entities else ""
    if record.interaction in KINDS:
        return place
    return f"{place}/${record.interaction}".lstrip("/")


def _entities(record: AuditRecord) -> list[dict[str, Any]]:
    """What was touched: resources, patients, accounts; the query; the request's id."""
    entities: list[dict[str, Any]] = []
    searched = ""
    for entity in record.entities:
        if is_reference(entity):
            entities.append({"what": {"reference": entity}, "type": _OBJECT, "role": _DOMAIN_ROLE})
        elif "/" in entity:
            role = {"role": _USER_ROLE} if entity.startswith("account/") else {}
            entities.append({"what": {"identifier": {"value": entity}}, "type": _OBJECT, **role})
        else:
            searched = entity
    entities += [
        {"what": {"reference": f"Patient/{id}"}, "type": _PERSON, "role": _PATIENT_ROLE}
        for id in record.patients
        if valid_id(id)
    ]
    if record.query or searched:
        target = searched or _operated(record)
        asked = f"{target}?{record.query}" if record.query else target
        entities.append(
            {
                "type": _OBJECT,
                "role": _QUERY_ROLE,
                "description": asked,
                "query": base64.b64encode(asked.encode()).decode(),
            }
        )
    if record.request_id:
        entities.append(
            {
                "what": {"identifier": {"value": record.request_id}},
                "type": {"system": _REQUEST_ID, "code": "XrequestId"},
            }
        )
    return entities
