"""Where links are found in a resource."""

from __future__ import annotations

from typing import Any

import pytest

from hub.definitions import resource_types
from hub.interactions.link_plan import Slot, plan_of, slots

URL = "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee12087701"


def found(resource: dict[str, Any]) -> list[tuple[str | int, str]]:
    return [(slot.key, slot.kind) for slot in slots(resource, {URL})]


@pytest.mark.parametrize("type", resource_types())
def test_every_type_has_a_plan(type: str) -> None:
    extension = [{"url": "http://e", "valueReference": {"reference": "Patient/1"}}]
    assert plan_of(type)
    if "extension" in plan_of(type):
        assert found({"resourceType": type, "extension": extension}) == [("reference", "reference")]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"subject": {"reference": "x"}}, [("reference", "reference")]),
        (
            {"subject": {"identifier": {"assigner": {"reference": "x"}}}},
            [("reference", "reference")],
        ),
        ({"performer": [{"reference": "x"}, {"display": "y"}]}, [("reference", "reference")]),
        ({"code": {"coding": [{"system": URL}]}}, [("system", "uri")]),
        ({"code": {"coding": [{"system": "http://loinc.org", "code": URL}]}}, []),
        ({"code": {"coding": [{"system": URL, "extension": []}]}}, [("system", "uri")]),
        ({"valueQuantity": {"value": 1, "system": URL}}, [("system", "uri")]),
        (
            {"valuePeriod": {"_start": {"extension": [{"url": URL, "valueUri": URL}]}}},
            [("valueUri", "uri")],
        ),
        ({"implicitRules": URL}, [("implicitRules", "uri")]),
        ({"meta": {"profile": [URL], "source": URL}}, [("source", "uri")]),
        ({"identifier": [{"system": URL, "value": URL}]}, [("system", "uri")]),
        (
            {"component": [{"code": {"extension": [{"url": "e", "valueUrl": URL}]}}]},
            [("valueUrl", "uri")],
        ),
        ({"contained": [{"resourceType": "Patient", "photo": [{"url": URL}]}]}, [("url", "uri")]),
        ({"text": {"div": '<div><a href="x">y</a></div>'}}, [("div", "narrative")]),
        ({"text": {"div": "<div>plain</div>"}}, []),
        ({"subject": "x", "component": "y", "code": [1], "text": [], "contained": 3}, []),
        ({"subject": {"reference": 5}, "performer": [["x"]], "nosuch": {"reference": "x"}}, []),
    ],
)
def test_places(resource: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert found({"resourceType": "Observation", **resource}) == expected


def test_content_references_are_followed() -> None:
    inner = {"linkId": "2", "answerValueSet": URL, "initial": [{"valueUri": URL}]}
    resource = {"resourceType": "Questionnaire", "item": [{"linkId": "1", "item": [inner]}]}
    assert found(resource) == [("valueUri", "uri")]


def test_lists_of_uris_are_named_by_place() -> None:
    uris = ["http://x", URL]
    resource = {"resourceType": "CapabilityStatement", "instantiates": uris}
    assert found(resource) == []
    resource = {"resourceType": "StructureMap", "import": uris}
    assert found(resource) == []
    resource = {"resourceType": "PlanDefinition", "library": uris, "implicitRules": URL}
    assert slots(resource, {URL}) == [Slot(resource, "implicitRules", URL, "uri")]
    care = {"resourceType": "CarePlan", "instantiatesUri": uris}
    assert slots(care, {URL}) == [Slot(uris, 1, URL, "uri")]


def test_what_is_no_resource_has_no_links() -> None:
    for resource in ({}, {"resourceType": "Nothing"}, {"resourceType": 5}):
        assert slots(resource, {URL}) == []
