"""The audit chain is read and searched as AuditEvent and Provenance."""

from __future__ import annotations

from typing import Any

import pytest

from hub.audit.recorder import Recorder
from hub.context import Context
from hub.errors import BadRequest, Conflict, Forbidden, NotFound, TooCostly
from hub.interactions import Interactions
from hub.interactions.answer import BundleAnswer, resource_of
from hub.principal import Principal
from hub.storage.port import AuditQuery
from tests.interactions.conftest import door_over, observation, patient

DOCTOR = Principal(
    "li.wei", frozenset(("admin",)), fhir_user="Practitioner/p", client="app", scopes=None
)


@pytest.fixture
def ctx() -> Context:
    """A doctor who sees all, at an address."""
    return Context(principal=DOCTOR, address="192.0.2.1", request_id="r-1")


def ids(answer: BundleAnswer) -> list[str]:
    return [entry.stored.id for entry in answer.entries if entry.stored is not None]


def resources(answer: BundleAnswer) -> list[dict[str, Any]]:
    return [resource_of(entry.stored) for entry in answer.entries if entry.stored is not None]


async def search(door: Interactions, ctx: Context, url: str, **more: Any) -> BundleAnswer:
    type, _, query = url.partition("?")
    parameters = [tuple(part.split("=", 1)) for part in query.split("&") if part]
    return await door.search(ctx, type, parameters, **more)  # type: ignore[arg-type]


async def some_events(door: Interactions, ctx: Context) -> tuple[str, str]:
    """Two patients, an observation, and what was looked at."""
    first = await door.create(ctx, "Patient", patient())
    second = await door.create(ctx, "Patient", patient())
    assert first.stored is not None
    assert second.stored is not None
    one, two = first.stored.id, second.stored.id
    await door.create(ctx, "Observation", observation(f"Patient/{one}"))
    recorder = Recorder(door.store)
    reader = Principal("chen", client="tablet")
    body = f'"Patient/{one}"'.encode()
    recorder.add(reader, "r-2", "192.0.2.2", "read", 200, "Observation", "o", body=body)
    recorder.add(reader, "r-3", "192.0.2.2", "search-type", 200, "Patient", query="name=x")
    recorder.add(reader, "r-4", "192.0.2.2", "read", 403, "Patient", two, reason="access-type")
    recorder.access("login", ok=True, account="chen", client="tablet", address="192.0.2.2")
    await recorder.flush()
    return one, two


async def test_events_come_newest_first(door: Interactions, ctx: Context) -> None:
    await some_events(door, ctx)
    answer = await search(door, ctx, "AuditEvent?")
    assert ids(answer) == [
        "audit-4-4",
        "audit-4-3",
        "audit-4-2",
        "audit-4-1",
        "audit-3",
        "audit-2",
        "audit-1",
    ]
    assert answer.total is None
    assert all(entry.full_url.endswith(entry.stored.id) for entry in answer.entries if entry.stored)


