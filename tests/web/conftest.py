"""Hubs with people who may see different things, for the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.access.clients import Client
from hub.access.front_desk import open_desk
from hub.app import open_door
from hub.context import utc_now
from hub.settings import Settings
from tests.browser.driver import Page, Person
from tests.rest.running import RunningHub, running, token_of

PASSWORD = "a b c d e f"
"""Of every account that `token_of` makes."""

EAST, WEST = "Organization/east", "Organization/west"
VISITS = 45
PEOPLE = {
    # name: role, who it is in the record
    "admin": ("admin", ""),
    "chen": ("manager", "Practitioner/chen"),
    "li": ("doctor", "Practitioner/li"),
    "zhang": ("patient", "Patient/zhang"),
}


def person(id: str, family: str, given: str, branch: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": id,
        "name": [{"use": "official", "family": family, "given": [given]}],
        "gender": "female",
        "birthDate": "1950-03-05",
        "identifier": [{"use": "usual", "system": "urn:example:mrn", "value": f"mrn-{id}"}],
        "telecom": [{"system": "phone", "value": "10000000000"}],
        "managingOrganization": {"reference": branch},
    }


def staff(id: str, branch: str) -> list[dict[str, Any]]:
    return [
        {"resourceType": "Practitioner", "id": id, "name": [{"text": id}]},
        {
            "resourceType": "PractitionerRole",
            "id": id,
            "active": True,
            "practitioner": {"reference": f"Practitioner/{id}"},
            "organization": {"reference": branch},
        },
    ]


def visit(number: int) -> list[dict[str, Any]]:
    """A visit with a blood pressure; the greater the number, the later."""
    day = f"{2020 + number // 12}-{number % 12 + 1:02}-07"
    subject = {"reference": "Patient/zhang"}
    pressure = [("8480-6", 120 + number), ("8462-4", 80)]
    return [
        {
            "resourceType": "Encounter",
            "id": f"visit-{number}",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "type": [{"text": "随访"}],
            "subject": subject,
            "period": {"start": f"{day}T08:00:00+08:00", "end": f"{day}T08:20:00+08:00"},
            "serviceProvider": {"reference": EAST},
        },
        {
            "resourceType": "Observation",
            "id": f"pressure-{number}",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "血压"},
            "subject": subject,
            "effectiveDateTime": f"{day}T08:05:00+08:00",
            "component": [
                {
                    "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                    "valueQuantity": {"value": value, "unit": "mmHg"},
                }
                for code, value in pressure
            ],
        },
    ]


def record() -> Iterator[dict[str, Any]]:
    """Two branches with their staff and patients; one patient has many visits."""
    for reference, name in ((EAST, "东门社区卫生服务站"), (WEST, "西门社区卫生服务站")):
        yield {"resourceType": "Organization", "id": reference.split("/")[1], "name": name}
    yield from staff("li", EAST)
    yield from staff("chen", EAST)
    yield person("zhang", "张", "小明", EAST)
    yield person("wang", "王", "明华", EAST)
    yield person("zhao", "赵", "明", WEST)
    for number in range(VISITS):
        yield from visit(number)


def fill(hub: RunningHub) -> None:
    """Store the record, and make the accounts."""
    entries = [
        {
            "resource": one,
            "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"},
        }
        for one in record()
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    type = {"content-type": "application/fhir+json"}
    hub.client.post("", json=bundle, headers=type).raise_for_status()


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub that lets in whoever logs in."""
    folder = tmp_path_factory.mktemp("guarded")
    with running(folder, auth="on", registration="true") as hub:
        fill(hub)
        yield hub
        assert hub.unexpected_errors() == 0, hub.tracebacks()


@pytest.fixture(scope="session")
def tokens(guarded: RunningHub) -> dict[str, str]:
    """A token of each of `PEOPLE`."""
    data = guarded.log.parent / "data"
    return {name: token_of(data, name, role, fhir_user=who) for name, (role, who) in PEOPLE.items()}


@pytest.fixture(scope="session")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub without authentication."""
    folder: Path = tmp_path_factory.mktemp("unguarded")
    with running(folder, auth="off", store="memory") as hub:
        fill(hub)
        yield hub
        assert hub.unexpected_errors() == 0, hub.tracebacks()


async def register_app(data: Path, client: Client) -> None:
    """Let an app in, beside a running hub."""
    now = int(utc_now().timestamp() * 1000)
    async with open_door(Settings(data=data)) as door:
        desk = open_desk(door.store.ledger, 1)
        await desk.clients.add(client, now)
        desk.close()


def log_in(person: Person, hub: RunningHub, name: str, at: str = "#/") -> Page:
    """Open the console and log in."""
    page = person.page()
    page.open(f"{hub.url}/{at}")
    page.wait_for("input[type=password]")
    page.problems.clear()  # What the login page says is its own tests' matter.
    page.type("input[name=username]", name)
    page.type("input[type=password]", PASSWORD)
    page.press("Enter")
    page.wait_for(".places")
    page.wait_for("main h1")
    return page
