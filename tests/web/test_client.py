"""The console is a client that the hub makes for itself."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest

from hub.access.front_desk import FrontDesk, open_desk
from hub.storage.memory.store import MemoryStore
from hub.web.client import CLIENT, ensure_client

NOW = 1_790_000_000_000


@pytest.fixture
async def desk() -> AsyncIterator[FrontDesk]:
    store = MemoryStore()
    found = open_desk(store.ledger, 1)
    yield found
    found.close()
    await store.close()


async def test_it_is_public_of_the_first_party_and_returns_to_the_hub_only(
    desk: FrontDesk,
) -> None:
    await ensure_client(desk.clients, "https://hub.example", NOW)
    made = await desk.clients.get(CLIENT, NOW)
    assert made is not None
    assert made.type == "public"
    assert made.first_party
    assert made.redirect_uris == ("https://hub.example/",)


async def test_another_start_leaves_it_and_who_is_logged_in(desk: FrontDesk) -> None:
    await ensure_client(desk.clients, "https://hub.example", NOW)
    before = await desk.clients.get(CLIENT, NOW)
    await ensure_client(desk.clients, "https://hub.example", NOW + 5000)
    assert await desk.clients.get(CLIENT, NOW + 5000) == before


async def test_it_follows_the_address_of_the_hub(desk: FrontDesk) -> None:
    await ensure_client(desk.clients, "http://127.0.0.1:8080", NOW)
    await ensure_client(desk.clients, "http://127.0.0.1:9090", NOW)
    made = await desk.clients.get(CLIENT, NOW)
    assert made is not None
    assert made.redirect_uris == ("http://127.0.0.1:9090/",)


async def test_an_address_that_browsers_cannot_trust_is_said_in_the_log(
    desk: FrontDesk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await ensure_client(desk.clients, "http://hub.example", NOW)
    assert await desk.clients.get(CLIENT, NOW) is None
    assert "HUB_PUBLIC_URL" in caplog.text
