"""History: newest first, of an instance, a type and the system, by time, in stable pages."""

from __future__ import annotations

import pytest

from hub.storage.port import HistoryQuery, Store
from tests.contract.commits import CLOCK, TENANT, commit_of, delete, put, store_one


async def fill(store: Store) -> None:
    """Seven versions, ten milliseconds apart; the third commit holds two of them."""
    steps = [
        (put("Patient/a", "1"),),
        (put("Group/a", "1"),),
        (put("Patient/a", "2"), put("Patient/b", "1")),
        (delete("Patient/a"),),
        (put("Patient/a", "4"),),
        (put("Group/a", "2"),),
    ]
    for number, writes in enumerate(steps):
        await store.commit(commit_of(*writes, clock=CLOCK + 10 * number))


def names(page: object) -> list[str]:
    return [f"{v.type}/{v.id}/{v.version}" for v in page.versions]  # type: ignore[attr-defined]


async def test_an_instance_has_its_versions_newest_first(store: Store) -> None:
    await fill(store)
    page = await store.history(TENANT, HistoryQuery("Patient", "a"))
    assert names(page) == ["Patient/a/4", "Patient/a/3", "Patient/a/2", "Patient/a/1"]
    assert [version.method for version in page.versions] == ["PUT", "DELETE", "PUT", "PUT"]
    assert (page.total, page.next) == (4, None)


async def test_a_type_and_the_system_have_theirs(store: Store) -> None:
    await fill(store)
    page = await store.history(TENANT, HistoryQuery("Group"))
    assert (names(page), page.total) == (["Group/a/2", "Group/a/1"], 2)
    page = await store.history(TENANT, HistoryQuery())
    assert page.total == 7
    updated = [version.updated for version in page.versions]
    assert updated == sorted(updated, reverse=True)
    assert set(names(page)[3:5]) == {"Patient/a/2", "Patient/b/1"}


async def test_what_was_never_there_has_no_history(store: Store) -> None:
    await fill(store)
    for query in (HistoryQuery("Patient", "z"), HistoryQuery("Observation"), HistoryQuery("X")):
        page = await store.history(TENANT, query)
        assert (page.versions, page.total, page.next) == ((), 0, None)
    assert (await store.history(2, HistoryQuery())).total == 0


@pytest.mark.parametrize("count", [1, 2, 3, 7])
async def test_pages_join_without_gap_or_repeat(store: Store, count: int) -> None:
    await fill(store)
    whole = names(await store.history(TENANT, HistoryQuery()))
    joined: list[str] = []
    query = HistoryQuery(count=count)
    while True:
        page = await store.history(TENANT, query)
        assert page.total == 7
        joined += names(page)
        if page.next is None:
            break
        assert len(page.versions) == count
        # what is stored meanwhile does not move the pages
        await store_one(store, put("Patient/later"), clock=CLOCK + 1_000, tenant=2)
        query = HistoryQuery(count=count, before=page.next)
    assert joined == whole


async def test_pages_stay_while_data_changes(store: Store) -> None:
    await fill(store)
    whole = names(await store.history(TENANT, HistoryQuery()))
    first = await store.history(TENANT, HistoryQuery(count=3))
    await store_one(store, put("Patient/a", "5"), clock=CLOCK + 500)
    await store_one(store, put("Group/b"), clock=CLOCK + 500)
    second = await store.history(TENANT, HistoryQuery(count=20, before=first.next))
    assert names(first) + names(second) == whole


