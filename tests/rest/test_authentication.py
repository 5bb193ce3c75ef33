"""Nothing is reached without a good token, by whatever path, method or header it is tried."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.rest.authenticate import StrangerNotes, with_few_strangers
from tests.rest.running import RunningHub, exchange, free_port, message_ids, running, token_of

SECRET = "张秘密"
PREFLIGHT = {"origin": "https://app.example", "access-control-request-method": "GET"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authentication")


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[RunningHub]:
    """A hub that asks for tokens, with a patient that nobody else may see."""
    with running(folder, auth="on", header_timeout="2") as found:
        patient = {"resourceType": "Patient", "id": "p", "name": [{"text": SECRET}]}
        found.client.put("/Patient/p", json=patient).raise_for_status()
        yield found
        assert found.unexpected_errors() == 0, found.tracebacks()


@pytest.fixture
def stranger(hub: RunningHub) -> Iterator[httpx.Client]:
    """Somebody without a token."""
    with httpx.Client(base_url=hub.url, timeout=10) as client:
        yield client


def _raw(hub: RunningHub, sent: bytes) -> bytes:
    return exchange(hub.address, sent)


def _status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def _is_refused(response: httpx.Response, *, known: bool = False) -> None:
    """A 401 with a challenge, words, and nothing that a cache may keep."""
    assert response.status_code == 401, response.text
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="fhir"')
    assert ('error="invalid_token"' in challenge) is known
    assert response.headers["cache-control"] == "no-store"
    assert "Authorization" in response.headers["vary"]
    if response.request.method != "HEAD":
        assert message_ids(response) == ["token-refused" if known else "token-missing"]


# --- before anything else is looked at ------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    ["", "/Patient", "/Patient/p", "/Patient/p/_history", "/$meta", "/Nothing", "/metadata/x"],
)
def test_every_method_needs_a_token(stranger: httpx.Client, method: str, path: str) -> None:
    _is_refused(stranger.request(method, f"/fhir{path}"))


@pytest.mark.parametrize(
    "request_",
    [
        {"url": "/fhir/Patient/absent"},
        {"url": "/fhir/Patient/p", "headers": {"if-none-match": 'W/"1"'}},
        {"url": "/fhir/Patient/not an id"},
        {"url": "/fhir/Patient?nonsense=1", "headers": {"prefer": "handling=strict"}},
        {"url": "/fhir/Patient", "headers": {"accept": "application/pdf"}},
        {"url": "/fhir/Patient?_format=nonsense"},
        {"url": "/fhir/Patient?a=%ff"},
        {"method": "POST", "url": "/fhir/Patient", "content": b"{", "headers": {}},
        {"method": "POST", "url": "/fhir", "content": b"x" * 1_000_000},
        {"method": "PROPFIND", "url": "/fhir/Patient"},
        {"url": "/fhir/Patient/p", "headers": {"origin": "https://evil.example"}},
    ],
)
def test_what_is_wrong_with_a_strangers_request_is_not_told(
    stranger: httpx.Client, request_: dict[str, Any]
) -> None:
    request_ = {"method": "GET", **request_}
    refused = stranger.request(**request_)
    _is_refused(refused)
    usual = stranger.get("/fhir/Patient/p")
    assert refused.content == usual.content


def test_a_body_is_not_waited_for(hub: RunningHub) -> None:
    head = (
        "POST /fhir/Patient HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10000000\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    started = time.monotonic()
    answer = _raw(hub, head.encode())
    assert _status(answer) == 401
    assert time.monotonic() - started < 15, "the limit for a body is 30 s"


def test_what_an_app_needs_first_is_open(stranger: httpx.Client) -> None:
    assert stranger.get("/fhir/metadata").json()["resourceType"] == "CapabilityStatement"
    assert stranger.head("/fhir/metadata").status_code == 200
    assert stranger.get("/fhir/.well-known/smart-configuration").status_code == 200
    answer = stranger.options("/fhir/Patient", headers=PREFLIGHT)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    for method in ("POST", "PUT", "DELETE"):
        _is_refused(stranger.request(method, "/fhir/metadata"))


def test_the_code_systems_of_the_record_are_named_to_who_may_search_them(
    hub: RunningHub, stranger: httpx.Client
) -> None:
    system = {"resourceType": "CodeSystem", "status": "active", "content": "complete"}
    url = "http://lab.example/codes"
    hub.client.post("/CodeSystem", json={**system, "url": url}).raise_for_status()
    asked = "/fhir/metadata?mode=terminology"
    assert url in hub.client.get("/metadata?mode=terminology").text
    assert url not in stranger.get(asked).text
    wrong = stranger.get(asked, headers={"authorization": "Bearer nonsense"})
    assert wrong.status_code == 200
    assert url not in wrong.text


def test_a_page_of_any_origin_may_read_a_refusal(stranger: httpx.Client) -> None:
    refused = stranger.get("/fhir/Patient", headers={"origin": "https://app.example"})
    assert refused.headers["access-control-allow-origin"] == "*"
    assert "WWW-Authenticate" in refused.headers["access-control-expose-headers"]


# --- paths ----------------------------------------------------------------------------------

_PATHS = (
    "/fhir/Patient/p",
    "/fhir//Patient/p",
    "//fhir/Patient/p",
    "///fhir/Patient/p",
    "/fhir/./Patient/p",
    "/./fhir/Patient/p",
    "/fhir/metadata/../Patient/p",
    "/fhir/metadata/%2e%2e/Patient/p",
    "/fhir/metadata%2f..%2fPatient/p",
    "/fhir/metadata/",
    "/fhir/metadata;/Patient/p",
    "/fhir/%6detadata",
    "/fhir/METADATA",
    "/fhir/metadata%00",
    "/fhir/metadata.",
    "/fhir/.well-known/../Patient/p",
    "/fhir/.well-known/smart-configuration/../../Patient/p",
    "/fhir/.well-known/smart-configuration/",
    "/fhir/.well-known/%2e%2e/Patient/p",
    "/fhir%2fPatient%2fp",
    "/fhir%2FPatient/p",
    "/%66hir/Patient/p",
    "/FHIR/Patient/p",
    "/Fhir/Patient/p",
    "/fhir./Patient/p",
    "/fhir../Patient/p",
    "/fhir/Patient/p.",
    "/fhir/Patient/p..",
    "/fhir/Patient/p/",
    "/fhir/Patient/p%20",
    "/fhir\\Patient\\p",
    "/docs/../fhir/Patient/p",
    "/health/live/../../fhir/Patient/p",
    "/health/live/..%2f..%2ffhir/Patient/p",
    "/console/../fhir/Patient/p",
    "/auth/../fhir/Patient/p",
    "/auth/%2e%2e/fhir/Patient/p",
    "/auth/token/../../fhir/Patient/p",
    "/.well-known/../fhir/Patient/p",
    "/t/main/fhir/Patient/p",
    "/fhir/Patient/p?/metadata",
    "/fhir/Patient/p#/metadata",
    "/fhir/Patient/p;/metadata",
    "http://127.0.0.1/fhir/Patient/p",
    "http://localhost/fhir/metadata/../Patient/p",
    "http://evil.example/fhir/Patient/p",
    "//127.0.0.1/fhir/Patient/p",
    "fhir/Patient/p",
    "*",
)


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_no_path_goes_round_authentication(hub: RunningHub, method: str, path: str) -> None:
    lines = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    answer = _raw(hub, lines.encode())
    assert SECRET.encode() not in answer
    # One that our pages answer is a 404, bad HTTP a 400, another method there a 405.
    assert _status(answer) in (400, 401, 404, 405), answer
    assert hub.client.get("/Patient/p").status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "X-Original-URL: /fhir/metadata",
        "X-Rewrite-URL: /fhir/metadata",
        "X-Forwarded-Prefix: /fhir/metadata",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Host: localhost",
        "X-Real-IP: 127.0.0.1",
        "Forwarded: for=127.0.0.1;host=localhost",
        "X-HTTP-Method-Override: OPTIONS",
        "X-Method-Override: OPTIONS",
        "Access-Control-Request-Method: GET",
        "Cookie: session=x; access_token=x",
        "X-Remote-User: admin",
        "Remote-User: admin",
        "X-Forwarded-User: admin",
        "X-Authenticated-User: admin",
        "X-SSL-Client-Verify: SUCCESS",
        "X-Forwarded-Authorization: Bearer {token}",
        "Proxy-Authorization: Bearer {token}",
        "Authorization_: Bearer {token}",
        "X-Authorization: Bearer {token}",
        "Authorization: Basic {token}",
        "Authorization: {token}",
        "Authorization: Bearer",
        "Authorization: Bearer ",
        "Authorization: Bearer{token}",
        "Authorization: Bearer {token}, Bearer {token}",
        "Authorization: Bearer {token} x",
        'Authorization: Bearer "{token}"',
        "Authorization: Bearer {token}\r\nAuthorization: Bearer {token}",
        "Authorization: Bearer x\r\nAuthorization: Bearer {token}",
        "Authorization: Bearer {token}\r\nAuthorization: Bearer x",
        "Authorization: Basic x\r\nauthorization: Bearer {token}",
        "Connection: close, Authorization",
    ],
)
def test_no_header_goes_round_authentication(hub: RunningHub, header: str) -> None:
    line = header.format(token=hub.token)
    sent = f"GET /fhir/Patient/p HTTP/1.1\r\nHost: 127.0.0.1\r\n{line}\r\nConnection: close\r\n\r\n"
    answer = _raw(hub, sent.encode())
    assert _status(answer) == 401
    assert SECRET.encode() not in answer


@pytest.mark.parametrize("fold", ["\r\n ", "\r\n\t", "\n ", "\r\n \r\n "])
def test_a_folded_header_is_refused_or_read_as_one_line(hub: RunningHub, fold: str) -> None:
    sent = (
        f"GET /fhir/Patient/p HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Any: a{fold}Authorization: "
        f"Bearer {hub.token}\r\nConnection: close\r\n\r\n"
    )
    assert _status(_raw(hub, sent.encode())) in (400, 401)


def test_a_token_counts_for_its_own_request_only(hub: RunningHub) -> None:
    first = f"GET /fhir/Patient/p HTTP/1.1\r\nHost: 127.0.0.1\r\n{hub.header_lines}\r\n"
    second = "GET /fhir/Patient/p HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    answer = _raw(hub, (first + second).encode())
    assert answer.count(b"HTTP/1.1 200") == 1
    assert answer.count(b"HTTP/1.1 401") == 1


def test_a_method_is_what_the_request_line_says(hub: RunningHub) -> None:
    for name in ("x-http-method-override", "x-http-method", "x-method-override"):
        hub.client.get("/Patient/p", headers={name: "DELETE"}).raise_for_status()
        assert hub.client.post("/Patient/p", headers={name: "DELETE"}).status_code == 405
    hub.client.get("/Patient/p?_method=DELETE")
    assert hub.client.get("/Patient/p").status_code == 200


# --- tokens ---------------------------------------------------------------------------------


def test_a_token_lets_in_whatever_the_case_of_its_scheme(hub: RunningHub) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {"authorization": f"{scheme} {hub.token}"}
        assert httpx.get(f"{hub.url}/fhir/Patient/p", headers=headers).status_code == 200


def test_all_bad_tokens_are_refused_in_the_same_words(
    hub: RunningHub, stranger: httpx.Client
) -> None:
    head, payload, signature = hub.token.split(".")
    bad = (
        "x",
        "a.b.c",
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature[:-4]}AAAA",
        f"{payload}.{payload}.{signature}",
        f"{hub.token}x",
        "x" * 9000,
        "..",
    )
    answers = set()
    for token in bad:
        refused = stranger.get("/fhir/Patient/p", headers={"authorization": f"Bearer {token}"})
        _is_refused(refused, known=True)
        answers.add(refused.content)
    assert len(answers) == 1


def test_a_token_in_the_url_is_refused_and_not_logged(
    hub: RunningHub, stranger: httpx.Client
) -> None:
    _is_refused(stranger.get(f"/fhir/Patient/p?access_token={hub.token}"))
    refused = hub.client.get(f"/Patient/p?access_token={hub.token}")
    assert refused.status_code == 400
    assert message_ids(refused) == ["token-in-url"]
    form = {"access_token": hub.token}
    _is_refused(stranger.post("/fhir/Patient/_search", data=form))
    assert hub.token not in hub.log.read_text()
    assert hub.token.rpartition(".")[2] not in hub.log.read_text()


def test_what_is_forbidden_is_told_to_whoever_is_known(hub: RunningHub, folder: Path) -> None:
    token = token_of(folder / "data", "reader", "admin", scope="user/Observation.rs")
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{hub.url}/fhir", headers=headers) as client:
        assert client.get("/Observation").status_code == 200
        refused = client.get("/Patient/p")
        assert refused.status_code == 403
        assert refused.json()["resourceType"] == "OperationOutcome"
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
        assert refused.headers["cache-control"] == "no-store"
        assert SECRET not in refused.text


def test_answers_are_kept_by_no_cache_that_others_share(hub: RunningHub) -> None:
    answer = hub.client.get("/Patient/p")
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in answer.headers["vary"]
    assert hub.client.get("/Patient", headers={"origin": "https://a.example"}).headers["vary"]


def test_a_token_ends_with_its_account_in_every_worker(tmp_path: Path) -> None:
    with running(tmp_path, "--workers", "2", auth="on") as hub:
        token = token_of(tmp_path / "data", "gone", "admin")
        headers = {"authorization": f"Bearer {token}"}

        def statuses() -> set[int]:
            found = set()
            for _ in range(12):  # each on a connection of its own, to either worker
                found.add(httpx.get(f"{hub.url}/fhir/Patient", headers=headers).status_code)
            return found

        assert statuses() == {200}
        command = [sys.executable, "-m", "hub", "account", "disable", "gone"]
        data = ["--data", str(tmp_path / "data")]
        subprocess.run([*command, *data], check=True, capture_output=True)
        time.sleep(1.2)
        assert statuses() == {401}


# --- beside the record ----------------------------------------------------------------------


def test_how_the_hub_is_doing_is_for_this_machine_and_administrators(
    hub: RunningHub, folder: Path, stranger: httpx.Client
) -> None:
    away = {"x-forwarded-for": "192.0.2.1"}
    assert stranger.get("/metrics").status_code == 200
    assert "checks" in stranger.get("/health/ready").json()
    for path in ("/metrics", "/%6detrics", "/metrics?x=1"):
        refused = stranger.get(path, headers=away)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer ")
    assert stranger.get("/health/ready", headers=away).json() == {"status": "ready"}
    assert stranger.get("/health/live", headers=away).json() == {"status": "alive"}
    admin = {**away, **hub.headers}
    assert stranger.get("/metrics", headers=admin).status_code == 200
    assert "checks" in stranger.get("/health/ready", headers=admin).json()
    doctor = {**away, "authorization": f"Bearer {token_of(folder / 'data', 'li', 'doctor')}"}
    assert stranger.get("/metrics", headers=doctor).status_code == 403
    assert stranger.get("/health/ready", headers=doctor).json() == {"status": "ready"}
    events = hub.audited("subtype=metrics", lambda found: '"li"' in json.dumps(found["agent"]))
    assert all(event["outcome"] == "4" for event in events)


def test_behind_a_proxy_nobody_is_this_machine_until_the_proxy_is_trusted(tmp_path: Path) -> None:
    port = ("--port", str(free_port()))
    with running(tmp_path, *port, auth="on", public_url="https://hub.example.org") as hub:
        assert httpx.get(f"{hub.url}/metrics").status_code == 401
        assert httpx.get(f"{hub.url}/metrics", headers=hub.headers).status_code == 200
        hub.stop()
    settings = {"public_url": "https://hub.example.org", "trusted_proxies": "127.0.0.1"}
    with running(tmp_path, *port, auth="on", **settings) as hub:
        assert httpx.get(f"{hub.url}/metrics").status_code == 200
        away = {"x-forwarded-for": "192.0.2.1"}
        assert httpx.get(f"{hub.url}/metrics", headers=away).status_code == 401


# --- audit ----------------------------------------------------------------------------------


def test_strangers_are_noted_until_they_are_too_many() -> None:
    now = 0.0
    notes = StrangerNotes(burst=3, rate=2.0, clock=lambda: now)
    assert [notes.note("missing") for _ in range(5)] == ["missing"] * 3 + [None] * 2
    now = 0.6
    assert notes.note("expired") == "expired (and 2 more strangers)"
    assert notes.note("expired") is None
    now = 1000.0
    assert [notes.note("x") is not None for _ in range(4)] == [True, True, True, False]


def test_strangers_at_the_sign_in_do_not_fill_the_audit() -> None:
    noted: list[tuple[str, str, str]] = []

    def record(event: str, *, ok: bool, account: str, reason: str, client: str = "") -> None:
        noted.append((event, account or client, reason))

    limited = with_few_strangers(record, StrangerNotes(burst=2, rate=0.0))
    for _ in range(50):
        limited("introspect", ok=False, client="console", reason="inactive")
        limited("login", ok=False, account="li", reason="locked")
    limited("login", ok=False, account="li", reason="password")
    limited("login", ok=True, account="li")
    assert noted == [
        ("introspect", "console", "inactive"),
        ("login", "li", "locked"),
        ("login", "li", "password"),
        ("login", "li", ""),
    ]


def test_reads_and_refusals_are_in_the_audit(hub: RunningHub, stranger: httpx.Client) -> None:
    hub.client.get("/Patient/p", headers={"x-request-id": "audit-read"})
    stranger.get("/fhir/Patient/p", headers={"x-request-id": "audit-stranger"})
    hub.audited("", lambda one: '"audit-read"' in json.dumps(one))
    found = hub.audited("", lambda one: "audit-" in json.dumps(one.get("entity", [])))
    texts = [json.dumps(one) for one in found]
    read = next(one for one in texts if '"audit-read"' in one)
    assert "tester" in read
    assert "Patient/p" in read
    refused = next(one for one in texts if '"audit-stranger"' in one)
    assert "tester" not in refused
    assert '"outcome": "4"' in refused
