"""What searches find: index rows and queries together, on the reference store and SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from hub.model import body, json
from hub.search import registry
from hub.search.extract import extract
from hub.search.parse import parse
from hub.search.rewrite import RewriteContext, apply
from hub.storage.memory.store import MemoryStore
from hub.storage.port import AuditRecord, Commit, Store, Write
from hub.storage.sqlite.store import open_store
from tests.search.reading import BASE, CASES, NOW, ZONE

CORE = registry.core()
TENANT = 1


def resources() -> list[dict[str, Any]]:
    text = (CASES / "found" / "resources.json").read_bytes()
    return json.decode(b'{"all":' + text + b"}")["all"]


def searches() -> list[tuple[str, str]]:
    lines = (CASES / "found" / "searches.txt").read_text(encoding="utf-8").splitlines()
    cases = [line.rpartition(" =") for line in lines if line and not line.startswith("#")]
    return [(url, found.strip()) for url, _, found in cases]


async def fill(store: Store) -> None:
    for resource in resources():
        write = Write(
            "PUT",
            resource["resourceType"],
            resource["id"],
            body.split(resource),
            extract(CORE, resource, zone=ZONE, base=BASE),
        )
        audit = AuditRecord("C", "create", "local", "r")
        await store.commit(Commit(TENANT, (write,), audit, clock=1))


async def found(store: Store, url: str) -> set[str]:
    path, _, text = url.partition("?")
    parts = path.split("/")
    type, compartment = (parts[0], None) if len(parts) == 1 else (parts[2], (parts[0], parts[1]))
    request = parse(
        CORE,
        type,
        parse_qsl(text, keep_blank_values=True),
        zone=ZONE,
        base=BASE,
        compartment=compartment,
        strict=True,
        clock=lambda: NOW,
    )
    page = await store.search(TENANT, await apply(request.query, RewriteContext(CORE)))
    return {stored.id for stored in page.matches}


@pytest.mark.parametrize(("url", "expected"), searches())
async def test_a_search_finds_these(url: str, expected: str) -> None:
    store = MemoryStore()
    await fill(store)
    assert await found(store, url) == set(expected.split())


async def test_sqlite_finds_the_same(tmp_path: Path) -> None:
    store = open_store(tmp_path / "data")
    try:
        await fill(store)
        differing = [
            url for url, expected in searches() if await found(store, url) != set(expected.split())
        ]
    finally:
        await store.close()
    assert differing == []
