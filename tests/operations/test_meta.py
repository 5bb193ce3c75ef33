"""$meta, $meta-add and $meta-delete over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.context import Context
from hub.errors import DamagedStorage
from hub.interactions.operation import OperationRequest
from hub.operations.meta import meta
from hub.storage.port import BodyDamaged
from hub.storage.sqlite.store import open_store
from tests.interactions.conftest import door_over
from tests.interactions.test_damaged_index import damage
from tests.operations.conftest import Resource, Store
from tests.rest.running import message_ids

SYSTEM = "https://clinic.example/tags"
PROFILE = "https://clinic.example/StructureDefinition/p"
TAG = {"system": SYSTEM, "code": "follow-up"}
LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}


def _given(meta: Any) -> Resource:
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}


def _meta(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    (returned,) = response.json()["parameter"]
    assert returned["name"] == "return"
    meta: dict[str, Any] = returned["valueMeta"]
    return meta


def test_the_meta_of_an_instance_is_that_of_its_version(
    fhir: httpx.Client, patient: Resource
) -> None:
    assert _meta(fhir.get(f"/Patient/{patient['id']}/$meta")) == patient["meta"]


def test_what_is_added_is_a_new_version(fhir: httpx.Client, patient: Resource) -> None:
    url = f"/Patient/{patient['id']}"
    given = {"tag": [TAG], "security": [LABEL], "profile": [PROFILE]}
    made = _meta(fhir.post(f"{url}/$meta-add", json=_given(given)))
    assert made["versionId"] == "2"
    assert {name: made[name] for name in given} == given
    assert fhir.get(url).json()["meta"] == made
    assert fhir.get(f"{url}/_history/1").json() == patient
    assert fhir.get(url, params={"_tag": "x"}).json()["name"] == patient["name"]


def test_adding_what_is_there_changes_nothing(fhir: httpx.Client, patient: Resource) -> None:
    url = f"/Patient/{patient['id']}/$meta-add"
    first = _meta(fhir.post(url, json=_given({"tag": [TAG]})))
    again = _meta(fhir.post(url, json=_given({"tag": [TAG | {"display": "again"}]})))
    assert again == first


def test_what_is_deleted_is_gone_and_the_rest_stays(fhir: httpx.Client, patient: Resource) -> None:
    url = f"/Patient/{patient['id']}"
    other = TAG | {"code": "other"}
    fhir.post(f"{url}/$meta-add", json=_given({"tag": [TAG, other], "profile": [PROFILE]}))
    made = _meta(fhir.post(f"{url}/$meta-delete", json=_given({"tag": [TAG]})))
    assert made["tag"] == [other]
    assert made["profile"] == [PROFILE]
    assert made["versionId"] == "3"


def test_deleting_what_is_not_there_changes_nothing(fhir: httpx.Client, patient: Resource) -> None:
    url = f"/Patient/{patient['id']}/$meta-delete"
    assert _meta(fhir.post(url, json=_given({"tag": [TAG]}))) == patient["meta"]


def test_a_type_and_the_record_give_each_tag_once(fhir: httpx.Client, store: Store) -> None:
    mine = {"system": SYSTEM, "code": "of-basic"}
    for _ in range(2):
        store({"resourceType": "Basic", "code": {"text": "x"}, "meta": {"tag": [mine]}})
    gone = store(
        {
            "resourceType": "Basic",
            "code": {"text": "x"},
            "meta": {"tag": [mine | {"code": "deleted"}]},
        }
    )
    fhir.delete(f"/Basic/{gone['id']}")
    assert _meta(fhir.get("/Basic/$meta")) == {"tag": [mine]}
    assert mine in _meta(fhir.get("/$meta"))["tag"]
    assert "tag" not in _meta(fhir.get("/Slot/$meta"))


@pytest.mark.parametrize("name", ["meta-add", "meta-delete"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"resourceType": "Parameters"}, "meta-missing"),
        ({"resourceType": "Parameters", "parameter": 5}, "operation-parameters-shape"),
        (_given("x"), "meta-missing"),
        (_given({"tag": 5}), "meta-malformed"),
        (_given({"tag": ["x"]}), "meta-malformed"),
        (_given({"tag": [{"system": [1], "code": {}}]}), "meta-malformed"),
        (_given({"profile": [{}]}), "meta-malformed"),
        (_given({"security": {}}), "meta-malformed"),
    ],
)
def test_what_is_no_meta_is_refused(
    fhir: httpx.Client, patient: Resource, name: str, body: Resource, message: str
) -> None:
    response = fhir.post(f"/Patient/{patient['id']}/${name}", json=body)
    assert response.status_code == 400
    assert message_ids(response) == [message]


def test_an_invalid_tag_is_refused_and_not_stored(fhir: httpx.Client, patient: Resource) -> None:
    url = f"/Patient/{patient['id']}"
    response = fhir.post(f"{url}/$meta-add", json=_given({"tag": [{"code": "a", "colour": "red"}]}))
    assert response.status_code in (400, 422)
    assert fhir.get(url).json() == patient


@pytest.mark.parametrize("name", ["meta-add", "meta-delete"])
def test_who_is_not_there_has_no_meta_to_change(fhir: httpx.Client, name: str) -> None:
    response = fhir.post(f"/Patient/nobody/${name}", json=_given({"tag": [TAG]}))
    assert response.status_code == 404
    assert fhir.get("/Patient/nobody/$meta").status_code == 404


def test_of_many_that_add_at_once_all_succeed(fhir: httpx.Client, patient: Resource) -> None:
    url = f"Patient/{patient['id']}/$meta-add"
    tags = [{"system": SYSTEM, "code": f"t{number}"} for number in range(30)]
    entries = [
        {"resource": _given({"tag": [tag]}), "request": {"method": "POST", "url": url}}
        for tag in tags
    ]
    answer = fhir.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    told = [entry["response"]["status"] for entry in answer.json()["entry"]]
    assert told == ["200 OK"] * 30
    found = _meta(fhir.get(f"/Patient/{patient['id']}/$meta"))["tag"]
    assert sorted(tag["code"] for tag in found) == sorted(tag["code"] for tag in tags)


@pytest.mark.parametrize(("body", "codec"), [(b"no zstd frame", 1), (b',"no json": x}', 0)])
async def test_a_damaged_body_is_passed_over(tmp_path: Path, body: bytes, codec: int) -> None:
    store = open_store(tmp_path)
    door, context = door_over(store), Context()
    for id in ("a", "b", "c"):
        tagged = {"resourceType": "Patient", "id": id, "meta": {"tag": [TAG | {"code": id}]}}
        await door.update(context, "Patient", id, tagged)
    await store.close()
    damage(tmp_path, "b", body, codec)
    store = open_store(tmp_path)
    door = door_over(store)
    for type in ("Patient", ""):
        told = await meta(door, context, OperationRequest(type, "", "GET"))
        assert isinstance(told.body, dict)
        tags = told.body["parameter"][0]["valueMeta"]["tag"]
        assert [tag["code"] for tag in tags] == ["a", "c"]
    with pytest.raises((DamagedStorage, BodyDamaged)):
        await meta(door, context, OperationRequest("Patient", "b", "GET"))
    await store.close()
