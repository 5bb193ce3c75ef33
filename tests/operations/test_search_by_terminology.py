"""`:in`, `:not-in`, `:below` and `:above` over HTTP, compared with what a person would count."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.operations.conftest import Resource
from tests.rest.running import RunningHub

SYSTEM = "http://example.org/CodeSystem/tree"
OTHER = "http://example.org/CodeSystem/other"
LOCAL = "http://example.org/CodeSystem/unknown-to-the-hub"
FHIR_JSON = {"content-type": "application/fhir+json"}
CHANCE = random.Random(7)

# A: parent of B and C; B of D and E; C of F; G alone.
PARENTS = {"A": "", "B": "A", "C": "A", "D": "B", "E": "B", "F": "C", "G": ""}
CODINGS = [
    *((SYSTEM, code) for code in PARENTS),
    *((OTHER, code) for code in "AXY"),
    (LOCAL, "A"),
    ("", "A"),
]


def concepts(parent: str = "") -> list[Resource]:
    found = []
    for code, above in PARENTS.items():
        if above == parent:
            nested = concepts(code)
            found.append(
                {"code": code, "display": f"concept {code}"}
                | ({"concept": nested} if nested else {})
            )
    return found


def value_set(
    name: str, include: list[Resource], exclude: list[Resource] | None = None
) -> Resource:
    compose: Resource = {"include": include} | ({"exclude": exclude} if exclude else {})
    return {
        "resourceType": "ValueSet",
        "url": f"http://example.org/ValueSet/{name}",
        "version": "1",
        "status": "active",
        "compose": compose,
    }


def is_a(code: str) -> list[Resource]:
    return [{"property": "concept", "op": "is-a", "value": code}]


SETS: dict[str, tuple[Resource, set[tuple[str, str]]]] = {
    "listed": (
        value_set("listed", [{"system": SYSTEM, "concept": [{"code": "A"}, {"code": "G"}]}]),
        {(SYSTEM, "A"), (SYSTEM, "G")},
    ),
    "whole": (
        value_set("whole", [{"system": SYSTEM}]),
        {(SYSTEM, code) for code in PARENTS},
    ),
    "isa": (
        value_set("isa", [{"system": SYSTEM, "filter": is_a("B")}]),
        {(SYSTEM, code) for code in "BDE"},
    ),
    "imports": (
        value_set(
            "imports",
            [{"valueSet": ["http://example.org/ValueSet/isa"]}, {"system": OTHER}],
            [{"system": SYSTEM, "concept": [{"code": "D"}]}],
        ),
        {(SYSTEM, "B"), (SYSTEM, "E"), *((OTHER, code) for code in "AXY")},
    ),
    "none": (
        value_set("none", [{"system": SYSTEM, "filter": is_a("G")}],
                  [{"system": SYSTEM, "concept": [{"code": "G"}]}]),
        set(),
    ),
}  # fmt: skip


def above(code: str) -> set[str]:
    return {code} | (above(PARENTS[code]) if PARENTS[code] else set())


@pytest.fixture(scope="module")
def observations(operations_hub: RunningHub) -> dict[str, list[tuple[str, str]]]:
    """Ids of Observations and their codings; some have two, some none."""
    client = operations_hub.client

    def put(resource: Resource) -> str:
        where = f"/{resource['resourceType']}?url={resource['url']}"
        assert client.put(where, json=resource, headers=FHIR_JSON).status_code in (200, 201)
        return ""

    system = {"resourceType": "CodeSystem", "status": "active", "content": "complete"}
    put(system | {"url": SYSTEM, "caseSensitive": True, "concept": concepts()})
    put(system | {"url": OTHER, "concept": [{"code": code} for code in "AXY"]})
    for resource, _ in SETS.values():
        put(resource)
    made = {}
    wanted = [[coding] for coding in CODINGS]
    wanted += [CHANCE.sample(CODINGS, 2) for _ in range(20)] + [[], []]
    for codings in wanted:
        coding = [({"system": s} if s else {}) | {"code": c} for s, c in codings]
        resource = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": coding} if coding else {"text": "nothing"},
            "identifier": [{"system": "urn:oid:1.2.3", "value": "terminology"}],
        }
        answer = client.post("/Observation", json=resource, headers=FHIR_JSON)
        assert answer.status_code == 201, answer.text
        made[answer.json()["id"]] = codings
    return made


Found = Callable[..., set[str]]


@pytest.fixture
def found(fhir: httpx.Client) -> Found:
    """Ids that a search finds among this module's Observations."""

    def search(**parameters: str) -> set[str]:
        own = {"identifier": "urn:oid:1.2.3|terminology", "_count": "200"}
        answer = fhir.get("/Observation", params=parameters | own)
        assert answer.status_code == 200, answer.text
        entries = answer.json().get("entry", [])
        return {one["resource"]["id"] for one in entries if one["search"]["mode"] == "match"}

    return search


@pytest.mark.parametrize("name", SETS)
def test_in_and_not_in_a_value_set(
    found: Found, observations: dict[str, list[tuple[str, str]]], name: str
) -> None:
    resource, members = SETS[name]
    wanted = {id for id, codings in observations.items() if members & set(codings)}
    for url in (resource["url"], f"{resource['url']}|1"):
        assert found(**{"code:in": url}) == wanted
        assert found(**{"code:not-in": url}) == set(observations) - wanted


