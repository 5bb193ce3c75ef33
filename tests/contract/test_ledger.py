"""Records of the ledger: compared and changed at once, in order, gone when they expire."""

from __future__ import annotations

import asyncio

import pytest

from hub.storage.ledger import ABSENT, LONGEST_KEY, Record
from hub.storage.port import Store
from tests.contract.commits import CLOCK as NOW
from tests.contract.commits import TENANT

RACERS = 200


async def put(store: Store, key: str, value: bytes = b"x", **more: int) -> Record | None:
    return await store.ledger.put(TENANT, "kind", key, value, **{"now": NOW, **more})


async def get(store: Store, key: str, now: int = NOW) -> Record | None:
    return await store.ledger.get(TENANT, "kind", key, now)


async def test_what_was_put_is_there_with_its_revision(store: Store) -> None:
    assert await get(store, "a") is None
    one = await put(store, "a", b"one")
    assert one
    assert one == Record("a", b"one", one.revision, 0)
    two = await put(store, "a", b"two", expires=NOW + 5)
    assert two
    assert two == Record("a", b"two", two.revision, NOW + 5)
    assert two.revision > one.revision > ABSENT
    assert await get(store, "a") == two


async def test_no_revision_of_a_key_comes_again(store: Store) -> None:
    seen = [ABSENT]
    for number in range(4):
        for expires in (0, NOW + 1):
            made = await put(store, "a", b"%d" % number, expires=expires)
            assert made
            assert made.revision > seen[-1]
            for old in seen[1:]:
                assert await put(store, "a", b"no", expected=old) is None
                assert await store.ledger.take(TENANT, "kind", "a", now=NOW, expected=old) is None
            seen.append(made.revision)
        if number % 2:
            assert await store.ledger.remove_expired(TENANT, NOW + 1) == 1
        else:
            assert await store.ledger.take(TENANT, "kind", "a", now=NOW)
        assert await get(store, "a") is None


async def test_kinds_and_tenants_keep_their_own(store: Store) -> None:
    await put(store, "a")
    assert await store.ledger.get(TENANT, "other", "a", NOW) is None
    assert await store.ledger.get(TENANT + 1, "kind", "a", NOW) is None
    assert await store.ledger.records(TENANT + 1, "kind", NOW) == []


async def test_another_revision_than_expected_changes_nothing(store: Store) -> None:
    assert await put(store, "a", expected=1) is None
    one = await put(store, "a", b"one", expected=ABSENT)
    assert one
    assert await put(store, "a", b"no", expected=ABSENT) is None
    two = await put(store, "a", b"two", expected=one.revision)
    assert two
    assert await put(store, "a", b"no", expected=one.revision) is None
    taken = await store.ledger.take(TENANT, "kind", "a", now=NOW, expected=one.revision)
    assert taken is None
    assert await get(store, "a") == two


async def test_of_many_that_make_the_same_record_one_succeeds(store: Store) -> None:
    made = await asyncio.gather(
        *(put(store, "a", str(n).encode(), expected=ABSENT) for n in range(RACERS))
    )
    winners = [record for record in made if record]
    assert len(winners) == 1
    assert await get(store, "a") == winners[0]


async def test_many_that_count_up_by_compare_and_set_lose_nothing(store: Store) -> None:
    async def count_up() -> None:
        while True:
            found = await get(store, "n")
            value = str(int(found.value) + 1 if found else 1).encode()
            if await put(store, "n", value, expected=found.revision if found else ABSENT):
                return

    await asyncio.gather(*(count_up() for _ in range(20)))
    found = await get(store, "n")
    assert found
    assert found.value == b"20"


async def test_of_many_takers_one_gets_it(store: Store) -> None:
    made = await put(store, "code", b"secret")
    taken = await asyncio.gather(
        *(store.ledger.take(TENANT, "kind", "code", now=NOW) for _ in range(RACERS))
    )
    assert [record for record in taken if record] == [made]
    assert await get(store, "code") is None


async def test_an_expired_record_is_as_good_as_absent_at_once(store: Store) -> None:
    made = await put(store, "a", expires=NOW + 10)
    assert made
    assert await get(store, "a", NOW + 9) == made
    assert await get(store, "a", NOW + 10) is None
    assert await store.ledger.records(TENANT, "kind", NOW + 10) == []
    assert await store.ledger.take(TENANT, "kind", "a", now=NOW + 10) is None
    assert await put(store, "a", b"new", now=NOW + 10, expected=made.revision) is None
    new = await put(store, "a", b"new", now=NOW + 10, expected=ABSENT)
    assert new == Record("a", b"new", new.revision if new else 0, 0)


async def test_records_come_in_order_of_their_keys_page_by_page(store: Store) -> None:
    keys = ["b", "a", "ab", "é", "李", "Z", "😀", "~"]
    for key in keys:
        await put(store, key)
    await put(store, "aa", expires=NOW - 1)
    found: list[str] = []
    while page := await store.ledger.records(
        TENANT, "kind", NOW, after=found[-1] if found else "", count=3
    ):
        assert len(page) <= 3
        found += [record.key for record in page]
    assert found == sorted(keys)


async def test_what_has_expired_is_removed(store: Store) -> None:
    await put(store, "a", expires=NOW + 10)
    await put(store, "b", expires=NOW + 20)
    await put(store, "c")
    await store.ledger.put(2, "kind", "d", b"", now=NOW, expires=NOW + 10)
    assert await store.ledger.remove_expired(TENANT, NOW + 10) == 1
    assert await store.ledger.remove_expired(TENANT, NOW + 10) == 0
    assert [one.key for one in await store.ledger.records(TENANT, "kind", NOW)] == ["b", "c"]
    assert await store.ledger.get(2, "kind", "d", NOW)
    await store.sweep(NOW + 20)
    assert [one.key for one in await store.ledger.records(TENANT, "kind", NOW)] == ["c"]
    assert await store.ledger.get(2, "kind", "d", NOW) is None


@pytest.mark.parametrize("key", ["", "x" * (LONGEST_KEY + 1), "\ud800"])
async def test_what_cannot_be_a_key_is_refused(store: Store, key: str) -> None:
    with pytest.raises(ValueError, match=r"characters|surrogates"):
        await put(store, key)


async def test_a_key_is_only_a_key(store: Store) -> None:
    hostile = ["' OR 1=1 --", "../../etc/passwd", "a\x00b", "%", "x" * LONGEST_KEY]
    made = [await put(store, key, key.encode()) for key in hostile]
    for key, record in zip(hostile, made, strict=True):
        assert await get(store, key) == record
    assert await get(store, "a") is None


async def test_the_store_is_whole_with_a_ledger(store: Store) -> None:
    await put(store, "a")
    await put(store, "a", expires=NOW + 1)
    assert [finding async for finding in store.verify(TENANT)] == []
