"""Clients: apps and services that are let in, and what each may ask for.

Kept in the ledger under their id. A change that takes something away voids the grants made
before it, as with `accounts`. Called by `hub.auth`, `grants` and `fhir-hub client`.
Spec: RFC 6749 (2), RFC 7591; SMART App Launch 2.2, registration.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from typing import Literal, get_args

import msgspec
from joserfc.jwk import ECKey, RSAKey
from msgspec.structs import replace

from hub.access import opaque, redirect_uris
from hub.access.generation import Generation
from hub.access.key_sets import MOST_KEYS, KeySets, KeysUnusable, read_key_set
from hub.access.records import Records
from hub.storage.ledger import Ledger

ClientType = Literal["public", "confidential-symmetric", "confidential-asymmetric"]
CLIENT_TYPES: tuple[ClientType, ...] = get_args(ClientType)

GRANTS = {
    "public": ("authorization_code", "refresh_token"),
    "confidential-symmetric": ("authorization_code", "refresh_token"),
    "confidential-asymmetric": ("authorization_code", "refresh_token", "client_credentials"),
}
"""Grant types each type of client may use; Backend Services need a key of their own."""

MOST_REDIRECTS = 10
LONGEST_NAME = 100
LONGEST_SCOPE = 4000

_is_id = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}").fullmatch
_is_scope = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*|").fullmatch
"""RFC 6749, 3.3."""


class ClientRefused(ValueError):
    """A client cannot be made so.

    Attributes:
        message: Id of the words for it.
        arguments: Values for their placeholders.
        error: The code of RFC 7591, 3.2.2.
    """

    def __init__(
        self, message: str, error: str = "invalid_client_metadata", **arguments: object
    ) -> None:
        """Say why."""
        super().__init__(message)
        self.message, self.error, self.arguments = message, error, arguments


class Client(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A client.

    Attributes:
        id: `client_id`.
        name: For people, on the consent page.
        type: `public`, `confidential-symmetric` (a secret) or `confidential-asymmetric` (a key).
        redirect_uris: Where codes may be sent; compared character by character.
        scope: Scopes it may ask for, separated by spaces; "" for whatever the person may.
        secret: Hash of its secret.
        jwks: Its public keys as JSON.
        jwks_uri: Where they are found instead.
        grant_types: Some of `GRANTS` for its type.
        launch_url: Where an EHR launch opens it; "" when it has none.
        created_by: Account or command that made it; `registration` for dynamic registration.
        first_party: The hub's own pages: no consent is asked for.
        created: When it was made, milliseconds since the epoch.
        since: Grants made before this are void, milliseconds since the epoch.
    """

    id: str
    name: str
    type: ClientType = "public"
    redirect_uris: tuple[str, ...] = ()
    scope: str = ""
    secret: str = ""
    jwks: str = ""
    jwks_uri: str = ""
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    launch_url: str = ""
    created_by: str = ""
    first_party: bool = False
    created: int = 0
    since: int = 0

    def redirects_to(self, uri: str) -> bool:
        """Whether a code may be sent there."""
        return uri in self.redirect_uris

    def has_secret(self, secret: str) -> bool:
        """Whether this is its secret."""
        return opaque.matches(secret, self.secret)