def test_in_one_of_several_value_sets(
    found: Found, observations: dict[str, list[tuple[str, str]]]
) -> None:
    members = SETS["listed"][1] | SETS["isa"][1]
    urls = f"{SETS['listed'][0]['url']},{SETS['isa'][0]['url']}"
    wanted = {id for id, codings in observations.items() if members & set(codings)}
    assert found(**{"code:in": urls}) == wanted
    assert found(**{"code:not-in": urls}) == set(observations) - wanted


@pytest.mark.parametrize("code", PARENTS)
def test_below_and_above_a_concept(
    found: Found, observations: dict[str, list[tuple[str, str]]], code: str
) -> None:
    below = {(SYSTEM, one) for one in PARENTS if code in above(one)}
    over = {(SYSTEM, one) for one in above(code)}
    for modifier, members in (("below", below), ("above", over)):
        wanted = {id for id, codings in observations.items() if members & set(codings)}
        assert found(**{f"code:{modifier}": f"{SYSTEM}|{code}"}) == wanted


def test_a_value_set_may_be_named_by_its_resource(
    fhir: httpx.Client, found: Found, observations: dict[str, list[tuple[str, str]]]
) -> None:
    answer = fhir.get("/ValueSet", params={"url": SETS["isa"][0]["url"]}).json()
    id = answer["entry"][0]["resource"]["id"]
    by_url = found(**{"code:in": SETS["isa"][0]["url"]})
    assert by_url
    assert found(**{"code:in": f"ValueSet/{id}"}) == by_url
    assert found(**{"code:in": f"{fhir.base_url}ValueSet/{id}".rstrip("/")}) == by_url


def test_a_value_set_of_r4_and_a_parameter_whose_codes_are_folded(
    fhir: httpx.Client, observations: dict[str, list[tuple[str, str]]]
) -> None:
    url = "http://hl7.org/fhir/ValueSet/observation-status"
    asked = {"status:in": url, "identifier": "urn:oid:1.2.3|terminology", "_count": "0"}
    answer = fhir.get("/Observation", params=asked | {"_total": "accurate"}).json()
    assert answer["total"] == len(observations)
    woman = fhir.post("/Patient", json={"resourceType": "Patient", "gender": "female"}).json()
    for asked in (
        {"gender:in": "http://hl7.org/fhir/ValueSet/administrative-gender"},
        {"gender:below": "http://hl7.org/fhir/administrative-gender|female"},
        {"gender:above": "female"},
    ):
        answer = fhir.get("/Patient", params=asked | {"_id": woman["id"]}).json()
        assert len(answer["entry"]) == 1


def test_what_is_changed_is_seen_by_the_next_search(
    fhir: httpx.Client, found: Found, observations: dict[str, list[tuple[str, str]]]
) -> None:
    url = "http://example.org/ValueSet/changing"
    for codes in ("A", "AG", "G"):
        resource = value_set(
            "changing", [{"system": SYSTEM, "concept": [{"code": code} for code in codes]}]
        )
        fhir.put("/ValueSet", params={"url": url}, json=resource)
        members = {(SYSTEM, code) for code in codes}
        wanted = {id for id, codings in observations.items() if members & set(codings)}
        assert found(**{"code:in": url}) == wanted


def test_conditions_and_chains_know_them_too(
    fhir: httpx.Client, observations: dict[str, list[tuple[str, str]]]
) -> None:
    subject = fhir.post("/Patient", json={"resourceType": "Patient"}).json()["id"]
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": SYSTEM, "code": "D"}]},
        "subject": {"reference": f"Patient/{subject}"},
    }
    fhir.post("/Observation", json=resource)
    url = SETS["isa"][0]["url"]
    answer = fhir.get("/Patient", params={"_has:Observation:subject:code:in": url}).json()
    assert [one["resource"]["id"] for one in answer["entry"]] == [subject]
    again = fhir.post(
        "/Observation",
        json=resource,
        headers={"if-none-exist": f"subject=Patient/{subject}&code:below={SYSTEM}%7CB"},
    )
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"code:in": "http://example.org/ValueSet/not-there"}, "tx-value-set-unknown"),
        ({"code:in": "ValueSet/not-there"}, "tx-value-set-unknown"),
        ({"code:below": "A"}, "search-concept-system"),
        ({"code:below": f"{LOCAL}|A"}, "search-system-unknown"),
        ({"code:above": f"{SYSTEM}|nope"}, "search-code-unknown"),
    ],
)
def test_what_is_not_known_is_told(fhir: httpx.Client, asked: dict[str, str], message: str) -> None:
    answer = fhir.get("/Observation", params=asked)
    assert answer.status_code == 400
    (coding,) = (
        one
        for issue in answer.json()["issue"]
        for one in issue["details"]["coding"]
        if one["system"] == "urn:fhir-hub:message"
    )
    assert coding["code"] == message


def test_value_sets_in_a_circle_are_told(fhir: httpx.Client) -> None:
    for one, two in (("left", "right"), ("right", "left")):
        resource = value_set(one, [{"valueSet": [f"http://example.org/ValueSet/{two}"]}])
        fhir.put("/ValueSet", params={"url": resource["url"]}, json=resource)
    answer = fhir.get("/Observation", params={"code:in": "http://example.org/ValueSet/left"})
    assert answer.status_code == 400


def test_the_plan_shows_what_was_searched_for(
    fhir: httpx.Client, observations: dict[str, list[tuple[str, str]]]
) -> None:
    asked = {"code:below": f"{SYSTEM}|B", "_explain": "true"}
    answer: Any = fhir.get("/Observation", params=asked)
    assert answer.status_code == 200
