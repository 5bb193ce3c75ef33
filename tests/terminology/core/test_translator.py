"""Translation without waiting, for the maps of HL7v2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.context import Context, Tenant
from hub.interactions import Interactions
from hub.storage.memory.store import MemoryStore
from tests.interactions.conftest import door_over

TABLE = yaml.safe_load(
    (Path(__file__).parents[2] / "cases/terminology/translate.yaml").read_text(encoding="utf-8")
)
LAB = "http://example.org/ConceptMap/lab"
OLD = "http://example.org/ConceptMap/sex-old"
LOCAL = "http://example.org/local"


@pytest.fixture
async def door() -> Interactions:
    made = door_over(MemoryStore())
    for resource in TABLE["maps"]:
        await made.create(Context(), "ConceptMap", dict(resource))
    return made


async def test_the_closest_translation_comes_first(door: Interactions) -> None:
    translate = await door.terminology.translator(Tenant(), [LAB, OLD])
    found = translate(LAB, LOCAL, "GLU")
    assert found is not None
    assert [one["code"] for one in found] == ["2345-7", "mmol/L", "15074-8"]
    assert found[0] == {
        "system": "http://example.org/loinc",
        "code": "2345-7",
        "display": "Glucose",
    }
    assert translate(LAB, "", "CMP") == translate(LAB, LOCAL, "CMP")


async def test_what_has_no_translation(door: Interactions) -> None:
    translate = await door.terminology.translator(Tenant(), [LAB, "http://example.org/none"])
    assert translate(LAB, LOCAL, "XX") == []
    assert translate(LAB, LOCAL, "YY") == []
    assert translate(LAB, "http://example.org/other", "GLU") == []
    assert translate("http://example.org/none", LOCAL, "GLU") is None


async def test_maps_that_hand_on_to_another(door: Interactions) -> None:
    translate = await door.terminology.translator(Tenant(), [OLD])
    found = translate(OLD, "http://example.org/sex-old", "W")
    assert found == [{"system": "http://hl7.org/fhir/administrative-gender", "code": "female"}]


async def test_it_is_made_anew_when_a_map_changes_and_only_then(door: Interactions) -> None:
    first = await door.terminology.translator(Tenant(), [LAB])
    assert await door.terminology.translator(Tenant(), [LAB]) is first
    await door.create(Context(), "Patient", {"resourceType": "Patient"})
    assert await door.terminology.translator(Tenant(), []) is first
    second = await door.terminology.translator(Tenant(), [OLD])
    assert second is not first
    assert second(LAB, LOCAL, "GLU")

    page = await door.search(Context(), "ConceptMap", [("url", LAB)])
    stored = page.entries[0].stored
    assert stored is not None
    changed: dict[str, Any] = {**TABLE["maps"][0], "id": stored.id}
    element = {"code": "GLU", "target": [{"code": "9", "equivalence": "equal"}]}
    changed["group"] = [{"source": LOCAL, "target": LOCAL, "element": [element]}]
    await door.update(Context(), "ConceptMap", stored.id, changed)
    third = await door.terminology.translator(Tenant(), [LAB])
    assert third(LAB, LOCAL, "GLU") == [{"system": LOCAL, "code": "9"}]
    await door.delete(Context(), "ConceptMap", stored.id)
    fourth = await door.terminology.translator(Tenant(), [LAB])
    assert fourth(LAB, LOCAL, "GLU") is None


async def test_r4s_own_maps_are_there(door: Interactions) -> None:
    url = "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v2"
    translate = await door.terminology.translator(Tenant(), [url])
    found = translate(url, "http://hl7.org/fhir/administrative-gender", "male")
    assert found == [{"system": "http://terminology.hl7.org/CodeSystem/v2-0001", "code": "M"}]
