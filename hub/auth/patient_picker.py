"""GET and POST /auth/patient: whose record the app shall open.

Staff find a patient by name among those they may see; a relative picks one of those it acts for;
a patient is not asked. Read through the door, so the picker shows nobody the person could not
read anyway.
Spec: SMART App Launch 2.2, launch/patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.auth import rendering, steps
from hub.auth.authorization import Shown
from hub.auth.exchange import Call, Reply
from hub.auth.parts import Parts
from hub.auth.sessions import Browser
from hub.context import Context
from hub.errors import HubError, Unavailable
from hub.interactions.answer import resource_of
from hub.storage.port import Stored

MOST = 20
LONGEST, MOST_WORDS = 100, 4
SEXES = ("female", "male", "other", "unknown")


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as it is shown: logical id, name, message id of the sex, date of birth."""

    id: str
    name: str
    sex: str
    born: str


async def picker(parts: Parts, call: Call) -> Reply:
    """The page.

    Raises:
        Shown: Nothing waits for it.
        Returned: What waits is not good any more.
    """
    browser = await steps.logged_in(parts, call)
    asked = call.asked
    id, words = asked.get("request", ""), asked.get("name", "").strip()[:LONGEST]
    authorization, _ = await steps.waiting(parts, call, browser, id)
    context = await parts.context(call, browser.account)
    found, more = await _found(parts, context, words)
    return rendering.page(
        parts,
        call,
        "patient",
        browser=browser,
        origin=authorization.origin,
        client=authorization.client,
        request=id,
        words=words,
        searched=context.principal.patients is None,
        patients=found,
        more=more,
    )


async def pick(parts: Parts, call: Call) -> Reply:
    """Take the choice and go on.

    Raises:
        Shown: The form is not ours, or the patient is not one to choose.
        Returned: What waits is not good any more.
    """
    browser = await steps.logged_in(parts, call)
    data = call.form
    steps.check_form(parts, call, browser, data)
    id, patient = data.get("request", ""), data.get("patient", "")
    await steps.waiting(parts, call, browser, id)
    if await patient_of(parts, call, browser, patient) is None:
        raise Shown("auth-patient-unknown")
    await parts.pending.choose(id, patient, call.now)
    return await steps.resume(parts, call, browser, id)


async def patient_of(parts: Parts, call: Call, browser: Browser, id: str) -> Person | None:
    """A patient whom the person may see; None when there is none of that id.

    Raises:
        Shown: The record cannot be read now.
    """
    context = await parts.context(call, browser.account)
    patients = context.principal.patients
    if patients is not None and id not in patients:
        return None
    return await _read(parts, context, id)


async def _found(parts: Parts, context: Context, words: str) -> tuple[list[Person], bool]:
    """Patients to choose from, and whether there are more."""
    patients = context.principal.patients
    if patients is not None:
        read = [await _read(parts, context, id) for id in sorted(patients)[:MOST]]
        return sorted(filter(None, read), key=lambda person: person.name), len(patients) > MOST
    if not words:
        return [], False
    names = [("name:contains", _escaped(word)) for word in words.split()[:MOST_WORDS]]
    parameters = (*names, ("_count", str(MOST + 1)))
    try:
        bundle = await parts.door.search(context, "Patient", parameters)
    except Unavailable as error:
        raise Shown("auth-unavailable", 503) from error
    except HubError:
        return [], False
    found = [_person(one.stored) for one in bundle.entries if one.stored and one.mode == "match"]
    return found[:MOST], len(found) > MOST


async def _read(parts: Parts, context: Context, id: str) -> Person | None:
    try:
        return _person(await parts.door.read(context, "Patient", id))
    except Unavailable as error:
        raise Shown("auth-unavailable", 503) from error
    except HubError:
        return None


def _person(stored: Stored) -> Person:
    resource = resource_of(stored)
    names = resource.get("name") or [{}]
    usual = next((name for name in names if name.get("use") in ("official", "usual")), names[0])
    sex = resource.get("gender", "")
    return Person(
        stored.id,
        _written(usual) or f"Patient/{stored.id}",
        f"auth-sex-{sex}" if sex in SEXES else "auth-sex-unknown",
        str(resource.get("birthDate", "")),
    )


def _written(name: dict[str, Any]) -> str:
    """A HumanName as people write it; a Chinese name without a gap."""
    if name.get("text"):
        return str(name["text"])
    family, given = str(name.get("family", "")), [str(part) for part in name.get("given", ())]
    if family and "\u3400" <= family[0] <= "\u9fff":
        return family + "".join(given)
    return " ".join((*given, family)).strip()


def _escaped(word: str) -> str:
    """A word as a search value (https://hl7.org/fhir/R4/search.html#escaping)."""
    return "".join(f"\\{letter}" if letter in "\\,|$" else letter for letter in word)
