"""Whatever stands in Parameters or the query: a 4xx with words, or a 200, never a 500."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.operations.conftest import Resource, Store
from tests.rest.running import message_ids, outcome

CALLS = (
    "$convert",
    "$fhirpath",
    "$meta",
    "Patient/$everything",
    "Patient/$meta",
    "Patient/$validate",
    "Parameters/$validate",
    "Composition/$document",
    "Observation/$lastn",
    "CodeSystem/$lookup",
    "CodeSystem/$subsumes",
    "CodeSystem/$validate-code",
    "ConceptMap/$translate",
    "ValueSet/$batch-validate-code",
    "ValueSet/$expand",
    "ValueSet/$validate-code",
    "Patient/{id}/$everything",
    "Patient/{id}/$expunge",
    "Patient/{id}/$meta",
    "Patient/{id}/$meta-add",
    "Patient/{id}/$meta-delete",
    "Patient/{id}/$validate",
)
KNOWS_NONE = ("$convert", "ConceptMap/$translate", "ValueSet/$batch-validate-code")
NAMES = (
    "_count",
    "_cursor",
    "_since",
    "_type",
    "code",
    "codeA",
    "codeB",
    "codeableConcept",
    "coding",
    "confirm",
    "context",
    "count",
    "designation",
    "displayLanguage",
    "end",
    "expression",
    "id",
    "input",
    "inferSystem",
    "max",
    "meta",
    "mode",
    "patient",
    "persist",
    "profile",
    "resource",
    "start",
    "system",
    "system-version",
    "tx-resource",
    "url",
    "useSupplement",
    "validation",
    "valueSet",
    "variables",
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.sampled_from(
        ["", "x", "Patient/x", "2026", "-1", "1~2~3~4", "~~~", "9~~~", "name", "a.b("]
    )
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["tag", "profile", "security", "system", "code", "reference", "part"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
TYPES = ("Patient", "ValueSet", "CodeSystem", "Parameters")
PART = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(NAMES) | VALUES,
        "valueString": VALUES,
        "valueBoolean": VALUES,
        "valueMeta": VALUES,
        "valueReference": VALUES,
        "valueCoding": VALUES,
        "resource": VALUES | st.builds(dict, resourceType=st.sampled_from(TYPES)),
        "part": VALUES,
    },
)
PARAMETERS = st.lists(PART, max_size=3) | VALUES


def _answered(response: httpx.Response) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        outcome(response)


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(call=st.sampled_from(CALLS), parameter=PARAMETERS)
def test_any_parameters_are_answered(
    fhir: httpx.Client, patient: Resource, call: str, parameter: Any
) -> None:
    body = {"resourceType": "Parameters", "parameter": parameter}
    _answered(fhir.post("/" + call.format(id=patient["id"]), json=body))


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    call=st.sampled_from(CALLS),
    query=st.lists(
        st.tuples(
            st.sampled_from(NAMES) | st.text(max_size=5),
            st.text(max_size=12)
            | st.sampled_from(["~~~", "1~x~~", "9999999999~~~", "a~b~c~====="]),
        ),
        max_size=3,
    ),
)
def test_any_query_is_answered(
    fhir: httpx.Client, patient: Resource, call: str, query: list[tuple[str, str]]
) -> None:
    _answered(fhir.get("/" + call.format(id=patient["id"]), params=query))


@pytest.mark.parametrize("call", [call for call in CALLS if call != "$convert"])
@pytest.mark.parametrize(
    "parameter", [{}, "x", 7, ["x"], [[]], [{"name": 7}], [{}], {"name": "expression"}]
)
def test_parameters_that_are_no_list_of_named_objects_are_refused(
    fhir: httpx.Client, patient: Resource, call: str, parameter: Any
) -> None:
    body = {"resourceType": "Parameters", "parameter": parameter}
    response = fhir.post("/" + call.format(id=patient["id"]), json=body)
    if call == "Parameters/$validate":
        assert response.status_code == 200  # It is what is validated.
        assert outcome(response)["issue"][0]["severity"] == "error"
    else:
        assert response.status_code == 400
        assert message_ids(response) == ["operation-parameters-shape"]


@pytest.mark.parametrize("call", [call for call in CALLS if call not in KNOWS_NONE])
def test_unknown_parameters_are_refused_by_name(
    fhir: httpx.Client, patient: Resource, call: str
) -> None:
    place = "/" + call.format(id=patient["id"])
    strict = {"prefer": "handling=strict"}
    response = fhir.get(place, params={"patient": "x", "colour": "red"}, headers=strict)
    if response.status_code != 405:
        assert response.status_code == 400
        assert "colour" in response.text or "patient" in response.text
    body = {"resourceType": "Parameters", "parameter": [{"name": "colour", "valueString": "red"}]}
    asked = {"patient": "x"} if "lastn" in call else {}
    response = fhir.post(place, json=body, params=asked, headers=strict)
    if call != "Parameters/$validate":
        assert response.status_code == 400
        assert "colour" in response.text


def test_a_parameter_with_two_values_is_refused(fhir: httpx.Client) -> None:
    part = {"name": "expression", "valueString": "1", "valueCode": "2"}
    response = fhir.post("/$fhirpath", json={"resourceType": "Parameters", "parameter": [part]})
    assert message_ids(response) == ["operation-parameters-shape"]


def test_search_parameters_of_lastn_may_stand_in_the_body(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    subject = {"reference": f"Patient/{patient['id']}"}
    made = store(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "subject": subject,
        }
    )
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueReference": subject},
            {"name": "code", "valueCoding": {"system": "http://loinc.org", "code": "29463-7"}},
            {"name": "max", "valuePositiveInt": 3},
        ],
    }
    found = fhir.post("/Observation/$lastn", json=body).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [made["id"]]


def test_a_document_can_be_asked_for_by_id(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    made = store(
        {
            "resourceType": "Composition",
            "status": "final",
            "type": {"text": "x"},
            "title": "x",
            "date": "2026",
            "author": [{"reference": f"Patient/{patient['id']}/_history/1"}],
        }
    )
    fhir.put(f"/Patient/{patient['id']}", json=patient | {"active": True})
    for named in (made["id"], f"Composition/{made['id']}"):
        document = fhir.get("/Composition/$document", params={"id": named}).json()
        # A reference to a version brings that version.
        assert [entry["resource"] for entry in document["entry"]] == [made, patient]
    for named in ("https://other.example/Composition/1", "Patient/1", "#x"):
        response = fhir.get("/Composition/$document", params={"id": named})
        assert response.status_code == 400
    assert fhir.get("/Composition/$document").status_code == 400


def test_a_large_binary_keeps_its_content_when_its_meta_changes(
    fhir: httpx.Client, store: Store
) -> None:
    data = "QUJD" * 50_000
    made = store({"resourceType": "Binary", "contentType": "text/plain", "data": data})
    body = {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": {"tag": [{"code": "seen"}]}}],
    }
    assert fhir.post(f"/Binary/{made['id']}/$meta-add", json=body).status_code == 200
    read = fhir.get(f"/Binary/{made['id']}", headers={"accept": "application/fhir+json"}).json()
    assert read["data"] == data
    assert read["meta"]["tag"] == [{"code": "seen"}]
    assert fhir.get(f"/Binary/{made['id']}/$validate").status_code == 200
