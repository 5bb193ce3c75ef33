"""The access parts of one process on a ledger, with a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.access.accounts import Account, Accounts
from hub.access.clients import Client, Clients
from hub.access.generation import Generation
from hub.access.grants import Grant, Grants
from hub.access.keys import SigningKeys, StoredKey, new_key
from hub.access.passwords import Passwords
from hub.access.records import Records
from hub.access.tokens import TokenIssuer, TokenVerifier
from hub.principal import Scope
from hub.storage.ledger import Ledger
from hub.storage.memory.ledger import MemoryLedger
from hub.storage.sqlite.store import open_store
from tests.access.plain_person import plain_person

NOW = 1_700_000_000_000
ISSUER = "https://hub.example.org"
AUDIENCE = "https://hub.example.org/fhir"
PASSWORD = "correct horse"
APP = Client(id="app", name="An app", redirect_uris=("https://app.example.org/cb",))


def scopes_of(text: str) -> tuple[Scope, ...]:
    """Enough to see that the token's scopes arrive."""
    return tuple(Scope("user", one, frozenset("rs")) for one in text.split() if one.istitle())


@dataclass
class Process:
    """What one process of the hub has; another on the same ledger is another process."""

    ledger: Ledger
    passwords: Passwords

    def __post_init__(self) -> None:
        self.generation = Generation(self.ledger, 1)
        self.accounts = Accounts(self.ledger, 1, self.passwords, self.generation)
        self.clients = Clients(self.ledger, 1, self.generation)
        self.grants = Grants(self.ledger, 1, self.accounts, self.clients, self.generation)
        self.keys = SigningKeys(self.ledger, 1, self.generation)
        self.issuer = TokenIssuer(self.keys, ISSUER, AUDIENCE)
        self.verifier = TokenVerifier(
            self.keys,
            self.grants,
            self.generation,
            plain_person(scopes_of),
            issuer=ISSUER,
            audience=AUDIENCE,
        )

    def another(self) -> Process:
        """Another process beside it."""
        return Process(self.ledger, self.passwords)

    async def account(self, name: str = "li", **more: str) -> Account:
        """An account."""
        return await self.accounts.add(name, PASSWORD, NOW, roles=("doctor",), **more)

    async def grant(self, scope: str = "Observation", now: int = NOW) -> Grant:
        """A grant of `li` to `app`, both made when they are not there."""
        if await self.accounts.get("li", now) is None:
            await self.account("li", fhir_user="Practitioner/1")
        if await self.clients.get("app", now) is None:
            await self.clients.add(APP, NOW)
        grant = Grant(client="app", account="li", scope=scope, patient="p1", encounter="e1")
        return await self.grants.start(grant, now)


@pytest.fixture(scope="session")
def passwords() -> Iterator[Passwords]:
    """Threads and the dummy hash are made once."""
    made = Passwords()
    yield made
    made.close()


@pytest.fixture(scope="session")
def signing_key() -> StoredKey:
    """Making one takes longer than most tests here."""
    return asyncio.run(new_key(NOW))


@pytest.fixture(params=["memory", "sqlite"])
async def keyless(
    request: pytest.FixtureRequest, tmp_path: Path, passwords: Passwords
) -> AsyncIterator[Process]:
    """A process on an empty ledger of each kind."""
    if request.param == "memory":
        yield Process(MemoryLedger(), passwords)
        return
    store = open_store(tmp_path / "data")
    yield Process(store.ledger, passwords)
    await store.close()


@pytest.fixture
async def hub(keyless: Process, signing_key: StoredKey) -> Process:
    """A process on a ledger that holds nothing but a signing key."""
    await Records(keyless.ledger, 1, "key", StoredKey).put("current", signing_key, NOW)
    return keyless
