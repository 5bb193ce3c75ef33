"""Signing keys: one is made, however many ask; old ones verify until their tokens have ended."""

from __future__ import annotations

import asyncio
import json

import pytest

from hub.access import keys
from hub.access.tokens import TokenRefused
from tests.access.conftest import NOW, Process


async def test_of_many_processes_one_makes_the_key(keyless: Process) -> None:
    processes = [keyless.another() for _ in range(4)]
    found = await asyncio.gather(*(one.keys.current(NOW) for one in processes))
    assert len({key.kid for key in found}) == 1
    assert found[0].key.private_key.key_size == 2048
    assert found[0].kid == found[0].key.thumbprint()


async def test_the_set_has_public_halves_only(hub: Process) -> None:
    await hub.keys.rotate(NOW)
    await hub.keys.rotate(NOW)
    shown = await hub.keys.jwks(NOW)
    assert len(shown["keys"]) == 3
    for key in shown["keys"]:
        assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    json.dumps(shown)


async def test_an_old_key_verifies_until_its_tokens_have_ended(hub: Process) -> None:
    grant = await hub.grant()
    other = hub.another()
    token = (await hub.issuer.access_token(grant, 3600, NOW)).encode()
    old = (await other.keys.current(NOW)).kid
    new = await hub.keys.rotate(NOW)
    assert new != old
    for process in (hub, other, hub.another()):
        assert await process.verifier.verify(token, NOW + 2000)
        later = await process.issuer.access_token(grant, 60, NOW + 2000)
        assert (await process.keys.current(NOW)).kid == new
        assert await hub.verifier.verify(later.encode(), NOW + 2000)
    for process in (hub, other):
        assert await process.keys.public(old, NOW + keys.KEPT - 1)
        assert await process.keys.public(old, NOW + keys.KEPT) is None
    assert [key["kid"] for key in (await hub.keys.jwks(NOW + keys.KEPT))["keys"]] == [new]


async def test_an_old_key_can_sign_no_more(hub: Process) -> None:
    old = (await hub.keys.current(NOW)).kid
    await hub.keys.rotate(NOW)
    stored = [record async for record in hub.keys._records.all(NOW)]
    assert [("d" in record.jwk) for record in stored if record.kid == old] == [False]


async def test_after_a_leak_its_tokens_end_everywhere(hub: Process) -> None:
    grant = await hub.grant()
    other = hub.another()
    token = (await hub.issuer.access_token(grant, 3600, NOW)).encode()
    await hub.verifier.verify(token, NOW)
    await other.verifier.verify(token, NOW)
    await hub.keys.rotate(NOW, keep=0)
    for process, now in ((hub, NOW), (other, NOW + 1000)):
        with pytest.raises(TokenRefused, match="key"):
            await process.verifier.verify(token, now)


async def test_rotations_at_once_leave_one_key_and_the_old_ones(hub: Process) -> None:
    first = (await hub.keys.current(NOW)).kid
    made = await asyncio.gather(*(hub.another().keys.rotate(NOW) for _ in range(3)))
    shown = [key["kid"] for key in (await hub.keys.jwks(NOW))["keys"]]
    assert (await hub.keys.current(NOW)).kid in made
    assert {first, (await hub.keys.current(NOW)).kid} <= set(shown) <= {first, *made}
    assert len(shown) == len(set(shown))
