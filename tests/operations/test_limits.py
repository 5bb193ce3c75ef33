"""Work of an operation is bounded: it is refused in words when it would take too long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.context import Context
from hub.errors import TooCostly
from hub.interactions import Interactions, RegistryHolder
from hub.interactions.operation import OperationRequest
from hub.operations import OPERATIONS, lastn
from hub.settings import Settings
from hub.storage.sqlite.store import open_store
from hub.validation.validator import Validator


def _observation(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "code": {"text": str(number % 3)},
        "subject": {"reference": "Patient/p"},
    }


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Interactions]:
    """A record of 1,500 Observations, and a deadline that is over before it begins."""
    store = open_store(tmp_path)
    made = Interactions(
        store, Validator(), RegistryHolder(store), Settings(data=tmp_path, search_deadline=0.001)
    )
    resources = [{"resourceType": "Patient", "id": "p"}, *map(_observation, range(1500))]
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    await made.bundle(Context(), bundle)
    yield made
    await store.close()


async def _call(door: Interactions, name: str, type: str, **parameters: str) -> Any:
    request = OperationRequest(type, "", "GET", tuple(parameters.items()))
    return (await OPERATIONS[name].run(door, Context(), request)).body


@pytest.mark.parametrize("type", ["", "Observation"])
async def test_the_meta_of_too_much_is_refused(door: Interactions, type: str) -> None:
    with pytest.raises(TooCostly) as refused:
        await _call(door, "meta", type)
    assert refused.value.issues[0].message == "meta-too-costly"


async def test_lastn_that_takes_too_long_is_refused(door: Interactions) -> None:
    with pytest.raises(TooCostly):
        await _call(door, "lastn", "Observation", patient="p")


async def test_lastn_of_too_many_is_refused(
    door: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lastn, "LIMIT", 100)
    with pytest.raises(TooCostly) as refused:
        await _call(door, "lastn", "Observation", patient="p")
    assert refused.value.issues[0].message in ("lastn-too-many", "search-too-costly")
