"""One hub for all hostile tests: with people, apps and a patient each, registration on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.access.clients import Client
from hub.access.front_desk import FrontDesk
from tests.access.hostile.lab import PASSWORD, Lab
from tests.access.hostile.visitor import App, Visitor
from tests.rest.running import running

REDIRECT = "https://app.example.org/callback"
OTHER_REDIRECT = "https://other.example.org/callback"
PEOPLE = {
    "li.wei": ("doctor", "Practitioner/li"),
    "wang": ("patient", "Patient/wang"),
    # One for each test that locks somebody out.
    "brute": ("patient", "Patient/zhao"),
    "slow": ("patient", "Patient/zhao"),
}
RECORD: list[dict[str, Any]] = [
    {"resourceType": "Organization", "id": "east", "name": "东门"},
    {"resourceType": "Practitioner", "id": "li", "name": [{"family": "李", "given": ["伟"]}]},
    {
        "resourceType": "PractitionerRole",
        "id": "li-east",
        "active": True,
        "practitioner": {"reference": "Practitioner/li"},
        "organization": {"reference": "Organization/east"},
    },
    *(
        {
            "resourceType": "Patient",
            "id": id,
            "name": [{"text": name}],
            "managingOrganization": {"reference": "Organization/east"},
        }
        for id, name in (("wang", "王秀英"), ("zhao", "赵明"))
    ),
]


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The hub, its people and two apps."""
    folder = tmp_path_factory.mktemp("hostile")
    with running(folder, auth="on", registration="true") as hub:
        lab = Lab(hub, folder / "data")
        lab.at_desk(furnish)
        for resource in RECORD:
            path = f"/{resource['resourceType']}/{resource['id']}"
            lab.administrator.put(path, json=resource).raise_for_status()
        yield lab
        assert not hub.tracebacks(), hub.tracebacks()
        lab.anybody.close()


@pytest.fixture
def visitor(lab: Lab) -> Iterator[Visitor]:
    """Somebody with a browser."""
    found = Visitor(lab.hub.url)
    yield found
    found.close()


@pytest.fixture
def app(lab: Lab) -> App:
    """A registered app."""
    return App(lab.hub.url, "app", REDIRECT)


async def furnish(desk: FrontDesk, now: int) -> None:
    """Make the people and two apps."""
    for name, (role, fhir_user) in PEOPLE.items():
        await desk.accounts.add(name, PASSWORD, now, roles=(role,), fhir_user=fhir_user)
    for id, uri in (("app", REDIRECT), ("other", OTHER_REDIRECT)):
        await desk.clients.add(Client(id=id, name=f"The {id}", redirect_uris=(uri,)), now)
