"""The pages people log in and agree on: nobody is sent astray, and no other page acts for them."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import httpx
import pytest

from tests.access.hostile.conftest import REDIRECT
from tests.access.hostile.lab import PASSWORD, Lab
from tests.access.hostile.visitor import App, Form, Visitor, forms, returned


def consent(app: App, visitor: Visitor) -> tuple[httpx.Response, Form]:
    """The consent page, with its form."""
    page = visitor.open(app.address(prompt="consent"))
    page = visitor.log_in(page, "wang", PASSWORD)
    return page, next(one for one in forms(page) if ("answer", "allow") in one.buttons)


def shown(lab: Lab, answer: httpx.Response, since: float) -> None:
    """Refused on a page of the hub's own, sent nowhere, and audited."""
    assert not answer.is_redirect, answer.headers
    assert answer.status_code in (400, 401, 403)
    assert answer.headers["content-type"].startswith("text/html")
    assert lab.refusals(since)


# --- redirect_uri -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "https://evil.example/callback",
        "https://app.example.org",
        "https://app.example.org/",
        REDIRECT + "/",
        REDIRECT + "/..",
        REDIRECT + "/../evil",
        REDIRECT + "?next=https://evil.example",
        REDIRECT + "#fragment",
        REDIRECT + "%00",
        REDIRECT + "%0d%0aLocation: https://evil.example",
        REDIRECT.replace("https", "http"),
        REDIRECT.replace("https", "HTTPS"),
        REDIRECT.replace("app.example.org", "APP.example.org"),
        REDIRECT.replace("app.example.org", "app.example.org:443"),
        REDIRECT.replace("app.example.org", "app.example.org."),
        REDIRECT.replace("app.example.org", "app.example.org.evil.example"),
        REDIRECT.replace("app.example.org", "app.example.org@evil.example"),
        REDIRECT.replace("app.example.org", "evil.example/app.example.org"),
        REDIRECT.replace("https://", "https:/"),
        REDIRECT.replace("https://", "https:\\\\"),
        REDIRECT.replace("https://", "//"),
        " " + REDIRECT,
        REDIRECT + " ",
        "javascript:alert(1)//" + REDIRECT,
        "data:text/html,hello",
        REDIRECT + "," + "https://evil.example",
    ],
)
def test_a_redirect_uri_that_is_not_the_registered_one_leads_nowhere(
    lab: Lab, app: App, visitor: Visitor, uri: str | None
):
    since = time.time()
    shown(lab, visitor.open(app.address(redirect_uri=uri)), since)


def test_of_two_redirect_uris_none_counts(lab: Lab, app: App, visitor: Visitor):
    for more in ("https://evil.example/callback", REDIRECT):
        since = time.time()
        shown(lab, visitor.open(f"{app.address()}&redirect_uri={more}"), since)


@pytest.mark.parametrize(
    "uri",
    [
        "https://*.example.org/callback",
        "https://app.example.org/callback#x",
        "https://user:word@app.example.org/callback",
        "http://app.example.org/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "myapp:/callback",
        "https://app.example.org/../callback",
        "https://app.example.org/%2e%2e/callback",
        "https://app.example.org\\@evil.example/",
        "//app.example.org/callback",
        "/callback",
        "",
    ],
)
def test_a_bad_redirect_uri_cannot_be_registered(lab: Lab, uri: str):
    since = time.time()
    asked = {"client_name": "Evil", "redirect_uris": [uri], "token_endpoint_auth_method": "none"}
    answer = httpx.post(f"{lab.hub.url}/auth/register", json=asked)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_redirect_uri"
    assert lab.refusals(since, subtype="register")


# --- open redirect ------------------------------------------------------------------------------


