"""Chapter 1: an app sees what it may, and we know who saw what.

On the demo's record, with the demo's people, in a real browser; docs/day-at-the-centre.md is the
same by hand.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.app.serving import App
from tests.browser.app.using import allow, app_or_skip, asked, log_in, token
from tests.browser.driver import PHONE, Chromium, Page
from tests.e2e.day_at_the_centre.people import Centre, centre

pytestmark = [pytest.mark.system("chromium"), pytest.mark.system("npm"), pytest.mark.slow]

EHR_SCOPE = "launch openid fhirUser online_access patient/Patient.r patient/Observation.rs"
PHONE_SCOPE = "launch/patient openid fhirUser patient/Patient.r patient/Observation.rs"


@pytest.fixture
def app() -> Iterator[App]:
    with app_or_skip() as app:
        yield app


def test_an_app_sees_what_it_may_and_we_know_who_saw_what(
    app: App, chromium: Chromium, tmp_path: Path
):
    with centre(tmp_path) as place:
        chart, diary = register(place, app)
        app.registered = {"clientId": chart, "scope": EHR_SCOPE}
        the_doctor_opens_the_chart(place, chromium)
        the_relative_opens_the_diary(place, app, diary, chromium)
        the_patient_sees_who_looked(place, chromium)
        the_manager_stays_within_the_branches(place)
        the_administrator_finds_all_of_it(place, chart, diary)
        assert "The audit chain holds" in place.command("audit", "verify")
        place.hub.stop()
        assert "The audit chain holds" in place.command("audit", "verify")
        a_row_that_was_altered_is_named(place)


def register(place: Centre, app: App) -> tuple[str, str]:
    """The administrator lets the chart in by command; the diary registers itself."""
    printed = place.command(
        "client", "add", "Growth chart",
        "--redirect-uri", app.redirect_uri, "--launch-url", app.launch_url,
    )  # fmt: skip
    chart = printed.split("client_id: ")[1].split()[0]
    answer = httpx.post(
        f"{place.hub.url}/auth/register",
        json={
            "client_name": "健康日记",
            "redirect_uris": [app.redirect_uri],
            "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        },
    )
    assert answer.status_code == 201, answer.text
    listed = place.command("client", "list")
    diary = str(answer.json()["client_id"])
    assert chart in listed
    assert diary in listed
    return chart, diary


def the_doctor_opens_the_chart(place: Centre, chromium: Chromium) -> None:
    """From the console's page of a patient: the app gets this patient and nobody else."""
    doctor, patient = place.people["doctor"], place.people["patient"]
    page = chromium.person(language="en-GB").page()
    page.open(f"{place.hub.url}/")
    page.wait_for("input[name=password]")
    log_in(page, doctor.account, doctor.password)
    page.wait_for(".places")
    page.click('a[href="#/patients"]')
    page.type("#find", patient.name)
    page.click(f'.people a[href*="{patient.id}"]')
    page.wait_for("main h1", patient.name)
    page.wait_for(".row button", "Growth chart")
    page.click(".row button", leaves=True)
    page.wait_for("button[name=answer]")
    assert "Growth chart" in page.text("main")
    allow(page)
    assert page.text("#who") == patient.name
    assert token(page)["patient"] == patient.id
    assert page.text("#observations")
    neighbour = another_patient(place, "doctor", patient.id)
    assert asked(page, f"Patient/{neighbour}") == {"refused": 404}
    assert not asked(page, f"Observation?patient={neighbour}").get("entry")
    assert asked(page, "Condition")["refused"] == 403
    found = asked(page, "Observation?_count=50")["entry"]
    assert {entry["resource"]["subject"]["reference"] for entry in found} == {
        f"Patient/{patient.id}"
    }


def the_relative_opens_the_diary(place: Centre, app: App, diary: str, chromium: Chromium) -> None:
    """On a phone, in Chinese, with the app that registered itself."""
    relative, patient = place.people["relative"], place.people["patient"]
    page = chromium.person(PHONE, language="zh-CN").page()
    page.open(app.start(diary, PHONE_SCOPE, place.base))
    page.wait_for("input[name=username]")
    fits_the_phone_in_chinese(page)
    log_in(page, relative.account, relative.password)
    page.wait_for("button[name=answer]")
    fits_the_phone_in_chinese(page)
    text = page.text("main")
    assert "健康日记" in text
    assert patient.name in text
    allow(page)
    assert page.text("#who") == patient.name
    assert page.run("client.user.fhirUser") == f"RelatedPerson/{relative.id}"
    assert asked(page, "Patient/nobody") == {"refused": 404}
    neighbour = another_patient(place, "doctor", patient.id)
    assert asked(page, f"Patient/{neighbour}") == {"refused": 404}


