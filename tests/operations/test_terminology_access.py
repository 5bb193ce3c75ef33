"""Who may not read a code system or value set does not learn its content by an operation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.context import Context
from hub.errors import Forbidden
from hub.interactions import Interactions
from hub.interactions.operation import OperationRequest
from hub.operations import OPERATIONS
from hub.principal import Principal, Scope
from hub.storage.sqlite.store import open_store
from tests.interactions.conftest import door_over
from tests.terminology.core.questions import all_of, animals, value_set

URL = "http://example.org/vs"
GENDER = "http://hl7.org/fhir/administrative-gender"
GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Interactions]:
    """A record with a code system and a value set, ids `animals` and `vs`."""
    store = open_store(tmp_path / "data")
    made = door_over(store)
    for id, resource in (("animals", animals), ("vs", value_set(all_of()))):
        await made.update(Context(), resource["resourceType"], id, {**resource, "id": id})
    yield made
    await store.close()


def who(*types: str) -> Context:
    """Somebody whose app may read and search some types."""
    scopes = tuple(Scope("user", type, frozenset("rs")) for type in types)
    return Context(principal=Principal("li.wei", roles=frozenset(("doctor",)), scopes=scopes))


async def call(
    door: Interactions, ctx: Context, name: str, type: str, id: str = "", **asked: str
) -> tuple[int, str]:
    """Status and text of an answer."""
    request = OperationRequest(type, id, "GET", tuple(asked.items()))
    answer = await OPERATIONS[name].perform(door, ctx, request)
    return answer.status, str(answer.body)


ASKED: list[tuple[str, str, dict[str, str]]] = [
    ("expand", "ValueSet", {"url": URL}),
    ("expand", "ValueSet", {"url": f"{animals['url']}?fhir_vs"}),
    ("validate-code", "ValueSet", {"url": URL, "system": animals["url"], "code": "dog"}),
    ("validate-code", "CodeSystem", {"url": animals["url"], "code": "dog"}),
    ("lookup", "CodeSystem", {"system": animals["url"], "code": "dog"}),
    ("subsumes", "CodeSystem", {"system": animals["url"], "codeA": "dog", "codeB": "puppy"}),
]


@pytest.mark.parametrize(("name", "type", "asked"), ASKED, ids=lambda one: str(one)[:40])
async def test_who_may_read_them_is_answered(
    door: Interactions, name: str, type: str, asked: dict[str, str]
) -> None:
    status, text = await call(door, who("CodeSystem", "ValueSet"), name, type, **asked)
    assert status == 200
    assert "'Dog'" in text or "subsumes" in text


@pytest.mark.parametrize("seen", [("Patient",), ("ValueSet",), ()])
@pytest.mark.parametrize(("name", "type", "asked"), ASKED, ids=lambda one: str(one)[:40])
async def test_who_may_not_learns_nothing(
    door: Interactions, name: str, type: str, asked: dict[str, str], seen: tuple[str, ...]
) -> None:
    ctx = who(*(seen or ("Observation",)))
    status, text = await call(door, ctx, name, type, **asked)
    assert "Dog" not in text
    assert "1.0.0" not in text
    if status == 200:
        assert "'valueBoolean': False" in text


async def test_a_value_set_that_may_not_be_read_is_not_known(door: Interactions) -> None:
    status, text = await call(door, who("CodeSystem"), "expand", "ValueSet", url=URL)
    assert (status, "could not be found" in text) == (404, True)
    missing = await call(door, who("CodeSystem"), "expand", "ValueSet", url=f"{URL}/none")
    assert missing[1].replace("/none", "") == text


async def test_an_instance_is_read_as_by_a_read(door: Interactions) -> None:
    assert (await call(door, who("ValueSet", "CodeSystem"), "expand", "ValueSet", "vs"))[0] == 200
    for name, type, id in (
        ("expand", "ValueSet", "vs"),
        ("validate-code", "ValueSet", "vs"),
        ("validate-code", "CodeSystem", "animals"),
        ("subsumes", "CodeSystem", "animals"),
    ):
        with pytest.raises(Forbidden):
            await call(
                door, who("Patient"), name, type, id, code="x", codeA="a", codeB="b", system="x"
            )


async def test_the_content_of_r4_is_open_to_whoever_is_let_in(door: Interactions) -> None:
    ctx = who("Patient")
    status, text = await call(door, ctx, "expand", "ValueSet", url=GENDERS)
    assert (status, "Female" in text) == (200, True)
    status, text = await call(door, ctx, "lookup", "CodeSystem", system=GENDER, code="male")
    assert (status, "Male" in text) == (200, True)


async def test_what_was_kept_for_one_is_not_shown_to_another(door: Interactions) -> None:
    asked: dict[str, Any] = {"system": animals["url"], "code": "dog"}
    for _ in range(2):
        allowed = await call(door, who("CodeSystem"), "lookup", "CodeSystem", **asked)
        refused = await call(door, who("Patient"), "lookup", "CodeSystem", **asked)
        assert (allowed[0], refused[0]) == (200, 404)