class Clients:
    """The clients of a tenant."""

    def __init__(
        self,
        ledger: Ledger,
        tenant: int,
        generation: Generation,
        key_sets: KeySets | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            ledger: Where they are kept.
            tenant: Tenant key.
            generation: Moved when something is taken away.
            key_sets: Fetches `jwks_uri`s.
        """
        self._records = Records(ledger, tenant, "client", Client)
        self._generation, self._key_sets = generation, key_sets or KeySets()

    async def add(self, client: Client, now: int, expires: int = 0) -> tuple[Client, str]:
        """Make a client.

        Args:
            client: Without secret and times; an empty id is chosen here.
            now: Milliseconds since the epoch.
            expires: When it is forgotten unless it is kept (`keep`), likewise; 0: never.

        Returns:
            The client, and its secret, which is not stored; "" unless the type has one.

        Raises:
            ClientRefused: It cannot be one, or its id is taken.
        """
        client = replace(client, id=client.id or secrets.token_urlsafe(16).strip("-_"))
        check(client)
        secret = opaque.new_secret() if client.type == "confidential-symmetric" else ""
        client = replace(client, secret=opaque.hashed(secret), created=now, since=now)
        if not await self._records.add(client.id, client, now, expires):
            raise ClientRefused("access-client-exists", id=client.id)
        return client, secret

    async def keep(self, id: str, now: int) -> None:
        """Let it stay for good: somebody uses it."""
        await self._records.change(id, now, lambda client: client, expires=0)

    async def get(self, id: str, now: int) -> Client | None:
        """The client of an id."""
        found = await self._records.get(id, now) if _is_id(id) else None
        return found.value if found else None

    def all(self, now: int) -> AsyncIterator[Client]:
        """All clients, by id."""
        return self._records.all(now)

    async def key(self, client: Client, kid: str) -> RSAKey | ECKey:
        """One of its public keys.

        Raises:
            KeysUnusable: It has none of that name, or its set cannot be had.
        """
        if client.jwks_uri:
            found = await self._key_sets.at(client.jwks_uri, kid)
        elif client.jwks:
            found = read_key_set(client.jwks)
        else:
            raise KeysUnusable("the client has no keys")
        for key in found.keys:
            if key.kid == kid and isinstance(key, RSAKey | ECKey):
                return key
        raise KeysUnusable("the client has no such key")

    async def remove(self, id: str, now: int) -> Client:
        """Remove it, and end what it was granted.

        Raises:
            ClientRefused: There is none of that id.
        """
        client = await self._records.take(id, now) if _is_id(id) else None
        if client is None:
            raise ClientRefused("access-client-missing", id=id[:64])
        await self._generation.move(now)
        return client


def check(client: Client) -> None:
    """Refuse what cannot be a client.

    Raises:
        ClientRefused: It cannot.
    """
    if not _is_id(client.id):
        raise ClientRefused("access-client-id")
    if not 0 < len(client.name) <= LONGEST_NAME or not client.name.isprintable():
        raise ClientRefused("access-client-name")
    if client.type not in CLIENT_TYPES:
        raise ClientRefused(
            "access-client-type", type=str(client.type)[:40], types=", ".join(CLIENT_TYPES)
        )
    for grant in client.grant_types:
        if grant not in GRANTS[client.type]:
            raise ClientRefused("access-client-grant", type=client.type, grant=grant[:40])
    if len(client.scope) > LONGEST_SCOPE or not _is_scope(client.scope):
        raise ClientRefused("access-client-scope", most=LONGEST_SCOPE)
    _check_addresses(client)
    _check_keys(client)


def _check_addresses(client: Client) -> None:
    asks_people = "authorization_code" in client.grant_types
    most = MOST_REDIRECTS if asks_people else 0
    if not asks_people <= len(client.redirect_uris) <= most:
        raise ClientRefused("access-client-redirects", "invalid_redirect_uri", most=MOST_REDIRECTS)
    for uri in client.redirect_uris:
        if not redirect_uris.may_register(uri, client.type == "public"):
            raise ClientRefused(
                "access-redirect-uri", "invalid_redirect_uri", most=redirect_uris.LONGEST
            )
    for field, uri in (("launch_url", client.launch_url), ("jwks_uri", client.jwks_uri)):
        if uri and not redirect_uris.is_web_address(uri):
            raise ClientRefused("access-client-url", field=field, most=redirect_uris.LONGEST)


def _check_keys(client: Client) -> None:
    given = bool(client.jwks) + bool(client.jwks_uri)
    if given != (client.type == "confidential-asymmetric"):
        raise ClientRefused("access-client-keys")
    if client.jwks_uri and not client.jwks_uri.startswith("https://"):
        raise ClientRefused("access-client-url", field="jwks_uri", most=redirect_uris.LONGEST)
    if client.jwks:
        try:
            read_key_set(client.jwks)
        except KeysUnusable as error:
            raise ClientRefused("access-client-jwks", most=MOST_KEYS) from error
