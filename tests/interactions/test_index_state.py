"""Rows of another release or zone are noticed and made anew in the background."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hub.context import Context, Tenant
from hub.interactions import Interactions, index_state, indexing
from hub.interactions.index_state import IndexState
from hub.search.values import INDEX_VERSION
from hub.storage.port import Store
from tests.interactions.conftest import door_over, observation


async def fill(store: Store, ctx: Context, count: int) -> Context:
    """Encounters, indexed in another zone; gives the context of that."""
    elsewhere = replace(ctx, tenant=Tenant(zone="UTC"))
    await index_state.note_if_new(store, elsewhere)
    door = door_over(store)
    for number in range(count):
        encounter = {
            "resourceType": "Encounter",
            "id": f"e{number}",
            "status": "planned",
            "class": {"code": "AMB"},
            "period": {"start": "2026-03-01", "end": "2026-03-01"},
        }
        await door.update(elsewhere, "Encounter", f"e{number}", encounter)
    return elsewhere


async def days(door: Interactions, ctx: Context) -> int | None:
    parameters = (("date", "2026-03-01"), ("_summary", "count"))
    return (await door.search(ctx, "Encounter", parameters)).total


async def test_another_zone_is_noticed_and_the_rows_are_made_anew(
    store: Store, ctx: Context
) -> None:
    elsewhere = await fill(store, ctx, 60)
    assert await days(door_over(store), elsewhere) == 60
    door = door_over(store)
    assert await days(door, ctx) == 0
    await indexing.renew(door, ctx)
    later = door_over(store)
    assert await days(later, ctx) == 60
    assert await index_state.read(store, 1, 0) == IndexState(INDEX_VERSION, ctx.tenant.zone)
    assert await index_state.renewal_of(store, ctx) is None


async def test_searches_say_so_until_it_is_done(store: Store, ctx: Context) -> None:
    await fill(store, ctx, 1)
    assert await index_state.renewal_of(store, ctx) is not None
    answer = await door_over(store).search(ctx, "Encounter", ())
    assert [issue.message for issue in answer.issues] == ["search-index-renewing"]
    await indexing.renew(door_over(store), ctx)
    assert (await door_over(store).search(ctx, "Encounter", ())).issues == ()


async def test_it_goes_on_after_a_restart(
    store: Store, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store, ctx, 120)

    class Killed(Exception):
        pass

    pages = 0
    make_rows = indexing._rows

    async def dying(*arguments: object) -> int:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise Killed
        return await make_rows(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(indexing, "_rows", dying)
    with pytest.raises(Killed):
        await indexing.renew(door_over(store), ctx)
    state = await index_state.read(store, 1, 0)
    assert state is not None
    assert state.after > 0
    await indexing.renew(door_over(store), ctx)
    assert pages == 2 + 2
    assert await days(door_over(store), ctx) == 120


async def test_rows_of_an_older_release_are_made_anew(store: Store, ctx: Context) -> None:
    await fill(store, ctx, 1)
    await index_state.put(store, ctx, IndexState(INDEX_VERSION - 1, ctx.tenant.zone))
    assert await days(door_over(store), ctx) == 0
    await indexing.renew(door_over(store), ctx)
    assert await days(door_over(store), ctx) == 1


async def test_the_command_that_makes_all_rows_anew_notes_it(store: Store, ctx: Context) -> None:
    await fill(store, ctx, 1)
    door = door_over(store)
    await indexing.reindex_all(door, ctx, ("Patient",), lambda count: None)
    assert await index_state.renewal_of(store, ctx) is not None
    await indexing.reindex_all(door, ctx, (), lambda count: None)
    assert await index_state.renewal_of(store, ctx) is None


async def test_a_store_without_a_note_is_taken_as_it_is(store: Store, ctx: Context) -> None:
    await door_over(store).create(ctx, "Observation", observation())
    await index_state.note_if_new(store, ctx)
    assert await index_state.read(store, 1, 0) is None
    assert await index_state.renewal_of(store, ctx) is None
    assert await index_state.read(store, 1, 0) == IndexState(INDEX_VERSION, ctx.tenant.zone)
