"""Requests that are out of shape: nothing is lost in them, and nobody is sent astray."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode, urlsplit

import httpx
import lxml.html
import pytest

from tests.auth.site import APP_URI, NATIVE_URI, Site, Visitor, returned, serving, words

API = ("/auth/token", "/auth/introspect", "/auth/revoke", "/auth/register")
OPEN = (
    "/fhir/.well-known/smart-configuration",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/auth/jwks",
)


@pytest.mark.parametrize("path", API)
def test_what_apps_post_is_never_got(site: Site, path: str) -> None:
    reply = httpx.get(site.url + path, params={"grant_type": "authorization_code"})
    assert reply.status_code == 405
    assert reply.headers["allow"] == "POST"
    assert reply.json()["error"] == "invalid_request"


@pytest.mark.parametrize("path", API[:3])
def test_nothing_secret_is_taken_from_the_address(site: Site, path: str) -> None:
    reply = site.post(path + "?token=x&code=y", {"client_id": "app"})
    assert reply.status_code == 400
    assert reply.json()["error"] == "invalid_request"


@pytest.mark.parametrize("path", API[:3])
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"client_id=app&client_id=app&token=x", "application/x-www-form-urlencoded", 400),
        (b'{"client_id":"app"}', "application/json", 415),
        (b"client_id=app", "", 415),
        (b"client_id=%ff&token=x", "application/x-www-form-urlencoded", 400),
        (b"client_id=a%00b&token=x", "application/x-www-form-urlencoded", 400),
        (b"client_id=\xff&token=x", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % n for n in range(200)), "application/x-www-form-urlencoded", 400),
        (b"client_id=" + b"a" * 200_000, "application/x-www-form-urlencoded", 413),
        (b"", "application/x-www-form-urlencoded", 400),
    ],
    ids=["twice", "json", "untyped", "escape", "nul", "bytes", "many", "large", "empty"],
)
def test_a_form_out_of_shape_is_refused(
    site: Site, path: str, body: bytes, kind: str, status: int
) -> None:
    headers = {"content-type": kind} if kind else {}
    reply = httpx.post(site.url + path, content=body, headers=headers)
    assert reply.status_code == (
        401 if status == 400 and body == b"" and path != API[0] else status
    )
    assert reply.json()["error"] in ("invalid_request", "invalid_client")


def test_two_authorization_headers_are_none(site: Site) -> None:
    host, port = urlsplit(site.url).hostname, urlsplit(site.url).port
    with socket.create_connection((host or "", port or 0)) as line:
        line.sendall(
            b"GET /auth/userinfo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a\r\n"
            b"authorization: Bearer b\r\nconnection: close\r\n\r\n"
        )
        assert b" 400 " in line.makefile("rb").readline()


def test_an_unknown_grant_type_is_told(site: Site) -> None:
    for kind in ("password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"):
        reply = site.token(grant_type=kind, client_id="app", username="doctor", password="x")
        assert reply.json()["error"] == "unsupported_grant_type"
    assert site.token(client_id="app").json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"aud": "https://elsewhere.example/fhir"}, "invalid_request"),
        ({"aud": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x" * 42 + "\n"}, "invalid_request"),
        ({"state": "x" * 2001}, "invalid_request"),
        ({"nonce": "x" * 2001}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "shout"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "²"}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/"}, "request_uri_not_supported"),
        ({"client_id": "service"}, None),
    ],
    ids=str,
)
def test_what_an_app_asks_wrongly_it_is_told(
    site: Site, visitor: Visitor, asked: dict[str, str], error: str | None
) -> None:
    reply = visitor.ask(**asked)
    if error is None:
        assert reply.status_code == 400
    else:
        told = returned(reply)
        assert told["error"] == error
        assert told["iss"] == site.url
        assert "code" not in told
        if asked.get("state") is None:
            assert told["state"] == "s-1"
    assert not site.audited("authorize")[0]["ok"]


@pytest.mark.parametrize("name", ["scope", "state", "aud", "code_challenge", "response_type"])
def test_a_parameter_that_stands_twice_is_none(site: Site, visitor: Visitor, name: str) -> None:
    asked = visitor.ask().request.url
    told = returned(visitor.http.get(f"{asked}&{name}=x"))
    assert told["error"] == "invalid_request"
    assert ("state" in told) is (name != "state")


def test_a_request_that_is_too_long_is_refused(site: Site, visitor: Visitor) -> None:
    reply = visitor.ask(scope="x" * 9000)
    assert reply.status_code == 414
    assert "cannot be read" in words(reply)
    reply = visitor.ask(scope=" ".join(f"patient/Observation.rs?code=x|{n}" for n in range(300)))
    assert reply.status_code == 414


@pytest.mark.parametrize("uri", ["https://evil.example/", APP_URI + "?x", APP_URI + "/", ""])
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    site: Site, visitor: Visitor, uri: str
) -> None:
    reply = visitor.ask(redirect_uri=uri)
    assert reply.status_code == 400
    assert "location" not in reply.headers
    assert 'href="https://evil' not in reply.text
    assert not site.audited("authorize")[0]["ok"]


def test_the_hub_is_known_by_any_name_of_this_machine(site: Site, visitor: Visitor) -> None:
    local = site.base.replace("127.0.0.1", "localhost")
    for aud in (local, local + "/", site.base + "/"):
        assert visitor.ask(aud=aud).status_code == 200
    for aud in (
        local.replace("http:", "https:"),
        local.replace("localhost", "localhost.evil.example"),
        local.replace("localhost", "x@localhost"),
        local + "?x",
        local + "/x",
        "http://[::1",
    ):
        assert returned(visitor.ask(aud=aud))["error"] == "invalid_request", aud


def test_apps_find_all_they_need(site: Site) -> None:
    found = httpx.get(f"{site.base}/.well-known/smart-configuration").json()
    for name in ("authorization", "token", "introspection", "revocation", "registration"):
        assert found[f"{name}_endpoint"].startswith(site.url + "/auth/")
    assert found["issuer"] == site.url
    assert found["jwks_uri"] == f"{site.url}/auth/jwks"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert {"launch-ehr", "launch-standalone", "permission-v2", "client-public"} <= set(
        found["capabilities"]
    )
    openid = httpx.get(f"{site.url}/.well-known/openid-configuration").json()
    assert openid["issuer"] == found["issuer"]
    assert openid["subject_types_supported"] == ["public"]
    server = httpx.get(f"{site.url}/.well-known/oauth-authorization-server").json()
    assert server["authorization_response_iss_parameter_supported"] is True
    keys = httpx.get(found["jwks_uri"]).json()["keys"]
    assert all("d" not in key for key in keys)


@pytest.mark.parametrize("path", [*OPEN, *API, "/auth/userinfo", "/auth/launch"])
def test_any_page_may_call_what_apps_call(site: Site, path: str) -> None:
    asked = {"origin": "https://app.example.org", "access-control-request-method": "POST"}
    reply = httpx.options(site.url + path, headers=asked)
    assert reply.status_code == 204
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in reply.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in reply.headers
    kind = {"origin": "https://app.example.org"}
    reply = httpx.request("GET" if path in OPEN else "POST", site.url + path, headers=kind)
    assert reply.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/auth/authorize", "/auth/login", "/auth/consent"])
def test_no_other_page_may_read_the_pages(site: Site, path: str) -> None:
    reply = httpx.get(site.url + path, headers={"origin": "https://app.example.org"})
    assert "access-control-allow-origin" not in reply.headers
    assert httpx.options(site.url + path).status_code == 405


def test_the_pages_are_in_the_persons_language(site: Site) -> None:
    chinese = site.visitor(**{"accept-language": "zh-CN,zh;q=0.9,en;q=0.5"})
    page = chinese.ask()
    assert '<html lang="zh-CN">' in page.text
    assert "登录" in words(page)
    switched = chinese.http.get(str(page.request.url) + "&lang=en")
    assert "Log in to use" in words(switched)
    # It stays so, on every page and through the login.
    assert "May Blood pressure" in words(chinese.log_in(chinese.ask(), "zhang"))
    assert "English" in words(chinese.http.get("/auth/nowhere"))


@pytest.mark.parametrize(
    "accept", ["", "de", "*", "zh;q=0", "en,zh;q=0.1", ";;;", "zh" * 4000, "zh;q=x"]
)
def test_every_accept_language_is_taken(site: Site, accept: str) -> None:
    page = site.visitor(**{"accept-language": accept}).http.get("/auth/login")
    assert '<html lang="en">' in page.text or accept.startswith("zh")


@pytest.mark.parametrize("odd", ["\r\nset-cookie: hub-session=x", "\n", "\t", "\x7f"])
def test_a_posted_request_with_a_line_break_goes_nowhere(site: Site, odd: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    reply = site.machine.post("/auth/authorize", content=f"client_id=app{odd}", headers=form)
    assert reply.status_code == 400
    assert "location" not in reply.headers


def test_a_path_of_nobodys_is_no_link(site: Site) -> None:
    for path in ("//evil.example/x", "/\\evil.example", "/auth/../x"):
        page = site.machine.get(site.url + path)
        assert page.status_code == 404
        links = lxml.html.fromstring(page.content).xpath("//@href")
        assert all(link.startswith(("/auth/", "data:")) or link == "/" for link in links), links


def test_of_two_who_redeem_a_code_at_once_one_gets_tokens_that_end(
    site: Site, visitor: Visitor
) -> None:
    code = visitor.code("zhang")
    with ThreadPoolExecutor(4) as threads:
        replies = list(threads.map(lambda _: visitor.exchange(code), range(4)))
    won = [reply.json() for reply in replies if reply.status_code == 200]
    assert len(won) <= 1
    for tokens in won:
        asked = {"token": tokens["access_token"], "client_id": "app"}
        assert site.post("/auth/introspect", asked).json() == {"active": False}


def test_what_an_app_is_called_is_text(site: Site, visitor: Visitor) -> None:
    name = "<script>alert(1)</script>"
    made = site.post(
        "/auth/register",
        json={
            "client_name": name,
            "redirect_uris": [NATIVE_URI],
            "token_endpoint_auth_method": "none",
        },
    ).json()
    page = visitor.ask(client_id=made["client_id"], redirect_uri=NATIVE_URI)
    assert "<script" not in page.text
    assert name in words(page)
    assert "<script" not in visitor.log_in(page, "zhang").text


def test_pages_are_not_kept_or_framed_or_scripted(visitor: Visitor) -> None:
    login = visitor.ask()
    consent = visitor.log_in(login, "zhang")
    logout, password = (visitor.http.get(f"/auth/{name}") for name in ("logout", "password"))
    for page in (login, consent, logout, password, visitor.http.get("/auth/nothing")):
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "same-origin"
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'")
        assert "frame-ancestors 'none'" in policy
        assert "<script" not in page.text
    cookies = [*login.headers.get_list("set-cookie"), *consent.history]
    assert all("HttpOnly" in one and "SameSite=Lax" in one for one in cookies)


def test_over_https_cookies_are_bound_to_it() -> None:
    with serving(public_url="https://hub.example.org") as site:
        url = f"http://127.0.0.1:{site.port}"
        reply = httpx.get(url + "/auth/login")
        cookie = reply.headers["set-cookie"]
        assert cookie.startswith("__Host-hub-form=")
        assert "; Secure" in cookie
        assert "Path=/;" in cookie
        found = httpx.get(url + "/fhir/.well-known/smart-configuration").json()
        assert found["token_endpoint"] == "https://hub.example.org/auth/token"


def test_over_plain_http_from_elsewhere_nobody_logs_in() -> None:
    with serving(public_url="http://hub.example.org") as site:
        url = f"http://127.0.0.1:{site.port}"
        asked = urlencode({"grant_type": "authorization_code", "code": "x", "client_id": "app"})
        kind = {"content-type": "application/x-www-form-urlencoded"}
        reply = httpx.post(url + "/auth/token", content=asked, headers=kind)
        assert reply.json()["error"] == "insecure_transport"
