"""The hub's own operations have OperationDefinitions, and those say what the operations do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from hub.definitions import conformance
from hub.model.json import decode
from hub.operations import OPERATIONS
from hub.validation.validator import Validator

R4 = "http://hl7.org/fhir/OperationDefinition/"
TAKES_ANY = {"batch-validate-code"}  # the parameters of the validations it passes on
OWN = [one for one in OPERATIONS.values() if not one.definition.startswith(R4)]


@pytest.mark.parametrize("operation", OWN, ids=lambda one: one.name)
def test_an_own_operation_is_defined_where_the_statement_says(
    fhir: httpx.Client, operation: Any
) -> None:
    rest = fhir.get("/metadata").json()["rest"][0]
    offered = [one for place in (rest, *rest["resource"]) for one in place.get("operation", ())]
    (url,) = {one["definition"] for one in offered if one["name"] == operation.name}
    answer = fhir.get(url)
    assert answer.status_code == 200
    definition = decode(answer.content)
    assert definition["url"] == url
    issues = Validator().validate(definition, warnings=True)
    assert [issue for issue in issues if issue.message != "rule-dom-6"] == []
    assert definition["code"] == operation.name
    assert {level for level in ("system", "type", "instance") if definition[level]} == set(
        operation.levels
    )
    assert definition["affectsState"] == operation.affects_state


@pytest.mark.parametrize(
    "operation", [one for one in OWN if one.name not in TAKES_ANY], ids=lambda one: one.name
)
def test_an_own_operation_has_the_parameters_of_its_definition(
    fhir: httpx.Client, operation: Any
) -> None:
    type = min(operation.types, default="Patient")
    place = "/$" if "system" in operation.levels else f"/{type}/x/$"
    body = {"resourceType": "Parameters", "parameter": [{"name": "x", "valueString": "x"}]}
    text = fhir.post(place + operation.name, json=body).json()["issue"][0]["details"]["text"]
    definition = decode(operation.document)
    known = {one["name"] for one in definition["parameter"] if one["use"] == "in"}
    assert set(text.split("it has: ")[1].rstrip(".").split(", ")) == known


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS.values() if one not in OWN], ids=lambda one: one.name
)
def test_an_operation_of_r4_is_where_r4_defines_it(operation: Any) -> None:
    for type in ("", *operation.types):
        here = operation.on(type)
        if not type and operation.types:
            continue
        definition = conformance(here.definition)
        assert definition is not None, here.definition
        assert definition["code"] == operation.name
        assert here.levels == {
            level for level in ("system", "type", "instance") if definition[level]
        }, here.definition


def test_the_capability_statement_lists_every_operation(fhir: httpx.Client) -> None:
    rest = fhir.get("/metadata").json()["rest"][0]
    system = {one["name"]: one["definition"] for one in rest["operation"]}
    assert set(system) == {one.name for one in OPERATIONS.values() if "system" in one.levels}
    encounter = next(one for one in rest["resource"] if one["type"] == "Encounter")
    assert {one["name"]: one["definition"] for one in encounter["operation"]}["everything"] == (
        f"{R4}Encounter-everything"
    )


def test_a_stored_definition_comes_before_the_hubs_own_and_r4s_are_not_read(
    fhir: httpx.Client,
) -> None:
    assert fhir.get("/OperationDefinition/validate").status_code == 404
    assert fhir.get("/OperationDefinition/nothing").status_code == 404
    own = fhir.get("/OperationDefinition/expunge")
    assert own.headers["etag"] == 'W/"1"'
    xml = fhir.get("/OperationDefinition/expunge", headers={"accept": "application/fhir+xml"})
    assert '<code value="expunge"/>' in xml.text
    mine = own.json() | {"title": "Mine"}
    assert fhir.put("/OperationDefinition/expunge", json=mine).status_code == 201
    assert fhir.get("/OperationDefinition/expunge").json()["title"] == "Mine"
    assert fhir.delete("/OperationDefinition/expunge").status_code == 204
    assert fhir.get("/OperationDefinition/expunge").json() == own.json()
