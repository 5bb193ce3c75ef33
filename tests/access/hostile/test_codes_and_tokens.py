"""Codes, verifiers and refresh tokens in the wrong hands or for the second time."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.access.hostile.conftest import OTHER_REDIRECT, REDIRECT
from tests.access.hostile.lab import PASSWORD, Lab
from tests.access.hostile.visitor import App, Visitor, returned


@pytest.fixture
def code(app: App, visitor: Visitor) -> str:
    return app.code(visitor, "wang", PASSWORD)


def tokens(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refused(answer: httpx.Response, error: str) -> None:
    assert answer.status_code in (400, 401), answer.text
    assert answer.json()["error"] == error
    assert "access_token" not in answer.text


def may_read(lab: Lab, token: str) -> bool:
    headers = {"authorization": f"Bearer {token}"}
    return lab.anybody.get("/Patient/wang", headers=headers).status_code == 200


def audited(lab: Lab, since: float, event: str, client: str = "app") -> None:
    """A refusal of that event is in the audit, with the client."""
    found = lab.refusals(since, subtype=event)
    assert any(client in str(one["agent"]) for one in found), found


def test_a_code_that_comes_twice_revokes_what_it_gave(lab: Lab, app: App, code: str):
    given = tokens(app.redeem(code))
    assert may_read(lab, given["access_token"])
    since = time.time()
    refused(app.redeem(code), "invalid_grant")
    assert not may_read(lab, given["access_token"])
    refused(app.refresh(given["refresh_token"]), "invalid_grant")
    audited(lab, since, "token")


def test_a_code_is_good_only_for_the_client_it_was_given_to(lab: Lab, app: App, code: str):
    since = time.time()
    other = App(lab.hub.url, "other", OTHER_REDIRECT, verifier=app.verifier)
    refused(other.redeem(code, redirect_uri=REDIRECT), "invalid_grant")
    refused(other.redeem(code), "invalid_grant")
    audited(lab, since, "token", "other")


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": OTHER_REDIRECT},
        {"redirect_uri": REDIRECT + "/"},
        {"redirect_uri": None},
        {"code_verifier": "A" * 43},
        {"code_verifier": None},
        {"code_verifier": ""},
    ],
    ids=str,
)
def test_a_stolen_code_is_worth_nothing_without_the_verifier_and_the_place(
    lab: Lab, app: App, code: str, changed: dict[str, str | None]
):
    since = time.time()
    answer = app.redeem(code, **changed)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_grant", "invalid_request")
    audited(lab, since, "token")


def test_the_challenge_itself_is_no_verifier(lab: Lab, app: App, code: str):
    since = time.time()
    refused(app.redeem(code, code_verifier=app.challenge), "invalid_grant")
    audited(lab, since, "token")


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "too-short"},
        {"code_challenge": ""},
    ],
    ids=str,
)
def test_no_code_without_pkce_s256(
    lab: Lab, app: App, visitor: Visitor, changed: dict[str, str | None]
):
    since = time.time()
    told = returned(visitor.open(app.address(**changed)))
    assert told["error"] == "invalid_request"
    assert told["state"] == app.state
    assert "code" not in told
    audited(lab, since, "authorize")


@pytest.mark.parametrize(
    "scope",
    [
        "launch/patient patient/*.cruds offline_access",
        "launch/patient patient/*.rs user/*.rs",
        "launch/patient patient/*.rs system/*.rs",
        "patient/*.*",
    ],
)
def test_a_refresh_gives_no_more_than_was_granted(lab: Lab, app: App, code: str, scope: str):
    given = tokens(app.redeem(code))
    since = time.time()
    refused(app.refresh(given["refresh_token"], scope=scope), "invalid_scope")
    audited(lab, since, "refresh")


def test_a_refresh_may_give_less_and_what_it_gives_is_less(lab: Lab, app: App, code: str):
    given = tokens(app.redeem(code))
    less = tokens(app.refresh(given["refresh_token"], scope="patient/Observation.rs"))
    assert not may_read(lab, less["access_token"])
    # What was granted stays: the next refresh may ask for it again.
    again = tokens(app.refresh(less["refresh_token"]))
    assert may_read(lab, again["access_token"])


def test_a_refresh_token_that_comes_twice_ends_the_grant(lab: Lab, app: App, code: str):
    first = tokens(app.redeem(code))
    second = tokens(app.refresh(first["refresh_token"]))
    assert may_read(lab, second["access_token"])
    since = time.time()
    refused(app.refresh(first["refresh_token"]), "invalid_grant")
    assert not may_read(lab, second["access_token"])
    refused(app.refresh(second["refresh_token"]), "invalid_grant")
    audited(lab, since, "refresh")


def test_a_refresh_token_is_good_only_for_its_client(lab: Lab, app: App, code: str):
    given = tokens(app.redeem(code))
    since = time.time()
    other = App(lab.hub.url, "other", OTHER_REDIRECT)
    refused(other.refresh(given["refresh_token"]), "invalid_grant")
    # Nor can one client end another's grant by trying.
    assert may_read(lab, given["access_token"])
    audited(lab, since, "refresh", "other")


@pytest.mark.parametrize("which", ["refresh_token", "code"])
def test_what_is_no_access_token_opens_nothing(lab: Lab, app: App, code: str, which: str):
    since = time.time()
    token = code if which == "code" else tokens(app.redeem(code))["refresh_token"]
    assert not may_read(lab, token)
    assert lab.refusals(since)
