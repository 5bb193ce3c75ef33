"""A code system that was loaded from a table answers like any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.context import Context
from hub.interactions import Interactions
from hub.interactions.operation import OperationRequest
from hub.operations import OPERATIONS
from hub.storage.sqlite.store import open_store
from terminology.loaders.csv import Options, read_table
from terminology.loaders.storing import Naming, store_table
from tests.interactions.conftest import door_over
from tests.terminology import icd10_cn

URL = "http://example.org/icd-10-cn"
COUNT = 2_000


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Interactions]:
    """A record with a code system behind a Binary."""
    store = open_store(tmp_path / "data")
    made = door_over(store)
    table = read_table(icd10_cn.table(COUNT), Options())
    await store_table(made, Context(), table, Naming(URL, "2.0"))
    yield made
    await store.close()


async def call(
    door: Interactions, name: str, type: str, id: str = "", **asked: str
) -> dict[str, Any]:
    request = OperationRequest(type, id, "GET", tuple(asked.items()))
    answer = await OPERATIONS[name].perform(door, Context(), request)
    assert answer.status == 200, answer.body
    assert isinstance(answer.body, dict)
    return answer.body


async def test_it_is_expanded_validated_and_looked_up(door: Interactions) -> None:
    made = await call(door, "expand", "ValueSet", url=f"{URL}?fhir_vs", count="3")
    assert made["expansion"]["total"] == COUNT
    first, second, _ = made["expansion"]["contains"]
    found = await call(door, "lookup", "CodeSystem", system=URL, code=second["code"])
    told = {one["name"]: one.get("valueString") for one in found["parameter"]}
    assert told["display"] == second["display"]
    found = await call(door, "validate-code", "CodeSystem", url=URL, code=first["code"])
    assert found["parameter"][0] == {"name": "result", "valueBoolean": True}
    made = await call(
        door, "expand", "ValueSet", url=f"{URL}?fhir_vs", filter=first["display"][:2], count="5"
    )
    assert first["code"] in {one["code"] for one in made["expansion"]["contains"]}


async def test_its_instance_answers_by_the_concepts_behind_it(door: Interactions) -> None:
    made = await call(door, "expand", "ValueSet", url=f"{URL}?fhir_vs", count="1")
    code = made["expansion"]["contains"][0]["code"]
    (entry,) = (await door.search(Context(), "CodeSystem", (("url", URL),))).entries
    assert entry.stored is not None
    id = entry.stored.id
    for wanted, expected in ((code, True), ("nothing", False)):
        found = await call(door, "validate-code", "CodeSystem", id, code=wanted)
        assert found["parameter"][0] == {"name": "result", "valueBoolean": expected}
    found = await call(door, "subsumes", "CodeSystem", id, codeA=code, codeB=code)
    assert found["parameter"] == [{"name": "outcome", "valueCode": "equivalent"}]
