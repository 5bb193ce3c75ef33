"""Makes principals of what account and grant say, without looking into the record."""

from __future__ import annotations

from collections.abc import Callable

from hub.access.accounts import Account
from hub.access.grants import Grant
from hub.access.tokens import Person
from hub.principal import Principal, Scope


def plain_person(scopes: Callable[[str], tuple[Scope, ...]]) -> Person:
    async def person(account: Account | None, grant: Grant) -> Principal:
        return Principal(
            account.name if account else grant.client,
            frozenset(account.roles if account else ("system",)),
            account.fhir_user if account else "",
            grant.client,
            scopes(grant.scope),
            grant.patient,
            grant.encounter,
            grant=grant.id,
        )

    return person
