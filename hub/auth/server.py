"""authlib's authorization server, wired to what we have: checks only, nothing stored.

authlib is synchronous and our stores are not, so what a check needs is fetched before and its
outcome is stored after; in between authlib runs inline and touches nothing. A server is made for
each request and knows one client at most. Called by `authorization`, `client_authentication` and
`token`.
Spec: RFC 6749, RFC 7636 (S256 only), RFC 9700.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    ClientMixin,
    InvalidRequestError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload, OAuth2Request
from authlib.oauth2.rfc7636 import CodeChallenge

from hub.access.clients import Client
from hub.auth.exchange import Reply, json_reply

METHODS: Mapping[str, tuple[str, ...]] = {
    "public": ("none",),
    "confidential-symmetric": ("client_secret_basic", "client_secret_post"),
    "confidential-asymmetric": ("private_key_jwt",),
}
"""How each type of client shows who it is."""

ALL_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]

LONGEST_TEXT = 300

_is_challenge = re.compile(r"[A-Za-z0-9_-]{43}").fullmatch
"""SHA-256 in base64url."""

_odd = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
"""What an error_description may not hold (RFC 6749, 5.2)."""


class KnownClient(ClientMixin):  # type: ignore[misc]  # authlib has no types
    """A client as authlib asks about it."""

    def __init__(self, client: Client, allowed: Callable[[str], str | None]) -> None:
        """Wrap it.

        Args:
            client: The client.
            allowed: Of the scopes it asks for, those that it may have; None: none at all.
        """
        self.client, self.get_allowed_scope = client, allowed

    def get_client_id(self) -> str:
        """Its id."""
        return self.client.id

    def get_default_redirect_uri(self) -> None:
        """None: every request must say where to."""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether a code may be sent there."""
        return self.client.redirects_to(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether that is its secret."""
        return self.client.has_secret(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it shows who it is in that way, at any endpoint."""
        return method in METHODS[self.client.type]

    def check_response_type(self, response_type: str) -> bool:
        """Only codes are given."""
        return response_type == "code" and "authorization_code" in self.client.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may use that grant type."""
        return grant_type in self.client.grant_types


class ProtocolRequest(OAuth2Request):  # type: ignore[misc]  # authlib has no types
    """A request as authlib reads it; every parameter stands once."""

    def __init__(
        self, method: str, uri: str, data: Mapping[str, str], authorization: str = ""
    ) -> None:
        """Make it.

        Args:
            method: HTTP method.
            uri: The endpoint's address; authlib refuses http that is not on loopback.
            data: Parameters of the query or the form.
            authorization: The Authorization header.

        Raises:
            InsecureTransportError: The hub is reached by http from other machines.
        """
        super().__init__(method, uri, headers={"Authorization": authorization})
        self.payload = BasicOAuth2Payload(dict(data))

    @property
    def form(self) -> dict[str, str]:
        """The parameters."""
        found: dict[str, str] = self.payload.data
        return found


class Server(AuthorizationServer):  # type: ignore[misc]  # authlib has no types
    """The server of one request."""

    def __init__(self, client: KnownClient | None) -> None:
        """Prepare.

        Args:
            client: The client that the request names, if there is one.
        """
        super().__init__()
        self._client = client

    def query_client(self, client_id: str) -> KnownClient | None:
        """The client of an id."""
        known = self._client
        return known if known is not None and known.client.id == client_id else None

    def authenticate_client(
        self, request: ProtocolRequest, methods: list[str], endpoint: str = "token"
    ) -> KnownClient:
        """The client that shows who it is; it is asked once a request.

        Raises:
            InvalidClientError: None does.
            UnauthorizedClientError: It does in a way that is not good enough here.
        """
        if request.client is None:
            request.client = super().authenticate_client(request, methods, endpoint)
        if request.auth_method not in methods:
            raise UnauthorizedClientError("This needs a client that signs (private_key_jwt).")
        found: KnownClient = request.client
        return found

    def send_signal(self, name: str, *args: Any, **values: Any) -> None:
        """Nobody listens."""


class ProofKey(CodeChallenge):  # type: ignore[misc]  # authlib has no types
    """PKCE, for every client and by SHA-256 only (RFC 7636; RFC 9700, 2.1.1)."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, _: Any) -> None:
        """Refuse a request without one.

        Raises:
            InvalidRequestError: There is none, or it is of another kind.
        """
        data = grant.request.payload.data
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is needed: code_challenge_method=S256.")
        if not _is_challenge(data.get("code_challenge", "")):
            raise InvalidRequestError("PKCE is needed: code_challenge has 43 characters.")


def description_of(error: OAuth2Error) -> str:
    """An error's description as the specification lets it be."""
    return _odd.sub("?", error.get_error_description() or "")[:LONGEST_TEXT]


def told(error: OAuth2Error) -> Reply:
    """An error as JSON (RFC 6749, 5.2)."""
    unknown = error.error == "invalid_client"
    content = {"error": error.error, "error_description": description_of(error)}
    challenge = (("www-authenticate", 'Basic realm="auth"'),) if unknown else ()
    return json_reply(content, 401 if unknown else error.status_code, *challenge)
