"""Conditional create, update, patch and delete."""

from __future__ import annotations

import asyncio

import pytest

from hub.context import Context
from hub.errors import BadRequest, Conflict, HubError, NotFound, PreconditionFailed
from hub.interactions import Changed, Interactions
from hub.interactions.answer import resource_of
from hub.interactions.json_patch import parse
from hub.storage.port import Store
from tests.interactions.conftest import door_over, observation, patient

P1 = (("identifier", "urn:oid:1.2.3|p1"),)
TITLE = parse(b'[{"op":"add","path":"/gender","value":"male"}]')


def other(number: int) -> dict[str, object]:
    return patient(identifier=[{"system": "urn:oid:1.2.3", "value": f"p{number}"}])


async def test_if_none_exist_creates_once(door: Interactions, ctx: Context) -> None:
    condition = "identifier=urn:oid:1.2.3|p1"
    first = await door.create(ctx, "Patient", patient(), if_none_exist=condition)
    second = await door.create(ctx, "Patient", patient(), if_none_exist=condition)
    assert (first.status, first.written) == (201, True)
    assert (second.status, second.written) == (200, False)
    assert first.stored == second.stored


async def test_if_none_exist_with_several_matches_is_refused(
    door: Interactions, ctx: Context
) -> None:
    for _ in range(2):
        await door.create(ctx, "Patient", patient())
    with pytest.raises(PreconditionFailed) as caught:
        await door.create(ctx, "Patient", patient(), if_none_exist="identifier=p1")
    assert caught.value.issues[0].message == "condition-several"


async def test_many_at_once_with_the_same_condition_create_one(
    door: Interactions, ctx: Context
) -> None:
    condition = "identifier=urn:oid:1.2.3%7Cp1"
    results = await asyncio.gather(
        *(door.create(ctx, "Patient", patient(), if_none_exist=condition) for _ in range(20))
    )
    assert sorted(result.status for result in results) == [200] * 19 + [201]
    assert len({result.stored.id for result in results if result.stored}) == 1


@pytest.mark.parametrize("condition", ["", "&", "identifier=", "_format=json"])
async def test_an_empty_condition_is_refused(
    door: Interactions, ctx: Context, condition: str
) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        await door.create(ctx, "Patient", patient(), if_none_exist=condition)
    assert caught.value.issues[0].message == "condition-empty"


@pytest.mark.parametrize(
    "condition", ["nosuch=1", "birthdate=x", "identifier=%zz", "_sort=name", "_count=1", "=1"]
)
async def test_a_condition_is_read_strictly(
    door: Interactions, ctx: Context, condition: str
) -> None:
    with pytest.raises(BadRequest):
        await door.create(ctx, "Patient", patient(), if_none_exist=condition)


async def test_a_conditional_update_creates_then_updates(door: Interactions, ctx: Context) -> None:
    first = await door.conditional_update(ctx, "Patient", P1, patient())
    assert first.status == 201
    second = await door.conditional_update(ctx, "Patient", P1, patient(gender="male"))
    assert second.status == 200
    assert first.stored is not None
    assert second.stored is not None
    assert second.stored.id == first.stored.id
    assert second.stored.version == 2


async def test_a_conditional_update_with_an_id(door: Interactions, ctx: Context) -> None:
    first = await door.conditional_update(ctx, "Patient", P1, patient(id="mine"))
    assert first.stored is not None
    assert (first.status, first.stored.id) == (201, "mine")
    second = await door.conditional_update(ctx, "Patient", P1, patient(id="mine"))
    assert second.status == 200
    with pytest.raises(BadRequest) as caught:
        await door.conditional_update(ctx, "Patient", P1, patient(id="other"))
    assert caught.value.issues[0].message == "condition-id-differs"
    with pytest.raises(Conflict) as conflict:
        await door.conditional_update(
            ctx, "Patient", (("identifier", "p9"),), other(9) | {"id": "mine"}
        )
    assert conflict.value.issues[0].message == "condition-id-taken"


async def test_a_conditional_update_of_several_is_refused(door: Interactions, ctx: Context) -> None:
    for _ in range(2):
        await door.create(ctx, "Patient", patient())
    with pytest.raises(PreconditionFailed):
        await door.conditional_update(ctx, "Patient", P1, patient())


async def test_conditional_updates_at_once_make_one_resource(
    door: Interactions, ctx: Context
) -> None:
    results = await asyncio.gather(
        *(door.conditional_update(ctx, "Patient", P1, patient()) for _ in range(8))
    )
    assert len({result.stored.id for result in results if result.stored}) == 1
    assert sorted(result.stored.version for result in results if result.stored) == list(range(1, 9))


async def test_a_conditional_update_with_if_match(door: Interactions, ctx: Context) -> None:
    await door.conditional_update(ctx, "Patient", P1, patient())
    await door.conditional_update(ctx, "Patient", P1, patient(), if_match='W/"1"')
    with pytest.raises(PreconditionFailed):
        await door.conditional_update(ctx, "Patient", P1, patient(), if_match='W/"1"')
    condition = (("identifier", "p9"),)
    with pytest.raises(PreconditionFailed):
        await door.conditional_update(ctx, "Patient", condition, other(9), if_match='W/"1"')


