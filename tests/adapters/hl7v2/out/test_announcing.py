"""What a change of the record tells whom."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.context import Context
from hub.errors import Unprocessable
from hub.interactions.operation import OperationRequest
from hub.operations import OPERATIONS
from hub.principal import Principal, Scope
from tests.adapters.hl7v2.out.conftest import PATIENT, Hub, MakeHub, his

Resource = dict[str, Any]

EVERYTHING = (Scope("system", "*", frozenset("cruds")),)


def _site(name: str) -> Context:
    who = f"hl7v2:{name}"
    return Context(principal=Principal(who, frozenset(("system",)), client=who, scopes=EVERYTHING))


def _visit(status: str, code: str = "AMB") -> Resource:
    return {
        "resourceType": "Encounter",
        "id": "visit",
        "status": status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code},
        "subject": {"reference": "Patient/zhang"},
    }


def _result(id: str = "sugar", status: str = "final", **more: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": id,
        "status": status,
        "code": {"text": "血糖"},
        "subject": {"reference": "Patient/zhang"},
        "valueQuantity": {"value": Decimal("5.6"), "unit": "mmol/L"},
        **more,
    }


def _report(*results: str, status: str = "final") -> Resource:
    return {
        "resourceType": "DiagnosticReport",
        "id": "report",
        "status": status,
        "code": {"text": "生化"},
        "subject": {"reference": "Patient/zhang"},
        "result": [{"reference": f"Observation/{one}"} for one in results],
    }


async def _kinds(hub: Hub) -> list[str]:
    return [row.departure.kind for row in await hub.made()]


async def test_a_person_is_announced_as_new_and_then_as_changed(make_hub: MakeHub) -> None:
    hub = make_hub(his=his())
    await hub.put(PATIENT)
    await hub.put({**PATIENT, "birthDate": "1980-03-01"})
    await hub.door.delete(hub.ctx, "Patient", "zhang")
    await hub.put(PATIENT)
    assert await _kinds(hub) == ["ADT^A28", "ADT^A31", "ADT^A28"]


@pytest.mark.parametrize(
    ("statuses", "code", "kinds"),
    [
        (["in-progress"], "IMP", ["A01"]),
        (["in-progress"], "AMB", ["A04"]),
        (["in-progress"], "EMER", ["A04"]),
        (["planned", "arrived", "in-progress"], "IMP", ["A01"]),
        (
            ["in-progress", "in-progress", "onleave", "finished"],
            "IMP",
            ["A01", "A08", "A08", "A03"],
        ),
        (["finished"], "AMB", ["A03"]),
        (
            ["in-progress", "finished", "finished", "in-progress"],
            "AMB",
            ["A04", "A03", "A08", "A08"],
        ),
        (["in-progress", "cancelled", "cancelled"], "IMP", ["A01", "A11"]),
        (["in-progress", "entered-in-error"], "IMP", ["A01", "A11"]),
        (["planned", "cancelled"], "IMP", []),
    ],
)
async def test_a_visit_is_announced_by_what_has_become_of_it(
    make_hub: MakeHub, statuses: list[str], code: str, kinds: list[str]
) -> None:
    hub = make_hub(his=his())
    await hub.put(PATIENT)
    for status in statuses:
        await hub.put(_visit(status, code))
    assert await _kinds(hub) == ["ADT^A28", *(f"ADT^{kind}" for kind in kinds)]


async def test_a_report_is_announced_once_with_its_results(make_hub: MakeHub) -> None:
    hub = make_hub(his=his(events=("ORU",)))
    resources = [PATIENT, _result(), _result("salt"), _report("sugar", "salt")]
    entry = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources
    ]
    await hub.door.bundle(
        hub.ctx, {"resourceType": "Bundle", "type": "transaction", "entry": entry}
    )
    (row,) = await hub.made()
    assert row.departure.kind == "ORU^R01"
    assert row.departure.raw.decode().count("\rOBX|") == 2
    assert row.departure.focus == "DiagnosticReport/report"


@pytest.mark.parametrize(
    ("statuses", "count"),
    [
        (["registered", "preliminary"], 0),
        (["preliminary", "final", "corrected"], 2),
        (["final", "entered-in-error", "entered-in-error"], 2),
        (["preliminary", "cancelled"], 0),
    ],
)
async def test_results_are_announced_when_they_are_final(
    make_hub: MakeHub, statuses: list[str], count: int
) -> None:
    hub = make_hub(his=his(events=("ORU",)))
    await hub.put(PATIENT)
    for status in statuses:
        await hub.put(_result(status=status))
    assert await _kinds(hub) == ["ORU^R01"] * count


async def test_a_change_is_not_told_to_the_site_that_it_came_from(make_hub: MakeHub) -> None:
    hub = make_hub(his=his(), lis=his())
    await hub.put(PATIENT, _site("his"))
    assert [row.departure.destination for row in await hub.made()] == ["lis"]


async def test_a_destination_gets_what_it_wants_only(make_hub: MakeHub) -> None:
    hub = make_hub(adt=his(events=("ADT",)), oru=his(events=("ORU",)), none=his(events=()))
    await hub.put(PATIENT)
    await hub.put(_result())
    told = [(row.departure.destination, row.departure.kind) for row in await hub.made()]
    assert told == [("adt", "ADT^A28"), ("oru", "ORU^R01")]


async def test_what_is_not_stored_is_not_announced(make_hub: MakeHub) -> None:
    hub = make_hub(his=his())
    with pytest.raises(Unprocessable):
        await hub.put({**PATIENT, "birthDate": 5})
    entry = [{"resource": PATIENT, "request": {"method": "PUT", "url": "Patient/zhang"}}]
    for _ in range(2):
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [*map(dict, entry)]}
        await hub.door.bundle(hub.ctx, bundle, keep_equal=True)
    assert await _kinds(hub) == ["ADT^A28"]


async def test_a_message_tells_the_version_that_it_is_about(make_hub: MakeHub) -> None:
    hub = make_hub(his=his())
    for day in ("01", "02", "03", "04"):
        await hub.put({**PATIENT, "birthDate": f"1980-01-{day}"})
    born = [row.departure.raw.decode().split("\rPID|")[1].split("|")[6] for row in await hub.made()]
    assert born == ["19800101", "19800102", "19800103", "19800104"]


async def test_what_was_expunged_is_not_told_any_more(make_hub: MakeHub) -> None:
    hub = make_hub(his=his())
    await hub.put(PATIENT)
    await hub.door.delete(hub.ctx, "Patient", "zhang")
    confirm = {"name": "confirm", "valueString": "Patient/zhang"}
    body = {"resourceType": "Parameters", "parameter": [confirm]}
    request = OperationRequest("Patient", "zhang", "POST", (), body)
    await OPERATIONS["expunge"].perform(hub.door, hub.ctx, request)
    assert await hub.made() == []
    assert await hub.door.store.outbox(1, 0, 10) == []
