"""Every error is an OperationOutcome with a useful status, in two languages."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.rest.conftest import LIMIT
from tests.rest.running import RunningHub, message_ids, outcome

_FILE = Path(__file__).parents[1] / "cases/rest/errors.toml"
_CASES: list[dict[str, Any]] = tomllib.loads(_FILE.read_text())["case"]
FHIR_JSON = {"content-type": "application/fhir+json"}


@pytest.mark.parametrize("case", _CASES, ids=[case["name"] for case in _CASES])
def test_it_is_refused(fhir: httpx.Client, case: dict[str, Any]) -> None:
    headers = dict(case.get("headers", {}))
    body = case.get("body")
    if body is not None and "content-type" not in headers:
        headers |= FHIR_JSON
    url = str(fhir.base_url).rstrip("/") + case["path"]
    response = fhir.request(
        case.get("method", "GET"),
        url,
        headers=headers,
        content=None if body is None else body.encode(),
    )
    assert response.status_code == case["status"], response.text
    found = message_ids(response)
    if "message" in case:
        assert found[0] == case["message"]
    if "allow" in case:
        assert response.headers["allow"] == case["allow"]


def test_another_host_is_refused_while_everyone_is_let_in(open_hub: RunningHub) -> None:
    refused = open_hub.client.get("/metadata", headers={"host": "evil.example"})
    assert refused.status_code == 400
    assert message_ids(refused) == ["host-unknown"]


def test_errors_are_told_in_chinese(fhir: httpx.Client) -> None:
    response = fhir.get("/Patient/absent", headers={"accept-language": "zh-CN"})
    text = outcome(response)["issue"][0]["details"]["text"]
    assert "没有" in text


def test_errors_are_told_in_xml(fhir: httpx.Client) -> None:
    response = fhir.get("/Patient/absent", headers={"accept": "application/fhir+xml"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    assert response.text.startswith("<")
    assert "OperationOutcome" in response.text


def test_an_error_to_head_has_no_body(fhir: httpx.Client) -> None:
    response = fhir.head("/Patient/absent")
    assert response.status_code == 404
    assert response.content == b""


def test_a_body_over_the_limit_is_too_large(fhir: httpx.Client) -> None:
    response = fhir.post("/Patient", content=b" " * (LIMIT + 1), headers=FHIR_JSON)
    assert response.status_code == 413
    assert message_ids(response) == ["body-too-large"]


def test_a_body_without_a_length_over_the_limit_is_too_large(fhir: httpx.Client) -> None:
    response = fhir.post(
        "/Patient", content=iter([b" " * 65536] * 10), headers=FHIR_JSON, timeout=10
    )
    assert response.status_code == 413
    assert fhir.get("/metadata").status_code == 200


def test_deep_nesting_is_refused(fhir: httpx.Client) -> None:
    body = b'{"resourceType":"Patient","extension":' + b'[{"extension":' * 10_000
    response = fhir.post(
        "/Patient", content=body + b"[]" + b"}]" * 10_000 + b"}", headers=FHIR_JSON
    )
    assert response.status_code == 400
    assert message_ids(response) == ["json-depth"]


def test_a_huge_transaction_is_refused_before_any_work(fhir: httpx.Client) -> None:
    body = (
        b'{"resourceType":"Bundle","type":"batch","entry":[' + b",".join([b"{}"] * 50_000) + b"]}"
    )
    response = fhir.post("/", content=body, headers=FHIR_JSON)
    assert response.status_code == 413
    assert message_ids(response) == ["bundle-too-many"]


def test_the_words_of_a_client_come_back_harmless(fhir: httpx.Client) -> None:
    response = fhir.get("/Patient?a\u200b<script>=\ufffe", headers={"prefer": "handling=strict"})
    assert response.status_code == 400
    outcome(response)
    xml = fhir.get(
        "/Patient?a%EF%BF%BE=1",
        headers={"prefer": "handling=strict", "accept": "application/fhir+xml"},
    )
    assert xml.status_code == 400
    assert xml.text.startswith("<")
