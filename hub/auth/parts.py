"""What the endpoints work with, put together once by `hub.app`.

`Recorder` is how every event here reaches the audit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol
from urllib.parse import urlsplit

from hub.access.accounts import Account
from hub.access.front_desk import FrontDesk
from hub.access.grants import Grant
from hub.access.tokens import Person, TokenIssuer, TokenVerifier
from hub.auth.exchange import Call
from hub.auth.pending import Pending
from hub.auth.sessions import Sessions
from hub.context import Context, Tenant
from hub.interactions import Interactions
from hub.principal import Principal
from hub.settings import Settings

Event = Literal[
    "login",
    "logout",
    "password",
    "authorize",
    "token",
    "refresh",
    "introspect",
    "userinfo",
    "revoke",
    "register",
    "launch",
    "form",
]
"""What is recorded: a login (and a refused one), a log-out, a password changed, an app let in by
a person, a token given, refreshed, asked about, revoked; an app registered, a launch token made,
a form that did not come from our page."""


class Recorder(Protocol):
    """Takes an event into the audit."""

    def __call__(
        self,
        event: Event,
        *,
        ok: bool,
        account: str = "",
        client: str = "",
        patient: str = "",
        address: str = "",
        reason: str = "",
    ) -> None:
        """Record.

        Args:
            event: What happened.
            ok: Whether it was let happen.
            account: Whose account; "" when there is none, so that nobody's mistyped password
                ends in the audit.
            client: Client id; "" when there is no such client.
            patient: Logical id of the launch context's patient.
            address: Network address it came from.
            reason: Why it was refused, one word or a few; OAuth's error code where there is one.
        """


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the endpoints need.

    Attributes:
        desk: Accounts, clients, grants, keys, lock-out.
        door: The record.
        issuer: Signs tokens.
        verifier: Verifies them; the same as the dispatcher's.
        person: Makes principals.
        settings: How to behave.
        tenant: The tenant.
        record: To the audit.
        sessions: Who is logged in.
        pending: Authorization requests that wait for a person.
    """

    desk: FrontDesk
    door: Interactions
    issuer: TokenIssuer
    verifier: TokenVerifier
    person: Person
    settings: Settings
    tenant: Tenant
    record: Recorder
    sessions: Sessions
    pending: Pending

    @property
    def prefix(self) -> str:
        """The path of the hub's own address, mostly empty."""
        return urlsplit(self.settings.site).path.rstrip("/")

    def url(self, path: str) -> str:
        """The address of an endpoint."""
        return self.settings.site + path

    async def context(self, call: Call, account: Account) -> Context:
        """A context in which the record is read for a person, whatever an app may see."""
        principal = await self.person(account, Grant(client="", account=account.name))
        return self.context_of(call, replace(principal, scopes=None))

    def context_of(self, call: Call, principal: Principal) -> Context:
        """A context for a principal."""
        return Context(
            tenant=self.tenant,
            principal=principal,
            language=call.language,
            base=self.settings.base,
            address=call.address,
        )
