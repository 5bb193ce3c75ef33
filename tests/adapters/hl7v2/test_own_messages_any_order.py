"""The corpus of messages, stored in any order: the record ends the same."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from hub.context import Context
from hub.storage.memory.store import MemoryStore
from tests.adapters.hl7v2.own_messages import case, converted, names
from tests.adapters.hl7v2.telling import Desk
from tests.adapters.hl7v2.test_orders import plain
from tests.interactions.conftest import door_over

FOUND = ("Device", "Location", "Organization", "Practitioner")
"""Made once from whoever names them first, and never changed."""

MERGED = (
    "AllergyIntolerance",
    "Appointment",
    "Condition",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Immunization",
    "Observation",
    "Patient",
    "RelatedPerson",
    "ServiceRequest",
    "Specimen",
    "Task",
)


def told(resource: dict[str, Any]) -> str:
    """A name that does not depend on ids: the first identifier, else what there is."""
    found = resource.get("identifier", [])
    numbers = sorted(
        f"{one.get('system', '')}|{one.get('value', '')}"
        for one in ([found] if isinstance(found, dict) else found)
    )
    rest = {key: value for key, value in resource.items() if "eference" not in str(value)}
    name = numbers[0] if numbers else json.dumps(rest | {"id": "", "meta": ""}, default=str)
    return f"{resource['resourceType']} {name}"


async def record(order: list[str]) -> dict[str, list[str]]:
    """What the merged resources hold after the messages, by their names."""
    desk = Desk(door_over(MemoryStore()))
    for name in order:
        outcome = await desk.store(converted(case(name).raw)[1])
        assert outcome.state == "stored", (name, outcome.issues)
    found: dict[str, Any] = {}
    for type in MERGED + FOUND:
        answer = (await desk.door.search(Context(), type, [("_count", "1000")])).to_dict()
        for entry in answer.get("entry", ()):
            found[f"{type}/{entry['resource']['id']}"] = entry["resource"]
    named = {reference: told(one) for reference, one in found.items()}
    made: dict[str, list[str]] = {}
    for reference, one in found.items():
        if one["resourceType"] in MERGED:
            content = json.dumps(plain(one, found, named), sort_keys=True, default=str)
            made.setdefault(named[reference], []).append(content)
    return {name: sorted(contents) for name, contents in made.items()}


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_corpus_in_any_order_leaves_one_record(seed: int) -> None:
    # An answer to a referral needs a message of ours that it answers.
    order = [name for name in names() if not name.startswith("rri/")]
    expected = await record(order)
    Random(seed).shuffle(order)
    assert await record(order) == expected
