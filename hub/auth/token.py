"""POST /auth/token: codes, refresh tokens and Backend Services become access tokens.

One class per grant type: authlib's checks over what was fetched before, then our answer.
Spec: RFC 6749 (4.1.3, 4.4, 5, 6), RFC 7636 (4.6), RFC 9700 (4.14); SMART App Launch 2.2.
"""

from __future__ import annotations

from typing import Any, Protocol

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedGrantTypeError,
)
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)

from hub.access import scopes
from hub.access.clients import Client
from hub.access.grants import Code, Grant
from hub.auth import scope_choice, token_answer
from hub.auth.client_authentication import Caller, caller
from hub.auth.exchange import Call, Reply, json_reply
from hub.auth.parts import Event, Parts
from hub.auth.server import ALL_METHODS, KnownClient, ProofKey, told

Answer = tuple[dict[str, Any], Grant]


class _Exchange(Protocol):
    """One grant type: what it is called in the audit, and how a request of it is answered."""

    async def __call__(self, parts: Parts, call: Call, caller: Caller) -> Answer: ...


async def token(parts: Parts, call: Call) -> Reply:
    """Answer a token request.

    Raises:
        OAuth2Error: It is refused.
    """
    if call.query:
        raise InvalidRequestError("Parameters belong into the body, not into the address.")
    form = call.form
    kind = form.get("grant_type", "")
    id = ""
    event: Event = "refresh" if kind == "refresh_token" else "token"
    try:
        if kind not in EXCHANGES:
            if not kind:
                raise InvalidRequestError("grant_type is missing.")
            raise UnsupportedGrantTypeError("?")
        if kind == "refresh_token":
            form = await _with_client(parts, call, form)
        found = await caller(parts, call, form, _scopes_of(kind))
        id = found.client.id
        answer, grant = await EXCHANGES[kind](parts, call, found)
    except OAuth2Error as error:
        parts.record(event, ok=False, client=id, address=call.address, reason=error.error)
        return told(error)
    parts.record(
        event,
        ok=True,
        account=grant.account,
        client=id,
        patient=grant.patient,
        address=call.address,
    )
    return json_reply(answer)


def _scopes_of(kind: str) -> Any:
    def allowed(client: Client, scope: str) -> str | None:
        return " ".join(scope_choice.for_service(scope, client)) or None

    return allowed if kind == "client_credentials" else lambda client, scope: scope


# --- authorization_code ----------------------------------------------------------------------


class _KnownCode:
    """A code as authlib asks about it."""

    code_challenge_method = "S256"

    def __init__(self, code: Code) -> None:
        self.code_challenge, self._redirect_uri = code.challenge, code.redirect_uri

    def get_redirect_uri(self) -> str:
        return self._redirect_uri


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS
    known: Code | None = None

    def query_authorization_code(self, code: str, client: KnownClient) -> _KnownCode | None:
        known = self.known
        if known is None or known.client != client.client.id:
            return None
        return _KnownCode(known)


async def _code(parts: Parts, call: Call, caller: Caller) -> Answer:
    grants, request = parts.desk.grants, caller.request
    grant = _CodeGrant(request, caller.server)
    ProofKey()(grant)
    code = request.form.get("code", "")
    grant.known = await grants.code(code, call.now)
    grant.validate_token_request()
    granted = await grants.redeem(code, call.now)
    if granted is None:
        raise InvalidGrantError("The code was used, or what it is for has ended.")
    standing = await grants.standing(granted.id, call.now)
    if standing is None:
        raise InvalidGrantError("What the code is for has ended.")
    refresh = ""
    if granted.lasting and "refresh_token" in caller.client.grant_types:
        refresh = await grants.new_refresh(granted, call.now)
    made = await token_answer.answer(parts, granted, standing[1], call.now, refresh=refresh)
    return made, granted


# --- refresh_token ---------------------------------------------------------------------------


class _KnownRefresh:
    """A refresh token as authlib asks about it."""

    def __init__(self, client: str, grant: Grant) -> None:
        self._client, self.grant = client, grant

    def check_client(self, client: KnownClient) -> bool:
        return client.client.id == self._client


class _RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]  # authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = ALL_METHODS
    known: _KnownRefresh | None = None
    scope = ""

    def authenticate_refresh_token(self, refresh_token: str) -> _KnownRefresh | None:
        return self.known

    def _validate_token_scope(self, token: _KnownRefresh) -> None:
        """Less than what was granted is fine: `patient/Observation.rs` of `patient/*.rs`."""
        asked = self.request.payload.data.get("scope", "")
        try:
            self.scope = scopes.narrow(asked, token.grant.scope) if asked else ""
        except scopes.ScopeRefused as error:
            raise InvalidScopeError("A refresh gives no more than what was granted.") from error


async def _with_client(parts: Parts, call: Call, form: dict[str, str]) -> dict[str, str]:
    """The client id of a refresh token that comes alone, as public clients may send it.

    RFC 6749 (6) asks confidential clients only to say who they are, and SMART's own library
    `fhirclient` says nothing; the token knows whose it is.
    """
    if "authorization" in call.headers or {"client_id", "client_assertion"} & form.keys():
        return form
    known = await parts.desk.grants.refresh(form.get("refresh_token", ""), call.now)
    return form | {"client_id": known.client} if known else form


async def _refresh(parts: Parts, call: Call, caller: Caller) -> Answer:
    grants, request = parts.desk.grants, caller.request
    grant = _RefreshGrant(request, caller.server)
    token, id = request.form.get("refresh_token", ""), caller.client.id
    found = await grants.refresh(token, call.now)
    if found is not None and found.client == id:
        if found.used:
            await grants.rotate(token, id, call.now)  # which ends the grant
        elif granted := await grants.get(found.grant, call.now):
            grant.known = _KnownRefresh(found.client, granted)
    grant.validate_token_request()
    rotated = await grants.rotate(token, id, call.now)
    standing = await grants.standing(rotated[0].id, call.now) if rotated else None
    if rotated is None or standing is None:
        raise InvalidGrantError("The refresh token was used, or what it is for has ended.")
    renewed, following = rotated
    made = await token_answer.answer(
        parts, renewed, standing[1], call.now, scope=grant.scope, refresh=following
    )
    return made, renewed


# --- client_credentials ----------------------------------------------------------------------


class _ServiceGrant(ClientCredentialsGrant):  # type: ignore[misc]  # authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = ("private_key_jwt",)
    scope = ""

    def validate_requested_scope(self) -> None:
        asked = self.request.payload.data.get("scope", "")
        self.scope = self.client.get_allowed_scope(asked) or ""
        if not self.scope:
            raise InvalidScopeError("Backend Services ask for system/ scopes they registered.")


async def _service(parts: Parts, call: Call, caller: Caller) -> Answer:
    grant = _ServiceGrant(caller.request, caller.server)
    grant.validate_token_request()
    granted = await parts.desk.grants.start(
        Grant(client=caller.client.id, scope=grant.scope), call.now
    )
    return await token_answer.answer(parts, granted, None, call.now), granted


EXCHANGES: dict[str, _Exchange] = {
    "authorization_code": _code,
    "refresh_token": _refresh,
    "client_credentials": _service,
}