async def test_a_conditional_patch(door: Interactions, ctx: Context) -> None:
    with pytest.raises(NotFound):
        await door.conditional_patch(ctx, "Patient", P1, TITLE)
    await door.create(ctx, "Patient", patient())
    changed = await door.conditional_patch(ctx, "Patient", P1, TITLE)
    assert changed.stored is not None
    assert resource_of(changed.stored)["gender"] == "male"
    await door.create(ctx, "Patient", patient())
    with pytest.raises(PreconditionFailed):
        await door.conditional_patch(ctx, "Patient", P1, TITLE)


async def test_a_conditional_delete_of_none_one_and_several(
    door: Interactions, ctx: Context
) -> None:
    nothing = await door.conditional_delete(ctx, "Patient", P1)
    assert (nothing.status, nothing.deleted, nothing.written) == (204, 0, False)
    await door.create(ctx, "Patient", patient())
    one = await door.conditional_delete(ctx, "Patient", P1)
    assert one.deleted == 1
    assert one.stored is not None
    for _ in range(3):
        await door.create(ctx, "Patient", patient())
    await door.create(ctx, "Patient", other(2))
    several = await door.conditional_delete(ctx, "Patient", P1)
    assert (several.deleted, several.stored) == (3, None)
    answer = await door.search(ctx, "Patient", (("_summary", "count"),))
    assert answer.total == 1


async def test_a_conditional_delete_over_the_limit_deletes_nothing(
    store: Store, ctx: Context
) -> None:
    for limit, message in ((2, "condition-over-limit"), (1, "condition-several")):
        door = door_over(store, delete_multiple_limit=limit)
        for _ in range(3):
            await door.create(ctx, "Patient", patient())
        with pytest.raises(PreconditionFailed) as caught:
            await door.conditional_delete(ctx, "Patient", P1)
        assert caught.value.issues[0].message == message


async def test_a_conditional_delete_is_all_or_nothing(door: Interactions, ctx: Context) -> None:
    for id in ("a", "b"):
        await door.update(ctx, "Patient", id, patient(id=id))
    await door.create(ctx, "Observation", observation("Patient/b"))
    with pytest.raises(Conflict):
        await door.conditional_delete(ctx, "Patient", P1)
    assert (await door.read(ctx, "Patient", "a")).version == 1


async def test_patches_at_once_are_all_kept(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    add = parse(b'[{"op":"add","path":"/name/-","value":{"text":"x"}}]')
    results = await asyncio.gather(*(door.patch(ctx, "Patient", "a", add) for _ in range(6)))
    assert all(isinstance(result, Changed) for result in results)
    stored = await door.read(ctx, "Patient", "a")
    assert stored.version == 7
    assert len(resource_of(stored)["name"]) == 7


async def test_if_match_holds_for_a_patch(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    await door.patch(ctx, "Patient", "a", TITLE, if_match='W/"1"')
    with pytest.raises(PreconditionFailed):
        await door.patch(ctx, "Patient", "a", TITLE, if_match='W/"1"')


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        (b'[{"op":"replace","path":"/id","value":"b"}]', "patch-identity"),
        (b'[{"op":"replace","path":"/resourceType","value":"Group"}]', "patch-identity"),
        (b'[{"op":"remove","path":"/id"}]', "patch-identity"),
        (b'[{"op":"replace","path":"","value":{}}]', "patch-identity"),
    ],
)
async def test_a_patch_cannot_change_what_a_resource_is(
    door: Interactions, ctx: Context, operations: bytes, message: str
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    with pytest.raises(HubError) as caught:
        await door.patch(ctx, "Patient", "a", parse(operations))
    assert caught.value.issues[0].message == message
    assert caught.value.status == 422


async def test_what_a_patch_makes_is_validated(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    wrong = parse(b'[{"op":"add","path":"/gender","value":"x"}]')
    with pytest.raises(HubError) as caught:
        await door.patch(ctx, "Patient", "a", wrong)
    assert caught.value.status == 422
    empty = parse(
        b'[{"op":"remove","path":"/name/0/family"},{"op":"remove","path":"/name/0/given"}]'
    )
    with pytest.raises(HubError):
        await door.patch(ctx, "Patient", "a", empty)
    assert (await door.read(ctx, "Patient", "a")).version == 1


async def test_a_conditional_update_with_if_none_match_creates_only(
    door: Interactions, ctx: Context
) -> None:
    made = await door.conditional_update(ctx, "Patient", P1, patient(), if_none_match="*")
    assert made.status == 201
    with pytest.raises(PreconditionFailed) as caught:
        await door.conditional_update(ctx, "Patient", P1, patient(), if_none_match="*")
    assert caught.value.issues[0].message == "resource-exists"


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_if_none_match_of_a_conditional_update_counts_in_bundles(
    door: Interactions, ctx: Context, kind: str
) -> None:
    await door.create(ctx, "Patient", patient())
    request = {"method": "PUT", "url": f"Patient?{P1[0][0]}={P1[0][1]}", "ifNoneMatch": "*"}
    bundle = {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [{"resource": patient(), "request": request}],
    }
    if kind == "transaction":
        with pytest.raises(HubError) as caught:
            await door.bundle(ctx, bundle)
        assert caught.value.status == 412
        return
    (entry,) = (await door.bundle(ctx, bundle)).entries
    assert entry.response is not None
    assert entry.response.status.startswith("412")