CASES = [
    ("AuditEvent?patient={one}", ["audit-4-1", "audit-3", "audit-1"]),
    ("AuditEvent?patient=Patient/{two}", ["audit-4-3", "audit-2"]),
    ("AuditEvent?entity=Patient/{two}", ["audit-4-3", "audit-2"]),
    ("AuditEvent?entity=Observation/o", ["audit-4-1"]),
    ("AuditEvent?patient={one},{two}&action=R", ["audit-4-3", "audit-4-1"]),
    ("AuditEvent?patient={one}&patient={two}", []),
    ("AuditEvent?agent=Practitioner/p", ["audit-3", "audit-2", "audit-1"]),
    ("AuditEvent?agent:identifier=chen&action=R", ["audit-4-3", "audit-4-1"]),
    ("AuditEvent?altid=CHEN&action=E", ["audit-4-4", "audit-4-2"]),
    ("AuditEvent?agent-name=li", ["audit-3", "audit-2", "audit-1"]),
    ("AuditEvent?address=192.0.2.2&outcome=0", ["audit-4-4", "audit-4-2", "audit-4-1"]),
    ("AuditEvent?outcome=4", ["audit-4-3"]),
    ("AuditEvent?outcome:not=0", ["audit-4-3"]),
    ("AuditEvent?type=110114", ["audit-4-4"]),
    ("AuditEvent?type=110113", ["audit-4-3"]),
    ("AuditEvent?subtype=search", ["audit-4-2"]),
    ("AuditEvent?subtype=http://hl7.org/fhir/restful-interaction|create&entity=Patient/{one}",
     ["audit-3", "audit-1"]),
    ("AuditEvent?entity-role=24", ["audit-4-2"]),
    ("AuditEvent?entity-type=1&action=C", ["audit-3", "audit-2", "audit-1"]),
    ("AuditEvent?agent:missing=true", []),
    ("AuditEvent?policy:missing=false", []),
    ("AuditEvent?date=lt2001", []),
    ("AuditEvent?date=ge2001&action=C&_count=1", ["audit-3"]),
    ("AuditEvent?_lastUpdated=gt2001&outcome=4", ["audit-4-3"]),
    ("AuditEvent?_id=audit-4-2,audit-1,audit-9,prov-1,x", ["audit-4-2", "audit-1"]),
    ("AuditEvent?site=http://127.0.0.1:8080/fhir&outcome=4", ["audit-4-3"]),
    ("AuditEvent?source:identifier=http://127.0.0.1:8080/fhir&outcome=4", ["audit-4-3"]),
    ("AuditEvent?patient._id={two}", ["audit-4-3", "audit-2"]),
    ("AuditEvent?_sort=-date&_count=2", ["audit-4-4", "audit-4-3"]),
    ("AuditEvent?_sort=-_lastUpdated&action=C", ["audit-3", "audit-2", "audit-1"]),
    ("Provenance?target=Patient/{one}", ["prov-1"]),
    ("Provenance?target=Patient/{one}/_history/1", ["prov-1"]),
    ("Provenance?target=Patient/{one}/_history/2", []),
    ("Provenance?patient={two}", ["prov-2"]),
    ("Provenance?agent=Practitioner/p", ["prov-3", "prov-2", "prov-1"]),
    ("Provenance?agent-type=assembler&_count=1", ["prov-3"]),
    ("Provenance?recorded=gt2001&target=Patient/{one}", ["prov-1"]),
    ("Provenance?_sort=-recorded", ["prov-3", "prov-2", "prov-1"]),
]  # fmt: skip


async def test_every_parameter_finds_events(door: Interactions, ctx: Context) -> None:
    one, two = await some_events(door, ctx)
    for url, expected in CASES:
        answer = await search(door, ctx, url.format(one=one, two=two))
        assert ids(answer) == expected, url


async def test_a_compartment_has_its_events(door: Interactions, ctx: Context) -> None:
    one, two = await some_events(door, ctx)
    answer = await door.search(ctx, "AuditEvent", [], compartment=("Patient", one))
    assert ids(answer) == ["audit-4-1", "audit-3", "audit-1"]
    answer = await door.search(ctx, "Provenance", [], compartment=("Patient", two))
    assert ids(answer) == ["prov-2"]
    answer = await door.search(ctx, "AuditEvent", [], compartment=("Practitioner", "p"))
    assert ids(answer) == ["audit-3", "audit-2", "audit-1"]


@pytest.mark.parametrize(
    "url",
    [
        "AuditEvent?_sort=date",
        "AuditEvent?_sort=-action",
        "AuditEvent?_sort=-date,-_lastUpdated",
        "Provenance?_has:AuditEvent:entity:action=C",
        "AuditEvent?_list=x",
    ],
)
async def test_what_the_chain_cannot_be_asked_finds_stored_ones_and_says_so(
    door: Interactions, ctx: Context, url: str
) -> None:
    await some_events(door, ctx)
    stored = await door.create(ctx, "AuditEvent", stored_event("2001-01-01T00:00:00Z"))
    assert stored.stored is not None
    answer = await search(door, ctx, url)
    assert ids(answer) == ([stored.stored.id] if "_sort" in url else [])
    assert [issue.message for issue in answer.issues] in (["audit-sort"], ["audit-backwards"])
    with pytest.raises(BadRequest):
        await search(door, ctx, url, strict=True)


