"""read, vread, HEAD, conditional reads, formats and shapes over HTTP."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest

from tests.rest.running import message_ids

Patient = dict[str, Any]


def test_a_read_has_the_version_in_its_headers(fhir: httpx.Client, patient: Patient) -> None:
    response = fhir.get(f"/Patient/{patient['id']}")
    assert response.status_code == 200
    assert response.json() == patient
    assert response.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert response.headers["etag"] == 'W/"1"'
    assert response.headers["last-modified"].endswith("GMT")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "accept" in response.headers["vary"].lower()


def test_a_trailing_slash_is_tolerated(fhir: httpx.Client, patient: Patient) -> None:
    assert fhir.get(f"/Patient/{patient['id']}/").json() == patient
    assert fhir.get("/metadata/").status_code == 200


def test_head_has_the_headers_of_get_and_no_body(fhir: httpx.Client, patient: Patient) -> None:
    got = fhir.get(f"/Patient/{patient['id']}")
    head = fhir.head(f"/Patient/{patient['id']}")
    assert head.status_code == 200
    assert head.content == b""
    for name in ("etag", "last-modified", "content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


def test_what_the_client_has_is_not_sent_again(fhir: httpx.Client, patient: Patient) -> None:
    url = f"/Patient/{patient['id']}"
    first = fhir.get(url)
    for headers in (
        {"if-none-match": first.headers["etag"]},
        {"if-modified-since": first.headers["last-modified"]},
    ):
        again = fhir.get(url, headers=headers)
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == 'W/"1"'
        assert "content-length" not in again.headers
    assert fhir.get(url, headers={"if-none-match": 'W/"9"'}).status_code == 200


def test_an_old_version_stays_readable(fhir: httpx.Client, patient: Patient) -> None:
    url = f"/Patient/{patient['id']}"
    fhir.put(url, json={**patient, "active": True})
    assert fhir.get(url).json()["active"] is True
    old = fhir.get(f"{url}/_history/1")
    assert old.json() == patient
    assert old.headers["etag"] == 'W/"1"'
    assert fhir.get(f"{url}/_history/3").status_code == 404


def test_a_deleted_resource_is_gone(fhir: httpx.Client, patient: Patient) -> None:
    url = f"/Patient/{patient['id']}"
    assert fhir.delete(url).status_code == 204
    assert fhir.get(url).status_code == 410
    assert fhir.get(f"{url}/_history/1").status_code == 200
    assert fhir.get(f"{url}/_history/2").status_code == 410


def test_the_same_resource_comes_as_xml(fhir: httpx.Client, patient: Patient) -> None:
    url = f"/Patient/{patient['id']}"
    for response in (
        fhir.get(url, headers={"accept": "application/fhir+xml"}),
        fhir.get(url, params={"_format": "xml"}),
    ):
        assert response.headers["content-type"] == "application/fhir+xml; charset=utf-8"
        assert '<family value="张"/>' in response.text
    generic = fhir.get(url, headers={"accept": "application/xml"})
    assert generic.headers["content-type"] == "application/xml; charset=utf-8"


def test_pretty_is_indented_and_the_same(fhir: httpx.Client, patient: Patient) -> None:
    response = fhir.get(f"/Patient/{patient['id']}", params={"_pretty": "true"})
    assert "\n  " in response.text
    assert response.json() == patient


def test_summary_and_elements_cut_a_read_and_say_so(fhir: httpx.Client, patient: Patient) -> None:
    url = f"/Patient/{patient['id']}"
    fhir.put(url, json={**patient, "active": True, "maritalStatus": {"text": "m"}})
    cut = fhir.get(url, params={"_elements": "active"}).json()
    assert cut["active"] is True
    assert "name" not in cut
    assert cut["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "maritalStatus" not in fhir.get(url, params={"_summary": "true"}).json()
    assert fhir.get(url, params={"_summary": "false"}).json()["maritalStatus"]
    assert fhir.get(url, params={"_summary": "count"}).status_code == 400


def test_numbers_keep_their_digits(fhir: httpx.Client, patient: Patient) -> None:
    body = (
        '{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        f'"subject":{{"reference":"Patient/{patient["id"]}"}},'
        '"valueQuantity":{"value":1.00}}'
    )
    made = fhir.post("/Observation", content=body, headers={"content-type": "application/json"})
    assert made.status_code == 201
    assert '"value":1.00' in fhir.get(f"/Observation/{made.json()['id']}").text


def test_large_answers_are_compressed_for_those_who_accept_it(fhir: httpx.Client) -> None:
    with fhir.stream("GET", "/metadata", headers={"accept-encoding": "gzip"}) as response:
        raw = b"".join(response.iter_raw())
        assert response.headers["content-encoding"] == "gzip"
        assert int(response.headers["content-length"]) == len(raw)
    plain = fhir.get("/metadata", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert json.loads(gzip.decompress(raw))["resourceType"] == "CapabilityStatement"
    assert len(raw) < len(plain.content) / 4


def test_small_answers_are_never_compressed(fhir: httpx.Client, patient: Patient) -> None:
    response = fhir.get(f"/Patient/{patient['id']}", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize(("given", "kept"), [("abc-123", True), ("a b", False), ("x" * 65, False)])
def test_a_harmless_request_id_comes_back(fhir: httpx.Client, given: str, kept: bool) -> None:
    response = fhir.get("/metadata", headers={"x-request-id": given})
    assert (response.headers["x-request-id"] == given) is kept
    assert response.headers["x-request-id"]


def test_request_ids_differ(fhir: httpx.Client) -> None:
    ids = {fhir.get("/Patient/absent").headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20


def test_capabilities_name_every_type(fhir: httpx.Client) -> None:
    statement = fhir.get("/metadata").json()
    assert statement["fhirVersion"] == "4.0.1"
    types = [one["type"] for one in statement["rest"][0]["resource"]]
    assert len(types) == 146
    terminology = fhir.get("/metadata", params={"mode": "terminology"}).json()
    assert terminology["resourceType"] == "TerminologyCapabilities"
    assert fhir.get("/metadata", params={"mode": "normative"}).status_code == 200


def test_options_name_the_methods(fhir: httpx.Client) -> None:
    response = fhir.options("/Patient")
    assert response.status_code == 204
    assert response.headers["allow"] == "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"


def test_a_preflight_of_an_allowed_page_is_answered(fhir: httpx.Client) -> None:
    asked = {"origin": "https://app.example", "access-control-request-method": "PUT"}
    response = fhir.options("/Patient/1", headers=asked)
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert "PUT" in response.headers["access-control-allow-methods"]
    got = fhir.get("/metadata", headers={"origin": "https://app.example"})
    assert "ETag" in got.headers["access-control-expose-headers"]
    other = fhir.get("/metadata", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_a_client_that_has_the_capabilities_is_told_so(fhir: httpx.Client) -> None:
    first = fhir.get("/metadata")
    again = fhir.get("/metadata", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    xml = fhir.get("/metadata", headers={"accept": "application/fhir+xml"})
    assert "<CapabilityStatement" in xml.text
    assert xml.headers["etag"] != first.headers["etag"]


def test_strict_reads_and_histories_refuse_what_has_no_effect(
    fhir: httpx.Client, patient: dict[str, Any]
) -> None:
    strict = {"prefer": "handling=strict"}
    for path in ("", "/_history/1", "/_history"):
        url = f"/Patient/{patient['id']}{path}"
        assert fhir.get(url, params={"colour": "red"}).status_code == 200
        refused = fhir.get(url, params={"colour": "red"}, headers=strict)
        assert refused.status_code == 400
        assert message_ids(refused) == ["parameter-unknown"]
        assert fhir.get(url, params={"_format": "json"}, headers=strict).status_code == 200


@pytest.mark.parametrize(
    "url", ["/Patient/{id}", "/Patient?_id={id}", "/metadata", "/Patient/none"]
)
def test_xml_is_indented_when_asked_for(fhir: httpx.Client, patient: Patient, url: str) -> None:
    asked = {"_format": "xml", "_pretty": "true"}
    response = fhir.get(url.format(id=patient["id"]), params=asked)
    assert "\n  <" in response.text


def test_the_statement_can_be_cut(fhir: httpx.Client) -> None:
    cut = fhir.get("/metadata?_elements=fhirVersion").json()
    assert cut["fhirVersion"] == "4.0.1"
    assert "rest" not in cut
    assert cut["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert "resource" in fhir.get("/metadata?_summary=true").json()["rest"][0]


def test_a_cut_resource_is_not_written_back(fhir: httpx.Client, patient: Patient) -> None:
    url = f"/Patient/{patient['id']}"
    cut = fhir.get(url, params={"_elements": "birthDate"}).json()
    response = fhir.put(url, json=cut)
    assert response.status_code == 422
    assert message_ids(response) == ["validation-subsetted"]
    assert response.json()["issue"][0]["expression"] == ["Patient.meta.tag[0]"]
    assert fhir.get(url).json() == patient
