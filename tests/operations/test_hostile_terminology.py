"""Content made to hang, to blow up or to lie: answered in time, and never with an error of ours."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from hub.context import Context
from hub.errors import HubError
from hub.interactions.operation import OperationRequest
from hub.operations import OPERATIONS
from hub.storage.memory.store import MemoryStore
from tests.interactions.conftest import door_over
from tests.operations.conftest import Resource

SYSTEM = "http://example.org/hostile"


def value_set(url: str, *include: Resource) -> Resource:
    compose = {"include": list(include)}
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": compose}


def code_system(url: str, concepts: list[Resource], **more: Any) -> Resource:
    made: Resource = {
        "resourceType": "CodeSystem",
        "url": url,
        "status": "active",
        "content": "complete",
        "concept": concepts,
    }
    return made | more


def bring(fhir: httpx.Client, operation: str, *own: Resource, **given: str) -> httpx.Response:
    """Call an operation with resources that come along; in ten seconds, without a 5xx."""
    parameters: list[Resource] = [{"name": "tx-resource", "resource": one} for one in own]
    types = {"code": "valueCode", "filter": "valueString", "count": "valueInteger"}
    parameters += [
        {"name": name, types.get(name, "valueUri"): int(value) if name == "count" else value}
        for name, value in given.items()
    ]
    before = time.monotonic()
    answer = fhir.post(operation, json={"resourceType": "Parameters", "parameter": parameters})
    assert time.monotonic() - before < 10
    assert answer.status_code < 500, answer.text
    return answer


@pytest.mark.parametrize("length", [1, 2, 30])
def test_value_sets_that_import_each_other(fhir: httpx.Client, length: int) -> None:
    urls = [f"{SYSTEM}/ring-{length}-{number}" for number in range(length)]
    ring = [
        value_set(url, {"valueSet": [urls[(number + 1) % length]]})
        for number, url in enumerate(urls)
    ]
    assert bring(fhir, "/ValueSet/$expand", *ring, url=urls[0]).status_code >= 400
    validated = {"url": urls[0], "system": "http://hl7.org/fhir/administrative-gender"}
    bring(fhir, "/ValueSet/$validate-code", *ring, code="male", **validated)


def test_a_lattice_of_imports_is_not_walked_along_every_path(fhir: httpx.Client) -> None:
    """Two to the 24th paths lead through it."""
    layers = 24
    lattice = [
        value_set(
            f"{SYSTEM}/lattice-{layer}",
            {"valueSet": [f"{SYSTEM}/lattice-{layer + 1}"]},
            {"valueSet": [f"{SYSTEM}/lattice-{layer + 1}"]},
        )
        for layer in range(layers)
    ]
    end = value_set(f"{SYSTEM}/lattice-{layers}", {"system": "http://hl7.org/fhir/issue-severity"})
    bring(fhir, "/ValueSet/$expand", *lattice, end, url=f"{SYSTEM}/lattice-0")


def test_parents_that_go_in_a_circle(fhir: httpx.Client) -> None:
    codes = [f"c{number}" for number in range(200)]
    concepts = [
        {
            "code": code,
            "property": [{"code": "parent", "valueCode": codes[(number + 1) % len(codes)]}],
        }
        for number, code in enumerate(codes)
    ]
    ring = code_system(f"{SYSTEM}/circle", concepts)
    answer = bring(
        fhir, "/ValueSet/$expand", ring, url=f"{SYSTEM}/circle?fhir_vs=isa/c7", count="5"
    )
    assert answer.status_code == 200
    system = f"{SYSTEM}/circle"
    bring(fhir, "/CodeSystem/$subsumes", ring, system=system, codeA="c1", codeB="c9")
    bring(fhir, "/CodeSystem/$lookup", ring, system=system, code="c1")
    assert fhir.post("/CodeSystem", json=ring).status_code == 201
    found = fhir.get("/Observation", params={"code:below": f"{system}|c3"})
    assert found.status_code == 200


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*b", "(.*a){25}", "([a-z]+)*\\d", "(?=(a+))\\1x"]
)
def test_a_regex_that_would_never_end(fhir: httpx.Client, pattern: str) -> None:
    concepts = [{"code": "a" * 60 + str(number)} for number in range(500)]
    element = {"property": "code", "op": "regex", "value": pattern}
    own = value_set(f"{SYSTEM}/regex-set", {"system": f"{SYSTEM}/regex", "filter": [element]})
    system = code_system(f"{SYSTEM}/regex", concepts)
    bring(fhir, "/ValueSet/$expand", system, own, url=own["url"])


def test_very_many_includes_and_words(fhir: httpx.Client) -> None:
    include = {"system": "http://hl7.org/fhir/issue-severity"}
    many = value_set(f"{SYSTEM}/many", *([include] * 3_000))
    bring(fhir, "/ValueSet/$expand", many, url=many["url"])
    words = " ".join(["a"] * 20_000)
    bring(fhir, "/ValueSet/$expand", many, url=many["url"], filter=words)
    bring(fhir, "/ValueSet/$expand", many, url=many["url"], filter="\x00 \ufeff")


@pytest.mark.parametrize(
    "element",
    [
        {"code": 7, "target": [{"code": "x"}]},
        {"code": "a", "target": "x"},
        {"code": "a", "target": [7, None, {"code": []}]},
        {"code": "a", "target": [{"code": "x", "dependsOn": "y", "product": {}}]},
        "a",
    ],
)
def test_maps_of_the_wrong_shape(fhir: httpx.Client, element: Any) -> None:
    group = [{"source": SYSTEM, "target": SYSTEM, "element": [element], "unmapped": "x"}]
    own = {"resourceType": "ConceptMap", "url": f"{SYSTEM}/map", "status": "active", "group": group}
    given = {"name": "conceptMap", "resource": own}
    body = {"resourceType": "Parameters", "parameter": [given, {"name": "code", "valueCode": "a"}]}
    assert fhir.post("/ConceptMap/$translate", json=body).status_code < 500


def test_a_chain_of_a_thousand_maps(fhir: httpx.Client) -> None:
    maps = [
        {
            "resourceType": "ConceptMap",
            "url": f"{SYSTEM}/chain-{number}",
            "status": "active",
            "group": [
                {
                    "source": SYSTEM,
                    "target": SYSTEM,
                    "element": [{"code": "z", "target": [{"code": "z", "equivalence": "equal"}]}],
                    "unmapped": {"mode": "other-map", "url": f"{SYSTEM}/chain-{number + 1}"},
                }
            ],
        }
        for number in range(1_000)
    ]
    answer = bring(fhir, "/ConceptMap/$translate", *maps, url=f"{SYSTEM}/chain-0", code="a")
    assert answer.status_code == 200


def test_a_code_system_that_names_anothers_binary_does_not_open_it(fhir: httpx.Client) -> None:
    secret = fhir.post(
        "/Binary", content=b"FHC1" + b"secret", headers={"content-type": "text/plain"}
    )
    reference = secret.headers["location"].partition("/fhir/")[2].partition("/_history")[0]
    extension = [{"url": "urn:fhir-hub:concepts", "valueReference": {"reference": reference}}]
    forged = code_system(f"{SYSTEM}/forged", [{"code": "a"}], extension=extension)
    assert fhir.post("/CodeSystem", json=forged).status_code == 201
    answer = fhir.get("/CodeSystem/$lookup", params={"system": f"{SYSTEM}/forged", "code": "a"})
    assert answer.status_code == 200


def test_maps_that_hand_on_along_many_ways(fhir: httpx.Client) -> None:
    """Twenty to the seventh ways lead through them."""
    last = 7
    maps: list[Resource] = []
    for layer in range(last + 1):
        rest: Resource = {"mode": "other-map", "url": f"{SYSTEM}/ways-{layer + 1}"}
        if layer == last:
            rest = {"mode": "fixed", "code": "found"}
        group = {"source": SYSTEM, "target": SYSTEM, "element": [], "unmapped": rest}
        url = f"{SYSTEM}/ways-{layer}"
        maps.append({"resourceType": "ConceptMap", "url": url, "group": [group] * 20})
    answer = bring(fhir, "/ConceptMap/$translate", *maps, url=f"{SYSTEM}/ways-0", code="a")
    named = [part["name"] for part in answer.json()["parameter"]]
    assert named == ["result", "match"]


async def test_a_map_with_more_targets_than_are_told() -> None:
    targets = [{"code": f"t{number}", "equivalence": "equal"} for number in range(60_000)]
    group = [{"source": SYSTEM, "target": SYSTEM, "element": [{"code": "a", "target": targets}]}]
    own = {"resourceType": "ConceptMap", "url": f"{SYSTEM}/wide", "group": group * 2}
    given: list[Resource] = [
        {"name": "conceptMap", "resource": own},
        {"name": "code", "valueCode": "a"},
    ]
    status, told = await asked("translate", "ConceptMap", given)
    assert status == 200
    assert sum(one["name"] == "match" for one in told["parameter"]) == 1_000


@pytest.mark.parametrize(
    ("name", "type"),
    [("translate", "ConceptMap"), ("validate-code", "ValueSet"), ("validate-code", "CodeSystem")],
)
async def test_a_concept_of_very_many_codings(name: str, type: str) -> None:
    system = "http://hl7.org/fhir/administrative-gender"
    url = "http://hl7.org/fhir/ValueSet/administrative-gender" if type == "ValueSet" else system
    concept = {"coding": [{"system": system, "code": f"c{number}"} for number in range(150_000)]}
    given: list[Resource] = [{"name": "codeableConcept", "valueCodeableConcept": concept}]
    if type != "ConceptMap":
        given.append({"name": "url", "valueUri": url})
    status, told = await asked(name, type, given)
    assert status == 422
    assert told["issue"][0]["code"] == "too-costly"


async def asked(name: str, type: str, given: list[Resource]) -> tuple[int, Resource]:
    """An operation in this process, with more than a request may hold here; in ten seconds."""
    body = {"resourceType": "Parameters", "parameter": given}
    request = OperationRequest(type, "", "POST", resource=body)
    before = time.monotonic()
    try:
        answer = await OPERATIONS[name].perform(door_over(MemoryStore()), Context(), request)
        found = answer.status, answer.body
    except HubError as error:
        issue = [{"code": one.code} for one in error.issues]
        found = error.status, {"issue": issue}
    assert time.monotonic() - before < 10
    assert isinstance(found[1], dict)
    return found[0], found[1]
