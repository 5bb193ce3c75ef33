"""Codes and refresh tokens are good once; whoever comes a second time ends the grant."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from hub.access import grants
from hub.access.grants import DAY, HOUR, Grant
from tests.access.conftest import APP, NOW, PASSWORD, Process

CALLBACK = "https://app.example.org/cb"
LASTING = Grant(client="app", account="li", scope="openid offline_access", patient="p1")


async def code_of(hub: Process, grant: Grant = LASTING) -> str:
    if await hub.accounts.get("li", NOW) is None:
        await hub.account()
        await hub.clients.add(APP, NOW)
    return await hub.grants.authorize(grant, CALLBACK, "challenge", NOW)


async def refresh_of(hub: Process, grant: Grant = LASTING) -> tuple[Grant, str]:
    made = await hub.grants.redeem(await code_of(hub, grant), NOW)
    assert made
    return made, await hub.grants.new_refresh(made, NOW)


# --- codes ----------------------------------------------------------------------------------------


async def test_a_code_gives_its_grant_once(hub: Process) -> None:
    code = await code_of(hub)
    found = await hub.grants.code(code, NOW)
    assert found
    assert (found.client, found.redirect_uri, found.challenge) == ("app", CALLBACK, "challenge")
    grant = await hub.grants.redeem(code, NOW + 5)
    assert grant
    assert (grant.account, grant.scope, grant.patient) == ("li", LASTING.scope, "p1")
    assert await hub.grants.standing(grant.id, NOW + HOUR)


async def test_a_code_used_again_ends_the_grant(hub: Process) -> None:
    code = await code_of(hub)
    grant = await hub.grants.redeem(code, NOW)
    assert grant
    assert await hub.grants.redeem(code, NOW + 30 * 60_000) is None
    assert await hub.grants.get(grant.id, NOW) is None


async def test_looking_at_a_used_code_ends_the_grant_too(hub: Process) -> None:
    code = await code_of(hub)
    grant = await hub.grants.redeem(code, NOW)
    assert grant
    assert await hub.grants.code(code, NOW + 1) is None
    assert await hub.grants.get(grant.id, NOW + 1) is None


async def test_a_code_lives_a_minute(hub: Process) -> None:
    code = await code_of(hub)
    assert await hub.grants.code(code, NOW + 59_999)
    assert await hub.grants.code(code, NOW + 60_000) is None
    assert await hub.grants.redeem(code, NOW + 60_000) is None
    assert [grant async for grant in hub.grants.all(NOW + 60_000)] == []


@pytest.mark.parametrize("uses", [2, 10])
async def test_of_uses_at_once_at_most_one_succeeds_and_the_grant_ends(
    hub: Process, uses: int
) -> None:
    for _ in range(5):
        code = await code_of(hub)
        processes = [hub.another() for _ in range(uses)]
        found = await asyncio.gather(*(one.grants.redeem(code, NOW) for one in processes))
        given = [grant for grant in found if grant]
        assert len(given) <= 1
        assert [grant async for grant in hub.grants.all(NOW)] == []


@pytest.mark.parametrize("code", ["", "x", "x" * 5000, "码", "\ud800", "' OR 1=1 --", "\x00"])
async def test_what_was_never_given_is_unknown(hub: Process, code: str) -> None:
    await code_of(hub)
    assert await hub.grants.code(code, NOW) is None
    assert await hub.grants.redeem(code, NOW) is None
    assert await hub.grants.rotate(code, "app", NOW) is None
    assert await hub.grants.refresh(code, NOW) is None


async def test_nothing_is_stored_that_could_be_used(hub: Process) -> None:
    code = await code_of(hub)
    _, token = await refresh_of(hub)
    for kind in ("code", "refresh", "grant"):
        for record in await hub.ledger.records(1, kind, NOW):
            stored = record.key.encode() + record.value
            assert code.encode() not in stored
            assert token.encode() not in stored


# --- refresh tokens -----------------------------------------------------------------------------


async def test_refresh_tokens_follow_one_another(hub: Process) -> None:
    grant, token = await refresh_of(hub)
    seen = {token}
    for hour in range(1, 5):
        found = await hub.grants.rotate(token, "app", NOW + hour * HOUR)
        assert found
        assert found[0].id == grant.id
        assert found[0].used == NOW + hour * HOUR
        token = found[1]
        seen.add(token)
    assert len(seen) == 5
    assert await hub.grants.standing(grant.id, NOW + 5 * HOUR)


async def test_a_used_refresh_token_ends_the_grant_and_its_successors(hub: Process) -> None:
    grant, first = await refresh_of(hub)
    found = await hub.grants.rotate(first, "app", NOW)
    assert found
    assert await hub.grants.rotate(first, "app", NOW + DAY) is None
    assert await hub.grants.rotate(found[1], "app", NOW + DAY) is None
    assert await hub.grants.get(grant.id, NOW) is None


async def test_of_two_refreshes_at_once_at_most_one_succeeds_and_the_grant_ends(
    hub: Process,
) -> None:
    for _ in range(5):
        grant, token = await refresh_of(hub)
        processes = [hub.another() for _ in range(3)]
        found = await asyncio.gather(*(one.grants.rotate(token, "app", NOW) for one in processes))
        given = [pair for pair in found if pair]
        assert len(given) <= 1
        assert await hub.grants.get(grant.id, NOW) is None
        for _, following in given:
            assert await hub.grants.rotate(following, "app", NOW) is None


async def test_another_clients_refresh_token_is_unknown_and_stays_good(hub: Process) -> None:
    _, token = await refresh_of(hub)
    await hub.clients.add(replace(APP, id="other"), NOW)
    assert await hub.grants.rotate(token, "other", NOW) is None
    assert await hub.grants.rotate(token, "app", NOW)


async def test_a_refresh_token_ends_when_it_lies_unused(hub: Process) -> None:
    for scope, life in (("offline_access", 30 * DAY), ("online_access", 12 * HOUR)):
        grant, token = await refresh_of(hub, replace(LASTING, scope=scope))
        assert await hub.grants.refresh(token, NOW + life - 1)
        assert await hub.grants.rotate(token, "app", NOW + life) is None
        assert await hub.grants.get(grant.id, NOW + life + HOUR) is None


async def test_a_grant_ends_after_half_a_year_however_often_it_is_used(hub: Process) -> None:
    _, token = await refresh_of(hub)
    now = NOW
    while found := await hub.grants.rotate(token, "app", now):
        token, now = found[1], now + 20 * DAY
    assert now == NOW + grants.MOST


async def test_without_a_lasting_scope_there_is_no_refresh_token() -> None:
    assert replace(LASTING, scope="openid patient/*.rs").lasting == 0
    assert replace(LASTING, scope="xoffline_access").lasting == 0


@pytest.mark.parametrize("what", ["disabled", "password", "account gone", "client gone"])
async def test_what_voids_a_grant_voids_its_codes_and_refresh_tokens(
    hub: Process, what: str
) -> None:
    _, token = await refresh_of(hub)
    code = await code_of(hub)
    later = NOW + 1
    if what == "disabled":
        await hub.accounts.disable("li", later)
    elif what == "password":
        await hub.accounts.set_password("li", PASSWORD + "2", later)
    elif what == "account gone":
        await hub.accounts.remove("li", later)
    else:
        await hub.clients.remove("app", later)
    assert await hub.grants.rotate(token, "app", later) is None
    assert await hub.grants.redeem(code, later) is None


async def test_a_grant_that_ended_before_its_code_is_used_gives_nothing(hub: Process) -> None:
    code = await code_of(hub)
    (grant,) = [one async for one in hub.grants.all(NOW)]
    await hub.another().grants.revoke(grant.id, NOW)
    assert await hub.grants.redeem(code, NOW) is None
