"""The terminology operations over HTTP: R4's content, the record's, a request's own."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.operations.conftest import Resource, Store
from tests.rest.running import outcome
from tests.terminology.core.questions import (
    all_of,
    code_system,
    codes,
    concept,
    filtered,
    listed,
    value_set,
)

GENDER = "http://hl7.org/fhir/administrative-gender"
GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"
_NUMBERS = count()


def values(answer: httpx.Response) -> dict[str, Any]:
    """The simple values of a Parameters, by name."""
    assert answer.status_code == 200, answer.text
    return {
        one["name"]: next(one[key] for key in one if key.startswith("value"))
        for one in answer.json()["parameter"]
        if not {"part", "resource"} & one.keys()
    }


def parameters(**given: Any) -> Resource:
    """A Parameters resource; resources and lists as they are, the rest as strings."""
    made: list[Resource] = []
    for name, content in given.items():
        for one in content if isinstance(content, list) else [content]:
            if isinstance(one, dict) and "resourceType" in one:
                made.append({"name": name.replace("_", "-"), "resource": one})
            elif isinstance(one, dict):
                kind = "valueCodeableConcept" if "coding" in one else "valueCoding"
                made.append({"name": name, kind: one})
            elif isinstance(one, bool):
                made.append({"name": name, "valueBoolean": one})
            else:
                made.append({"name": name.replace("_", "-"), "valueString": one})
    return {"resourceType": "Parameters", "parameter": made}


def animals(url: str, *more: Resource) -> Resource:
    return code_system(concept("dog", "Dog", concept("puppy", "Puppy")), *more, url=url)


@pytest.fixture
def url() -> str:
    """A canonical that no other test uses."""
    return f"http://example.org/terminology/{next(_NUMBERS)}"


# --- R4's content ---------------------------------------------------------------------------


def test_the_content_of_r4_is_there(fhir: httpx.Client) -> None:
    answer = fhir.get("/ValueSet/$expand", params={"url": GENDERS})
    assert codes(answer.json()["expansion"]) == ["male", "female", "other", "unknown"]
    asked = {"url": GENDERS, "system": GENDER, "code": "male"}
    assert values(fhir.get("/ValueSet/$validate-code", params=asked))["result"] is True
    asked["code"] = "x"
    assert values(fhir.get("/ValueSet/$validate-code", params=asked))["result"] is False
    asked = {"url": GENDER, "code": "female", "display": "Female"}
    assert values(fhir.get("/CodeSystem/$validate-code", params=asked))["result"] is True
    found = values(fhir.get("/CodeSystem/$lookup", params={"system": GENDER, "code": "male"}))
    assert found["display"] == "Male"
    asked = {
        "system": "http://terminology.hl7.org/CodeSystem/v3-ActClass",
        "codeA": "ACT",
        "codeB": "OBS",
    }
    found = values(fhir.get("/CodeSystem/$subsumes", params=asked))
    assert found == {"outcome": "subsumes"}


def test_a_version_of_r4s_content_may_be_asked_for(fhir: httpx.Client) -> None:
    answer = fhir.get("/ValueSet/$expand", params={"url": f"{GENDERS}|4.0.1"})
    assert answer.status_code == 200
    answer = fhir.get("/ValueSet/$expand", params={"url": f"{GENDERS}|9"})
    assert answer.status_code == 404
    assert "administrative-gender|9" in answer.text


# --- the record's content -------------------------------------------------------------------


def test_stored_content_answers_and_a_change_is_seen_at_once(
    fhir: httpx.Client, store: Store, url: str
) -> None:
    system = store(animals(url))
    store(value_set(all_of(url), url=f"{url}/vs"))

    def expanded() -> list[str]:
        answer = fhir.get("/ValueSet/$expand", params={"url": f"{url}/vs"})
        return codes(answer.json()["expansion"])

    assert expanded() == ["dog", ">puppy"]
    system["concept"].append({"code": "cat"})
    assert fhir.put(f"/CodeSystem/{system['id']}", json=system).status_code == 200
    assert expanded() == ["dog", ">puppy", "cat"]
    assert fhir.delete(f"/CodeSystem/{system['id']}").status_code in (200, 204)
    assert fhir.get("/ValueSet/$expand", params={"url": f"{url}/vs"}).status_code == 404


def test_stored_content_stands_before_that_of_r4(fhir: httpx.Client, store: Store) -> None:
    v2 = "http://terminology.hl7.org/CodeSystem/v2-0005"
    made = store(code_system(concept("own", "Ours"), url=v2, version="0.1"))
    try:
        found = values(fhir.get("/CodeSystem/$lookup", params={"system": v2, "code": "own"}))
        assert found["display"] == "Ours"
    finally:
        fhir.delete(f"/CodeSystem/{made['id']}")


def test_operations_on_instances_use_the_instance(
    fhir: httpx.Client, store: Store, url: str
) -> None:
    system, dogs = store(animals(url)), store(value_set(filtered("concept", "is-a", "dog", url)))
    answer = fhir.get(f"/ValueSet/{dogs['id']}/$expand")
    assert codes(answer.json()["expansion"]) == ["dog", ">puppy"]
    asked = {"system": url, "code": "puppy"}
    answer = fhir.get(f"/ValueSet/{dogs['id']}/$validate-code", params=asked)
    assert values(answer)["result"] is True
    answer = fhir.get(f"/CodeSystem/{system['id']}/$validate-code", params={"code": "puppy"})
    assert values(answer)["result"] is True
    asked = {"codeA": "dog", "codeB": "puppy"}
    answer = fhir.get(f"/CodeSystem/{system['id']}/$subsumes", params=asked)
    assert values(answer) == {"outcome": "subsumes"}
    assert fhir.get("/ValueSet/none/$expand").status_code == 404


def test_versions_stand_side_by_side(fhir: httpx.Client, store: Store, url: str) -> None:
    store(animals(url))
    store(animals(url, concept("cat", "Cat")) | {"version": "2.0.0"})

    def found(**asked: str) -> bool:
        answer = fhir.get("/CodeSystem/$validate-code", params={"url": url, "code": "cat"} | asked)
        return bool(values(answer)["result"])

    assert found()
    assert not found(version="1.0.0")
    assert found(version="2.0.0")


def test_a_supplement_of_the_record_is_used_when_asked_for(
    fhir: httpx.Client, store: Store, url: str
) -> None:
    store(animals(url))
    words = [{"language": "zh", "value": "狗"}]
    store(
        code_system(
            concept("dog", designation=words),
            url=f"{url}/zh",
            content="supplement",
            supplements=url,
        )
    )
    asked = {"system": url, "code": "dog", "displayLanguage": "zh"}
    assert values(fhir.get("/CodeSystem/$lookup", params=asked))["display"] == "Dog"
    asked["useSupplement"] = f"{url}/zh"
    assert values(fhir.get("/CodeSystem/$lookup", params=asked))["display"] == "狗"


# --- what a request brings ------------------------------------------------------------------


def test_a_request_may_bring_its_own_content(fhir: httpx.Client, url: str) -> None:
    body = parameters(valueSet=value_set(all_of(url)), tx_resource=[animals(url)])
    answer = fhir.post("/ValueSet/$expand", json=body)
    assert codes(answer.json()["expansion"]) == ["dog", ">puppy"]
    assert "entry" not in fhir.get("/CodeSystem", params={"url": url}).json()
    bare = fhir.post("/ValueSet/$expand", json=value_set(listed("1", system="http://loinc.org")))
    assert codes(bare.json()["expansion"]) == ["1"]
    body = parameters(codeSystem=animals(url), code="dog")
    assert values(fhir.post("/CodeSystem/$validate-code", json=body))["result"] is True


def test_codings_and_concepts_are_validated(fhir: httpx.Client) -> None:
    coding = {"system": GENDER, "code": "male"}
    body = parameters(url=GENDERS, coding=coding)
    assert values(fhir.post("/ValueSet/$validate-code", json=body))["result"] is True
    body = parameters(url=GENDERS, codeableConcept={"coding": [{"code": "x"}, coding]})
    assert values(fhir.post("/ValueSet/$validate-code", json=body))["code"] == "male"
    body = parameters(url=GENDERS, code="male", inferSystem=True)
    assert values(fhir.post("/ValueSet/$validate-code", json=body))["system"] == GENDER


def test_several_codes_are_validated_at_once(fhir: httpx.Client) -> None:
    body = parameters(
        url=GENDERS,
        validation=[
            parameters(coding={"system": GENDER, "code": "male"}),
            parameters(coding={"system": GENDER, "code": "x"}),
            parameters(nonsense="x"),
        ],
    )
    answer = fhir.post("/ValueSet/$batch-validate-code", json=body)
    assert answer.status_code == 200
    first, second, third = (one["resource"] for one in answer.json()["parameter"])
    assert first["parameter"][0] == {"name": "result", "valueBoolean": True}
    assert second["parameter"][0] == {"name": "result", "valueBoolean": False}
    assert third["resourceType"] == "OperationOutcome"


# --- languages ------------------------------------------------------------------------------


def test_messages_and_displays_follow_the_language(
    fhir: httpx.Client, store: Store, url: str
) -> None:
    store(
        code_system(concept("d", "Dog", designation=[{"language": "zh", "value": "狗"}]), url=url)
    )
    store(value_set(listed("d", system=url), url=f"{url}/vs"))
    chinese = {"accept-language": "zh-CN,zh;q=0.9"}
    asked = {"url": f"{url}/vs"}
    answer = fhir.get("/ValueSet/$expand", params=asked, headers=chinese).json()
    assert answer["expansion"]["contains"][0]["display"] == "狗"
    asked |= {"displayLanguage": "en"}
    answer = fhir.get("/ValueSet/$expand", params=asked, headers=chinese).json()
    assert answer["expansion"]["contains"][0]["display"] == "Dog"
    asked = {"url": f"{url}/vs", "system": url, "code": "x"}
    answer = fhir.get("/ValueSet/$validate-code", params=asked, headers=chinese)
    assert "不在值集" in values(answer)["message"]
    answer = fhir.get("/ValueSet/$expand", params={"url": "http://x/none"}, headers=chinese)
    assert "找不到值集" in answer.text


def test_a_header_that_asks_for_any_language_asks_for_none(fhir: httpx.Client) -> None:
    anything = {"accept-language": "*"}
    answer = fhir.get("/ValueSet/$expand", params={"url": GENDERS}, headers=anything)
    assert "displayLanguage" not in answer.text


def test_a_value_set_may_switch_its_own_expansion(fhir: httpx.Client, url: str) -> None:
    parts = [{"url": "name", "valueCode": "excludeNested"}, {"url": "value", "valueBoolean": True}]
    of = value_set(all_of(url))
    of["compose"]["extension"] = [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/valueset-expansion-parameter",
            "extension": parts,
        }
    ]
    body = parameters(valueSet=of, tx_resource=[animals(url)])
    assert codes(fhir.post("/ValueSet/$expand", json=body).json()["expansion"]) == ["dog", "puppy"]
    body = parameters(valueSet=of, tx_resource=[animals(url)], excludeNested=False)
    assert codes(fhir.post("/ValueSet/$expand", json=body).json()["expansion"]) == ["dog", ">puppy"]


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("ValueSet/$expand", 400),
        ("ValueSet/$expand?url=http://example.org/none", 404),
        ("ValueSet/$expand?url=http://snomed.info/sct?fhir_vs", 404),
        (f"ValueSet/$expand?url={GENDERS}&count=x", 400),
        (f"ValueSet/$expand?url={GENDERS}&count=-1", 400),
        (f"ValueSet/$expand?url={GENDERS}&activeOnly=maybe", 400),
        (f"ValueSet/$expand?url={GENDERS}&url=x", 400),
        (f"ValueSet/$validate-code?url={GENDERS}", 400),
        (f"ValueSet/$validate-code?url={GENDERS}&code=male", 400),
        ("CodeSystem/$lookup?code=male", 400),
        (f"CodeSystem/$lookup?system={GENDER}&code=x", 404),
        ("CodeSystem/$lookup?system=http://example.org/none&code=x", 404),
        (f"CodeSystem/$subsumes?system={GENDER}&codeA=male", 400),
        (f"CodeSystem/$subsumes?system={GENDER}&codeA=male&codeB=x", 404),
        ("CodeSystem/$expand", 404),
        ("ValueSet/$lookup", 404),
        ("$expand", 404),
    ],
)
def test_what_cannot_be_answered_is_refused(fhir: httpx.Client, path: str, status: int) -> None:
    answer = fhir.get(f"/{path}")
    assert answer.status_code == status, answer.text
    assert outcome(answer)["issue"]


def test_too_many_codes_are_refused_with_a_hint(fhir: httpx.Client) -> None:
    many = "http://terminology.hl7.org/CodeSystem/v3-ActCode?fhir_vs"
    answer = fhir.get("/ValueSet/$expand", params={"url": many})
    assert answer.status_code == 422
    (issue,) = outcome(answer)["issue"]
    assert issue["code"] == "too-costly"
    assert "count" in issue["diagnostics"]
    answer = fhir.get("/ValueSet/$expand", params={"url": many, "count": "10", "offset": "1000"})
    assert answer.json()["expansion"]["total"] > 1000
    assert len(answer.json()["expansion"]["contains"]) == 10


def test_value_sets_in_a_ring_are_refused(fhir: httpx.Client, store: Store, url: str) -> None:
    store(value_set({"valueSet": [f"{url}/b"]}, url=f"{url}/a"))
    store(value_set({"valueSet": [f"{url}/a"]}, url=f"{url}/b"))
    answer = fhir.get("/ValueSet/$expand", params={"url": f"{url}/a"})
    assert answer.status_code == 400
    assert "includes itself" in answer.text
    asked = {"url": f"{url}/a", "system": "x", "code": "y"}
    assert fhir.get("/ValueSet/$validate-code", params=asked).status_code == 400


def test_a_catastrophic_regular_expression_does_not_hold_others_up(
    fhir: httpx.Client, url: str
) -> None:
    body = parameters(
        valueSet=value_set(filtered("code", "regex", "(a+)+b", url)),
        tx_resource=[code_system(*(concept("a" * 200 + str(n)) for n in range(500)), url=url)],
    )
    answer = fhir.post("/ValueSet/$expand", json=body, timeout=20)
    assert answer.status_code in (200, 422)


def test_operations_work_inside_a_batch(fhir: httpx.Client) -> None:
    entries = [
        {"request": {"method": "GET", "url": f"ValueSet/$expand?url={GENDERS}"}},
        {"request": {"method": "GET", "url": "ValueSet/$expand?url=http://example.org/none"}},
    ]
    body = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    first, second = fhir.post("", json=body).json()["entry"]
    assert first["resource"]["expansion"]["total"] == 4
    assert second["response"]["status"].startswith("404")


NAMES = [
    "system",
    "code",
    "concept",
    "filter",
    "op",
    "value",
    "property",
    "valueSet",
    "include",
    "exclude",
    "compose",
    "url",
    "version",
    "extension",
    "contains",
    "status",
    "parameter",
    "designation",
    "use",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", GENDER, "(", "1.x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(JSON, JSON, JSON)
def test_no_shape_of_a_value_set_is_an_error_of_the_hub(
    fhir: httpx.Client, compose: Any, expansion: Any, concepts: Any
) -> None:
    of = {"resourceType": "ValueSet", "url": GENDERS, "compose": compose, "expansion": expansion}
    system = {"resourceType": "CodeSystem", "url": GENDER, "concept": concepts}
    body = parameters(valueSet=of, tx_resource=[system])
    answer = fhir.post("/ValueSet/$expand", json=body)
    assert answer.status_code < 500, answer.text
    body = parameters(valueSet=of, coding={"system": GENDER, "code": "x"}, tx_resource=[system])
    answer = fhir.post("/ValueSet/$validate-code", json=body)
    assert answer.status_code < 500, answer.text
