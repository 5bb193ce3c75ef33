"""Content of the record: what a url stands for, seen at once when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.context import Context
from hub.interactions import Interactions, terminology_record
from hub.interactions.answer import resource_of
from hub.principal import Principal, Scope
from hub.storage.memory.store import MemoryStore
from hub.storage.port import Store, Stored
from hub.storage.sqlite.store import open_store
from terminology.core import packed, record
from terminology.core.packed import EXTENSION
from terminology.core.shapes import Columns
from terminology.core.shelf import Shelf
from terminology.loaders.csv import Options, read_table
from terminology.loaders.storing import Naming, remove, store_table
from tests.interactions.conftest import door_over
from tests.terminology import icd10_cn

URL = "http://example.org/fhir/CodeSystem/x"


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened: Store = MemoryStore() if request.param == "memory" else open_store(tmp_path / "data")
    yield opened
    await opened.close()


@pytest.fixture
def door(store: Store) -> Interactions:
    return door_over(store)


def system(version: str, *codes: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CodeSystem",
        "url": URL,
        "version": version,
        "status": "active",
        "content": "complete",
        "concept": [{"code": code} for code in codes],
    } | more


async def versions(door: Interactions, ctx: Context | None = None) -> list[tuple[str, int]]:
    """Versions that are found, with their number of concepts."""
    source = door.terminology.sources(ctx or Context())[0]
    return sorted((one.version, len(one)) for one in await source.code_systems(URL))


async def test_a_change_is_seen_at_once(door: Interactions) -> None:
    ctx = Context()
    assert await versions(door) == []
    made = await door.create(ctx, "CodeSystem", system("1", "a"))
    assert made.stored is not None
    id = made.stored.id
    assert await versions(door) == [("1", 1)]
    await door.create(ctx, "CodeSystem", system("2", "a", "b"))
    await door.create(ctx, "CodeSystem", system("1", "c", content="supplement", supplements=URL))
    assert await versions(door) == [("1", 1), ("2", 2)]
    await door.update(ctx, "CodeSystem", id, system("1", "a", "b", "c", id=id))
    assert await versions(door) == [("1", 3), ("2", 2)]
    await door.delete(ctx, "CodeSystem", id)
    assert await versions(door) == [("2", 2)]
    source = door.terminology.sources(ctx)[0]
    assert [one.content for one in await source.supplements(URL)] == ["supplement"]


async def test_what_is_not_changed_is_not_decoded_again(door: Interactions) -> None:
    await door.create(Context(), "CodeSystem", system("1", "a"))
    source = door.terminology.sources(Context())[0]
    first = await source.code_systems(URL)
    await door.create(Context(), "CodeSystem", system("2", "a"))
    second = await source.code_systems(URL)
    assert any(one is first[0] for one in second)


async def test_another_door_to_the_store_sees_a_load_at_once(store: Store) -> None:
    door, other = door_over(store), door_over(store)
    naming = Naming(URL, "1")
    for count in (10, 2_000):
        table = read_table(icd10_cn.table(count), Options())
        await store_table(door, Context(), table, naming)
        assert await versions(other) == [("1", count)]
    (loaded,) = await other.terminology.sources(Context())[0].code_systems(URL)
    assert loaded.content == "complete"
    assert loaded.columns == table.columns
    assert await remove(door, Context(), URL, None) == [("1", loaded.resource["id"])]
    assert await versions(other) == []


async def test_readers_never_see_half_of_a_replacement(store: Store) -> None:
    door, other = door_over(store), door_over(store)
    small = read_table(icd10_cn.table(10), Options())
    large = read_table(icd10_cn.table(500), Options())
    await store_table(door, Context(), small, Naming(URL, "1"))
    seen = set()

    async def read() -> None:
        for _ in range(200):
            ((_, count),) = await versions(other)
            seen.add(count)
            await asyncio.sleep(0)

    async def write() -> None:
        for _ in range(10):
            await store_table(door, Context(), large, Naming(URL, "1"))
            await store_table(door, Context(), small, Naming(URL, "1"))

    await asyncio.gather(read(), write())
    assert seen <= {10, 500}


async def test_a_blob_that_is_none_is_passed_over(door: Interactions) -> None:
    forged = await door.create_binary(Context(), "application/x-fhir-hub-concepts", b"FHC1nonsense")
    assert forged.stored is not None
    reference = {"reference": f"Binary/{forged.stored.id}"}
    extension = [{"url": EXTENSION, "valueReference": reference}]
    await door.create(Context(), "CodeSystem", system("1", "a", extension=extension))
    assert await versions(door) == [("1", 1)]


@pytest.mark.parametrize("content", [b"FHC1nonsense", packed.pack(Columns(["x"], [""]))])
async def test_a_binary_that_was_written_over_says_nothing(
    door: Interactions, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    """Who may write Binaries, but no CodeSystem, does not change what codes mean."""
    await store_table(door, Context(), read_table(icd10_cn.table(10), Options()), Naming(URL, "1"))
    (entry,) = (await door.search(Context(), "CodeSystem", (("url", URL),))).entries
    assert entry.stored is not None
    binary = packed.binary_of(resource_of(entry.stored))
    await door.update_binary(Context(), binary, packed.CONTENT_TYPE, content)
    assert await versions(door) == [("1", 0)]
    assert "written over" in caplog.text


def test_urls_of_any_length_count_in_what_is_remembered() -> None:
    found = terminology_record.Found()
    for number in range(100):
        search = ("ValueSet", "url", f"{number}" + "x" * 1_000_000)
        assert found.of(search, 1) is None
        found.keep(search, 1, ())
        held = sum(len(url) for _, _, url in found.results)
        assert held <= terminology_record.MOST_BYTES


async def test_who_may_not_search_code_systems_finds_none(door: Interactions) -> None:
    await door.create(Context(), "CodeSystem", system("1", "a"))
    assert await versions(door) == [("1", 1)]
    patient = Principal("li.wei", roles=frozenset(("patient",)))
    assert await versions(door, Context(principal=patient)) == [("1", 1)]
    only = replace(patient, scopes=(Scope("user", "ValueSet", frozenset("rs")),))
    assert await versions(door, Context(principal=only)) == []


async def test_a_comma_or_a_bar_in_a_url_is_part_of_it(door: Interactions) -> None:
    odd = "http://example.org/a,b$c"
    await door.create(Context(), "CodeSystem", system("1", "a", url=odd))
    source = door.terminology.sources(Context())[0]
    assert len(await source.code_systems(odd)) == 1
    assert await source.code_systems("http://example.org/a") == []
    assert await source.code_systems("") == []


async def test_concepts_that_many_ask_for_are_unpacked_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store_table(
        door_over(store), Context(), read_table(icd10_cn.table(300), Options()), Naming(URL, "1")
    )
    unpacked = []

    def unpack(blob: bytes) -> Columns:
        unpacked.append(blob)
        return packed.unpack(blob)

    monkeypatch.setattr(record, "unpack", unpack)
    door = door_over(store)
    assert await asyncio.gather(*(versions(door) for _ in range(20))) == [[("1", 300)]] * 20
    assert len(unpacked) == 1


async def test_what_a_load_replaces_meanwhile_is_looked_up_again(store: Store) -> None:
    """Another process commits between the search and the reading of the concepts."""
    door = door_over(store)
    small = read_table(icd10_cn.table(10), Options())
    large = read_table(icd10_cn.table(20), Options())
    await store_table(door, Context(), small, Naming(URL, "1"))

    class Late:
        """The record, where the load comes in between."""

        def __init__(self, record: record.Record) -> None:
            self._record, self.loads = record, 1

        async def find(self, type: str, parameter: str, value: str) -> Sequence[Stored]:
            return await self._record.find(type, parameter, value)

        async def packed(self, id: str) -> bytes | None:
            if self.loads:
                self.loads -= 1
                await store_table(door, Context(), large, Naming(URL, "1"))
            return await self._record.packed(id)

    late = Late(door.terminology._record(Context()))
    source = record.RecordSource(late, Shelf(), 1)
    assert [len(one) for one in await source.code_systems(URL)] == [20]


async def test_large_bodies_are_not_remembered_without_end(
    door: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminology_record, "MOST_BYTES", 3_000)
    for number in range(6):
        codes = [f"c{one}" for one in range(100 if number == 5 else 20)]
        await door.create(Context(), "CodeSystem", system("1", *codes, url=f"{URL}{number}"))
    source = door.terminology.sources(Context())[0]
    for _ in range(2):
        for number in range(6):
            (found,) = await source.code_systems(f"{URL}{number}")
            assert len(found) == (100 if number == 5 else 20)
            assert door.terminology._found[1].size <= 3_000
