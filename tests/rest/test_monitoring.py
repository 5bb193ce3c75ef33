"""Health, metrics, logs and the pages beside the API."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.rest.running import RunningHub


@pytest.fixture
def site(hub: RunningHub) -> httpx.Client:
    """A client of everything beside the FHIR base."""
    return httpx.Client(base_url=hub.url, headers=hub.headers, timeout=10)


@pytest.fixture
def open_site(open_hub: RunningHub) -> httpx.Client:
    """The same of a hub without authentication."""
    open_hub.client.post("/Patient", json={"resourceType": "Patient"}).raise_for_status()
    return httpx.Client(base_url=open_hub.url, timeout=10)


def test_the_hub_is_alive_and_ready(site: httpx.Client) -> None:
    with site:
        assert site.get("/health/live").json() == {"status": "alive"}
        ready = site.get("/health/ready")
        assert ready.status_code == 200
        assert ready.json()["checks"] == {"store": "ok", "writer": "ok", "disk": "ok"}
        assert site.head("/health/ready").status_code == 200
        assert site.post("/health/live").status_code == 405


def test_metrics_count_what_was_asked(site: httpx.Client, patient: dict[str, Any]) -> None:
    with site:
        site.get(f"/fhir/Patient/{patient['id']}")
        text = site.get("/metrics").text
    assert 'hub_requests_total{interaction="read",status="200"}' in text
    assert 'hub_request_seconds_bucket{interaction="create",le="+Inf"}' in text
    assert 'hub_store_resources{type="Patient"}' in text
    assert "hub_store_queued_commits" in text
    assert "process_resident_memory_bytes" in text
    assert patient["id"] not in text


def test_the_pages_need_nothing_from_elsewhere(open_site: httpx.Client) -> None:
    with open_site as site:
        page = site.get("/docs")
        assert site.head("/docs").status_code == 200
    assert page.status_code == 200
    assert "<script" not in page.text
    assert "https://" not in page.text
    assert "$everything" in page.text
    assert 'href="/fhir/Patient?_pretty=true"' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-request-id"]


def test_the_page_shows_what_is_in_the_record_in_the_readers_language(
    open_site: httpx.Client,
) -> None:
    with open_site as site:
        english = site.get("/docs", headers={"accept-language": "en"})
        chinese = site.get("/docs", headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"})
    for page, language, words in (
        (english, "en", "Authentication is off.*What is in the record"),
        (chinese, "zh", "身份验证已关闭.*已有数据"),
    ):
        assert page.headers["content-language"] == language
        assert page.headers["vary"] == "accept-language"
        assert f'<html lang="{language}' in page.text
        assert re.search(words + r'.*?/fhir/Patient\?_pretty=true">Patient</a> \d', page.text)
    assert len(re.findall("[一-龥]{2}", english.text)) == 0


def test_what_is_nowhere_is_not_found(site: httpx.Client) -> None:
    with site:
        for path in ("/nothing", "/fhirs", "/health", "/health/live/x", "/openapi.json"):
            answer = site.get(path)
            assert answer.status_code == 404
            assert answer.json()["detail"].endswith("/docs shows what there is.")
        chinese = site.get("/Patient", headers={"accept-language": "zh"})
        assert "此地址没有内容" in chinese.json()["detail"]


def test_a_page_that_needs_no_login_shows_nothing_of_the_record(
    hub: RunningHub, patient: dict[str, Any]
) -> None:
    page = httpx.get(f"{hub.url}/docs").text
    assert "SMART on FHIR" in page
    assert "What is in the record" not in page
    assert "/fhir/Patient?_pretty=true" not in page
    assert "is off" not in page


def test_other_hosts_get_no_page(open_site: httpx.Client) -> None:
    with open_site as site:
        assert site.get("/docs", headers={"host": "evil.example"}).status_code == 400


def test_logs_show_the_route_and_no_value(hub: RunningHub, patient: dict[str, Any]) -> None:
    fhir = hub.client
    fhir.get(f"/Patient/{patient['id']}", headers={"x-request-id": "log-test-1"})
    fhir.get("/Patient", params={"name": "小明", "identifier": "110101199001011234"})
    fhir.get("/Secret-name-1/x", headers={"x-request-id": "log-test-2"})
    lines = hub.lines()
    line = next(one for one in lines if one.get("request") == "log-test-1")
    assert line["route"] == "/fhir/{type}/{id}"
    assert line["interaction"] == "read"
    assert line["type"] == "Patient"
    assert line["status"] == 200
    assert line["microseconds"] > 0
    unknown = next(one for one in lines if one.get("request") == "log-test-2")
    assert unknown["status"] == 404
    text = hub.log.read_text()
    for value in (patient["id"], "小明", "110101199001011234", "Secret-name"):
        assert value not in text


def test_metrics_show_how_far_a_search_parameter_is(site: httpx.Client, fhir: httpx.Client) -> None:
    made = {
        "resourceType": "SearchParameter",
        "id": "shoe-size",
        "url": "http://example.org/SearchParameter/shoe-size",
        "name": "ShoeSize",
        "status": "active",
        "description": "Shoe size",
        "code": "shoe-size",
        "base": ["Basic"],
        "type": "string",
        "expression": "Basic.extension.where(url='http://e/shoe').value.as(string)",
    }
    headers = {"content-type": "application/fhir+json"}
    put = fhir.put("/SearchParameter/shoe-size", json=made, headers=headers)
    assert put.status_code == 201, put.text
    with site:
        text = site.get("/metrics").text
    for name in ("indexed", "counted"):
        assert f'hub_search_parameter_{name}{{code="shoe-size",id="shoe-size"}}' in text
    fhir.delete("/SearchParameter/shoe-size")
