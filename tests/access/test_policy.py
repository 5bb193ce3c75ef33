"""The decision: roles, scopes and reach together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from timeit import timeit
from typing import Any

import pytest

from hub.access.accounts import ROLES
from hub.access.limits import NOTHING
from hub.access.policy import Decision, decide
from hub.access.roles import branch_types, patient_types, roles
from hub.access.scopes import resource_scopes
from hub.context import Context
from hub.definitions import compartment, resource_types
from hub.interactions import Interactions, RegistryHolder
from hub.principal import LOCAL, Principal
from hub.search.query import And, Chain, Criterion, Ids, InCompartment, Query
from hub.search.values import COMPARTMENT_KEY, INDEX_VERSION
from hub.settings import Settings
from hub.storage.memory.store import MemoryStore
from hub.storage.port import Store
from hub.storage.sqlite.store import open_store
from hub.validation.validator import Validator

VALIDATOR = Validator()


def principal(role: str, scope: str | None = None, **more: Any) -> Principal:
    """Somebody who came with a token."""
    scopes = None if scope is None else resource_scopes(scope)
    return Principal("x", frozenset((role,)), scopes=scopes, grant="g", client="app", **more)


def test_the_machine_and_the_administrator_are_unlimited() -> None:
    assert decide(LOCAL).unlimited
    assert decide(principal("admin")).unlimited
    assert decide(principal("admin", "user/*.cruds")).unlimited
    assert decide(principal("admin", "user/*.cud user/*.read")).unlimited


@pytest.mark.parametrize(
    "who",
    [
        principal("admin", ""),
        principal("admin", "user/*.rs"),
        principal("admin", "system/*.cruds"),
        principal("admin", "user/Patient.cruds"),
        principal("admin", "user/*.cruds?_security=a|b"),
        principal("doctor"),
        principal("system", "system/*.cruds"),
        principal("system", "user/*.cruds"),
        principal("nobody", "user/*.cruds"),
        Principal("local", client="app"),
        Principal("local", grant="g"),
        Principal("local", scopes=()),
    ],
)
def test_nobody_else_is(who: Principal) -> None:
    assert not decide(who).unlimited


def test_without_roles_nothing_is_permitted() -> None:
    for who in (Principal("local", grant="g"), principal("nobody", "user/*.cruds")):
        assert not any(
            decide(who).permits(letter, type) for letter in "cruds" for type in resource_types()
        )


def test_accounts_and_the_table_know_the_same_roles() -> None:
    assert set(ROLES) | {"system"} == set(roles())


def test_the_tables_name_types_and_parameters_that_exist() -> None:
    """Making each limit once looks every name up."""
    reaches = (
        principal("patient", patients=frozenset("a")),
        principal("doctor", organizations=frozenset("o")),
        principal("manager", organizations=frozenset("o")),
    )
    for who in reaches:
        for type in resource_types():
            for letter in "cruds":
                Decision(who).limit(type, letter)
    assert patient_types().closed <= set(compartment("Patient"))
    assert not patient_types().open & set(compartment("Patient"))


@pytest.mark.parametrize("role", ["patient", "relative", "doctor", "nurse", "manager"])
def test_whoever_is_confined_to_nobody_sees_nobody(role: str) -> None:
    nobody: frozenset[str] = frozenset()
    decision = decide(principal(role, patients=nobody, organizations=nobody))
    for type in compartment("Patient"):
        if type not in branch_types().open:
            assert not decision.permits("r", type), type
            assert decision.limit(type, "s") == NOTHING


def test_a_patient_role_without_patients_is_not_a_role_for_all() -> None:
    assert (
        decide(principal("patient", "patient/*.rs", patient="a")).limit("Patient", "r") == NOTHING
    )


def test_scopes_narrow_what_the_role_may() -> None:
    ann = {"patients": frozenset(("ann",)), "patient": "ann"}
    limit = decide(principal("patient", "patient/*.rs", **ann)).limit
    assert limit("Observation", "s") == InCompartment("Patient", "ann")
    assert limit("Patient", "r") == Ids(("ann",))
    assert limit("Location", "r") is None
    assert limit("Observation", "c") == NOTHING
    assert limit("Group", "s") == NOTHING
    both = frozenset(("ann", "bob"))
    who = principal("relative", "patient/*.rs", patients=both, patient="bob")
    assert decide(who).limit("Patient", "r") == And((Ids(("ann", "bob")), Ids(("bob",))))


def test_one_of_several_roles_is_enough() -> None:
    who = Principal(
        "x",
        frozenset(("patient", "doctor")),
        grant="g",
        patients=frozenset(("ann",)),
        organizations=frozenset(("north",)),
    )
    limit = decide(who).limit("Observation", "r")
    assert limit is not None
    assert {type(part) for part in getattr(limit, "criteria", ())} == {Chain, InCompartment}
    assert decide(who).subjects("Observation", "c") is None


def test_new_content_is_about_those_one_is_confined_to() -> None:
    who = principal("patient", "patient/*.cruds", patients=frozenset("ab"), patient="b")
    assert decide(who).subjects("Observation", "c") == {"b"}
    who = principal("patient", "user/*.cruds", patients=frozenset("ab"))
    assert decide(who).subjects("Observation", "c") == {"a", "b"}
    who = principal("doctor", "patient/*.cruds", organizations=frozenset("o"), patient="b")
    assert decide(who).subjects("Observation", "c") == {"b"}
    assert decide(principal("doctor")).subjects("Observation", "c") is None


def test_content_is_free_only_where_nothing_of_it_is_tested() -> None:
    assert decide(principal("system", "system/*.cruds")).is_free("c", "Observation")
    assert decide(principal("admin")).is_free("u", "Patient")
    for who in (
        principal("system", "system/*.rs"),
        principal("system", "system/Patient.cruds"),
        principal("system", "system/*.cruds?_security=a|b"),
        principal("doctor", organizations=frozenset(("a",))),
        principal("patient", patients=frozenset(("a",))),
        principal("admin", "patient/*.cruds", patient="a"),
        principal("nobody"),
    ):
        assert not decide(who).is_free("c", "Observation"), who
    assert not decide(principal("system", "system/*.cruds")).is_free("c", "Binary")


def test_deciding_again_costs_a_look_into_a_dict() -> None:
    who = principal("admin", "user/*.cruds")
    decide(who)
    table = {who: decide(who)}

    def least(look: Callable[[], object]) -> float:
        return min(timeit(look, number=10_000) for _ in range(5))

    assert least(lambda: decide(who).unlimited) < 2 * least(lambda: table[who].unlimited)
    assert decide(who) is decide(who)
    assert decide(principal("admin", "user/*.cruds")) is not decide(who)


# --- against stores -------------------------------------------------------------------------


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made: Store = MemoryStore() if request.param == "memory" else open_store(tmp_path / "data")
    yield made
    await made.close()


async def _put(store: Store, kind: str, id: str, /, **content: Any) -> None:
    door = Interactions(store, VALIDATOR, RegistryHolder(store), Settings())
    await door.update(Context(), kind, id, {"resourceType": kind, "id": id} | content)


async def test_what_tells_of_several_patients_is_seen_by_whom_all_of_them_are_in_reach_of(
    store: Store,
) -> None:
    for id, branch in (("ann", "north"), ("bob", "north"), ("cat", "south")):
        await _put(store, "Organization", branch, name=branch)
        owner = {"reference": f"Organization/{branch}"}
        await _put(store, "Patient", id, managingOrganization=owner)
    events = {"a": ("ann",), "ab": ("ann", "bob"), "ac": ("ann", "cat"), "c": ("cat",)}
    for id, patients in events.items():
        await _put(
            store,
            "AuditEvent",
            id,
            type={"code": "rest"},
            recorded="2026-03-01T00:00:00Z",
            agent=[{"requestor": True}],
            source={"observer": {"display": "x"}},
            entity=[{"what": {"reference": f"Patient/{one}"}} for one in patients],
        )

    async def seen(who: Principal) -> set[str]:
        limit: Criterion | None = decide(who).limit("AuditEvent", "s")
        assert limit is not None
        page = await store.search(1, Query(("AuditEvent",), limit))
        return {one.id for one in page.matches}

    assert await seen(principal("patient", patients=frozenset(("ann",)))) == {"a"}
    assert await seen(principal("patient", patients=frozenset(("ann", "bob")))) == {"a", "ab"}
    north = frozenset(("north",))
    assert await seen(principal("doctor", organizations=north)) == {"a", "ab"}
    assert await seen(principal("doctor", organizations=north | {"south"})) == set(events)


async def test_a_task_for_a_patient_is_in_its_compartment(store: Store) -> None:
    """R4 leaves it out; the tables add it, and so the rows of the first release hold it."""
    await _put(store, "Patient", "ann")
    await _put(
        store,
        "Task",
        "t",
        status="requested",
        intent="order",
        **{"for": {"reference": "Patient/ann"}},
    )
    rows = await store.indexed_rows(1, "Task", "t")
    assert rows is not None
    assert (COMPARTMENT_KEY, "Patient", "ann") in {row[:3] for row in rows.references}
    assert INDEX_VERSION == 1
