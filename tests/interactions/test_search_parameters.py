"""SearchParameters made at run time: registration, indexing, progress."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from hub.context import Context
from hub.errors import HubError, Unavailable
from hub.interactions import Interactions, indexing, search_parameters
from hub.storage.port import RuntimeParameter, Store, StoreUnavailable
from tests.interactions.conftest import door_over, patient


def colour(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "SearchParameter",
        "id": "colour",
        "url": "http://example.org/SearchParameter/colour",
        "name": "colour",
        "status": "active",
        "description": "Eye colour",
        "code": "colour",
        "base": ["Patient"],
        "type": "string",
        "expression": "Patient.extension.where(url='http://e/colour').value.as(string)",
    } | more


def eyes(colour: str, **more: Any) -> dict[str, Any]:
    return patient(extension=[{"url": "http://e/colour", "valueString": colour}], **more)


async def found(door: Interactions, ctx: Context, value: str) -> list[str]:
    answer = await door.search(ctx, "Patient", (("colour", value),))
    assert not answer.issues
    return sorted(entry.stored.id for entry in answer.entries if entry.stored)


async def test_a_parameter_finds_what_was_there_before(door: Interactions, ctx: Context) -> None:
    for n in range(120):
        await door.update(ctx, "Patient", f"p{n}", eyes("blue" if n % 2 else "brown", id=f"p{n}"))
    changed = await door.update(ctx, "SearchParameter", "colour", colour())
    assert [issue.message for issue in changed.issues] == ["search-parameter-registered"]
    (parameter,) = await door.store.parameters(1)
    assert (parameter.key, parameter.status) == (10_000, "indexing")
    answer = await door.search(ctx, "Patient", (("colour", "blue"),))
    assert [issue.message for issue in answer.issues] == ["search-parameter-indexing"]
    with pytest.raises(Unavailable):
        await door.search(ctx, "Patient", (("colour", "blue"),), strict=True)
    await indexing.catch_up(door, ctx)
    (parameter,) = await door.store.parameters(1)
    assert parameter.status == "completed"
    assert parameter.indexed == parameter.counted == 120
    answer = await door.search(ctx, "Patient", (("colour", "blue"), ("_summary", "count")))
    assert (answer.total, answer.issues) == (60, ())


async def test_only_what_is_indexed_is_counted(store: Store, ctx: Context) -> None:
    door = door_over(store)
    for n in range(120):
        await door.update(ctx, "Patient", f"p{n}", eyes("blue", id=f"p{n}"))
    await door.update(ctx, "SearchParameter", "colour", colour())
    put = store.put_parameter
    shown: list[tuple[str, int, int]] = []
    told: list[str] = []

    async def meanwhile(*arguments: Any) -> Any:
        parameter = arguments[1]
        shown.append((parameter.status, parameter.indexed, parameter.counted))
        made = await put(*arguments)
        if len(shown) == 1:
            rows = (await door.capabilities(ctx))["rest"][0]["resource"]
            told.extend(
                row["documentation"]
                for one in rows
                for row in one["searchParam"]
                if row["name"] == "colour"
            )
            for n in range(3):
                await door.delete(ctx, "Patient", f"p{n}")
            await door.update(ctx, "Patient", "new", eyes("blue", id="new"))
        return made

    store.put_parameter = meanwhile  # type: ignore[method-assign]
    await indexing.catch_up(door, ctx)
    store.put_parameter = put  # type: ignore[method-assign]
    assert told == ["(Being indexed: 50 of 120; searches find only part.) Eye colour"]
    assert shown[0] == ("indexing", 50, 120)
    assert shown[-1] == ("completed", 118, 118)
    answer = await door.search(ctx, "Patient", (("colour", "blue"), ("_summary", "count")))
    assert answer.total == 118
    rows = (await door.capabilities(ctx))["rest"][0]["resource"]
    assert "Being indexed" not in str(rows)


async def test_a_scan_that_misses_some_does_not_complete(store: Store, ctx: Context) -> None:
    door = door_over(store)
    for n in range(5):
        await door.update(ctx, "Patient", f"p{n}", eyes("blue", id=f"p{n}"))
    await door.update(ctx, "SearchParameter", "colour", colour())
    scan = store.scan

    async def short(*arguments: Any) -> Any:
        page, after = await scan(*arguments)
        return page[:-1], after

    store.scan = short  # type: ignore[method-assign]
    await indexing.catch_up(door, ctx)
    (parameter,) = await store.parameters(1)
    assert (parameter.status, parameter.indexed, parameter.after) == ("indexing", 0, 0)
    store.scan = scan  # type: ignore[method-assign]
    await indexing.catch_up(door, ctx)
    (parameter,) = await store.parameters(1)
    assert (parameter.status, parameter.indexed) == ("completed", 5)


async def test_what_is_written_while_indexing_is_found(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "SearchParameter", "colour", colour())
    await door.update(ctx, "Patient", "a", eyes("green", id="a"))
    await indexing.catch_up(door, ctx)
    assert await found(door, ctx, "green") == ["a"]
    await door.update(ctx, "Patient", "a", eyes("blue", id="a"))
    assert await found(door, ctx, "green") == []
    assert await found(door, ctx, "blue") == ["a"]


async def test_another_worker_that_has_not_looked_yet_misses_nothing(
    store: Store, ctx: Context
) -> None:
    one, other = door_over(store), door_over(store)
    await other.update(ctx, "Patient", "first", patient(id="first"))
    await one.update(ctx, "SearchParameter", "colour", colour())
    await indexing.catch_up(one, ctx)
    await other.update(ctx, "Patient", "a", eyes("green", id="a"))
    assert await found(one, ctx, "green") == ["a"]


async def test_indexing_goes_on_after_a_restart(store: Store, ctx: Context) -> None:
    door = door_over(store)
    for n in range(130):
        await door.update(ctx, "Patient", f"p{n}", eyes("blue", id=f"p{n}"))
    await door.update(ctx, "SearchParameter", "colour", colour())

    class Stop(Exception):
        pass

    put, calls = store.put_parameter, 0

    async def stopping(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Stop
        return await put(*arguments)

    store.put_parameter = stopping  # type: ignore[method-assign]
    with suppress(Stop):
        await indexing.catch_up(door, ctx)
    store.put_parameter = put  # type: ignore[method-assign]
    (parameter,) = await store.parameters(1)
    assert (parameter.status, parameter.indexed, parameter.counted) == ("indexing", 50, 130)
    later = door_over(store)
    await indexing.catch_up(later, ctx)
    (parameter,) = await store.parameters(1)
    assert (parameter.status, parameter.indexed, parameter.counted) == ("completed", 130, 130)
    answer = await later.search(ctx, "Patient", (("colour", "blue"), ("_summary", "count")))
    assert answer.total == 130


async def test_the_job_runs_by_itself(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", eyes("green", id="a"))
    job = asyncio.create_task(indexing.run(door, ctx))
    await door.update(ctx, "SearchParameter", "colour", colour())
    for _ in range(200):
        await asyncio.sleep(0.01)
        parameters = await door.store.parameters(1)
        if parameters and parameters[0].status == "completed":
            break
    assert await found(door, ctx, "green") == ["a"]
    job.cancel()
    with suppress(asyncio.CancelledError):
        await job


async def test_a_changed_expression_is_indexed_anew(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", eyes("green", id="a"))
    await door.update(ctx, "SearchParameter", "colour", colour())
    await indexing.catch_up(door, ctx)
    await door.update(ctx, "SearchParameter", "colour", colour(description="Colour of the eyes"))
    assert [one.key for one in await door.store.parameters(1)] == [10_001]
    await door.update(ctx, "SearchParameter", "colour", colour(expression="Patient.name.family"))
    await indexing.catch_up(door, ctx)
    assert await found(door, ctx, "green") == []
    assert await found(door, ctx, "张") == ["a"]


async def test_a_deleted_or_retired_parameter_is_unknown_again(
    door: Interactions, ctx: Context
) -> None:
    for step in ("delete", "retire"):
        await door.update(ctx, "SearchParameter", "colour", colour())
        assert len(await door.store.parameters(1)) == 1
        if step == "delete":
            await door.delete(ctx, "SearchParameter", "colour")
        else:
            await door.update(ctx, "SearchParameter", "colour", colour(status="retired"))
        assert await door.store.parameters(1) == ()
        answer = await door.search(ctx, "Patient", (("colour", "x"),))
        assert [issue.message for issue in answer.issues] == ["search-ignored"]


async def test_an_empty_value_is_named_as_such(door: Interactions, ctx: Context) -> None:
    answer = await door.search(ctx, "Patient", (("name", ""), ("colour", "x")))
    assert [issue.message for issue in answer.issues] == ["search-ignored", "search-empty"]
    assert answer.issues[1].arguments == {"names": "name"}
    with pytest.raises(HubError) as caught:
        await door.search(ctx, "Patient", (("name", ""),), strict=True)
    assert caught.value.status == 400
    assert caught.value.issues[0].message == "search-value-empty"


async def test_a_url_that_changes_moves_the_registration(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "SearchParameter", "colour", colour())
    await door.update(ctx, "SearchParameter", "colour", colour(url="http://example.org/other"))
    assert [one.url for one in await door.store.parameters(1)] == ["http://example.org/other"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"status": "draft"}, "search-parameter-inactive"),
        ({"code": "name"}, "search-parameter-set-aside"),
        (
            {"url": "http://hl7.org/fhir/SearchParameter/Patient-active", "code": "active"},
            "search-parameter-core",
        ),
        ({"type": "special"}, "search-parameter-special"),
    ],
)
async def test_what_is_stored_without_being_used(
    door: Interactions, ctx: Context, more: dict[str, Any], message: str
) -> None:
    changed = await door.update(ctx, "SearchParameter", "colour", colour(**more))
    assert [issue.message for issue in changed.issues] == [message]
    assert await door.store.parameters(1) == ()


@pytest.mark.parametrize(
    "more",
    [
        {"expression": "Patient..x"},
        {"expression": "Patient.nosuch("},
        {"expression": "Patient.photo"},
        {"type": "composite", "component": [{"definition": "http://nosuch", "expression": "x"}]},
    ],
)
async def test_what_cannot_be_indexed_is_refused(
    door: Interactions, ctx: Context, more: dict[str, Any]
) -> None:
    with pytest.raises(HubError) as caught:
        await door.update(ctx, "SearchParameter", "colour", colour(**more))
    assert caught.value.status == 422
    assert await door.store.parameters(1) == ()


async def test_a_url_belongs_to_the_first_until_it_goes(store: Store, ctx: Context) -> None:
    door = door_over(store)
    await door.update(ctx, "SearchParameter", "colour", colour())
    (first,) = await store.parameters(1)
    twin = colour(id="twin", expression="Patient.name.family")
    changed = await door.update(ctx, "SearchParameter", "twin", twin)
    assert [issue.message for issue in changed.issues] == ["search-parameter-twin"]
    assert changed.issues[0].arguments == {"id": "colour"}
    for _ in range(2):
        await search_parameters.reconcile(door_over(store), 1)
        assert await store.parameters(1) == (first,)
    await door.delete(ctx, "SearchParameter", "colour")
    (second,) = await store.parameters(1)
    assert (second.resource_id, second.key > first.key) == ("twin", True)


@pytest.mark.parametrize("change", [{"status": "retired"}, {"code": "eyes"}, {"base": ["Person"]}])
async def test_a_code_that_becomes_free_is_taken_up(
    door: Interactions, ctx: Context, change: dict[str, Any]
) -> None:
    person = {"expression": "Person.name.family"} if "base" in change else {}
    await door.update(ctx, "SearchParameter", "colour", colour())
    other = colour(id="other", url="http://example.org/other", base=["Patient", "Group"])
    changed = await door.update(ctx, "SearchParameter", "other", other)
    assert [issue.message for issue in changed.issues] == ["search-parameter-set-aside"]
    assert [one.resource_id for one in await door.store.parameters(1)] == ["colour"]
    await door.update(ctx, "SearchParameter", "colour", colour(**change, **person))
    assert "other" in [one.resource_id for one in await door.store.parameters(1)]


async def test_a_code_of_one_type_is_not_given_to_all(door: Interactions, ctx: Context) -> None:
    every = colour(base=["Resource"], expression="Resource.id", code="name")
    changed = await door.update(ctx, "SearchParameter", "colour", every)
    assert [issue.message for issue in changed.issues] == ["search-parameter-set-aside"]


async def test_parameters_in_a_transaction_are_registered(door: Interactions, ctx: Context) -> None:
    entries = [
        {"resource": colour(), "request": {"method": "PUT", "url": "SearchParameter/colour"}},
        {"resource": eyes("green", id="a"), "request": {"method": "PUT", "url": "Patient/a"}},
    ]
    await door.bundle(ctx, {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    await indexing.catch_up(door, ctx)
    assert await found(door, ctx, "green") == ["a"]


async def test_a_registration_lost_in_a_crash_is_made_up_for(store: Store, ctx: Context) -> None:
    door = door_over(store)
    await door.update(ctx, "SearchParameter", "colour", colour())
    await store.put_parameter(1, None, colour()["url"])
    later = door_over(store)
    await search_parameters.reconcile(later, 1)
    assert len(await store.parameters(1)) == 1


async def test_a_store_that_fails_after_the_commit_is_not_told_as_nothing_stored(
    store: Store, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = door_over(store)
    await door.update(ctx, "Patient", "a", eyes("green", id="a"))
    put, failures = store.put_parameter, 0

    async def fail_twice(*arguments: Any) -> RuntimeParameter | None:
        nonlocal failures
        failures += 1
        if failures <= 2:
            raise StoreUnavailable("I/O error")
        return await put(*arguments)

    monkeypatch.setattr(store, "put_parameter", fail_twice)
    monkeypatch.setattr(indexing, "PUT_OFF", 0.01)
    job = asyncio.create_task(indexing.run(door, ctx))
    await asyncio.sleep(0.1)
    made = await door.update(ctx, "SearchParameter", "colour", colour())
    assert made.status == 201
    async with asyncio.timeout(20):
        while [one.status for one in await store.parameters(1)] != ["completed"]:
            await asyncio.sleep(0.01)
    assert await found(door, ctx, "green") == ["a"]
    assert failures > 2
    job.cancel()
    await asyncio.wait([job])


async def test_reindexing_everything(door: Interactions, ctx: Context) -> None:
    for n in range(60):
        await door.update(ctx, "Patient", f"p{n}", patient(id=f"p{n}"))
    steps: list[int] = []
    assert await indexing.reindex_all(door, ctx, (), steps.append) == 60
    assert sum(steps) == 60


async def test_a_check_finds_nothing_wrong_at_any_stage(door: Interactions, ctx: Context) -> None:
    from hub.checking import check_record

    async def clean() -> None:
        findings = [one async for one in check_record(door, ctx, lambda _: None, validate=True)]
        assert findings == []

    for n in range(3):
        await door.update(ctx, "Patient", f"p{n}", eyes("blue", id=f"p{n}"))
    await door.update(ctx, "SearchParameter", "colour", colour())
    await clean()
    await indexing.catch_up(door, ctx)
    await clean()
    await door.delete(ctx, "SearchParameter", "colour")
    await clean()