async def test_pages_stay_while_rows_are_added(door: Interactions, ctx: Context) -> None:
    """Events of the chain and stored resources, page by page, each once."""
    await some_events(door, ctx)
    for year in (2001, 2099, 2002):
        await door.create(ctx, "AuditEvent", stored_event(f"{year}-01-01T00:00:00Z"))
    answer = await search(door, ctx, "AuditEvent?_count=100")
    expected = ids(answer)
    assert len(expected) == len(set(expected)) == 13
    assert expected[0] not in ("audit-7", "audit-6")  # of the year 2099
    for size in (1, 2, 3, 5):
        found: list[str] = []
        url = f"AuditEvent?_count={size}"
        while True:
            answer = await search(door, ctx, url)
            found += ids(answer)
            links = dict(answer.links)
            if "next" not in links:
                break
            await door.create(ctx, "Patient", patient())
            url = "AuditEvent?" + links["next"].partition("?")[2]
        assert found == expected, size
        expected = ids(await search(door, ctx, "AuditEvent?_count=1000"))


async def test_stored_provenances_and_told_ones_are_found_together(
    door: Interactions, ctx: Context
) -> None:
    one, _ = await some_events(door, ctx)
    stored = await door.create(ctx, "Provenance", stored_provenance(f"Patient/{one}"))
    assert stored.stored is not None
    answer = await search(door, ctx, f"Provenance?target=Patient/{one}&_total=accurate")
    assert ids(answer) == ["prov-1", stored.stored.id]
    assert answer.total == 2


async def test_provenance_comes_along_with_what_it_is_about(
    door: Interactions, ctx: Context
) -> None:
    one, _ = await some_events(door, ctx)
    answer = await search(door, ctx, f"Patient?_id={one}&_revinclude=Provenance:target")
    assert ids(answer) == [one, "prov-1"]
    answer = await search(door, ctx, f"AuditEvent?entity=Patient/{one}&_include=AuditEvent:patient")
    assert one in ids(answer)


async def test_totals(door: Interactions, ctx: Context) -> None:
    await some_events(door, ctx)
    assert (await search(door, ctx, "AuditEvent?_summary=count")).total == 7
    assert (await search(door, ctx, "AuditEvent?_count=2&_total=accurate")).total == 7
    assert (await search(door, ctx, "AuditEvent?_total=estimate")).total == 7
    assert (await search(door, ctx, "AuditEvent?_count=2&_total=estimate")).total is not None
    assert (await search(door, ctx, "AuditEvent?_total=none")).total is None


async def test_an_event_is_read_by_its_id(door: Interactions, ctx: Context) -> None:
    one, _ = await some_events(door, ctx)
    event = resource_of(await door.read(ctx, "AuditEvent", "audit-4-3"))
    assert event["outcome"] == "4"
    assert resource_of(await door.read(ctx, "Provenance", "prov-1"))["target"] == [
        {"reference": f"Patient/{one}/_history/1"}
    ]
    same = await door.vread(ctx, "AuditEvent", "audit-4-3", "1")
    assert resource_of(same) == event
    history = await door.history(ctx, "AuditEvent", "audit-4-3")
    assert ids(history) == ["audit-4-3"]
    for type, id in (
        ("AuditEvent", "audit-4"),
        ("AuditEvent", "audit-4-9"),
        ("AuditEvent", "audit-1-1"),
        ("AuditEvent", "audit-99"),
        ("AuditEvent", "audit-0"),
        ("AuditEvent", "prov-1"),
        ("Provenance", "audit-1"),
        ("Provenance", "prov-4"),
        ("Patient", "audit-1"),
    ):
        with pytest.raises(NotFound):
            await door.read(ctx, type, id)
    with pytest.raises(NotFound):
        await door.vread(ctx, "AuditEvent", "audit-4-3", "2")


async def test_nobody_can_write_what_the_chain_tells(door: Interactions, ctx: Context) -> None:
    await some_events(door, ctx)
    event = stored_event("2001-01-01T00:00:00Z")
    for id in ("audit-1", "audit-4-2", "audit-999"):
        with pytest.raises(Conflict):
            await door.update(ctx, "AuditEvent", id, event | {"id": id})
    with pytest.raises(Conflict):
        await door.delete(ctx, "AuditEvent", "audit-1")
    entry = {
        "resource": event | {"id": "audit-1"},
        "request": {"method": "PUT", "url": "AuditEvent/audit-1"},
    }
    with pytest.raises(Conflict):
        await door.bundle(ctx, {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})


async def test_what_a_write_touches_is_in_its_row(door: Interactions, ctx: Context) -> None:
    one, _ = await some_events(door, ctx)
    await door.delete(ctx, "Observation", (await first_id(door, ctx, "Observation")))
    (row,) = (await door.store.audit_rows(1, AuditQuery(count=1))).rows
    record = row.records[0]
    assert (record.action, record.patients) == ("D", (one,))
    assert (record.client, record.agent, record.address) == ("app", "Practitioner/p", "192.0.2.1")


