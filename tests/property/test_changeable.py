"""Whatever a limited principal sends, only what is within its reach changes, and stays within it.

Random writes of every kind against a random record; then the whole record is compared with what
it was, by brute force (`visible_world.is_visible`).
"""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.access.scopes import resource_scopes
from hub.context import Context
from hub.errors import HubError
from hub.interactions import Interactions, RegistryHolder
from hub.interactions.answer import resource_of
from hub.interactions.json_patch import parse
from hub.model import json
from hub.principal import Principal
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore
from hub.storage.port import CommitRefused
from hub.validation.validator import Validator
from tests.property.visible_world import PATIENTS, Resource, is_visible, record

WRITES = int(os.environ.get("HUB_ORACLE_SEARCHES", "300"))
VALIDATOR = Validator()
NORTH = frozenset(("north",))
TYPES = ("Patient", "Observation", "Encounter", "Condition", "Task", "List", "Composition")


def _who(role: str, scope: str, patient: str = "", **more: Any) -> Principal:
    scopes = resource_scopes(scope)
    return Principal("who", frozenset((role,)), scopes=scopes, patient=patient, grant="g", **more)


PRINCIPALS = (
    _who("doctor", "user/*.cruds", organizations=NORTH),
    _who("nurse", "user/*.cruds", organizations=NORTH),
    _who("doctor", "patient/*.cruds", "p1", organizations=NORTH),
    _who("doctor", "user/Observation.cruds user/Encounter.rs", organizations=NORTH),
    _who("doctor", "user/Observation.cruds?category=survey user/*.rs", organizations=NORTH),
    _who("patient", "user/*.cruds", patients=frozenset(("p1",))),
    _who("relative", "patient/*.cruds", "p3", patients=frozenset(("p1", "p3"))),
    _who("manager", "user/*.cruds", organizations=NORTH),
)


