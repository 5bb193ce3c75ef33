"""Everything a process has to decide who comes in: one of each part, on one ledger.

The parts share one `Generation`, so that what one takes away the others know at once. Made by
the composition root, the commands and tests.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.access.accounts import Accounts
from hub.access.clients import Clients
from hub.access.generation import Generation
from hub.access.grants import Grants
from hub.access.keys import SigningKeys
from hub.access.lockout import Lockout
from hub.access.passwords import Passwords
from hub.access.tokens import Person, TokenIssuer, TokenVerifier
from hub.storage.ledger import Ledger


@dataclass(frozen=True, slots=True)
class FrontDesk:
    """The parts of a tenant in one process; see their modules."""

    generation: Generation
    passwords: Passwords
    accounts: Accounts
    clients: Clients
    grants: Grants
    keys: SigningKeys
    lockout: Lockout

    def issuer(self, issuer: str, audience: str) -> TokenIssuer:
        """What signs tokens.

        Args:
            issuer: `iss`: the hub's address without `/fhir`.
            audience: The FHIR base.
        """
        return TokenIssuer(self.keys, issuer, audience)

    def verifier(self, person: Person, issuer: str, audience: str) -> TokenVerifier:
        """What verifies them.

        Args:
            person: Makes principals.
            issuer: As for `issuer`.
            audience: The same.
        """
        return TokenVerifier(
            self.keys, self.grants, self.generation, person, issuer=issuer, audience=audience
        )

    def close(self) -> None:
        """End the threads."""
        self.passwords.close()


def open_desk(ledger: Ledger, tenant: int) -> FrontDesk:
    """The parts on a tenant's ledger.

    Args:
        ledger: `Store.ledger`.
        tenant: Tenant key.
    """
    generation, passwords = Generation(ledger, tenant), Passwords()
    accounts = Accounts(ledger, tenant, passwords, generation)
    clients = Clients(ledger, tenant, generation)
    return FrontDesk(
        generation,
        passwords,
        accounts,
        clients,
        Grants(ledger, tenant, accounts, clients, generation),
        SigningKeys(ledger, tenant, generation),
        Lockout(ledger, tenant),
    )
