"""Whatever is sent to the endpoints, they answer with a refusal and not with an error of ours."""

from __future__ import annotations

from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.auth.site import APP_URI, ASSERTION, Site, Visitor

NAMES = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "aud",
    "prompt",
    "max_age",
    "launch",
    "code_challenge",
    "code_challenge_method",
    "grant_type",
    "code",
    "code_verifier",
    "refresh_token",
    "token",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "username",
    "password",
    "query",
    "request",
    "patient",
    "answer",
    "lang",
    "name",
    "new",
    "again",
    "old",
    "grant",
    "request_uri",
]
VALUES = [
    "app",
    "web",
    "native",
    "service",
    "code",
    "none",
    "login",
    "S256",
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "launch/patient",
    "openid",
    "allow",
    "zh",
    "e30.e30.AAAA",
    "0",
    "-1",
    "doctor",
]

texts = st.one_of(
    st.sampled_from([*VALUES, APP_URI, ASSERTION, "v" * 43, "\r\nlocation: x", "\0", "\ud83d"]),
    st.text(max_size=30),
)
pairs = st.lists(st.tuples(st.sampled_from(NAMES), texts), max_size=12)
PATHS = [
    "/auth/authorize",
    "/auth/login",
    "/auth/password",
    "/auth/patient",
    "/auth/consent",
    "/auth/logout",
    "/auth/apps",
    "/auth/token",
    "/auth/introspect",
    "/auth/revoke",
    "/auth/register",
    "/auth/launch",
    "/auth/userinfo",
]


def _encoded(parameters: list[tuple[str, str]]) -> str:
    form = httpx.QueryParams()
    for name, value in parameters:
        form = form.add(name, value.encode("utf-8", "replace").decode())
    return str(form)


@pytest.mark.parametrize("path", PATHS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=pairs, form=pairs, header=texts)
def test_nothing_that_is_sent_makes_an_endpoint_stumble(
    site: Site,
    path: str,
    query: list[tuple[str, str]],
    form: list[tuple[str, str]],
    header: str,
) -> None:
    shown = "".join(letter for letter in header if "!" <= letter <= "~") or "x"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    headers = {"authorization": f"Basic {shown}", "cookie": f"hub-session={shown}"} | kind
    http = site.machine
    replies = [
        http.get(path, params=_encoded(query), headers=headers),
        http.post(path, content=_encoded(form), headers=headers),
        http.post(path, content=_encoded(form), headers=kind),
        http.post(path, content=shown.encode(), headers={"content-type": "application/json"}),
    ]
    http.cookies.clear()
    for reply in replies:
        assert reply.status_code < 500, reply.text
        assert "evil" not in reply.headers.get("location", "")


@pytest.mark.parametrize("token", ["é", "张", "\ud800", "x", ""])
def test_a_form_with_any_token_is_none_of_ours(site: Site, token: str) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    for name in ("hub-session", "hub-form"):
        headers = kind | {"cookie": f"{name}={'s' * 43}"}
        content = urlencode({"token": token}, errors="surrogatepass").encode()
        reply = site.machine.post("/auth/login", content=content, headers=headers)
        assert 400 <= reply.status_code < 500
    site.machine.cookies.clear()


@pytest.mark.parametrize("name", ["scope", "state", "nonce", "prompt", "max_age", "aud", "launch"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=texts)
def test_an_app_may_ask_for_anything_and_is_answered(site: Site, name: str, value: str) -> None:
    value = value.encode("utf-8", "replace").decode()
    reply = Visitor(site, site.machine).ask(**{name: value})
    site.machine.cookies.clear()
    assert reply.status_code in (200, 303, 400)
    if reply.status_code == 303:
        assert reply.headers["location"].startswith(APP_URI + "?")
