"""The people of the demo who log in: a doctor, a patient, a relative, a manager, an administrator.

Each is somebody of the demo set. Their passwords are made once and kept in a file of the data
folder that only its owner reads, so that every start prints the same. Called by `hub.serve`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hub.access.front_desk import FrontDesk
    from hub.interactions import Interactions

FILE = "demo-accounts.txt"
APP = "demo-app"
APP_ADDRESSES = ("http://localhost:3000/", "http://127.0.0.1:3000/")
"""Where an app is that somebody is writing on this machine."""

_DISPLAY = "(demo)"

Resource = dict[str, Any]


class Person(NamedTuple):
    """Who gets an account.

    Attributes:
        role: Its role, and its name at login.
        display: Name for people.
        fhir_user: Who it is in the record.
    """

    role: str
    display: str
    fhir_user: str


def cast() -> tuple[Person, ...]:
    """A resident with a contract, the child who acts for them, their doctor, the centre's head.

    And who runs the computer, who is nobody in the record.
    """
    from hub.demo.centre import make_centre
    from hub.demo.generate import DEFAULT_PATIENTS, DEFAULT_SEED
    from hub.demo.patient import make_patient

    centre = make_centre(DEFAULT_SEED)
    for number in range(DEFAULT_PATIENTS):
        found = {one["resourceType"]: one for one in make_patient(DEFAULT_SEED, number, centre)}
        if found.keys() >= {"Consent", "Condition", "CarePlan"}:
            break
    patient, relative = found["Patient"], found["RelatedPerson"]
    doctor = patient["generalPractitioner"][0]
    head = centre.manager.practitioner
    return (
        Person("doctor", doctor["display"], doctor["reference"]),
        _person("patient", patient),
        _person("relative", relative),
        _person("manager", head),
        Person("admin", "", ""),
    )


def _person(role: str, resource: Resource) -> Person:
    reference = f"{resource['resourceType']}/{resource['id']}"
    return Person(role, resource["name"][0]["text"], reference)


async def demo_accounts(door: Interactions, desk: FrontDesk, folder: Path, now: int) -> str:
    """Make what is not there yet.

    Args:
        door: The record.
        desk: Accounts and clients.
        folder: Data folder.
        now: Milliseconds since the epoch.

    Returns:
        A line for each account; "" where there is no demo set.
    """
    file = folder / FILE
    with suppress(FileNotFoundError):
        return file.read_text()
    people = cast()
    for one in people:
        if one.fhir_user and not await _is_there(door, one.fhir_user):
            return ""
    lines = [await _let_in(desk, one, now) for one in people]
    await _add_app(desk, now)
    text = "".join(lines)
    fresh = file.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
    fresh.replace(file)
    return text


async def is_outdated(door: Interactions, folder: Path) -> bool:
    """Whether the record holds the demo set of an older hub, in which some people are missing.

    Args:
        door: The record.
        folder: Data folder.
    """
    if (folder / FILE).exists():
        return False
    there = {one.role: await _is_there(door, one.fhir_user) for one in cast() if one.fhir_user}
    return there["patient"] and not all(there.values())


async def _is_there(door: Interactions, reference: str) -> bool:
    from hub.context import Context
    from hub.errors import HubError

    type, _, id = reference.partition("/")
    try:
        await door.read(Context(), type, id)
    except HubError:
        return False
    return True


async def _let_in(desk: FrontDesk, person: Person, now: int) -> str:
    """Make an account; gives its line, "" when somebody else has that name.

    One that was made by a start that was broken off gets another password.
    """
    from hub.access.accounts import AccountRefused
    from hub.access.passwords import new_password

    password, display = new_password(), f"{person.display} {_DISPLAY}".strip()
    try:
        await desk.accounts.add(
            person.role,
            password,
            now,
            roles=[person.role],
            display=display,
            fhir_user=person.fhir_user,
        )
    except AccountRefused:
        found = await desk.accounts.get(person.role, now)
        if found is None or found.display != display:
            return ""
        await desk.accounts.set_password(person.role, password, now)
    return f"user: {person.role}  password: {password}  ({person.role})\n"


async def _add_app(desk: FrontDesk, now: int) -> None:
    """Let an app in that somebody is writing on this machine."""
    from hub.access.clients import Client, ClientRefused

    app = Client(id=APP, name="Demo app", redirect_uris=APP_ADDRESSES, created_by="demo")
    with suppress(ClientRefused):
        await desk.clients.add(app, now)