class World:
    """A record, and what it held before a write."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        store = MemoryStore()
        self.door = Interactions(store, VALIDATOR, RegistryHolder(store), Settings())
        self.resources = {_name(one): one for one in record(Random(11))}
        for one in self.resources.values():
            self.run(self.door.update(Context(), one["resourceType"], one["id"], dict(one)))

    def run(self, awaitable: Any) -> Any:
        return self.loop.run_until_complete(awaitable)

    def now(self) -> dict[str, Resource]:
        """The record as it is."""
        answer = self.run(self.door.search(Context(), "", (("_count", "1000"),)))
        found = [resource_of(one.stored) for one in answer.entries if one.stored]
        return {_name(one): {k: v for k, v in one.items() if k != "meta"} for one in found}

    def restore(self, changed: dict[str, Resource | None]) -> None:
        """Put back what was there."""
        for name, before in changed.items():
            type, _, id = name.partition("/")
            if before is not None:
                self.run(self.door.update(Context(), type, id, copy.deepcopy(before)))
        for name, before in changed.items():
            if before is None:
                self.run(self.door.delete(Context(), *name.split("/")))


def _name(one: Resource) -> str:
    return f"{one['resourceType']}/{one['id']}"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.loop.close()


# --- random writes --------------------------------------------------------------------------

_IDS = {
    "Patient": PATIENTS,
    "Observation": tuple(f"o{number}" for number in range(24)),
    "Encounter": tuple(f"e{number}" for number in range(8)),
    "Condition": tuple(f"c{number}" for number in range(6)),
    "Task": tuple(f"t{number}" for number in range(6)),
    "List": tuple(f"l{number}" for number in range(6)),
    "Composition": tuple(f"k{number}" for number in range(6)),
}
_FIELD = {"Task": "for", "Patient": "managingOrganization"}


@st.composite
def writes(draw: st.DrawFn) -> dict[str, Any]:
    """A bundle entry without its resource, and how the content is changed."""
    type = draw(st.sampled_from(TYPES))
    id = draw(st.sampled_from(_IDS[type]))
    method = draw(st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "PUT?", "PATCH?", "DELETE?"]))
    targets = [f"Patient/{one}" for one in PATIENTS]
    if type == "Patient":
        targets = ["Organization/north", "Organization/south"]
    return {
        "type": type,
        "id": id,
        "method": method,
        "to": draw(st.none() | st.sampled_from(targets)),
        "by": draw(st.none() | st.sampled_from(targets)) if type == "Observation" else None,
        "within": draw(st.none() | st.sampled_from(_IDS["Encounter"])),
    }


def _content(world: World, write: dict[str, Any]) -> Resource:
    one = copy.deepcopy(world.resources[f"{write['type']}/{write['id']}"])
    if write["to"]:
        one[_FIELD.get(write["type"], "subject")] = {"reference": write["to"]}
    if write["by"]:
        one["performer"] = [{"reference": write["by"]}]
    if write["within"] and write["type"] in ("Observation", "Condition"):
        one["encounter"] = {"reference": f"Encounter/{write['within']}"}
    return one


def _patch(write: dict[str, Any]) -> bytes:
    field = _FIELD.get(write["type"], "subject")
    value = {"reference": write["to"] or "Patient/p1"}
    return json.encode([{"op": "add", "path": f"/{field}", "value": value}])


async def _send(world: World, ctx: Context, write: dict[str, Any]) -> None:
    door, type, id = world.door, write["type"], write["id"]
    content, search = _content(world, write), (("_id", id),)
    match write["method"]:
        case "POST":
            await door.create(ctx, type, content)
        case "PUT":
            await door.update(ctx, type, id, content)
        case "PATCH":
            await door.patch(ctx, type, id, parse(_patch(write)))
        case "DELETE":
            await door.delete(ctx, type, id)
        case "PUT?":
            await door.conditional_update(ctx, type, search, content)
        case "PATCH?":
            await door.conditional_patch(ctx, type, search, parse(_patch(write)))
        case "DELETE?":
            await door.conditional_delete(ctx, type, search)


def _bundle(world: World, many: list[dict[str, Any]], kind: str) -> Resource:
    entries = []
    for write in many:
        method = write["method"].rstrip("?")
        url = f"{write['type']}/{write['id']}"
        if method == "POST":
            url = write["type"]
        elif write["method"].endswith("?"):
            url = f"{write['type']}?_id={write['id']}"
        entry: Resource = {
            "request": {"method": "PUT" if method == "PATCH" else method, "url": url}
        }
        if method != "DELETE":
            entry["resource"] = _content(world, write)
        entries.append(entry)
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


@settings(
    max_examples=WRITES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(PRINCIPALS),
    st.lists(writes(), min_size=1, max_size=3),
    st.sampled_from(["", "transaction", "batch"]),
)
def test_only_what_is_within_reach_changes_and_stays_so(
    world: World, who: Principal, many: list[dict[str, Any]], kind: str
) -> None:
    ctx = Context(principal=who)
    before = world.now()
    try:
        if kind:
            world.run(world.door.bundle(ctx, _bundle(world, many, kind)))
        else:
            world.run(_send(world, ctx, many[0]))
    except (HubError, CommitRefused):
        assert kind == "batch" or world.now() == before
    after = world.now()
    changed = {
        name: before.get(name)
        for name in before.keys() | after.keys()
        if before.get(name) != after.get(name)
    }
    world.restore(changed)
    for name, old in changed.items():
        assert "manager" not in who.roles, name
        if old is not None:
            assert is_visible(old, _searching(who), before), f"{name} was out of reach"
        if name in after:
            assert is_visible(after[name], _searching(who), after), f"{name} went out of reach"
            assert _patients(after[name]) <= _confined(who), f"{name} is about somebody else"


def _searching(who: Principal) -> Principal:
    """The same as brute force knows it: nurses are doctors, relatives patients."""
    role = {"nurse": "doctor", "relative": "patient"}
    roles = frozenset(role.get(name, name) for name in who.roles)
    return Principal(
        who.name,
        roles,
        scopes=who.scopes,
        patient=who.patient,
        patients=who.patients,
        organizations=who.organizations,
    )


def _patients(one: Resource) -> set[str]:
    names = [one.get("subject"), one.get("for"), *one.get("performer", [])]
    found = (name["reference"].partition("/") for name in names if name)
    return {id for type, _, id in found if type == "Patient"}


def _confined(who: Principal) -> frozenset[str]:
    """Whom new content may be about."""
    everyone = frozenset(PATIENTS)
    launched = frozenset((who.patient,)) if who.patient else everyone
    return launched & (everyone if who.patients is None else who.patients)
