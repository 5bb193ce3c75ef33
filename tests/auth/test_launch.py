"""An EHR opens an app for the patient on its screen."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from hub.auth.pending import LAUNCH
from tests.auth.site import Site, Visitor, returned, words

SCOPE = "launch openid patient/*.rs"
ORDER = {"client": "launched", "patient": "p1", "encounter": "e1", "intent": "show-growth"}


@pytest.fixture
def token(visitor: Visitor) -> str:
    """The doctor's, at the hub's own page."""
    asked = {"client_id": "console", "scope": "openid user/*.cruds"}
    token: str = visitor.tokens("doctor", **asked)["access_token"]
    return token


def order(site: Site, token: str, **changed: Any) -> httpx.Response:
    bearer = {"authorization": f"Bearer {token}"}
    return site.post("/auth/launch", json=ORDER | changed, headers=bearer)


def test_the_app_opens_with_patient_and_encounter(site: Site, visitor: Visitor, token: str) -> None:
    context = [{"reference": "Encounter/e1", "role": "visit"}]
    reply = order(site, token, fhirContext=context, need_patient_banner=False)
    assert reply.status_code == 201, reply.text
    made = reply.json()
    assert made["url"].startswith("https://app.example.org/launch?iss=http%3A%2F%2F127.0.0.1%3A")
    assert made["url"].endswith("&launch=" + made["launch"])
    page = visitor.follow(visitor.ask(client_id="launched", scope=SCOPE, launch=made["launch"]))
    assert "张小明" in words(page)
    code = returned(visitor.agree(page))["code"]
    tokens = visitor.exchange(code, client_id="launched").json()
    assert tokens["patient"] == "p1"
    assert tokens["encounter"] == "e1"
    assert tokens["intent"] == "show-growth"
    assert tokens["fhirContext"] == context
    assert tokens["need_patient_banner"] is False
    # It counts once.
    asked = {"client_id": "launched", "scope": SCOPE, "launch": made["launch"]}
    assert returned(visitor.ask(**asked))["error"] == "invalid_request"
    assert site.audited("launch")[0]["account"] == "doctor"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"client_id": "app"}, "invalid_request"),
        ({"launch": "x"}, "invalid_request"),
        ({"scope": "openid patient/*.rs"}, "invalid_request"),
    ],
)
def test_a_launch_is_for_one_app_that_asks_for_it(
    site: Site, visitor: Visitor, token: str, asked: dict[str, str], error: str
) -> None:
    launch = order(site, token).json()["launch"]
    given = {"client_id": "launched", "scope": SCOPE, "launch": launch} | asked
    assert returned(visitor.ask(**given))["error"] == error


def test_a_launch_is_for_the_person_who_made_it(site: Site, token: str) -> None:
    launch = order(site, token).json()["launch"]
    other = site.visitor()
    page = other.ask(client_id="launched", scope=SCOPE, launch=launch)
    assert returned(other.log_in(page, "zhang"))["error"] == "access_denied"


def test_a_launch_is_soon_over(site: Site, visitor: Visitor, token: str) -> None:
    launch = order(site, token).json()["launch"]
    site.shift = LAUNCH / 1000 + 1
    asked = {"client_id": "launched", "scope": SCOPE, "launch": launch}
    assert returned(visitor.ask(**asked))["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"client": "app"}, 404),  # has no launch address
        ({"client": "nobody"}, 404),
        ({"patient": "p9"}, 404),
        ({"patient": "p2"}, 404),  # the encounter is another patient's
        ({"encounter": "e9"}, 404),
        ({"patient": "../p1"}, 400),
        ({"patient": ""}, 400),
        ({"intent": "x" * 300}, 400),
        ({"fhirContext": [{"reference": "x"}] * 21}, 400),
        ({"fhirContext": [{"role": "x"}]}, 400),
        ({"fhirContext": [{"reference": "x" * 300}]}, 400),
        ({"access_token": "x"}, 400),
    ],
    ids=str,
)
def test_what_cannot_be_launched_is_refused(
    site: Site, token: str, changed: dict[str, Any], status: int
) -> None:
    assert order(site, token, **changed).status_code == status


def test_an_app_of_others_launches_nothing(site: Site, visitor: Visitor) -> None:
    token = visitor.tokens()["access_token"]
    assert order(site, token).status_code == 403
    assert not site.audited("launch")[0]["ok"]
    assert order(site, "x").status_code == 401
    assert site.post("/auth/launch", json=ORDER).status_code == 401
    service = site.service().json()["access_token"]
    assert order(site, service).status_code == 403


def test_a_hospitals_system_launches_by_itself(site: Site, visitor: Visitor) -> None:
    tokens = site.service(site.assertion("ehr"), scope="system/*.rs").json()
    launch = order(site, tokens["access_token"]).json()["launch"]
    page = visitor.ask(client_id="launched", scope=SCOPE, launch=launch)
    page = visitor.log_in(page, "doctor")
    code = returned(visitor.agree(page))["code"]
    assert visitor.exchange(code, client_id="launched").json()["patient"] == "p1"


def test_a_standalone_app_is_given_no_launch(visitor: Visitor) -> None:
    tokens = visitor.tokens(scope="launch launch/encounter launch/patient patient/*.rs")
    assert tokens["scope"] == "launch/patient patient/*.rs"
