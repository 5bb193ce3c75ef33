"""Slows down whoever guesses passwords, per account and per address.

An attempt is counted before the password is looked at, so that a hundred guesses sent at once
count as a hundred; a success takes it back. Names are counted whether or not there is such an
account, so that nothing tells which there are. Called by the login page.
Spec: OWASP Authentication Cheat Sheet, account lockout.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from hub.access.accounts import key_of
from hub.access.records import Entry, Records
from hub.storage.ledger import Ledger

SECOND, MINUTE = 1000, 60_000


@dataclass(frozen=True, slots=True)
class Rule:
    """What so many failures lead to.

    Attributes:
        delayed: From so many on, each is followed by a delay: one second, then twice as long ...
        locked: From so many on, each is followed by `lock`.
        lock: Milliseconds.
        forgotten: Milliseconds without a failure after which they are forgotten.
    """

    delayed: int
    locked: int
    lock: int = 15 * MINUTE
    forgotten: int = 60 * MINUTE


ACCOUNT = Rule(delayed=5, locked=10)
ADDRESS = Rule(delayed=30, locked=100)
"""A clinic's staff share an address."""


class Failures(msgspec.Struct, frozen=True):
    """Failures one after another: how many, and until when (ms) the next try must wait."""

    count: int
    until: int


class Lockout:
    """Counts failed logins of a tenant."""

    def __init__(self, ledger: Ledger, tenant: int) -> None:
        """Prepare.

        Args:
            ledger: Where they are kept.
            tenant: Tenant key.
        """
        self._records = Records(ledger, tenant, "failures", Failures)

    async def attempt(self, name: str, address: str, now: int) -> int:
        """Count an attempt, which may then be made.

        Args:
            name: Account name as it was typed.
            address: Network address it came from, "" if unknown.
            now: Milliseconds since the epoch.

        Returns:
            0, or milliseconds to wait: then it must be refused, unseen, with the words that a
            wrong password gets.
        """
        keys = _keys(name, address)
        waits = [await self._wait(key, now) for key, _ in keys]
        if any(waits):
            return max(waits)
        return max([await self._count(key, rule, now) for key, rule in keys])

    async def succeeded(self, name: str, address: str, now: int) -> None:
        """The password was right: the account's failures are forgotten, the address's go on."""
        (account, _), *rest = _keys(name, address)
        await self._records.take(account, now)
        for key, _ in rest:
            await self._records.change(
                key, now, lambda failures: replace(failures, count=max(0, failures.count - 1))
            )

    async def _wait(self, key: str, now: int) -> int:
        found = await self._records.get(key, now)
        return max(0, found.value.until - now) if found else 0

    async def _count(self, key: str, rule: Rule, now: int) -> int:
        """Count one, unless somebody else's makes it wait."""
        while True:
            found: Entry[Failures] | None = await self._records.get(key, now)
            if found and found.value.until > now:
                return found.value.until - now
            count = found.value.count + 1 if found else 1
            delay = 0
            if count >= rule.locked:
                delay = rule.lock
            elif count >= rule.delayed:
                delay = min(SECOND << (count - rule.delayed), rule.lock)
            failures = Failures(count, now + delay if delay else 0)  # a clock may be set back
            revision = found.revision if found else 0
            if await self._records.put(
                key, failures, now, revision, now + max(rule.forgotten, delay)
            ):
                return 0


def _keys(name: str, address: str) -> list[tuple[str, Rule]]:
    """What an attempt counts for: the account first."""
    account = key_of(name)
    if not account:
        account = "?" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    found = [(f"account {account}", ACCOUNT)]
    if address:
        found.append((f"address {_network(address)}", ADDRESS))
    return found


def _network(address: str) -> str:
    """What one person has: an IPv4 address, or a /64 of IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
    return str(found)
