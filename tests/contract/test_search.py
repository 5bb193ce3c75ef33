"""Searches every store answers: the cases of tests/cases/storage_search, and paging."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hub.search.query import And, Match, Query, SortKey, TokenValue
from hub.search.values import IndexRows, TokenRow
from hub.storage.port import Store
from tests.contract.commits import CLOCK, TENANT, commit_of, delete, put, store_one
from tests.contract.search_cases import PARAMETERS, case_files, criterion, index_rows, read_cases

FILES = case_files()


async def found(store: Store, query: Query, tenant: int = TENANT) -> list[str]:
    """`Type/id` of all matches, page by page."""
    names: list[str] = []
    while True:
        page = await store.search(tenant, query)
        assert len(page.matches) <= query.count
        names += [f"{stored.type}/{stored.id}" for stored in page.matches]
        if page.next is None:
            return names
        query = replace(query, after=page.next)


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
async def test_the_cases_find_what_they_should(store: Store, file: Path) -> None:
    writes, cases = read_cases(file)
    for write in writes:
        await store_one(store, write)
    wrong = []
    for case in cases:
        for count in (case.query.count, 2, 1):
            names = await found(store, replace(case.query, count=count))
            if sorted(names) != sorted(case.expected) or not (
                case.any_order or names == case.expected
            ):
                wrong.append((case.name, count, names, case.expected))
    assert not wrong


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
async def test_the_cases_are_counted(store: Store, file: Path) -> None:
    writes, cases = read_cases(file)
    await store.commit(commit_of(*writes))
    wrong = []
    for case in cases:
        for count in (0, 1, 1000):
            query = replace(case.query, count=count, total="accurate")
            page = await store.search(TENANT, query)
            about = await store.search(TENANT, replace(query, total="estimate"))
            if {page.total, about.total} != {len(case.expected)} or page.estimated:
                wrong.append((case.name, count, page.total, about.total))
            assert count or not page.matches
    assert not wrong


async def test_no_total_is_counted_unless_asked_for(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    assert (await store.search(TENANT, Query(("Patient",)))).total is None
    assert (await store.search(TENANT, Query(("Patient",), count=0))).total is None


async def test_an_empty_store_finds_nothing(store: Store) -> None:
    for types in ((), ("Patient",), ("Patient", "Group")):
        page = await store.search(TENANT, Query(types, total="accurate"))
        assert (page.matches, page.next, page.total) == ((), None, 0)


async def test_a_type_that_the_store_does_not_know_finds_nothing(store: Store) -> None:
    await store_one(store, put("Patient/a"))
    assert not (await store.search(TENANT, Query(("Nonsense",)))).matches


async def test_a_deleted_resource_is_not_found(store: Store) -> None:
    rows = index_rows(code="|x")
    await store.commit(commit_of(put("Patient/a", rows=rows), put("Patient/b", rows=rows)))
    await store_one(store, delete("Patient/a"))
    query = Query(("Patient",), criterion(["code", "x"]), total="accurate")
    page = await store.search(TENANT, query)
    assert [stored.id for stored in page.matches] == ["b"]
    assert page.total == 1


async def test_a_resource_that_came_back_is_found(store: Store) -> None:
    for write in (put("Patient/a", rows=index_rows(code="|x")), delete("Patient/a")):
        await store_one(store, write)
    await store_one(store, put("Patient/a", rows=index_rows(code="|y")))
    assert await found(store, Query(("Patient",), criterion(["code", "y"]))) == ["Patient/a"]
    assert await found(store, Query(("Patient",), criterion(["code", "x"]))) == []


async def test_an_update_is_found_by_its_new_values_only(store: Store) -> None:
    before = index_rows(code=["|x", "|same"], name="old", date="2026-01-01")
    after = index_rows(code=["|y", "|same"], name="new", date="2026-02-01")
    await store_one(store, put("Patient/a", rows=before))
    await store_one(store, put("Patient/a", rows=after))
    for where, names in (
        (["code", "x"], []),
        (["code", "y"], ["Patient/a"]),
        (["code", "same"], ["Patient/a"]),
        (["name", "old"], []),
        (["and", ["code", "same"], ["name", "new"]], ["Patient/a"]),
    ):
        assert await found(store, Query(("Patient",), criterion(where))) == names


async def test_tenants_do_not_see_each_other(store: Store) -> None:
    rows = index_rows(code="|x", subject="Patient/p")
    for tenant in (1, 2):
        await store_one(store, put(f"Observation/of-{tenant}", rows=rows), tenant=tenant)
    await store_one(store, put("Patient/p", rows=index_rows(name="a")), tenant=2)
    for where in (["code", "x"], ["subject", "Patient/p"], ["and"], ["not", ["code", "y"]]):
        for types in ((), ("Observation",)):
            names = await found(store, Query(types, criterion(where)), tenant=1)
            assert names == ["Observation/of-1"]
    chained = Query(("Observation",), criterion(["chain", "subject", "Patient", ["name", "a"]]))
    assert await found(store, chained, tenant=1) == []
    assert await found(store, chained, tenant=2) == ["Observation/of-2"]


async def test_a_reference_finds_a_target_that_comes_later(store: Store) -> None:
    await store_one(store, put("Observation/o", rows=index_rows(subject="Patient/p")))
    await store_one(store, put("Patient/p", rows=index_rows(name="later")))
    for where in (["subject", "Patient/p"], ["chain", "subject", "Patient", ["name", "later"]]):
        assert await found(store, Query(("Observation",), criterion(where))) == ["Observation/o"]
    has = Query(("Patient",), criterion(["has", "Observation", "subject", ["and"]]))
    assert await found(store, has) == ["Patient/p"]


async def test_references_outlive_an_expunged_target(store: Store) -> None:
    await store_one(store, put("Patient/p", rows=index_rows(name="first")))
    await store_one(store, put("Observation/o", rows=index_rows(subject="Patient/p")))
    await store.expunge(TENANT, "Patient", "p", commit_of().audit, CLOCK + 5)
    assert await found(store, Query(("Observation",), criterion(["subject", "Patient/p"])))
    await store_one(store, put("Patient/p", rows=index_rows(name="second")))
    chained = ["chain", "subject", "Patient", ["name", "second"]]
    assert await found(store, Query(("Observation",), criterion(chained))) == ["Observation/o"]


async def test_pages_stay_where_they_are_while_resources_come_and_go(store: Store) -> None:
    for number in range(20, 30):
        rows = index_rows(code="|x", date=f"2026-01-{number}")
        await store_one(store, put(f"Observation/o{number}", rows=rows))
    query = Query(("Observation",), criterion(["code", "x"]), count=3)
    first = await store.search(TENANT, query)
    await store_one(store, put("Observation/new", rows=index_rows(code="|x", date="2026-02-01")))
    await store_one(store, delete("Observation/o29"))
    await store_one(store, delete("Observation/o26"))
    rest = await found(store, replace(query, after=first.next))
    assert [stored.id for stored in first.matches] == ["o29", "o28", "o27"]
    assert rest == [f"Observation/o{number}" for number in (25, 24, 23, 22, 21, 20)]


@pytest.mark.parametrize("sort", ["date", "-date", "name", "-name", "-_lastUpdated", "_id", "code"])
async def test_pages_of_one_add_up_to_the_whole(store: Store, sort: str) -> None:
    writes = [
        put(f"Observation/o{number}", rows=_varied(number)) for number in (3, 1, 4, 15, 9, 2, 6)
    ]
    for write in writes:
        await store_one(store, write)
    key = SortKey(PARAMETERS[sort.removeprefix("-")], sort.startswith("-"))
    whole = await found(store, Query(("Observation",), sort=(key,), count=100))
    assert len(whole) == len(writes)
    assert await found(store, Query(("Observation",), sort=(key,), count=1)) == whole


def _varied(number: int) -> IndexRows:
    values: dict[str, object] = {"code": f"|{number % 4}"} if number % 2 else {}
    if number % 3:
        values["name"] = f"name {number % 5}"
        values["date"] = f"2026-01-0{number % 3}"
    return index_rows(**values)  # type: ignore[arg-type]


async def test_a_thousand_values_are_answered(store: Store) -> None:
    writes = [put(f"Observation/o{n}", rows=index_rows(code=f"|{n}")) for n in range(20)]
    await store.commit(commit_of(*writes))
    many = tuple(TokenValue("", str(number)) for number in range(10, 1010))
    query = Query(("Observation",), Match(PARAMETERS["code"], many), count=3)
    assert len(await found(store, query)) == 10
    named = ["or", *(["name", f"n{number}"] for number in range(300)), ["code", "3"]]
    assert await found(store, Query(("Observation",), criterion(named))) == ["Observation/o3"]


async def test_many_criteria_at_once_are_answered(store: Store) -> None:
    rows = IndexRows(tokens=(TokenRow(PARAMETERS["code"].key, "", "x"),))
    await store_one(store, put("Observation/o", rows=rows))
    all_of = And((Match(PARAMETERS["code"], (TokenValue("", "x"),)),) * 500)
    assert await found(store, Query(("Observation",), all_of)) == ["Observation/o"]


async def test_a_plan_is_explained_without_values(store: Store) -> None:
    await store_one(store, put("Patient/a", rows=index_rows(name="confidential", code="|x")))
    where = criterion(["and", ["name", "confid"], ["code", "x"]])
    for query in (Query(("Patient",), where), Query(("Patient",)), Query(("Nonsense",))):
        lines = await store.explain(TENANT, query)
        assert lines
        assert "confid" not in " ".join(lines)
