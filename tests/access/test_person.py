"""From account and grant to principal: proxies and branches, and how they end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.access.accounts import Account
from hub.access.grants import Grant
from hub.access.person import PersonReader
from hub.context import Context
from hub.interactions import Interactions, RegistryHolder
from hub.principal import Principal
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore
from hub.storage.port import Store
from hub.storage.sqlite.store import open_store
from hub.validation.validator import Validator

NOW = datetime(2026, 3, 1, 4, tzinfo=UTC)
VALIDATOR = Validator()
RELATIVE: dict[str, Any] = {"patient": {"reference": "Patient/old"}, "active": True}
PERMIT: dict[str, Any] = {
    "type": "permit",
    "actor": [
        {
            "role": {"text": "proxy"},
            "reference": {"reference": "RelatedPerson/son"},
        }
    ],
}


class Record:
    """A record with what tells who somebody is."""

    def __init__(self, store: Store) -> None:
        self.door = Interactions(store, VALIDATOR, RegistryHolder(store), Settings())
        self.reader = PersonReader(store, clock=lambda: NOW)

    async def put(self, type: str, id: str, **content: Any) -> None:
        resource = {"resourceType": type, "id": id} | content
        await self.door.update(Context(), type, id, resource)

    async def consent(self, provision: dict[str, Any], **more: Any) -> None:
        content: dict[str, Any] = {
            "status": "active",
            "scope": {"coding": [{"code": "patient-privacy"}]},
            "category": [{"coding": [{"code": "59284-0"}]}],
            "patient": {"reference": "Patient/old"},
            "policyRule": {"coding": [{"code": "OPTOUT"}]},
            "provision": provision,
        }
        await self.put("Consent", more.pop("id", "c"), **content | more)

    async def person(self, role: str, fhir_user: str, *roles: str) -> Principal:
        account = Account(name="x", roles=(role, *roles), fhir_user=fhir_user)
        grant = Grant(id="g", client="app", account="x", scope="patient/*.rs", patient="old")
        return await self.reader(account, grant)

    async def proxy(self) -> frozenset[str] | None:
        return (await self.person("relative", "RelatedPerson/son")).patients


@pytest.fixture(params=["memory", "sqlite"])
async def record(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Record]:
    store: Store = MemoryStore() if request.param == "memory" else open_store(tmp_path / "data")
    made = Record(store)
    await made.put("Patient", "old")
    await made.put("Patient", "other")
    await made.put("RelatedPerson", "son", **RELATIVE)
    await made.put("RelatedPerson", "daughter", **RELATIVE)
    yield made
    await store.close()


async def test_a_patient_is_confined_to_itself(record: Record) -> None:
    found = await record.person("patient", "Patient/old")
    assert found.patients == {"old"}
    assert found.organizations is None
    assert (found.roles, found.client, found.patient, found.grant) == (
        {"patient"},
        "app",
        "old",
        "g",
    )
    assert (await record.person("patient", "Practitioner/old")).patients == set()
    assert (await record.person("patient", "")).patients == set()


async def test_a_relative_without_consent_sees_nobody(record: Record) -> None:
    assert await record.proxy() == set()


async def test_a_relative_acts_by_consent_until_it_is_revoked(record: Record) -> None:
    await record.consent(PERMIT)
    assert await record.proxy() == {"old"}
    await record.consent(PERMIT, status="inactive")
    assert await record.proxy() == set()
    await record.consent(PERMIT)
    await record.door.delete(Context(), "Consent", "c")
    assert await record.proxy() == set()


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"period": {"end": "2026-02-28"}},
        {"period": {"start": "2026-03-02"}},
        {"patient": {"reference": "Patient/other"}},
        {"patient": {"display": "somebody"}},
    ],
)
async def test_a_relative_that_is_none_any_more_sees_nobody(
    record: Record, change: dict[str, Any]
) -> None:
    await record.consent(PERMIT)
    await record.put("RelatedPerson", "son", **RELATIVE | change)
    assert await record.proxy() == set()


@pytest.mark.parametrize(
    ("provision", "expected"),
    [
        (PERMIT | {"period": {"start": "2026-01-01", "end": "2026-12-31"}}, True),
        (PERMIT | {"period": {"end": "2026-02-28"}}, False),
        (PERMIT | {"type": "deny"}, False),
        (PERMIT | {"class": [{"code": "Patient"}]}, False),
        (PERMIT | {"provision": [{"type": "deny", "code": [{"text": "HIV"}]}]}, False),
        (PERMIT | {"action": [{"coding": [{"code": "access"}]}]}, True),
        (PERMIT | {"action": [{"coding": [{"code": "correct"}]}]}, False),
        (PERMIT | {"action": [{"text": "whatever"}]}, False),
        (PERMIT | {"modifierExtension": [{"url": "urn:not", "valueBoolean": True}]}, False),
        ({"type": "deny", "provision": [PERMIT]}, True),
        ({"provision": [PERMIT]}, True),
        ({"provision": [PERMIT], "period": {"end": "2026-02-28"}}, False),
        ({"actor": PERMIT["actor"]}, False),
        ({"type": "permit"}, False),
    ],
)
async def test_a_consent_permits_only_what_it_says(
    record: Record, provision: dict[str, Any], expected: bool
) -> None:
    await record.consent(provision)
    assert await record.proxy() == ({"old"} if expected else set())


async def test_a_consent_that_is_modified_permits_nothing_but_still_denies(record: Record) -> None:
    modified = [{"url": "urn:not", "valueBoolean": True}]
    await record.consent(PERMIT, modifierExtension=modified)
    assert await record.proxy() == set()
    await record.consent(PERMIT)
    await record.consent(PERMIT | {"type": "deny"}, id="d", modifierExtension=modified)
    assert await record.proxy() == set()


async def test_a_rule_to_permit_needs_no_type(record: Record) -> None:
    await record.consent({"actor": PERMIT["actor"]}, policyRule={"coding": [{"code": "OPTIN"}]})
    assert await record.proxy() == {"old"}


async def test_a_refusal_wins_over_a_permission(record: Record) -> None:
    await record.consent(PERMIT)
    await record.consent(PERMIT | {"type": "deny"}, id="d")
    assert await record.proxy() == set()


async def test_a_consent_of_another_patient_or_for_another_relative_permits_nothing(
    record: Record,
) -> None:
    await record.consent(PERMIT, patient={"reference": "Patient/other"})
    assert await record.proxy() == set()
    await record.consent(PERMIT)
    assert (await record.person("relative", "RelatedPerson/daughter")).patients == set()
    assert (await record.person("patient", "RelatedPerson/son")).patients == set()


async def test_a_person_is_whom_it_links_to(record: Record) -> None:
    await record.consent(PERMIT)
    links = [{"target": {"reference": f"{one}"}} for one in ("RelatedPerson/son", "Patient/other")]
    await record.put("Person", "p", link=links)
    assert (await record.person("relative", "Person/p", "patient")).patients == {"old", "other"}
    assert (await record.person("relative", "Person/p")).patients == {"old"}
    await record.put("Person", "p", link=links, active=False)
    assert (await record.person("relative", "Person/p", "patient")).patients == set()


async def test_staff_sees_the_branches_it_works_for_and_what_is_part_of_them(
    record: Record,
) -> None:
    await record.put("Organization", "hq", name="HQ")
    for id, above in (("north", "hq"), ("south", "hq"), ("ward", "north")):
        await record.put("Organization", id, name=id, partOf={"reference": f"Organization/{above}"})
    await record.put("Practitioner", "doc")

    async def role(id: str, organization: str, **more: Any) -> None:
        await record.put(
            "PractitionerRole",
            id,
            practitioner={"reference": "Practitioner/doc"},
            organization={"reference": f"Organization/{organization}"},
            **more,
        )

    async def branches(fhir_user: str = "Practitioner/doc") -> frozenset[str] | None:
        return (await record.person("doctor", fhir_user)).organizations

    assert await branches() == set()
    await role("r1", "north")
    assert await branches() == {"north", "ward"}
    assert await branches("PractitionerRole/r1") == {"north", "ward"}
    await role("r2", "hq", period={"end": "2026-02-28"})
    assert await branches() == {"north", "ward"}
    await role("r2", "hq")
    assert await branches() == {"hq", "north", "south", "ward"}
    await role("r1", "north", active=False)
    await role("r2", "south")
    assert await branches() == {"south"}
    await record.put("Practitioner", "doc", active=False)
    assert await branches() == set()
    assert (await record.person("admin", "Practitioner/doc")).organizations is None


async def test_branches_in_a_circle_end(record: Record) -> None:
    await record.put("Organization", "a", name="a")
    await record.put("Organization", "b", name="b", partOf={"reference": "Organization/a"})
    await record.put("Organization", "a", name="a", partOf={"reference": "Organization/b"})
    await record.put(
        "PractitionerRole",
        "r",
        organization={"reference": "Organization/a"},
    )
    assert (await record.person("nurse", "PractitionerRole/r")).organizations == {"a", "b"}


async def test_a_service_has_no_role_but_its_own(record: Record) -> None:
    grant = Grant(id="g", client="lab", scope="system/Observation.cruds")
    found = await record.reader(None, grant)
    assert (found.name, found.roles) == ("lab", {"system"})
    assert found.scopes is not None
    assert (await record.person("system", "")).roles == set()
