"""Every kind of event is a valid AuditEvent; every commit a valid Provenance."""

from __future__ import annotations

import base64
from typing import Any, get_args

import pytest
from msgspec import structs

from hub.audit.event import audit_event
from hub.audit.kinds import KINDS, interactions_with, kind_of
from hub.audit.provenance import provenance, targets
from hub.auth.parts import Event
from hub.storage.port import AuditRecord
from hub.validation.validator import Validator

VALIDATOR = Validator()
BASE = "https://hub.example/fhir"
NOW = 1_767_225_600_123

READ = AuditRecord(
    "R", "read", "li.wei", "r1", "0", ("Observation/o",), "app", "Practitioner/p", "192.0.2.1",
    "", ("a", "b"), "", NOW,
)  # fmt: skip


def made(record: AuditRecord) -> dict[str, Any]:
    event = audit_event("audit-7-1", NOW + 200, record, BASE)
    assert [one for one in VALIDATOR.validate(event) if one.severity == "error"] == []
    return event


def codes(event: dict[str, Any]) -> list[str]:
    return [event["type"]["code"], *(one["code"] for one in event["subtype"])]


@pytest.mark.parametrize("interaction", [*KINDS, "everything", "", "unknown"])
@pytest.mark.parametrize("outcome", ["0", "4", "8"])
def test_every_kind_is_a_valid_audit_event(interaction: str, outcome: str) -> None:
    detail = "" if outcome == "0" else "422 invalid"
    record = structs.replace(
        READ, interaction=interaction, action=kind_of(interaction).action, outcome=outcome,
        detail=detail, query="code=x" if "search" in interaction else "",
    )  # fmt: skip
    event = made(record)
    assert event["id"] == "audit-7-1"
    assert event["recorded"] == "2026-01-01T00:00:00.123Z"
    assert event["meta"]["lastUpdated"] == "2026-01-01T00:00:00.323Z"
    assert event.get("outcomeDesc", "") == detail


def test_little_known_events_are_valid_too() -> None:
    made(AuditRecord("E", "unknown", "", "", "4", time=NOW))
    made(AuditRecord("E", "unknown", "anonymous", "r", "4", address="192.0.2.1", time=NOW))
    made(AuditRecord("E", "login", "", "", "4", address="192.0.2.1", detail="403 x", time=NOW))
    made(AuditRecord("E", "token", "", "", "0", client="lab", time=NOW))
    made(AuditRecord("E", "create", "local", "", "0", ("odd", "Odd/", "x/y/z"), time=NOW))
    made(AuditRecord("E", "create", "local", "", patients=("not valid!",), time=NOW))


def test_a_read_names_user_app_server_resource_and_patients() -> None:
    event = made(READ)
    assert codes(event) == ["rest", "read"]
    user, client, server = event["agent"]
    assert user["who"]["reference"] == "Practitioner/p"
    assert user["who"]["identifier"]["value"] == user["altId"] == user["name"] == "li.wei"
    assert [one["requestor"] for one in event["agent"]] == [True, False, False]
    assert client["who"]["identifier"]["value"] == "app"
    assert client["network"] == {"address": "192.0.2.1", "type": "2"}
    assert [one["type"]["coding"][0]["code"] for one in event["agent"]] == [
        "IRCP",
        "110152",
        "110153",
    ]
    assert server["network"]["address"] == BASE
    assert [one["what"].get("reference") for one in event["entity"]] == [
        "Observation/o",
        "Patient/a",
        "Patient/b",
        None,
    ]
    assert event["entity"][3]["what"]["identifier"]["value"] == "r1"
    assert event["source"]["site"] == BASE


def test_a_query_is_kept_as_it_was_sent() -> None:
    record = structs.replace(
        READ, interaction="search-type", action="E", entities=("Patient",), query="name=张&_count=2"
    )
    event = made(record)
    (query,) = [one for one in event["entity"] if "query" in one]
    assert base64.b64decode(query["query"]).decode() == "Patient?name=张&_count=2"
    assert query["role"]["code"] == "24"
    assert codes(event) == ["rest", "search-type", "search"]
    assert [one["type"]["coding"][0]["code"] for one in event["agent"][1:]] == ["110153", "110152"]


def test_logins_are_told_as_dicom_does() -> None:
    assert codes(made(structs.replace(READ, interaction="login"))) == ["110114", "110122", "login"]
    assert codes(made(structs.replace(READ, interaction="logout")))[:2] == ["110114", "110123"]


@pytest.mark.parametrize(("detail", "type"), [("403 access", "110113"), ("404", "rest")])
def test_what_lacked_a_right_is_a_security_alert(detail: str, type: str) -> None:
    event = made(structs.replace(READ, outcome="4", detail=detail))
    assert codes(event) == [type, "read"]


def test_the_life_of_processes_is_told() -> None:
    event = made(AuditRecord("E", "unclean", "", "", "4", ("process/1.2",), time=NOW,
                             detail="audit-unclean"))  # fmt: skip
    assert "quarter of a second" in event["outcomeDesc"]
    assert event["entity"][0]["what"]["identifier"]["value"] == "process/1.2"
    assert len(event["agent"]) == 1


def test_a_system_is_the_requestor_itself() -> None:
    event = made(structs.replace(READ, principal="lab", client="lab", agent=""))
    assert [one["requestor"] for one in event["agent"]] == [True, False]


def test_every_event_at_the_front_door_has_its_kind() -> None:
    assert set(get_args(Event)) <= KINDS.keys()


def test_a_subtype_stands_for_interactions() -> None:
    assert set(interactions_with("search")) >= {"search-type", "search-system", "search"}
    assert interactions_with("everything") == ("everything",)
    assert interactions_with("read") == ("read", "vread")


def test_a_commit_has_a_provenance() -> None:
    record = AuditRecord(
        "U", "update", "li.wei", "r1", "0", ("Patient/a/_history/2", "Task/t/_history/1", "x"),
        "app", "Practitioner/p", time=NOW,
    )  # fmt: skip
    resource = provenance("prov-7", NOW, record)
    assert [one for one in VALIDATOR.validate(resource) if one.severity == "error"] == []
    assert [one["reference"] for one in resource["target"]] == [
        "Patient/a/_history/2",
        "Task/t/_history/1",
    ]
    assert [one["type"]["coding"][0]["code"] for one in resource["agent"]] == [
        "author",
        "assembler",
    ]
    assert resource["activity"]["coding"][0]["code"] == "UPDATE"
    assert not targets(READ)


@pytest.mark.parametrize(
    ("action", "principal", "client"), [("E", "lab", "lab"), ("D", "local", ""), ("C", "", "")]
)
def test_every_commit_has_a_valid_provenance(action: str, principal: str, client: str) -> None:
    record = AuditRecord(action, "transaction", principal, "", "0", ("Patient/a/_history/1",),
                         client, time=NOW)  # fmt: skip
    resource = provenance("prov-1", NOW, record)
    assert [one for one in VALIDATOR.validate(resource) if one.severity == "error"] == []
    assert resource["agent"]
