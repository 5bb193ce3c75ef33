"""A limited principal sees what it may and nothing of the rest: searches as if that were absent.

The same search is asked by the principal of the whole record, and by nobody in particular of a
record that holds only what brute force says the principal may see: results, includes, totals
and pages must be the same. What is hidden does not even show by its absence.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.access.policy import decide
from hub.context import Context
from hub.errors import Forbidden, HubError
from hub.interactions import Interactions, RegistryHolder
from hub.principal import Principal
from hub.search.cursor import CursorCodec
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore
from hub.storage.port import Store
from hub.storage.sqlite.store import open_store
from hub.validation.validator import Validator
from tests.property.visible_world import (
    CATEGORIES,
    CODES,
    PATIENTS,
    Resource,
    is_visible,
    principals,
    record,
)

SEARCHES = int(os.environ.get("HUB_ORACLE_SEARCHES", "300"))
VALIDATOR = Validator()
PRINCIPALS = principals()
Parameters = tuple[tuple[str, str], ...]


class Worlds:
    """The whole record, and for each principal the part that it may see."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._folder, self._kind = folder, kind
        self.resources = record(Random(7))
        self._by_name = {f"{one['resourceType']}/{one['id']}": one for one in self.resources}
        self.whole = self._door("whole", self.resources)
        self._parts: dict[int, Interactions] = {}

    def part(self, number: int) -> Interactions:
        """What a principal may see."""
        if number not in self._parts:
            who = PRINCIPALS[number]
            seen = [one for one in self.resources if is_visible(one, who, self._by_name)]
            self._parts[number] = self._door(f"part{number}", seen)
        return self._parts[number]

    def _door(self, name: str, resources: list[Resource]) -> Interactions:
        store: Store = MemoryStore() if self._kind == "memory" else open_store(self._folder / name)
        given = Settings(integrity=False)
        codec = CursorCodec(b"x" * 32)
        door = Interactions(store, VALIDATOR, RegistryHolder(store), given, codec)

        async def fill() -> None:
            for one in resources:
                await door.update(Context(), one["resourceType"], one["id"], dict(one))

        self.loop.run_until_complete(fill())
        return door

    def close(self) -> None:
        """Close all stores."""
        for door in (self.whole, *self._parts.values()):
            self.loop.run_until_complete(door.store.close())
        self.loop.close()


@pytest.fixture(scope="module", params=["sqlite", "memory"])
def worlds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worlds]:
    made = Worlds(tmp_path_factory.mktemp("worlds"), request.param)
    yield made
    made.close()


# --- random searches ------------------------------------------------------------------------

_patient = st.sampled_from(PATIENTS)
_code = st.sampled_from(CODES)
_own = {
    "Observation": st.one_of(
        st.tuples(
            st.sampled_from(["code", "code:not", "patient.name", "patient.name:exact"]), _code
        ),
        st.tuples(st.sampled_from(["category", "category:not"]), st.sampled_from(CATEGORIES)),
        st.tuples(st.sampled_from(["patient", "subject:Patient", "performer:Patient"]), _patient),
        st.tuples(
            st.sampled_from(["encounter:missing", "subject:missing"]),
            st.sampled_from(["true", "false"]),
        ),
        st.tuples(
            st.sampled_from(
                [
                    "encounter.service-provider",
                    "patient.organization",
                    "encounter.patient.organization",
                ]
            ),
            st.sampled_from(["Organization/north", "Organization/south"]),
        ),
        st.tuples(st.just("subject:Patient.gender:not"), st.just("male")),
        st.tuples(st.just("encounter.patient._has:Condition:patient:code"), _code),
        st.tuples(st.just("_list"), st.sampled_from(["l0", "l1", "l2", "l3"])),
        st.tuples(st.just("_has:List:item:subject:Patient"), _patient),
        st.tuples(
            st.just("_filter"), _code.map(lambda code: f"patient.name eq {code} or code eq {code}")
        ),
        st.tuples(
            st.just("_id"),
            st.sets(st.integers(0, 23)).map(lambda ids: ",".join(f"o{id}" for id in ids) or "x"),
        ),
    ),
    "Patient": st.one_of(
        st.tuples(st.just("name"), _code),
        st.tuples(st.just("_id"), _patient),
        st.tuples(st.just("_has:Observation:patient:code"), _code),
        st.tuples(st.just("_has:Observation:performer:category"), st.sampled_from(CATEGORIES)),
        st.tuples(
            st.just("_has:Observation:patient:encounter.service-provider"),
            st.just("Organization/south"),
        ),
        st.tuples(st.just("_has:Encounter:patient:_has:Observation:encounter:code"), _code),
        st.tuples(st.just("organization.name"), st.sampled_from(["north", "south"])),
        st.tuples(st.just("link.name"), _code),
        st.tuples(st.just("_has:Group:member:_id"), st.just("g")),
    ),
    "Encounter": st.one_of(
        st.tuples(st.just("patient"), _patient),
        st.tuples(st.just("patient.name"), _code),
        st.tuples(st.just("_has:Condition:encounter:code:not"), _code),
        st.tuples(st.just("service-provider:missing"), st.sampled_from(["true", "false"])),
    ),
    "Task": st.one_of(
        st.tuples(st.just("patient"), _patient),
        st.tuples(st.just("focus:Observation.code"), _code),
        st.tuples(st.just("focus:Observation.patient.name"), _code),
    ),
    "Organization": st.one_of(
        st.tuples(st.just("_has:Patient:organization:name"), _code),
        st.tuples(st.just("_has:Encounter:service-provider:patient"), _patient),
    ),
    "List": st.tuples(st.just("item:Observation.code"), _code),
    "Composition": st.tuples(st.just("entry:Observation.code"), _code),
    "": st.tuples(
        st.just("_type"),
        st.sampled_from(["Patient,Task", "Observation,Group", "Encounter,Location,List"]),
    ),
}
_includes = st.sampled_from(
    [
        ("_include", "*"),
        ("_include", "Observation:subject"),
        ("_include", "Observation:performer"),
        ("_include", "Observation:encounter"),
        ("_include:iterate", "Encounter:patient"),
        ("_include:iterate", "Patient:organization"),
        ("_include:iterate", "Patient:link"),
        ("_include", "Task:focus"),
        ("_include", "List:item"),
        ("_include", "Composition:entry"),
        ("_revinclude", "Observation:subject"),
        ("_revinclude:iterate", "Observation:encounter"),
        ("_revinclude", "List:item"),
        ("_revinclude", "Task:focus"),
        ("_revinclude:iterate", "Condition:subject"),
        ("_revinclude", "Group:member"),
        ("_revinclude", "*"),
    ]
)
_sorts = st.sampled_from(["_id", "-_id", "-date,_id"])


