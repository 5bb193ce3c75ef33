"""The npm library `fhirclient`, unmodified, in a real Chromium, on an origin of its own.

Login and consent are filled in as a person does. Spec: SMART App Launch 2.2.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.access.clients import Client
from hub.access.front_desk import FrontDesk
from hub.access.grants import Grant
from tests.access.beside import at_desk
from tests.browser.app.serving import App
from tests.browser.app.using import allow, app_or_skip, asked, log_in, token
from tests.browser.driver import PHONE, Chromium, Page
from tests.e2e.commands import fhir_hub
from tests.rest.running import RunningHub, running

pytestmark = [pytest.mark.system("chromium"), pytest.mark.system("npm"), pytest.mark.slow]

PASSWORD = "correct horse battery"
OWN_PAGE = Client(
    id="own-page", name="A page", redirect_uris=("https://own.example/",), first_party=True
)
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
SCOPE = (
    "launch/patient openid fhirUser offline_access patient/Patient.r "
    f"patient/Observation.rs?category={CATEGORY}|vital-signs"
)
EHR_SCOPE = "launch openid fhirUser online_access patient/Patient.r patient/Observation.rs"


def observation(id: str, patient: str, category: str, text: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "code": {"text": text},
        "subject": {"reference": f"Patient/{patient}"},
    }


RECORD: list[dict[str, Any]] = [
    {"resourceType": "Organization", "id": "east", "name": "东门"},
    {"resourceType": "Practitioner", "id": "li", "name": [{"text": "李伟"}]},
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
    observation("wang-pressure", "wang", "vital-signs", "血压"),
    observation("wang-sugar", "wang", "laboratory", "血糖"),
    observation("zhao-pressure", "zhao", "vital-signs", "血压"),
    {
        "resourceType": "Encounter",
        "id": "visit",
        "status": "in-progress",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/wang"},
        "serviceProvider": {"reference": "Organization/east"},
    },
]
ACCOUNTS = {
    "li.wei": ("doctor", "Practitioner/li"),
    "wang": ("patient", "Patient/wang"),
}


@dataclass(frozen=True)
class Site:
    """A hub with people, and an app that is registered there."""

    hub: RunningHub
    data: Path
    app: App
    client_id: str

    @property
    def iss(self) -> str:
        return f"{self.hub.url}/fhir"

    def start(self, page: Page, scope: str = SCOPE) -> None:
        page.open(self.app.start(self.client_id, scope, self.iss))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("smart")
    data = folder / "data"
    with app_or_skip() as app, running(folder, auth="on", token_lifetime="60") as hub:
        for name, (role, fhir_user) in ACCOUNTS.items():
            options = ("--role", role, "--fhir-user", fhir_user)
            fhir_hub(data, "account", "add", name, *options, typed=PASSWORD + "\n")
        for resource in RECORD:
            path = f"/{resource['resourceType']}/{resource['id']}"
            hub.client.put(path, json=resource).raise_for_status()
        printed = fhir_hub(
            data, "client", "add", "Growth chart",
            "--redirect-uri", app.redirect_uri, "--launch-url", app.launch_url,
        )  # fmt: skip
        id = printed.split("client_id: ")[1].split()[0]
        app.registered = {"clientId": id, "scope": EHR_SCOPE}
        yield Site(hub, data, app, id)


@pytest.fixture
def page(site: Site, chromium: Chromium) -> Page:
    """The app, opened by a patient, who has logged in and agreed."""
    page = chromium.person().page()
    site.start(page)
    log_in(page, "wang", PASSWORD)
    allow(page)
    return page


def test_a_patient_opens_an_app_and_it_sees_what_was_agreed(site: Site, page: Page):
    assert page.text("#who") == "王秀英"
    assert page.text("#observations") == "血压"
    assert token(page)["patient"] == "wang"
    assert page.run("client.user.fhirUser") == "Patient/wang"
    assert asked(page, "Observation/wang-pressure")["code"]["text"] == "血压"
    found = asked(page, "Observation")
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["wang-pressure"]
    assert found.get("total", 1) == 1


@pytest.mark.parametrize(
    "url",
    [
        "Observation/wang-sugar",  # another category
        "Observation/zhao-pressure",
        "Patient/zhao",
        "Observation/zhao-pressure/_history/1",
    ],
)
def test_what_the_scopes_leave_out_is_as_if_it_were_not_there(page: Page, url: str):
    assert asked(page, url) == {"refused": 404}


@pytest.mark.parametrize("url", ["Encounter", "Encounter/visit", "AuditEvent", "_history"])
def test_what_was_not_agreed_to_is_refused(page: Page, url: str):
    assert asked(page, url)["refused"] in (403, 404)


def test_searches_for_others_find_nothing(page: Page):
    for url in ("Observation?patient=zhao", "Observation?_id=zhao-pressure,wang-sugar"):
        assert not asked(page, url).get("entry")


def test_the_library_refreshes_before_the_token_ends(page: Page):
    first = token(page)
    assert first["expires_in"] <= 60
    # The library looks at the clock: in a minute it fetches the next token by itself.
    page.run("(() => { const now = Date.now; Date.now = () => now() + 55_000; })()")
    assert asked(page, "Observation/wang-pressure").get("id") == "wang-pressure", page.problems
    second = token(page)
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    # Who stole the first refresh token ends the grant by using it, for both.
    page.run(f"""client.state.tokenResponse.refresh_token = {json.dumps(first["refresh_token"])},
                 client.refresh().catch(() => null)""")
    answer = page.run(f"""fetch({json.dumps(page.run("client.state.serverUrl"))} + "/Patient/wang",
        {{headers: {{authorization: "Bearer {second["access_token"]}"}}}}).then(a => a.status)""")
    assert answer == 401


def test_a_doctor_chooses_the_patient(site: Site, chromium: Chromium):
    page = chromium.person().page()
    site.start(page)
    log_in(page, "li.wei", PASSWORD)
    page.type("input[name=name]", "秀英")
    page.press("Enter", leaves=True)
    assert "赵明" not in page.text()
    page.click("[name=patient][value=wang]", leaves=True)
    allow(page)
    assert page.text("#who") == "王秀英"
    assert token(page)["patient"] == "wang"
    assert page.run("client.user.fhirUser") == "Practitioner/li"
    # The doctor may see both, the app only the one that was chosen.
    assert asked(page, "Patient/zhao") == {"refused": 404}


def test_an_ehr_opens_the_app_with_a_patient_and_an_encounter(site: Site, chromium: Chromium):
    person = chromium.person()
    page = person.page()
    page.open(ehr_launch(site, "li.wei", patient="wang", encounter="visit"))
    page.wait_for("input[name=username]")
    log_in(page, "li.wei", PASSWORD)
    allow(page)
    assert page.text("#who") == "王秀英"
    assert (token(page)["patient"], token(page)["encounter"]) == ("wang", "visit")
    assert asked(page, "Observation/wang-sugar")["id"] == "wang-sugar"
    assert asked(page, "Observation/zhao-pressure") == {"refused": 404}


def test_a_launch_counts_once_and_for_one_person(site: Site, chromium: Chromium):
    launch = ehr_launch(site, "li.wei", patient="wang")
    stranger = chromium.person().page()
    stranger.open(launch)
    stranger.wait_for("input[name=username]")
    log_in(stranger, "wang", PASSWORD)
    stranger.wait_for("body[data-state=failed]")
    doctor = chromium.person().page()
    doctor.open(launch)
    doctor.wait_for("input[name=username]")
    log_in(doctor, "li.wei", PASSWORD)
    allow(doctor)
    doctor.open(launch)
    doctor.wait_for("body[data-state=failed]")


def test_a_person_refuses_and_the_app_is_told(site: Site, chromium: Chromium):
    page = chromium.person().page()
    site.start(page)
    log_in(page, "wang", PASSWORD)
    page.click("button[name=answer][value=refuse]", leaves=True)
    page.wait_for("body[data-state=failed]")
    assert "access_denied" in page.url or "denied" in page.text() or "refused" in page.text()


def test_an_app_that_is_left_gives_its_token_back(site: Site, page: Page):
    revoke = f"""fetch({json.dumps(site.hub.url + "/auth/revoke")}, {{
        method: "POST",
        body: new URLSearchParams({{
          token: client.state.tokenResponse.refresh_token,
          client_id: {json.dumps(site.client_id)}}})}}).then(answer => answer.status)"""
    assert asked(page, "Patient/wang")["id"] == "wang"
    assert page.run(revoke) == 200
    assert asked(page, "Patient/wang") == {"refused": 401}


def test_after_logging_out_one_has_to_log_in_again(site: Site, page: Page):
    page.open(f"{site.hub.url}/auth/logout")
    page.click("form button", leaves=True)
    site.start(page)
    page.wait_for("input[name=password]")


def test_the_pages_of_a_login_have_no_problems_on_a_phone_in_chinese(
    site: Site, chromium: Chromium, tmp_path: Path
):
    page = chromium.person(PHONE, language="zh-CN").page()
    site.start(page)
    page.wait_for("input[name=username]")
    assert page.run("document.documentElement.lang").startswith("zh")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(tmp_path / "login.png")
    log_in(page, "wang", PASSWORD)
    page.wait_for("button[name=answer][value=allow]")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(tmp_path / "consent.png")
    assert not page.problems, page.problems


def ehr_launch(site: Site, name: str, **context: str) -> str:
    """The address at which a page of the hub opens the app for somebody who uses that page."""

    async def made(desk: FrontDesk, now: int) -> str:
        if await desk.clients.get(OWN_PAGE.id, now) is None:
            await desk.clients.add(OWN_PAGE, now)
        grant = Grant(client=OWN_PAGE.id, account=name, scope="user/*.rs", login=now)
        grant = await desk.grants.start(grant, now)
        return await desk.issuer(site.hub.url, site.iss).access_token(grant, 60, now)

    answer = httpx.post(
        f"{site.hub.url}/auth/launch",
        json={"client": site.client_id, **context},
        headers={"authorization": f"Bearer {at_desk(site.data, made)}"},
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"])
