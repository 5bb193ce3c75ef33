"""Guessing gets slower and slower; nothing tells which accounts there are."""

from __future__ import annotations

import asyncio

from hub.access.lockout import ACCOUNT, ADDRESS, MINUTE, SECOND, Lockout
from hub.storage.memory.ledger import MemoryLedger
from tests.access.conftest import NOW, Process


async def test_the_first_failures_cost_nothing_then_the_delay_grows(hub: Process) -> None:
    lockout = Lockout(hub.ledger, 1)
    now, waits = NOW, []
    for _ in range(12):
        wait = await lockout.attempt("li", "", now)
        if wait:
            waits.append(wait // SECOND)
            now += wait
            assert await lockout.attempt("li", "", now) == 0
    assert waits == [1, 2, 4, 8, 16, 900, 900]


async def test_ten_failures_lock_for_a_quarter_of_an_hour(hub: Process) -> None:
    lockout = Lockout(hub.ledger, 1)
    now = NOW
    for _ in range(ACCOUNT.locked):
        while wait := await lockout.attempt("li", "", now):
            now += wait
    assert await lockout.attempt("li", "", now + 15 * MINUTE - 1) == 1
    assert await lockout.attempt("li", "", now + 15 * MINUTE) == 0


async def test_a_hundred_guesses_at_once_count_as_a_hundred(hub: Process) -> None:
    lockout = Lockout(hub.ledger, 1)
    waits = await asyncio.gather(*(lockout.attempt("li", "", NOW) for _ in range(100)))
    assert sum(wait == 0 for wait in waits) == ACCOUNT.delayed


async def test_waiting_is_not_prolonged_by_trying(hub: Process) -> None:
    lockout = Lockout(hub.ledger, 1)
    for _ in range(ACCOUNT.delayed):
        await lockout.attempt("li", "", NOW)
    for later in range(0, SECOND, 100):
        assert await lockout.attempt("li", "", NOW + later) == SECOND - later
    assert await lockout.attempt("li", "", NOW + SECOND) == 0


async def test_a_success_forgets_the_accounts_failures_and_takes_back_the_addresss(
    hub: Process,
) -> None:
    lockout = Lockout(hub.ledger, 1)
    for _ in range(ADDRESS.delayed * 2):
        assert await lockout.attempt("Li", "10.0.0.1", NOW) == 0
        await lockout.succeeded("li", "10.0.0.1", NOW)
    for _ in range(ACCOUNT.delayed):
        assert await lockout.attempt("li", "10.0.0.1", NOW) == 0
    assert await lockout.attempt("li", "10.0.0.1", NOW) == SECOND
    assert await lockout.attempt("wang", "10.0.0.1", NOW) == 0


async def test_names_that_are_none_are_counted_alike() -> None:
    for name in ("nobody", "", "x" * 5000, "李", "\ud800", "a b"):
        lockout = Lockout(MemoryLedger(), 1)
        waits = [await lockout.attempt(name, "", NOW) for _ in range(ACCOUNT.delayed + 1)]
        assert waits == [0] * ACCOUNT.delayed + [SECOND]


async def test_an_address_that_tries_many_names_is_slowed_down() -> None:
    for address in ("10.0.0.1", "2001:db8::1", "unknown", "::ffff:10.0.0.1"):
        lockout = Lockout(MemoryLedger(), 1)
        waits = [await lockout.attempt(f"n{n}", address, NOW) for n in range(ADDRESS.delayed + 1)]
        assert waits == [0] * ADDRESS.delayed + [SECOND]
        assert await lockout.attempt("n", "10.9.9.9", NOW) == 0


async def test_one_persons_ipv6_addresses_count_as_one() -> None:
    lockout = Lockout(MemoryLedger(), 1)
    waits = [
        await lockout.attempt(f"n{n}", f"2001:db8:0:1::{n:x}", NOW)
        for n in range(ADDRESS.delayed + 1)
    ]
    assert waits[-1] == SECOND
    assert await lockout.attempt("n", "2001:db8:0:2::1", NOW) == 0


async def test_failures_are_forgotten_after_an_hour(hub: Process) -> None:
    lockout = Lockout(hub.ledger, 1)
    for _ in range(ACCOUNT.delayed):
        await lockout.attempt("li", "", NOW)
    later = NOW + ACCOUNT.forgotten
    waits = [await lockout.attempt("li", "", later) for _ in range(ACCOUNT.delayed)]
    assert waits == [0] * ACCOUNT.delayed
