from __future__ import annotations

from hub.audit.event import audit_event
from hub.storage.port import AuditRecord
from hub.validation.validator import Validator


def test_a_row_is_a_valid_audit_event() -> None:
    record = AuditRecord(
        "U", "update", "local", "r1", entities=("Patient/a/_history/2", "Patient/b/_history/1")
    )
    event = audit_event(7, 1_767_225_600_123, record, "hub")
    assert [one for one in Validator().validate(event) if one.severity == "error"] == []
    assert event["id"] == "audit-7"
    assert event["recorded"] == "2026-01-01T00:00:00.123Z"
    assert [one["what"].get("reference") for one in event["entity"]] == [
        "Patient/a/_history/2",
        "Patient/b/_history/1",
        None,
    ]


def test_an_operation_is_named_as_such() -> None:
    event = audit_event(1, 0, AuditRecord("E", "expunge", "local", ""), "hub")
    assert event["subtype"][0]["system"] == "urn:fhir-hub:operation"
    assert "entity" not in event
    assert [one for one in Validator().validate(event) if one.severity == "error"] == []