@st.composite
def searches(draw: st.DrawFn) -> tuple[str, Parameters, tuple[str, str] | None]:
    type = draw(st.sampled_from(sorted(_own)))
    parameters = draw(st.lists(_own[type], max_size=2, unique_by=lambda pair: pair[0]))
    parameters += draw(st.lists(_includes, max_size=3, unique=True))
    sort = draw(_sorts) if type in ("Observation", "Encounter") else "_id"
    parameters.append(("_sort", sort))
    parameters.append(("_count", str(draw(st.sampled_from([0, 2, 50])))))
    parameters.append(("_total", draw(st.sampled_from(["accurate", "estimate", "none"]))))
    compartment = None
    if type in ("Observation", "Task", "") and draw(st.booleans()):
        compartment = ("Patient", draw(_patient))
    return type, tuple(parameters), compartment


async def _found(
    door: Interactions, ctx: Context, type: str, parameters: Parameters, compartment: Any
) -> list[Any]:
    """All pages: ids with their modes in order, and totals."""
    pages: list[Any] = []
    wanted: Parameters | None = parameters
    while wanted is not None and len(pages) < 40:
        answer = await door.search(ctx, type, wanted, compartment=compartment)
        matches = [
            f"{one.stored.type}/{one.stored.id}"
            for one in answer.entries
            if one.stored and one.mode == "match"
        ]
        included = sorted(
            f"{one.stored.type}/{one.stored.id}"
            for one in answer.entries
            if one.stored and one.mode == "include"
        )
        pages.append((matches, included, answer.total))
        following = dict(answer.links).get("next")
        wanted = None
        if following:
            wanted = tuple(parse_qsl(urlsplit(following).query, keep_blank_values=True))
    return pages


@settings(
    max_examples=SEARCHES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, len(PRINCIPALS) - 1), searches())
def test_a_search_finds_as_if_what_is_hidden_were_absent(
    worlds: Worlds, number: int, search: tuple[str, Parameters, tuple[str, str] | None]
) -> None:
    type, parameters, compartment = search
    ctx = Context(principal=PRINCIPALS[number])
    run = worlds.loop.run_until_complete
    try:
        found = run(_found(worlds.whole, ctx, type, parameters, compartment))
    except Forbidden:
        asked = dict(parameters).get("_type", type)
        kinds = asked.split(",") if asked else []
        assert not any(_sees_any(worlds, number, kind) for kind in kinds or [""])
        return
    except HubError as refused:
        told = refused.issues
        with pytest.raises(HubError) as same:
            run(_found(worlds.part(number), Context(), type, parameters, compartment))
        assert same.value.issues == told
        return
    assert found == run(_found(worlds.part(number), Context(), type, parameters, compartment))


def _sees_any(worlds: Worlds, number: int, type: str) -> bool:
    page = worlds.loop.run_until_complete(worlds.part(number).search(Context(), type, ()))
    return bool(page.entries)


@pytest.mark.parametrize("number", range(len(PRINCIPALS)))
def test_a_read_shows_what_brute_force_does(worlds: Worlds, number: int) -> None:
    who = PRINCIPALS[number]
    everything = _reading(who)
    by_name = {f"{one['resourceType']}/{one['id']}": one for one in worlds.resources}
    for one in worlds.resources:
        type, id = one["resourceType"], one["id"]
        ctx = Context(principal=everything)
        try:
            worlds.loop.run_until_complete(worlds.whole.read(ctx, type, id))
            shown = True
        except HubError:
            shown = False
        assert shown == is_visible(one, who, by_name), f"{type}/{id}"


def _reading(who: Principal) -> Principal:
    """The same, who may read what it may search."""
    scopes = tuple(
        type(scope)(scope.level, scope.type, _and_read(scope.permissions), scope.search)
        for scope in who.scopes or ()
    )
    made = Principal(
        who.name,
        who.roles,
        scopes=scopes,
        patient=who.patient,
        patients=who.patients,
        organizations=who.organizations,
        grant=who.grant,
    )
    assert not decide(made).unlimited
    return made


def _and_read(letters: frozenset[str]) -> frozenset[str]:
    return letters | {"r"} if "s" in letters else letters - {"r"}