async def first_id(door: Interactions, ctx: Context, type: str) -> str:
    return ids(await search(door, ctx, f"{type}?_count=1"))[0]


async def test_a_patient_sees_what_was_done_with_its_own_record(
    door: Interactions, ctx: Context
) -> None:
    one, two = await some_events(door, ctx)
    own = Context(
        principal=Principal(
            "old.chen", frozenset(("patient",)), fhir_user=f"Patient/{one}",
            patients=frozenset((one,)), client="app", grant="g",
        )
    )  # fmt: skip
    try:
        answer = await search(door, own, "AuditEvent?_total=accurate")
    except Forbidden:
        pytest.skip("patients may not read AuditEvents")
    assert ids(answer) == ["audit-4-1", "audit-3", "audit-1"]
    assert answer.total == 3
    assert ids(await search(door, own, f"AuditEvent?patient={two}")) == []
    await door.read(own, "AuditEvent", "audit-4-1")
    with pytest.raises(NotFound):
        await door.read(own, "AuditEvent", "audit-4-3")


async def test_an_event_about_several_is_told_to_each_without_the_others(
    door: Interactions, ctx: Context
) -> None:
    one, two = await some_events(door, ctx)
    recorder = Recorder(door.store)
    body = f'"Patient/{one}" "Patient/{two}"'.encode()
    recorder.add(DOCTOR, "r", "", "search-type", 200, "Patient", query="name=secret", body=body)
    await recorder.flush()
    entry = [
        {"resource": patient(id=id), "request": {"method": "PUT", "url": f"Patient/{id}"}}
        for id in (one, two)
    ]
    await door.bundle(ctx, {"resourceType": "Bundle", "type": "transaction", "entry": entry})
    assert ids(await search(door, ctx, f"AuditEvent?patient={one}&_count=2")) == [
        "audit-6",
        "audit-5-1",
    ]
    own = Context(
        principal=Principal(
            "old.chen", frozenset(("patient",)), fhir_user=f"Patient/{two}",
            patients=frozenset((two,)), client="app", grant="g",
        )
    )  # fmt: skip
    answer = await search(door, own, "AuditEvent?")
    assert ids(answer) == ["audit-6.2", "audit-5-1.2", "audit-4-3", "audit-2"]
    assert all(one not in str(event) for event in resources(answer))
    assert "secret" not in str(resources(answer))
    assert ids(await search(door, own, "Provenance?")) == ["prov-6.2", "prov-2"]
    read = resource_of(await door.read(own, "Provenance", "prov-6.2"))
    assert read["target"] == [{"reference": f"Patient/{two}/_history/2"}]
    for type, id in (
        ("AuditEvent", "audit-6"),
        ("AuditEvent", "audit-6.1"),
        ("AuditEvent", "audit-5-1"),
        ("AuditEvent", "audit-5-1.1"),
        ("AuditEvent", "audit-5-1.3"),
        ("Provenance", "prov-6"),
        ("Provenance", "prov-6.1"),
    ):
        with pytest.raises(NotFound):
            await door.read(own, type, id)


async def test_a_search_that_takes_too_long_ends(door: Interactions, ctx: Context) -> None:
    await some_events(door, ctx)
    slow = door_over(door.store, search_deadline=0.001)
    recorder = Recorder(slow.store)
    for number in range(200):
        recorder.add(DOCTOR, "r", "", "read", 200, "Observation", str(number))
    await recorder.flush()
    with pytest.raises(TooCostly):
        await search(slow, ctx, "AuditEvent?agent-name=nobody")
    with pytest.raises(TooCostly):
        await search(slow, ctx, "AuditEvent?_summary=count")


def stored_event(recorded: str) -> dict[str, Any]:
    return {
        "resourceType": "AuditEvent",
        "type": {"system": "urn:x", "code": "x"},
        "recorded": recorded,
        "agent": [{"requestor": True, "who": {"display": "elsewhere"}}],
        "source": {"observer": {"display": "elsewhere"}},
    }


def stored_provenance(target: str) -> dict[str, Any]:
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": "2001-01-01T00:00:00Z",
        "agent": [{"who": {"display": "elsewhere"}}],
    }
