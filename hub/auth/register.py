"""POST /auth/register: an app registers itself, where the administrator lets apps do so.

What registers itself is believed nothing: it gets no Backend Services (nobody would have to agree
to its scopes), people see on the consent page that nobody vouches for it, and one address or all
together can register so many only.
Spec: RFC 7591; SMART App Launch 2.2, registration.
"""

from __future__ import annotations

from typing import Any

import msgspec
from authlib.oauth2.rfc6749 import AccessDeniedError
from authlib.oauth2.rfc7591 import (
    ClientMetadataClaims,
    InvalidClientMetadataError,
    InvalidRedirectURIError,
)
from joserfc.errors import JoseError

from hub.access.clients import Client, ClientRefused, ClientType
from hub.auth.exchange import Call, Reply, json_reply
from hub.auth.parts import Parts
from hub.auth.rate import Rate
from hub.messages import render

HOUR = 3_600_000
PER_ADDRESS = 20
"""Registrations of one address in an hour."""

TOGETHER = 200
"""Registrations of all together in an hour."""

UNUSED = 24 * HOUR
"""After that an app is forgotten which nobody has let in, so that they do not pile up."""

TYPES: dict[str, ClientType] = {
    "none": "public",
    "client_secret_basic": "confidential-symmetric",
    "client_secret_post": "confidential-symmetric",
    "private_key_jwt": "confidential-asymmetric",
}
GRANTS = ("authorization_code", "refresh_token")
LARGEST = 80 * 1024


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an app says of itself; what is not here is ignored (RFC 7591, 2)."""

    redirect_uris: list[str] = msgspec.field(default_factory=list)
    token_endpoint_auth_method: str = "client_secret_basic"
    grant_types: list[str] = msgspec.field(default_factory=lambda: ["authorization_code"])
    response_types: list[str] = msgspec.field(default_factory=lambda: ["code"])
    client_name: str = ""
    client_uri: str = ""
    scope: str = ""
    jwks_uri: str = ""
    jwks: dict[str, Any] | None = None
    initiate_login_uri: str = ""
    software_id: str = ""
    software_version: str = ""


async def register(parts: Parts, call: Call) -> Reply:
    """Register.

    Raises:
        OAuth2Error: It cannot be.
    """
    if not parts.settings.registration:
        raise AccessDeniedError("Apps are registered by the administrator here.", status_code=403)
    ledger, tenant = parts.door.store.ledger, parts.tenant.key
    for who, most in ((call.address, PER_ADDRESS), ("*", TOGETHER)):
        if not await Rate(ledger, tenant, "register", most, HOUR).allows(who, call.now):
            parts.record("register", ok=False, address=call.address, reason="rate")
            content = {"error": "temporarily_unavailable", "error_description": "Too many."}
            return json_reply(content, 429, ("retry-after", "3600"))
    try:
        metadata = _metadata(call)
        expires = call.now + UNUSED
        client, secret = await parts.desk.clients.add(_client(metadata), call.now, expires)
    except ClientRefused as error:
        text = render(error.message, error.arguments).encode("ascii", "replace").decode()
        kinds = {"invalid_redirect_uri": InvalidRedirectURIError}
        kind = kinds.get(error.error, InvalidClientMetadataError)
        raise kind(text.replace('"', "'").replace("\\", "/")) from error
    parts.record("register", ok=True, client=client.id, address=call.address)
    return json_reply(_answer(metadata, client, secret), 201)


def _metadata(call: Call) -> Metadata:
    """What the app says.

    Raises:
        InvalidClientMetadataError: It cannot be read.
    """
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or len(call.body) > LARGEST:
        raise InvalidClientMetadataError("The body is JSON, 80 KB at most.")
    try:
        found = msgspec.json.decode(call.body, type=Metadata)
        given = {name: value for name, value in msgspec.to_builtins(found).items() if value}
        given.pop("redirect_uris", None)  # our own rules are stricter, and have their own error
        claims = ClientMetadataClaims(given, {}, {}, {})
        claims.validate()
    except (msgspec.MsgspecError, JoseError, ValueError, RecursionError) as error:
        raise InvalidClientMetadataError("The metadata cannot be read.") from error
    return found


def _client(metadata: Metadata) -> Client:
    """The client it makes.

    Raises:
        InvalidClientMetadataError: It asks for what no app may register itself for.
    """
    type = TYPES.get(metadata.token_endpoint_auth_method)
    if type is None:
        raise InvalidClientMetadataError("token_endpoint_auth_method is not supported.")
    if not set(metadata.grant_types) <= set(GRANTS) or metadata.response_types != ["code"]:
        text = "An app registers itself for codes and refresh tokens; services are registered"
        raise InvalidClientMetadataError(f"{text} by the administrator.")
    words = metadata.scope.split(" ")
    return Client(
        id="",
        name=metadata.client_name or "?",
        type=type,
        redirect_uris=tuple(metadata.redirect_uris),
        scope=" ".join(word for word in words if word and not word.startswith("system/")),
        jwks=msgspec.json.encode(metadata.jwks).decode() if metadata.jwks else "",
        jwks_uri=metadata.jwks_uri,
        grant_types=tuple(dict.fromkeys(metadata.grant_types)),
        launch_url=metadata.initiate_login_uri,
        created_by="registration",
    )


def _answer(metadata: Metadata, client: Client, secret: str) -> dict[str, Any]:
    """What was registered (RFC 7591, 3.2.1)."""
    found: dict[str, Any] = msgspec.to_builtins(metadata)
    found |= {
        "client_id": client.id,
        "client_id_issued_at": client.created // 1000,
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": client.grant_types,
        "response_types": ["code"],
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
    }
    if client.scope:
        found["scope"] = client.scope
    if secret:
        found |= {"client_secret": secret, "client_secret_expires_at": 0}
    return found
