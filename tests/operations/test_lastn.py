"""$lastn over HTTP."""

from __future__ import annotations

import httpx
import pytest

from tests.operations.conftest import Resource, Store
from tests.rest.running import message_ids

LOINC = "http://loinc.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def _observation(patient: Resource, day: int, *codes: str, text: str = "") -> Resource:
    code: Resource = {"text": text} if text else {}
    if codes:
        code["coding"] = [{"system": LOINC, "code": one} for one in codes]
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}],
        "code": code,
        "subject": {"reference": f"Patient/{patient['id']}"},
        "effectiveDateTime": f"2026-02-{day:02}",
    }


def _found(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    bundle = response.json()
    assert bundle["type"] == "searchset"
    assert bundle["total"] == len(bundle.get("entry", []))
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


def test_one_of_each_kind_is_given_by_default(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    weights = [store(_observation(patient, day, "29463-7"))["id"] for day in (2, 9, 4)]
    rates = [store(_observation(patient, day, "8867-4"))["id"] for day in (8, 3)]
    found = _found(fhir.get(f"/Observation/$lastn?patient={patient['id']}"))
    assert found == [weights[1], rates[0]]


def test_max_gives_as_many_of_each_newest_first(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    weights = [store(_observation(patient, day, "29463-7"))["id"] for day in (2, 9, 4)]
    rates = [store(_observation(patient, day, "8867-4"))["id"] for day in (8, 3)]
    url = f"/Observation/$lastn?patient=Patient/{patient['id']}&max="
    assert _found(fhir.get(url + "2")) == [weights[1], rates[0], weights[2], rates[1]]
    assert len(_found(fhir.get(url + "1000"))) == 5


def test_codes_that_one_observation_shares_are_one_kind(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    store(_observation(patient, 1, "29463-7"))
    store(_observation(patient, 2, "29463-7", "3141-9"))
    newest = store(_observation(patient, 3, "3141-9"))
    url = f"/Observation/$lastn?patient={patient['id']}"
    assert _found(fhir.get(url)) == [newest["id"]]


def test_without_a_coding_the_text_is_the_kind(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    store(_observation(patient, 1, text="步数"))
    steps = store(_observation(patient, 5, text="步数"))
    sleep = store(_observation(patient, 4, text="睡眠"))
    url = f"/Observation/$lastn?patient={patient['id']}"
    assert _found(fhir.get(url)) == [steps["id"], sleep["id"]]


def test_other_search_parameters_narrow_it(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    weight = store(_observation(patient, 2, "29463-7"))
    store(_observation(patient, 3, "8867-4"))
    url = f"/Observation/$lastn?patient={patient['id']}"
    assert _found(fhir.get(f"{url}&code={LOINC}|29463-7")) == [weight["id"]]
    assert len(_found(fhir.get(f"{url}&category=vital-signs"))) == 2
    assert _found(fhir.get(f"{url}&category=laboratory")) == []


def test_category_and_code_do_without_a_patient(
    fhir: httpx.Client, store: Store, patient: Resource
) -> None:
    made = store(_observation(patient, 2, "9279-1"))
    url = f"/Observation/$lastn?category=vital-signs&code={LOINC}|9279-1"
    assert _found(fhir.get(url)) == [made["id"]]


@pytest.mark.parametrize("query", ["", "?category=vital-signs", "?code=29463-7", "?max=3"])
def test_without_a_patient_it_is_refused(fhir: httpx.Client, query: str) -> None:
    response = fhir.get(f"/Observation/$lastn{query}")
    assert response.status_code == 400
    assert message_ids(response) == ["lastn-subject"]


@pytest.mark.parametrize("most", ["0", "-1", "x", "1001", "١"])
def test_a_max_out_of_range_is_refused(fhir: httpx.Client, patient: Resource, most: str) -> None:
    response = fhir.get("/Observation/$lastn", params={"patient": patient["id"], "max": most})
    assert response.status_code == 400
    assert message_ids(response) == ["operation-parameter-range"]


def test_other_types_do_not_have_it(fhir: httpx.Client) -> None:
    response = fhir.get("/Condition/$lastn?patient=x")
    assert response.status_code == 404
    assert message_ids(response) == ["operation-not-here"]


@pytest.mark.parametrize("asked", ["_elements=id", "_summary=true", "_explain=true", "_count=1"])
def test_what_shapes_a_search_hides_no_observation(
    fhir: httpx.Client, store: Store, patient: Resource, asked: str
) -> None:
    newest = [store(_observation(patient, 2, code))["id"] for code in ("29463-7", "8867-4")]
    found = _found(fhir.get(f"/Observation/$lastn?patient={patient['id']}&{asked}"))
    assert sorted(found) == sorted(newest)
