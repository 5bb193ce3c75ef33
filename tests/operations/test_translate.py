"""$translate over HTTP: forward, backward, what is unmapped, what it depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.operations.conftest import Resource

TABLE = yaml.safe_load(
    (Path(__file__).parents[1] / "cases/terminology/translate.yaml").read_text(encoding="utf-8")
)
LOCAL = "http://example.org/local"
LAB = "http://example.org/ConceptMap/lab"


@pytest.fixture(scope="module")
def maps(operations_hub: Any) -> None:
    """The maps of the table are stored."""
    for resource in TABLE["maps"]:
        answer = operations_hub.client.put(
            f"/ConceptMap?url={resource['url']}",
            json=resource,
            headers={"content-type": "application/fhir+json"},
        )
        assert answer.status_code in (200, 201), answer.text


def parameters(**given: Any) -> Resource:
    """A Parameters resource with these primitive values."""
    names = {"code": "valueCode", "reverse": "valueBoolean", "conceptMapVersion": "valueString"}
    made = [{"name": name, names.get(name, "valueUri"): value} for name, value in given.items()]
    return {"resourceType": "Parameters", "parameter": made}


def parts(parameter: Resource) -> dict[str, Any]:
    """Parts of a match by name; the last of each."""
    return {
        part["name"]: next((part[key] for key in part if key != "name"), None)
        for part in parameter["part"]
    }


def matches(answer: Resource) -> list[str]:
    """Matches as the table writes them."""
    found = []
    for one in answer["parameter"]:
        if one["name"] == "match":
            said = parts(one)
            coding = said.get("concept")
            system = coding.get("system", "").rpartition("/")[2] if coding else ""
            found.append(
                f"{said['equivalence']}:" + (f"{system}#{coding['code']}" if coding else "")
            )
    return found


def result(answer: Resource) -> bool:
    (found,) = (one["valueBoolean"] for one in answer["parameter"] if one["name"] == "result")
    return bool(found)


@pytest.mark.usefixtures("maps")
@pytest.mark.parametrize("case", TABLE["cases"], ids=[one["name"] for one in TABLE["cases"]])
def test_a_code_is_translated(fhir: httpx.Client, case: dict[str, Any]) -> None:
    asked = parameters(**case["ask"])
    if known := case.get("dependency"):
        coding = {"system": known["system"], "code": known["code"]}
        asked["parameter"].append(
            {
                "name": "dependency",
                "part": [
                    {"name": "element", "valueUri": known["element"]},
                    {"name": "concept", "valueCodeableConcept": {"coding": [coding]}},
                ],
            }
        )
    answers = [fhir.post("/ConceptMap/$translate", json=asked)]
    if "dependency" not in case:
        query = {
            name: str(value).lower() if value is True else value
            for name, value in case["ask"].items()
        }
        answers.append(fhir.get("/ConceptMap/$translate", params=query))
    for answer in answers:
        assert answer.status_code == case.get("status", 200), answer.text
        if answer.status_code == 200:
            said = answer.json()
            assert matches(said) == case["matches"]
            assert result(said) == case.get("result", bool(case["matches"]))
            has_message = any(one["name"] == "message" for one in said["parameter"])
            assert has_message == (not result(said))


@pytest.mark.usefixtures("maps")
def test_a_match_names_its_map_and_its_product(fhir: httpx.Client) -> None:
    asked = parameters(url=LAB, system=LOCAL, code="CMP")
    (match,) = (
        one
        for one in fhir.post("/ConceptMap/$translate", json=asked).json()["parameter"]
        if one["name"] == "match"
    )
    said = parts(match)
    assert said["source"] == f"{LAB}|1"
    assert said["concept"] == {"system": "http://example.org/loinc", "code": "24323-8"}
    assert parts({"part": said["product"]}) == {
        "element": "http://example.org/panel",
        "concept": {"system": "http://example.org/p", "code": "METAB"},
    }


@pytest.mark.usefixtures("maps")
def test_the_map_may_be_an_instance_or_come_with_the_request(fhir: httpx.Client) -> None:
    found = fhir.get("/ConceptMap", params={"url": "http://example.org/ConceptMap/sex"}).json()
    id = found["entry"][0]["resource"]["id"]
    answer = fhir.get(f"/ConceptMap/{id}/$translate", params={"code": "1"}).json()
    assert matches(answer) == ["equal:administrative-gender#male"]

    own = dict(TABLE["maps"][1], url="http://example.org/ConceptMap/own")
    element = [{"code": "a", "target": [{"code": "b", "equivalence": "equal"}]}]
    own["group"] = [{"source": LOCAL, "target": LOCAL + "2", "element": element}]
    asked = parameters(system=LOCAL, code="a")
    asked["parameter"].append({"name": "conceptMap", "resource": own})
    assert matches(fhir.post("/ConceptMap/$translate", json=asked).json()) == ["equal:local2#b"]
    asked = parameters(system=LOCAL, code="a", url=own["url"])
    asked["parameter"].append({"name": "tx-resource", "resource": own})
    assert matches(fhir.post("/ConceptMap/$translate", json=asked).json()) == ["equal:local2#b"]


@pytest.mark.usefixtures("maps")
def test_each_coding_of_a_concept_is_translated(fhir: httpx.Client) -> None:
    codings = [
        {"system": "http://example.org/sex", "code": "1"},
        {"system": "http://example.org/sex-old", "code": "W"},
        {"system": "http://example.org/unknown", "code": "1"},
        {"display": "no code"},
    ]
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "codeableConcept", "valueCodeableConcept": {"coding": codings}}],
    }
    answer = fhir.post("/ConceptMap/$translate", json=body).json()
    assert set(matches(answer)) == {
        "equal:administrative-gender#male",
        "equal:administrative-gender#female",
    }


@pytest.mark.usefixtures("maps")
def test_a_changed_map_answers_at_once(fhir: httpx.Client) -> None:
    url = "http://example.org/ConceptMap/changing"
    system = "http://example.org/changing"
    for target in ("a", "b", "c"):
        element = [{"code": "1", "target": [{"code": target, "equivalence": "equal"}]}]
        group = [{"source": system, "target": LOCAL, "element": element}]
        resource = {"resourceType": "ConceptMap", "url": url, "status": "active", "group": group}
        fhir.put("/ConceptMap", params={"url": url}, json=resource)
        for asked in ({"url": url, "code": "1"}, {"system": system, "code": "1"}):
            answer = fhir.get("/ConceptMap/$translate", params=asked).json()
            assert matches(answer) == [f"equal:local#{target}"]


@pytest.mark.usefixtures("maps")
def test_a_client_of_r5_is_answered_in_its_words(fhir: httpx.Client) -> None:
    gender = "http://hl7.org/fhir/administrative-gender"

    def match_of(name: str, code: str) -> dict[str, Any]:
        asked = parameters(sourceSystem="http://example.org/sex", targetSystem=gender)
        asked["parameter"].append({"name": name, "valueCode": code})
        answer = fhir.post("/ConceptMap/$translate", json=asked).json()
        (match,) = (one for one in answer["parameter"] if one["name"] == "match")
        return parts(match)

    assert match_of("sourceCode", "2")["originMap"] == "http://example.org/ConceptMap/sex|1"
    said = match_of("targetCode", "female")
    assert said["concept"] == {"system": gender, "code": "female"}
    assert said["source"] == {"system": "http://example.org/sex", "code": "2"}
