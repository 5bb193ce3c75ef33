"""Late, repeated and out-of-order messages end in the same state: any order, a real door."""

from __future__ import annotations

import asyncio
import copy
import random
import tempfile
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.hl7v2.converted import Converted
from hub.context import Context
from hub.storage.memory.store import MemoryStore
from hub.storage.port import Store
from hub.storage.sqlite.store import open_store
from tests.adapters.hl7v2.telling import (
    NATIONAL,
    Desk,
    merge,
    message,
    name,
    patient,
    visit,
)
from tests.interactions.conftest import door_over

TYPES = ("Patient", "Encounter", "Practitioner", "Location")

DAY = [
    message("ADT^A01", 1, patient("1", name=name("张"), gender="male"), *visit("V1")),
    message("ADT^A08", 2, patient("1", (NATIONAL, "N1"), birthDate="1970-03-01")),
    message("ADT^A08", 3, patient("1", name=name("章"), deleted=frozenset(("gender",)))),
    message("ADT^A03", 4, patient("1"), *visit("V1", "finished")),
]
CANCELLED = [
    message("ADT^A01", 1, patient("1", name=name("张")), *visit("V1")),
    message("ADT^A08", 2, patient("1", gender="female"), *visit("V1")),
    message("ADT^A11", 3, patient("1"), *visit("V1", "cancelled")),
]
MERGED = [
    message("ADT^A04", 1, patient("2", name=name("旧"), gender="male"), *visit("V2")),
    merge(3, "1", "2", name=name("张")),
    message("ADT^A08", 5, patient("2", birthDate="1970-03-01")),
    message("ADT^A08", 4, patient("1", gender="female"), *visit("V1")),
]
CHAIN = [
    merge(2, "2", "3"),
    merge(4, "1", "2"),
    message("ADT^A08", 3, patient("3", gender="male")),
    message("ADT^A01", 5, patient("3", birthDate="1970-03-01"), *visit("V3")),
]


async def end(store: Store, messages: list[Converted]) -> dict[str, Any]:
    """What the record holds after some messages, ids replaced by identifiers."""
    desk = Desk(door_over(store))
    for one in messages:
        outcome = await desk.store(copy.deepcopy(one))
        assert outcome.state == "stored", outcome
    return await state_of(desk)


async def state_of(desk: Desk) -> dict[str, Any]:
    """What the record holds."""
    found: dict[str, dict[str, Any]] = {}
    for type in TYPES:
        answer = (await desk.door.search(Context(), type, [("_count", "100")])).to_dict()
        for entry in answer.get("entry", ()):
            found[f"{type}/{entry['resource']['id']}"] = entry["resource"]
    names = {reference: named(one) for reference, one in found.items()}
    return {names[reference]: plain(one, found, names) for reference, one in found.items()}


def named(resource: dict[str, Any]) -> str:
    first = sorted(one["system"] + one["value"] for one in resource["identifier"])[0]
    return f"{resource['resourceType']}/{first}"


def plain(node: Any, found: dict[str, Any], names: dict[str, str]) -> Any:
    """Content without ids and versions; references go to the record that goes on."""
    if isinstance(node, dict):
        if node.keys() == {"other", "type"}:
            return node["type"], names[node["other"]["reference"]]
        made = {k: plain(v, found, names) for k, v in node.items() if k not in ("id", "meta")}
        if "link" in made:
            made["link"] = sorted(made["link"])
        return made
    if isinstance(node, list):
        return [plain(one, found, names) for one in node]
    if isinstance(node, str) and node in found:
        return names[gone_on(node, found)]
    return node


def gone_on(reference: str, found: dict[str, Any]) -> str:
    for link in found[reference].get("link", ()):
        if link["type"] == "replaced-by":
            return gone_on(link["other"]["reference"], found)
    return reference


@pytest.mark.parametrize("messages", [DAY, CANCELLED, MERGED, CHAIN])
async def test_every_order_has_one_end(messages: list[Converted]) -> None:
    expected = await end(MemoryStore(), messages)
    for order in permutations(messages):
        assert await end(MemoryStore(), list(order)) == expected


@pytest.mark.parametrize("messages", [DAY, CANCELLED, MERGED, CHAIN])
async def test_repeats_change_nothing_on_disk_either(
    messages: list[Converted], tmp_path: Path
) -> None:
    expected = await end(MemoryStore(), messages)
    order = [*messages, *messages]
    for number in range(4):
        random.Random(number).shuffle(order)
        store = open_store(tmp_path / str(number))
        try:
            assert await end(store, order) == expected
        finally:
            await store.close()


@pytest.mark.parametrize("messages", [DAY, CANCELLED, MERGED, CHAIN])
async def test_side_by_side_they_end_as_one_after_the_other(
    messages: list[Converted], tmp_path: Path
) -> None:
    expected = await end(MemoryStore(), messages)
    for number in range(3):
        order = [copy.deepcopy(one) for one in 3 * messages]
        random.Random(number).shuffle(order)
        store = open_store(tmp_path / str(number))
        try:
            desk = Desk(door_over(store))
            outcomes = await asyncio.gather(*map(desk.store, order))
            assert {outcome.state for outcome in outcomes} == {"stored"}
            assert await state_of(desk) == expected
        finally:
            await store.close()


NUMBERS = st.sampled_from(["1", "2", "3"])
ELEMENTS = st.fixed_dictionaries(
    {},
    optional={
        "gender": st.sampled_from(["male", "female"]),
        "birthDate": st.sampled_from(["1970-01-01", "1971-01-01"]),
        "name": st.sampled_from([name("张"), name("李")]),
    },
)
TOLD = st.tuples(
    NUMBERS,
    ELEMENTS,
    st.sets(st.sampled_from(["gender", "birthDate"])),
    st.sampled_from(["", "in-progress", "finished", "cancelled"]),
)
MERGES = st.sampled_from(
    [[], [("1", "2")], [("1", "2"), ("2", "3")], [("1", "2"), ("1", "3")], [("1", "3"), ("3", "2")]]
)
"""Each record is merged into one other. Merged into two, the newest holds, and what was passed on
to the first one stays there: that depends on the order."""


def told(number: int, what: Any) -> Converted:
    own, elements, deleted, status = what
    person = patient(own, deleted=frozenset(deleted - elements.keys()), **elements)
    return message("ADT^A08", number, person, *(visit(f"V{own}", status) if status else ()))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(TOLD, min_size=1, max_size=5), MERGES, st.data())
def test_any_messages_in_any_order_have_one_end(
    all_told: list[Any], merges: list[tuple[str, str]], data: st.DataObject
) -> None:
    kinds: list[Any] = data.draw(st.permutations([*all_told, *merges]))
    messages = [
        merge(number, *what) if len(what) == 2 else told(number, what)
        for number, what in enumerate(kinds, 1)
    ]
    expected = asyncio.run(end(MemoryStore(), messages))
    repeats = data.draw(st.lists(st.sampled_from(messages), max_size=2))
    order = data.draw(st.permutations([*messages, *repeats]))
    assert asyncio.run(end(MemoryStore(), order)) == expected
    if data.draw(st.integers(0, 3)) == 0:
        assert asyncio.run(on_disk(order)) == expected


async def on_disk(order: list[Converted]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "data")
        try:
            return await end(store, order)
        finally:
            await store.close()
