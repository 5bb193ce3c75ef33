"""$convert over HTTP."""

from __future__ import annotations

import httpx
import pytest

from tests.rest.running import outcome

JSON = "application/fhir+json"
XML = "application/fhir+xml"
WRITTEN = (
    '{"resourceType":"Observation","status":"final","code":{"text":"体重"},'
    '"_issued":{"extension":[{"url":"https://clinic.example/why","valueString":"unknown"}]},'
    '"valueQuantity":{"value":70.50,"unit":"kg"}}'
)


def _converted(fhir: httpx.Client, content: str, given: str, wanted: str) -> str:
    response = fhir.post(
        "/$convert",
        content=content.encode(),
        headers={"content-type": given, "accept": wanted},
    )
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith(wanted)
    return response.text


def test_json_to_xml_and_back_keeps_every_digit(fhir: httpx.Client) -> None:
    xml = _converted(fhir, WRITTEN, JSON, XML)
    assert '<value value="70.50"/>' in xml
    assert _converted(fhir, xml, XML, JSON) == WRITTEN


@pytest.mark.parametrize("format", [JSON, XML])
def test_the_same_format_gives_the_same(fhir: httpx.Client, format: str) -> None:
    content = WRITTEN if format == JSON else _converted(fhir, WRITTEN, JSON, XML)
    assert _converted(fhir, content, format, format) == content


def test_without_a_body_it_is_refused(fhir: httpx.Client) -> None:
    response = fhir.post("/$convert")
    assert response.status_code == 400
    assert outcome(response)["issue"][0]["code"] == "required"


def test_what_is_no_resource_is_refused(fhir: httpx.Client) -> None:
    for content in (b"[]", b"{"):
        response = fhir.post("/$convert", content=content, headers={"accept": JSON})
        assert response.status_code in (400, 422), response.text
        outcome(response)
