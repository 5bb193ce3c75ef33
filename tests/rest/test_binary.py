"""Binary over HTTP: raw in, raw out, in ranges, and as a resource."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.rest.running import message_ids, running

PDF = {"content-type": "application/pdf"}
SMALL, BIG = os.urandom(1000), os.urandom(300_000)


@pytest.mark.parametrize("content", [b"", SMALL, BIG], ids=["empty", "small", "big"])
def test_raw_content_comes_back_raw(fhir: httpx.Client, content: bytes) -> None:
    made = fhir.post("/Binary", content=content, headers=PDF)
    assert made.status_code == 201, made.text
    assert made.content == b""
    url = made.headers["location"].partition("/_history/")[0]
    for address in (url, made.headers["location"]):
        got = fhir.get(address)
        assert got.status_code == 200
        assert got.content == content
        assert got.headers["content-type"] == "application/pdf"
        assert got.headers["content-length"] == str(len(content))
        assert got.headers["etag"] == 'W/"1"'
        assert "sandbox" in got.headers["content-security-policy"]
    head = fhir.head(url)
    assert head.headers["content-length"] == str(len(content))
    assert head.content == b""


@pytest.mark.parametrize("content", [SMALL, BIG[:150_000]], ids=["small", "big"])
def test_a_fhir_format_asked_for_gives_the_resource(fhir: httpx.Client, content: bytes) -> None:
    made = fhir.post("/Binary", content=content, headers=PDF)
    url = made.headers["location"]
    resource = fhir.get(url, headers={"accept": "application/fhir+json"}).json()
    assert resource["resourceType"] == "Binary"
    assert resource["contentType"] == "application/pdf"
    assert base64.b64decode(resource["data"]) == content
    assert "_data" not in resource
    xml = fhir.get(url, headers={"accept": "application/fhir+xml"}).text
    assert "<contentType" in xml


def test_a_binary_too_big_for_a_resource_is_read_raw(fhir: httpx.Client) -> None:
    made = fhir.post("/Binary", content=BIG, headers=PDF)
    response = fhir.get(made.headers["location"], headers={"accept": "application/fhir+json"})
    assert response.status_code == 413
    wanted = {**PDF, "prefer": "return=representation"}
    assert fhir.post("/Binary", content=BIG, headers=wanted).status_code == 201


def test_a_binary_resource_goes_in_as_one(fhir: httpx.Client) -> None:
    resource = {
        "resourceType": "Binary",
        "contentType": "text/plain",
        "data": base64.b64encode(b"hello").decode(),
    }
    made = fhir.post("/Binary", json=resource)
    assert made.status_code == 201
    assert made.json()["data"] == resource["data"]
    got = fhir.get(f"/Binary/{made.json()['id']}", headers={"accept": "text/plain"})
    assert got.text == "hello"
    assert got.headers["content-type"] == "text/plain"


def test_an_update_replaces_the_content(fhir: httpx.Client) -> None:
    url = fhir.post("/Binary", content=SMALL, headers=PDF).headers["location"]
    url = url.partition("/_history/")[0]
    stale = fhir.put(url, content=BIG, headers={**PDF, "if-match": 'W/"9"'})
    assert stale.status_code == 412
    updated = fhir.put(url, content=BIG, headers={**PDF, "if-match": 'W/"1"'})
    assert updated.status_code == 200
    assert fhir.get(url).content == BIG
    assert fhir.get(f"{url}/_history/1").content == SMALL


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-99", 206, 0, 100),
        ("bytes=100-", 206, 100, 300_000),
        ("bytes=-100", 206, 299_900, 300_000),
        ("bytes=299999-400000", 206, 299_999, 300_000),
        ("bytes=0-1,5-6", 200, 0, 300_000),
        ("bytes=9-5", 200, 0, 300_000),
        ("bytes=-", 200, 0, 300_000),
        ("pages=1-2", 200, 0, 300_000),
    ],
)
def test_a_range_is_sent_alone(
    fhir: httpx.Client, asked: str, status: int, start: int, end: int
) -> None:
    url = fhir.post("/Binary", content=BIG, headers=PDF).headers["location"]
    got = fhir.get(url, headers={"range": asked})
    assert got.status_code == status
    assert got.content == BIG[start:end]
    if status == 206:
        assert got.headers["content-range"] == f"bytes {start}-{end - 1}/300000"


@pytest.mark.parametrize("asked", ["bytes=300000-", "bytes=-0", "bytes=999999-1000000"])
def test_a_range_outside_the_content_is_not_satisfiable(fhir: httpx.Client, asked: str) -> None:
    url = fhir.post("/Binary", content=BIG, headers=PDF).headers["location"]
    got = fhir.get(url, headers={"range": asked})
    assert got.status_code == 416
    assert got.headers["content-range"] == "bytes */300000"
    assert message_ids(got) == ["range-unsatisfiable"]


def test_the_rest_of_another_version_is_not_sent(fhir: httpx.Client) -> None:
    url = fhir.post("/Binary", content=BIG, headers=PDF).headers["location"]
    rest = {"range": "bytes=100-"}
    assert fhir.get(url, headers={**rest, "if-range": 'W/"1"'}).status_code == 206
    assert fhir.get(url, headers={**rest, "if-range": 'W/"2"'}).status_code == 200


def test_what_the_client_has_is_not_sent_again(fhir: httpx.Client) -> None:
    url = fhir.post("/Binary", content=SMALL, headers=PDF).headers["location"]
    assert fhir.get(url, headers={"if-none-match": 'W/"1"'}).status_code == 304


def test_content_of_another_type_is_not_acceptable(fhir: httpx.Client) -> None:
    url = fhir.post("/Binary", content=SMALL, headers=PDF).headers["location"]
    refused = fhir.get(url, headers={"accept": "image/png"})
    assert refused.status_code == 406
    assert message_ids(refused) == ["binary-not-acceptable"]
    assert fhir.get(url, headers={"accept": "application/pdf"}).status_code == 200
    assert fhir.get(url, headers={"accept": "application/*;q=0.5"}).status_code == 200


def test_a_security_context_is_kept(fhir: httpx.Client, patient: dict[str, str]) -> None:
    reference = f"Patient/{patient['id']}"
    made = fhir.post("/Binary", content=SMALL, headers={**PDF, "x-security-context": reference})
    got = fhir.get(made.headers["location"])
    assert got.headers["x-security-context"] == reference
    bad = fhir.post("/Binary", content=SMALL, headers={**PDF, "x-security-context": "a b"})
    assert bad.status_code == 400


@pytest.mark.parametrize("content_type", ["", "pdf", "text/", "a b/c", "text/plain(x)"])
def test_raw_content_needs_a_media_type(fhir: httpx.Client, content_type: str) -> None:
    response = fhir.post("/Binary", content=SMALL, headers={"content-type": content_type})
    assert response.status_code == 400
    assert message_ids(response) == ["binary-type-missing"]


def test_an_upload_over_the_limit_is_too_large(fhir: httpx.Client) -> None:
    response = fhir.post("/Binary", content=iter([b"x" * 65536] * 200), headers=PDF)
    assert response.status_code == 413


@pytest.mark.slow
def test_a_large_upload_is_never_held_in_memory(tmp_path: Path) -> None:
    size, piece = 300 * 1024**2, os.urandom(1024**2)
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        for _ in range(size // len(piece)):
            digest.update(piece)
            yield piece

    with running(tmp_path) as hub:
        status = Path(f"/proc/{hub.process.pid}/status")
        made = hub.client.post("/Binary", content=pieces(), headers=PDF, timeout=120)
        assert made.status_code == 201
        received = hashlib.sha256()
        with hub.client.stream("GET", made.headers["location"], timeout=120) as response:
            for part in response.iter_bytes():
                received.update(part)
        assert received.digest() == digest.digest()
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        assert int(peak.split()[1]) < 250 * 1024, peak


def _found(fhir: httpx.Client, path: str, id_: str) -> list[dict[str, Any]]:
    """The Binaries of a bundle: a search, a history, or both asked for in a batch."""
    if path == "batch":
        entries = [{"request": {"method": "GET", "url": f"Binary/{id_}"}}]
        entries += [{"request": {"method": "GET", "url": f"Binary?_id={id_}"}}]
        sent = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        headers = {"content-type": "application/fhir+json"}
        answer = fhir.post("", content=json.dumps(sent), headers=headers)
    else:
        answer = fhir.get(path.format(id=id_))
    assert answer.status_code == 200, answer.text
    assert "urn:fhir-hub:blob" not in answer.text
    resources = [entry["resource"] for entry in answer.json()["entry"]]
    inner = [one["entry"][0]["resource"] for one in resources if one["resourceType"] == "Bundle"]
    return [one for one in resources if one["resourceType"] == "Binary"] + inner


BUNDLES = ("/Binary?_id={id}", "/Binary?_id={id}&_elements=data", "/Binary/{id}/_history", "batch")


@pytest.mark.parametrize("path", BUNDLES)
def test_a_binary_in_a_bundle_has_its_content(fhir: httpx.Client, path: str) -> None:
    content = BIG[:80_000]
    made = fhir.post("/Binary", content=content, headers=PDF)
    id_ = made.headers["location"].split("/Binary/")[1].partition("/")[0]
    found = _found(fhir, path, id_)
    assert len(found) == (2 if path == "batch" else 1)
    for resource in found:
        assert base64.b64decode(resource["data"]) == content
        assert "_data" not in resource


@pytest.mark.parametrize("path", BUNDLES)
def test_a_binary_too_big_for_a_bundle_says_so(fhir: httpx.Client, path: str) -> None:
    made = fhir.post("/Binary", content=BIG, headers=PDF)
    id_ = made.headers["location"].split("/Binary/")[1].partition("/")[0]
    for resource in _found(fhir, path, id_):
        assert "data" not in resource
        assert "_data" not in resource
        assert [tag["code"] for tag in resource["meta"]["tag"]] == ["SUBSETTED"]
        assert list(resource)[:3] == ["resourceType", "id", "meta"]


def test_binaries_of_one_bundle_share_its_limit(fhir: httpx.Client) -> None:
    ids = []
    for _ in range(3):
        made = fhir.post("/Binary", content=BIG[:80_000], headers=PDF)
        ids.append(made.headers["location"].split("/Binary/")[1].partition("/")[0])
    found = fhir.get("/Binary", params={"_id": ",".join(ids)}).json()["entry"]
    assert sum("data" in entry["resource"] for entry in found) == 2
    xml = fhir.get("/Binary", params={"_id": ",".join(ids), "_format": "xml"}).text
    assert xml.count("<data value=") == 2
    assert "urn:fhir-hub:blob" not in xml
