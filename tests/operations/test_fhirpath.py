"""$fhirpath over HTTP."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.operations.conftest import Resource
from tests.rest.running import message_ids, outcome, running

PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "张", "given": ["小", "明"]}, {"family": "Zhang"}],
    "birthDate": "1960-05-04",
}


def _ask(fhir: httpx.Client, expression: str, *more: Resource) -> httpx.Response:
    given = [
        {"name": "expression", "valueString": expression},
        {"name": "resource", "resource": PATIENT},
        *more,
    ]
    return fhir.post("/$fhirpath", json={"resourceType": "Parameters", "parameter": given})


def _results(response: httpx.Response) -> list[list[Resource]]:
    assert response.status_code == 200, response.text
    parameters = response.json()["parameter"]
    return [one.get("part", []) for one in parameters if one["name"] == "result"]


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ("name.given.first()", [{"name": "string", "valueString": "小"}]),
        ("name.count()", [{"name": "integer", "valueInteger": 2}]),
        ("birthDate < today()", [{"name": "boolean", "valueBoolean": True}]),
        ("birthDate", [{"name": "date", "valueDate": "1960-05-04"}]),
        ("name.last()", [{"name": "HumanName", "valueHumanName": {"family": "Zhang"}}]),
        ("address", []),
        ("''", [{"name": "empty-string"}]),
    ],
)
def test_each_item_is_a_part_named_by_its_type(
    fhir: httpx.Client, expression: str, parts: list[Resource]
) -> None:
    assert _results(_ask(fhir, expression)) == [parts]


def test_a_context_gives_one_result_for_each_item(fhir: httpx.Client) -> None:
    response = _ask(fhir, "family", {"name": "context", "valueString": "name"})
    found = [[part["valueString"] for part in parts] for parts in _results(response)]
    assert found == [["张"], ["Zhang"]]


def test_variables_are_known_by_their_names(fhir: httpx.Client) -> None:
    variables = {"name": "variables", "part": [{"name": "who", "valueString": "张"}]}
    response = _ask(fhir, "name.where(family = %who).exists()", variables)
    assert _results(response) == [[{"name": "boolean", "valueBoolean": True}]]


@pytest.mark.parametrize("expression", ["name.(", "'", "name.nothing()", "1 + 'a'", "%unknown"])
def test_a_wrong_expression_is_refused(fhir: httpx.Client, expression: str) -> None:
    response = _ask(fhir, expression)
    assert response.status_code == 400
    assert message_ids(response)[0].startswith("fhirpath-")


def test_without_an_expression_it_is_refused(fhir: httpx.Client) -> None:
    response = fhir.post("/$fhirpath", json={"resourceType": "Parameters"})
    assert response.status_code == 400
    assert message_ids(response) == ["operation-parameter-missing"]


@pytest.mark.parametrize(
    "parameter",
    [
        5,
        "x",
        {},
        {"name": "expression", "valueString": "1"},
        [5, None, "x", []],
        [[]],
        [{}],
        [{"name": 5, "valueString": "1"}],
        [{"name": ["expression"]}],
        [{"name": "expression"}],
        [{"name": "expression", "valueString": 5}],
        [{"name": "expression", "valueString": {}}],
        [{"name": "expression", "resource": {"resourceType": "Patient"}}],
    ],
)
def test_a_body_that_is_no_parameters_is_refused(fhir: httpx.Client, parameter: Any) -> None:
    body = {"resourceType": "Parameters", "parameter": parameter}
    response = fhir.post("/$fhirpath", json=body)
    assert response.status_code in (400, 422), response.text
    outcome(response)


@pytest.mark.parametrize(
    "more",
    [
        {"name": "variables", "part": 5},
        {"name": "variables", "part": [5, None]},
        {"name": "variables", "part": [{"name": []}]},
        {"name": "variables"},
        {"name": "context", "valueString": 5},
        {"name": "context", "valueInteger": [1]},
        {"name": "resource", "valueString": "x"},
        {"name": "resource", "resource": [1]},
    ],
)
def test_a_malformed_parameter_is_no_error_of_the_server(
    fhir: httpx.Client, more: Resource
) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "expression", "valueString": "1"}, more],
    }
    assert fhir.post("/$fhirpath", json=body).status_code < 500


def test_an_expression_that_does_not_end_is_stopped(fhir: httpx.Client) -> None:
    response = _ask(fhir, "repeat($this.select($this + 'x'))")
    assert response.status_code < 500
    endless = "(1|2|3|4|5|6|7|8|9)" + ".select($this|($this*10)|($this*100))" * 40
    response = _ask(fhir, endless)
    assert response.status_code == 400
    assert fhir.get("/metadata").status_code == 200


@pytest.mark.shared
def test_the_suite_of_hl7_passes_over_http(tmp_path: Path, shared: Path) -> None:
    runner = shared / "suites/fhirpath/run.py"
    # The runner knows no tokens.
    with running(tmp_path, store="memory", auth="off") as hub:
        made = subprocess.run(
            [sys.executable, str(runner), "--url", f"{hub.url}/fhir"],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert "935 passed, 0 failed" in made.stdout, made.stdout[-2000:] + made.stderr[-2000:]


def test_terminology_is_asked_for_value_sets_and_hierarchies(fhir: httpx.Client) -> None:
    tree = "http://example.org/CodeSystem/fhirpath-tree"
    children = [{"code": "child"}]
    system = {"resourceType": "CodeSystem", "url": tree, "status": "active", "content": "complete"}
    fhir.post("/CodeSystem", json=system | {"concept": [{"code": "top", "concept": children}]})
    code = {"coding": [{"system": tree, "code": "child"}]}
    resource = {"resourceType": "Observation", "status": "final", "code": code}

    def ask(expression: str) -> list[Any]:
        parameters = [
            {"name": "expression", "valueString": expression},
            {"name": "resource", "resource": resource},
        ]
        answer = fhir.post(
            "/$fhirpath", json={"resourceType": "Parameters", "parameter": parameters}
        )
        assert answer.status_code == 200, answer.text
        (result,) = (one for one in answer.json()["parameter"] if one["name"] == "result")
        return [part["valueBoolean"] for part in result.get("part", [])]

    whole = f"{tree}?fhir_vs"
    assert ask(f"code.memberOf('{whole}')") == [True]
    assert ask(f"code.memberOf('{whole}=isa/top')") == [True]
    assert ask("status.memberOf('http://hl7.org/fhir/ValueSet/observation-status')") == [True]
    assert ask("status.memberOf('http://hl7.org/fhir/ValueSet/administrative-gender')") == [False]
    assert ask("status.memberOf('http://example.org/none')") == []
    assert ask("code.coding.subsumedBy(code.coding)") == [True]