async def test_count_zero_gives_the_total(store: Store) -> None:
    await fill(store)
    page = await store.history(TENANT, HistoryQuery("Patient", count=0))
    assert (page.versions, page.total) == ((), 5)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (CLOCK, 7),
        (CLOCK + 1, 6),
        (CLOCK + 20, 5),
        (CLOCK + 21, 3),
        (CLOCK + 50, 1),
        (CLOCK + 51, 0),
    ],
)
async def test_since_is_inclusive(store: Store, since: int, expected: int) -> None:
    await fill(store)
    page = await store.history(TENANT, HistoryQuery(since=since))
    assert (len(page.versions), page.total) == (expected, expected)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (CLOCK - 5, CLOCK, []),
        (CLOCK, CLOCK + 1, ["Patient/a/1"]),
        (CLOCK + 15, CLOCK + 16, ["Group/a/1", "Patient/a/1"]),
        (CLOCK + 20, CLOCK + 21, ["Patient/a/2", "Patient/b/1", "Group/a/1"]),
        (CLOCK + 30, CLOCK + 45, ["Patient/a/4", "Patient/a/3", "Patient/b/1", "Group/a/1"]),
        (CLOCK + 90, CLOCK + 91, ["Group/a/2", "Patient/a/4", "Patient/b/1"]),
    ],
)
async def test_at_gives_what_was_current_then(
    store: Store, low: int, high: int, expected: list[str]
) -> None:
    await fill(store)
    page = await store.history(TENANT, HistoryQuery(at=(low, high)))
    assert sorted(names(page)) == sorted(expected)
    assert page.total == len(expected)
    of_one = await store.history(TENANT, HistoryQuery("Patient", "a", at=(low, high)))
    assert names(of_one) == [name for name in names(page) if name.startswith("Patient/a")]


async def test_members_alone_give_their_versions(store: Store) -> None:
    await fill(store)
    all_of_a = frozenset[int]()
    members = {
        ("Patient", "a"): all_of_a,
        ("Group", "a"): frozenset({1, 9}),
        ("Patient", "z"): all_of_a,
        ("Observation", "a"): frozenset({1}),
    }
    whole = ["Patient/a/4", "Patient/a/3", "Patient/a/2", "Group/a/1", "Patient/a/1"]
    page = await store.history(TENANT, HistoryQuery(members=members))
    assert (names(page), page.total, page.next) == (whole, 5, None)
    page = await store.history(TENANT, HistoryQuery("Group", members=members))
    assert (names(page), page.total) == (["Group/a/1"], 1)
    page = await store.history(TENANT, HistoryQuery("Patient", "a", members=members))
    assert (len(page.versions), page.total) == (4, 4)
    page = await store.history(TENANT, HistoryQuery("Patient", "b", members=members))
    assert (page.versions, page.total) == ((), 0)
    page = await store.history(TENANT, HistoryQuery(members={}))
    assert (page.versions, page.total) == ((), 0)
    page = await store.history(2, HistoryQuery(members=members))
    assert (page.versions, page.total) == ((), 0)
    page = await store.history(
        TENANT, HistoryQuery(members=members, at=(CLOCK + 15, CLOCK + 25), count=0)
    )
    assert (page.versions, page.total) == ((), 3)


@pytest.mark.parametrize("count", [1, 2, 3])
async def test_pages_of_members_join(store: Store, count: int) -> None:
    await fill(store)
    members = {("Patient", "a"): frozenset[int](), ("Patient", "b"): frozenset({1})}
    whole = names(await store.history(TENANT, HistoryQuery(members=members)))
    joined: list[str] = []
    query = HistoryQuery(count=count, members=members)
    while True:
        page = await store.history(TENANT, query)
        joined += names(page)
        if page.next is None:
            break
        assert len(page.versions) == count
        query = HistoryQuery(count=count, before=page.next, members=members)
    assert joined == whole
    assert len(joined) == 5


async def test_the_last_change_of_a_type_differs_after_each(store: Store) -> None:
    assert await store.last_change(TENANT, "Patient") == 0
    await fill(store)
    seen = [await store.last_change(TENANT, "Patient")]
    newest = await store.read(TENANT, "Patient", "a")
    assert newest is not None
    assert newest.updated == seen[0]
    for write in (put("Patient/b", "2"), delete("Patient/b"), put("Patient/c", "1")):
        await store.commit(commit_of(write, clock=CLOCK))
        seen.append(await store.last_change(TENANT, "Patient"))
    assert len(set(seen)) == 4
    await store.commit(commit_of(put("Group/b", "1"), clock=CLOCK))
    assert await store.last_change(TENANT, "Patient") == seen[-1]
    assert await store.last_change(TENANT + 1, "Patient") == 0
