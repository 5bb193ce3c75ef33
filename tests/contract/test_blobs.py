"""Blobs: stored once by content, kept while a version uses them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from hub.context import utc_now
from hub.storage.port import HOUR, Blob, BlobMissing, Store
from tests.contract.commits import AUDIT, CLOCK, TENANT, commit_of, delete, put, store_one

LATER = 2 * HOUR


def now() -> int:
    return int(utc_now().timestamp() * 1000)


async def upload(store: Store, *pieces: bytes, tenant: int = TENANT) -> Blob:
    writer = await store.new_blob(tenant)
    for piece in pieces:
        await writer.write(piece)
    return await writer.finish()


async def content(store: Store, sha256: str, *span: Any, tenant: int = TENANT) -> bytes:
    return b"".join([piece async for piece in await store.open_blob(tenant, sha256, *span)])


@pytest.mark.parametrize("size", [0, 1, 1000, 262_143, 262_144, 1_000_000])
async def test_a_blob_comes_back_whole_and_in_ranges(store: Store, size: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    blob = await upload(store, data[: size // 3], data[size // 3 :])
    assert blob == Blob(hashlib.sha256(data).hexdigest(), size)
    assert await store.blob_size(TENANT, blob.sha256) == size
    assert await content(store, blob.sha256) == data
    assert await content(store, blob.sha256, 10) == data[10:]
    assert await content(store, blob.sha256, size // 2, size // 2 + 7) == data[size // 2 :][:7]
    assert await content(store, blob.sha256, 0, size + 100) == data


@pytest.mark.parametrize("sha256", ["00" * 32, "not hex", "", "../../etc/passwd"])
async def test_an_unknown_blob_is_refused(store: Store, sha256: str) -> None:
    assert await store.blob_size(TENANT, sha256) is None
    with pytest.raises(KeyError):
        await store.open_blob(TENANT, sha256)


async def test_an_abandoned_blob_was_never_there(store: Store) -> None:
    writer = await store.new_blob(TENANT)
    await writer.write(b"x" * 600_000)
    await writer.abandon()
    sha256 = hashlib.sha256(b"x" * 600_000).hexdigest()
    assert await store.blob_size(TENANT, sha256) is None


async def test_a_tenant_has_only_its_own_blobs(store: Store) -> None:
    blob = await upload(store, b"mine")
    assert await store.blob_size(2, blob.sha256) is None
    with pytest.raises(BlobMissing):
        await store.commit(commit_of(put("Binary/b", blobs=(blob.sha256,)), tenant=2))
    assert await upload(store, b"mine", tenant=2) == blob
    await store.sweep(now() + LATER)
    assert await store.blob_size(2, blob.sha256) is None


async def test_a_commit_names_blobs_that_are_there(store: Store) -> None:
    with pytest.raises(BlobMissing) as refused:
        await store.commit(commit_of(put("Binary/b", blobs=("ab" * 32,))))
    assert refused.value.sha256 == "ab" * 32
    assert await store.read(TENANT, "Binary", "b") is None


async def test_unused_blobs_are_swept_after_a_grace(store: Store) -> None:
    blob = await upload(store, b"unused")
    assert await store.sweep(now()) == 0
    assert await content(store, blob.sha256) == b"unused"
    assert await store.sweep(now() + LATER) == 1
    assert await store.blob_size(TENANT, blob.sha256) is None
    assert await store.sweep(now() + LATER) == 0


async def test_a_blob_lives_as_long_as_any_version_of_it(store: Store) -> None:
    blob = await upload(store, b"used")
    await store_one(store, put("Binary/b", blobs=(blob.sha256,)))
    await store_one(store, put("Binary/b", "no blob any more"))
    await store_one(store, delete("Binary/b"))
    assert await store.sweep(now() + LATER) == 0
    assert await content(store, blob.sha256) == b"used"
    assert [finding async for finding in store.verify(TENANT)] == []


async def test_expunge_removes_blobs_that_nothing_else_uses(store: Store) -> None:
    shared, single = await upload(store, b"shared"), await upload(store, b"single")
    await store_one(store, put("Binary/a", blobs=(shared.sha256, single.sha256)))
    await store_one(store, put("Binary/b", blobs=(shared.sha256,)))
    waiting = await upload(store, b"waiting")
    await store.expunge(TENANT, "Binary", "a", AUDIT, CLOCK)
    assert await store.blob_size(TENANT, single.sha256) is None
    assert await content(store, shared.sha256) == b"shared"
    assert await content(store, waiting.sha256) == b"waiting"
    assert [finding async for finding in store.verify(TENANT)] == []


async def test_the_same_content_uploaded_again_is_new_for_the_sweep(store: Store) -> None:
    blob = await upload(store, b"same")
    assert await upload(store, b"same") == blob
    await store_one(store, put("Binary/b", blobs=(blob.sha256,)))
    await store.expunge(TENANT, "Binary", "b", AUDIT, CLOCK)
    assert await upload(store, b"same") == blob
    assert await content(store, blob.sha256) == b"same"