@pytest.mark.parametrize("parameter", ["next", "query", "return", "redirect", "url", "request"])
@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_a_login_sends_nobody_to_another_site(
    lab: Lab, visitor: Visitor, parameter: str, place: str
):
    page = visitor.open("/auth/login", params={parameter: place})
    answer = visitor.log_in(page, "wang", PASSWORD)
    assert "evil.example" not in answer.headers.get("location", "")
    assert urlsplit(str(answer.url))[:2] == urlsplit(lab.hub.url)[:2]


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/login", "/auth/consent", "//evil.example"])
def test_no_page_of_the_hub_leads_to_an_address_that_it_was_handed(
    lab: Lab, visitor: Visitor, path: str
):
    for name in ("post_logout_redirect_uri", "redirect_uri", "next", "target_link_uri"):
        answer = visitor.http.get(lab.hub.url + path, params={name: "https://evil.example/"})
        assert "evil.example" not in answer.headers.get("location", "")


# --- CSRF, frames -------------------------------------------------------------------------------


def test_consent_needs_the_forms_own_token(lab: Lab, app: App, visitor: Visitor):
    page, form = consent(app, visitor)
    for token in ("", "A" * 64, form.value("token")[:-1]):
        since = time.time()
        pairs = [*form.filled(token=token), ("answer", "allow")]
        shown(lab, visitor.send(page, pairs, form.action), since)
    since = time.time()
    pairs = [pair for pair in form.fields if pair[0] != "token"]
    shown(lab, visitor.send(page, [*pairs, ("answer", "allow")], form.action), since)
    # And with it the same page still works.
    pairs = [*form.fields, ("answer", "allow")]
    assert returned(visitor.send(page, pairs, form.action))["code"]


def test_a_token_of_another_browsers_form_is_none(lab: Lab, app: App, visitor: Visitor):
    other = Visitor(lab.hub.url)
    _, theirs = consent(App(lab.hub.url, "app", REDIRECT), other)
    page, form = consent(app, visitor)
    since = time.time()
    pairs = [*form.filled(token=theirs.value("token")), ("answer", "allow")]
    shown(lab, visitor.send(page, pairs, form.action), since)
    other.close()


def test_a_consent_sent_by_another_site_is_refused(lab: Lab, app: App, visitor: Visitor):
    page, form = consent(app, visitor)
    since = time.time()
    headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    pairs = [*form.fields, ("answer", "allow")]
    shown(lab, visitor.send(page, pairs, form.action, **headers), since)


def test_a_request_that_waits_for_one_browser_is_not_answered_in_another(
    lab: Lab, app: App, visitor: Visitor
):
    _, theirs = consent(app, visitor)
    other = Visitor(lab.hub.url)
    page, form = consent(App(lab.hub.url, "app", REDIRECT), other)
    since = time.time()
    pairs = [*form.filled(request=theirs.value("request")), ("answer", "allow")]
    shown(lab, other.send(page, pairs, form.action), since)
    other.close()


def test_a_login_form_of_another_site_is_refused(lab: Lab, visitor: Visitor):
    page = visitor.open("/auth/login")
    form = forms(page)[0]
    since = time.time()
    pairs = form.filled(username="wang", password=PASSWORD, token="A" * 64)
    shown(lab, visitor.send(page, pairs, form.action), since)


def test_the_pages_are_never_framed_and_never_kept(app: App, visitor: Visitor):
    login = visitor.open(app.address())
    page, _ = consent(app, visitor)
    for one in (login, page):
        assert one.headers["cache-control"] == "no-store"
        assert one.headers["x-frame-options"] == "DENY"
        policy = one.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy


def test_a_session_from_before_the_login_counts_no_more(lab: Lab, app: App, visitor: Visitor):
    """Session fixation: whoever plants a cookie does not get the login that follows."""
    planted = "A" * 43
    visitor.http.cookies.set("hub-session", planted, domain="127.0.0.1")
    visitor.log_in(visitor.open("/auth/login"), "wang", PASSWORD)
    cookies = [cookie.value for cookie in visitor.http.cookies.jar if cookie.name == "hub-session"]
    assert cookies
    assert planted not in cookies
