"""memberOf() and subsumes() without waiting: None until the content is held, then the truth."""

from __future__ import annotations

from typing import Any

import pytest

from hub.context import Context, Tenant
from hub.fhirpath import Environment, MemberOf, compile
from hub.interactions import Interactions
from hub.storage.memory.store import MemoryStore
from hub.validation.validator import Validator
from terminology.core import resident as module
from terminology.core.resident import Resident, settled
from tests.interactions.conftest import door_over

TREE = "http://example.org/CodeSystem/tree"
UNDER_B = "http://example.org/ValueSet/under-b"
GENDERS = "http://hl7.org/fhir/ValueSet/administrative-gender"
GENDER = "http://hl7.org/fhir/administrative-gender"


def value_set(url: str, *include: dict[str, Any]) -> dict[str, Any]:
    compose = {"include": list(include)}
    return {"resourceType": "ValueSet", "url": url, "status": "active", "compose": compose}


@pytest.fixture
async def door() -> Interactions:
    made = door_over(MemoryStore())
    concept = [{"code": "A", "concept": [{"code": "B", "concept": [{"code": "C"}]}]}, {"code": "X"}]
    system = {"resourceType": "CodeSystem", "url": TREE, "status": "active", "content": "complete"}
    await made.create(Context(), "CodeSystem", system | {"concept": concept})
    is_a = [{"property": "concept", "op": "is-a", "value": "B"}]
    await made.create(Context(), "ValueSet", value_set(UNDER_B, {"system": TREE, "filter": is_a}))
    return made


async def ask(resident: Resident, *question: str | None) -> bool | None:
    async def one() -> bool | None:
        return resident.member_of(*question)  # type: ignore[arg-type]

    return await settled(resident, one)


async def test_it_does_not_wait_and_says_what_it_lacks(door: Interactions) -> None:
    resident = door.terminology.held(Tenant())
    assert resident.member_of(TREE, "C", UNDER_B) is None
    assert resident.wants
    await resident.load()
    assert resident.member_of(TREE, "C", UNDER_B) is None
    await resident.load()
    assert resident.member_of(TREE, "C", UNDER_B) is True
    assert not resident.wants


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ((TREE, "B", UNDER_B), True),
        ((TREE, "A", UNDER_B), False),
        ((GENDER, "B", UNDER_B), False),
        ((None, "C", UNDER_B), True),
        ((None, "A", UNDER_B), False),
        ((GENDER, "female", GENDERS), True),
        ((GENDER, "female", f"{GENDERS}|4.0.1"), True),
        ((GENDER, "female", f"{GENDERS}|9"), None),
        ((None, "nobody", GENDERS), False),
        ((TREE, "C", "http://example.org/ValueSet/none"), None),
    ],
)
async def test_whether_a_code_is_in_a_value_set(
    door: Interactions, question: tuple[str | None, ...], answer: bool | None
) -> None:
    assert await ask(door.terminology.held(Tenant()), *question) is answer


async def test_whether_a_code_subsumes_another(door: Interactions) -> None:
    resident = door.terminology.held(Tenant())

    async def subsumes(general: str, specific: str, system: str = TREE) -> bool | None:
        async def one() -> bool | None:
            return resident.subsumes(system, general, specific)

        return await settled(resident, one)

    assert await subsumes("A", "C") is True
    assert await subsumes("B", "B") is True
    assert await subsumes("C", "A") is False
    assert await subsumes("A", "X") is False
    assert await subsumes("A", "nope") is None
    assert await subsumes("A", "B", "http://example.org/none") is None


async def test_a_change_is_seen_by_the_next_question(door: Interactions) -> None:
    resident = door.terminology.held(Tenant())
    url = "http://example.org/ValueSet/later"
    assert await ask(resident, TREE, "X", url) is None
    made = await door.create(Context(), "ValueSet", value_set(url, {"system": TREE}))
    assert await ask(resident, TREE, "X", url) is True
    assert made.stored is not None
    await door.delete(Context(), "ValueSet", made.stored.id)
    assert await ask(resident, TREE, "X", url) is None


async def test_what_is_held_does_not_grow_with_the_questions(
    door: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codes by rule and unknown versions come without end."""
    monkeypatch.setattr(module, "MOST_QUESTIONS", 50)
    units, mime = "http://hl7.org/fhir/ValueSet/mimetypes", "urn:ietf:bcp:13"
    resident = door.terminology.held(Tenant())
    for number in range(200):
        assert await ask(resident, mime, f"text/x{number}", units) is True
        assert await ask(resident, GENDER, "female", f"{GENDERS}|{number}") is None
    assert len(resident._ready) < 100
    await resident._scope.library.load("code_systems", mime)
    (system,) = resident._scope.library.code_systems(mime)[-1]
    assert len(system) < 100


async def test_value_sets_in_a_circle_cannot_be_told(door: Interactions) -> None:
    left, right = "http://example.org/ValueSet/left", "http://example.org/ValueSet/right"
    await door.create(Context(), "ValueSet", value_set(left, {"valueSet": [right]}))
    await door.create(Context(), "ValueSet", value_set(right, {"valueSet": [left]}))
    assert await ask(door.terminology.held(Tenant()), TREE, "X", left) is None


async def test_validation_asks_it_too(door: Interactions) -> None:
    """R4 has no invariant that does; a profile will."""
    seen: list[list[Any]] = []

    class Asking(Validator):
        def __init__(self, terminology: MemberOf) -> None:
            super().__init__()
            self.environment = Environment(terminology=terminology)

        def validate(self, resource: Any, **more: Any) -> Any:
            rule = compile(f"code.coding.first().memberOf('{UNDER_B}')")
            seen.append(list(rule.evaluate(resource, self.environment)))
            return super().validate(resource, **more)

    held = door.terminology
    asking = Interactions(
        door.store, Asking(held.held(Tenant())), door.registry, door.settings, content=held
    )
    code = {"coding": [{"system": TREE, "code": "C"}]}
    resource = {"resourceType": "Observation", "status": "final", "code": code}
    await asking.create(Context(), "Observation", resource)
    assert seen[0] == []
    assert [one.value for one in seen[-1]] == [True]
