"""Accounts: people who log in, with their roles and who they are in the record.

Kept in the ledger under their lower-case name, so that names differ by more than case. A change
that takes something away (disabled, password changed, removed) voids every grant made before
it: `since` is when that was, and no grant has to be looked for. Called by the login page, by
`grants` and by `fhir-hub account`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec
from msgspec.structs import replace

from hub.access.generation import Generation
from hub.access.passwords import Passwords, check_password
from hub.access.records import Records
from hub.storage.ledger import Ledger

ROLES = ("admin", "manager", "doctor", "nurse", "patient", "relative")
"""Roles that people have; Backend Services have only their scopes."""

LONGEST_NAME = 64
LONGEST_DISPLAY = 200

_is_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}").fullmatch
_is_person = re.compile(
    r"(Practitioner|PractitionerRole|Patient|RelatedPerson|Person)/[A-Za-z0-9.-]{1,64}"
).fullmatch


class AccountRefused(ValueError):
    """An account cannot be made or changed so; `message` is the id of the words for it."""

    def __init__(self, message: str, **arguments: object) -> None:
        """Say why."""
        super().__init__(message)
        self.message, self.arguments = message, arguments


class Account(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An account.

    Attributes:
        name: What is typed at login, in the case it was made with.
        display: Name for people.
        roles: Some of `ROLES`.
        fhir_user: `Practitioner/123`, `Patient/9` ...; "" for who is not in the record.
        password: Its hash.
        disabled: Nobody can log in.
        must_change: The password is to be changed at the next login.
        created: When it was made, milliseconds since the epoch.
        since: Grants made before this are void, milliseconds since the epoch.
    """

    name: str
    display: str = ""
    roles: tuple[str, ...] = ()
    fhir_user: str = ""
    password: str = ""
    disabled: bool = False
    must_change: bool = False
    created: int = 0
    since: int = 0


def key_of(name: str) -> str:
    """The key of an account's name; "" when it cannot be one."""
    return name.lower() if _is_name(name) else ""


class Accounts:
    """The accounts of a tenant."""

    def __init__(
        self, ledger: Ledger, tenant: int, passwords: Passwords, generation: Generation
    ) -> None:
        """Put the parts together.

        Args:
            ledger: Where they are kept.
            tenant: Tenant key.
            passwords: Hashes.
            generation: Moved when something is taken away.
        """
        self._records = Records(ledger, tenant, "account", Account)
        self._passwords, self._generation = passwords, generation

    async def add(
        self,
        name: str,
        password: str,
        now: int,
        *,
        roles: Sequence[str],
        display: str = "",
        fhir_user: str = "",
        must_change: bool = False,
    ) -> Account:
        """Make an account.

        Raises:
            AccountRefused: The name is taken or cannot be one, or a role is unknown.
            PasswordRefused: The password cannot be used.
        """
        _check(name, roles, display, fhir_user)
        check_password(password, name)
        account = Account(
            name=name,
            display=display,
            roles=tuple(dict.fromkeys(roles)),
            fhir_user=fhir_user,
            password=await self._passwords.hash(password),
            must_change=must_change,
            created=now,
            since=now,
        )
        if not await self._records.add(key_of(name), account, now):
            raise AccountRefused("access-account-exists", name=name)
        return account

    async def get(self, name: str, now: int) -> Account | None:
        """The account of a name, in any case."""
        key = key_of(name)
        found = await self._records.get(key, now) if key else None
        return found.value if found else None

    def all(self, now: int) -> AsyncIterator[Account]:
        """All accounts, by name."""
        return self._records.all(now)

    async def any(self, now: int) -> bool:
        """Whether there is one."""
        async for _ in self.all(now):
            return True
        return False

    async def verify(self, name: str, password: str, now: int) -> Account | None:
        """The account whose password this is; None otherwise, after the same time.

        Raises:
            Unavailable: Too many logins at a time.
        """
        account = await self.get(name, now)
        known = account if account is not None and not account.disabled else None
        right = await self._passwords.verify(password, known.password if known else None)
        return known if right else None

    async def set_password(
        self, name: str, password: str, now: int, *, must_change: bool = False
    ) -> Account:
        """Give it another password; whoever is logged in with the old one is not any more.

        Raises:
            AccountRefused: There is none of that name.
            PasswordRefused: The password cannot be used.
        """
        check_password(password, name)
        hash = await self._passwords.hash(password)
        return await self._change(
            name,
            now,
            lambda account: replace(account, password=hash, must_change=must_change, since=now),
        )

    async def disable(self, name: str, now: int) -> Account:
        """Let nobody log in with it, and end what is running.

        Raises:
            AccountRefused: There is none of that name.
        """
        return await self._change(
            name, now, lambda account: replace(account, disabled=True, since=now)
        )

    async def enable(self, name: str, now: int) -> Account:
        """Let it log in again.

        Raises:
            AccountRefused: There is none of that name.
        """
        return await self._change(name, now, lambda account: replace(account, disabled=False))

    async def remove(self, name: str, now: int) -> Account:
        """Remove it; the audit keeps its name.

        Raises:
            AccountRefused: There is none of that name.
        """
        key = key_of(name)
        account = await self._records.take(key, now) if key else None
        if account is None:
            raise AccountRefused("access-account-missing", name=name[:LONGEST_NAME])
        await self._generation.move(now)
        return account

    async def _change(self, name: str, now: int, new: Callable[[Account], Account]) -> Account:
        key = key_of(name)
        account = await self._records.change(key, now, new) if key else None
        if account is None:
            raise AccountRefused("access-account-missing", name=name[:LONGEST_NAME])
        await self._generation.move(now)
        return account


def _check(name: str, roles: Sequence[str], display: str, fhir_user: str) -> None:
    if not key_of(name):
        raise AccountRefused("access-account-name")
    for role in roles:
        if role not in ROLES:
            raise AccountRefused("access-role-unknown", role=role[:40], roles=", ".join(ROLES))
    if not roles:
        raise AccountRefused("access-role-missing", roles=", ".join(ROLES))
    if len(display) > LONGEST_DISPLAY or not display.isprintable():
        raise AccountRefused("access-display")
    if fhir_user and not _is_person(fhir_user):
        raise AccountRefused("access-fhir-user")