def fits_the_phone_in_chinese(page: Page) -> None:
    assert page.run("document.documentElement.lang") == "zh-CN"
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    assert page.run("parseFloat(getComputedStyle(document.body).fontSize)") >= 16


def the_patient_sees_who_looked(place: Centre, chromium: Chromium) -> None:
    """In the console, on a phone; and over FHIR, as AuditEvents."""
    patient = place.people["patient"]
    page = chromium.person(PHONE, language="zh-CN").page()
    page.open(f"{place.hub.url}/")
    page.wait_for("input[name=password]")
    log_in(page, patient.account, patient.password)
    page.wait_for("main h1", patient.name)
    page.click(f'main a[href="#/patients/{patient.id}"]')
    page.click('a[href$="/audit"]')
    page.wait_for("main", place.people["relative"].account)
    text = page.text("main")
    assert place.people["doctor"].account in text
    assert place.people["relative"].account in text
    answer = place.get("patient", "/AuditEvent", patient=f"Patient/{patient.id}", _count="100")
    assert answer.status_code == 200, answer.text
    events = [entry["resource"] for entry in answer.json()["entry"]]
    assert {"doctor", "relative"} <= {name for event in events for name in who(event)}
    neighbour = another_patient(place, "doctor", patient.id)
    answer = place.get("patient", "/AuditEvent", patient=f"Patient/{neighbour}")
    assert not answer.json().get("entry")


def the_manager_stays_within_the_branches(place: Centre) -> None:
    """Reads how the branches do; nothing of the hospital's patients; writes nothing clinical."""
    root = place.token("admin")
    hospital = place.get("admin", "/Organization", name="梧桐市人民医院").json()["entry"][0]
    stranger = {
        "resourceType": "Patient",
        "id": "inpatient",
        "managingOrganization": {"reference": f"Organization/{hospital['resource']['id']}"},
    }
    note = {
        "resourceType": "DocumentReference",
        "id": "note",
        "status": "current",
        "subject": {"reference": "Patient/inpatient"},
        "content": [{"attachment": {"contentType": "text/plain", "data": "5ruh5a6J"}}],
    }
    for resource in (stranger, note):
        url = f"{place.base}/{resource['resourceType']}/{resource['id']}"
        httpx.put(url, json=resource, headers=root).raise_for_status()
    patient = place.people["patient"]
    assert place.get("manager", f"/Patient/{patient.id}").status_code == 200
    assert place.get("manager", "/DocumentReference/note").status_code == 404
    assert place.get("manager", "/Patient/inpatient").status_code == 404
    assert not place.get("manager", "/DocumentReference").json().get("entry")
    assert place.get("manager", "/DocumentReference/note/_history/1").status_code == 404
    refused = httpx.put(
        f"{place.base}/Patient/{patient.id}",
        json={"resourceType": "Patient", "id": patient.id},
        headers=place.token("manager"),
    )
    assert refused.status_code == 403


def the_administrator_finds_all_of_it(place: Centre, chart: str, diary: str) -> None:
    """Each thing that happened above is an event."""
    patient = place.people["patient"]
    about = {"patient": f"Patient/{patient.id}"}
    for name, client in (("doctor", chart), ("relative", diary)):
        events = place.events(altid=name, subtype="read", **about)
        assert any({name, client} <= who(event) for event in events)
        assert place.events(altid=name, subtype="login", outcome="0")
    refusals = place.events(4, altid="manager", outcome="4")
    assert {"403", "404"} <= {event["outcomeDesc"].split()[0] for event in refusals}
    assert any("DocumentReference/note" in str(event["entity"]) for event in refusals)
    assert place.events(altid=diary, subtype="register")
    assert diary in place.command("audit", "show", "--where", "subtype=register")
    shown = place.command("audit", "show", "--patient", patient.id, "--who", "relative")
    assert "relative with" in shown


def a_row_that_was_altered_is_named(place: Centre) -> None:
    """Somebody with the file in hand makes the manager's visit unseen."""
    with sqlite3.connect(place.data / "hub.sqlite3") as file:
        last = file.execute("SELECT max(row) FROM audit").fetchone()[0]
        altered = last // 2
        file.execute(
            "UPDATE audit SET record = CAST(record || x'20' AS BLOB) WHERE row = ?", (altered,)
        )
    file.close()
    said = place.command("audit", "verify", code=1)
    assert str(altered) in said
    assert str(altered + 1) not in said


def another_patient(place: Centre, role: str, patient: str) -> str:
    """One whom somebody may see, but an app opened for another patient may not."""
    found = place.get(role, "/Patient", _count="5", _elements="id").json()["entry"]
    return next(
        str(entry["resource"]["id"]) for entry in found if entry["resource"]["id"] != patient
    )


def who(event: dict[str, Any]) -> set[str]:
    """Accounts and clients of an event."""
    return {agent["altId"] for agent in event["agent"] if "altId" in agent}
