"""What the hub offers to apps: the three discovery documents.

Spec: SMART App Launch 2.2 (`.well-known/smart-configuration`), RFC 8414, OpenID Connect
Discovery (3), RFC 9207 (3).
"""

from __future__ import annotations

from typing import Any

from hub.auth.client_authentication import ALGORITHMS
from hub.auth.exchange import Call, Reply, json_reply
from hub.auth.parts import Parts

KEPT = 300

CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)

SCOPES = (
    "openid",
    "fhirUser",
    "profile",
    "launch",
    "launch/patient",
    "launch/encounter",
    "offline_access",
    "online_access",
    "patient/*.cruds",
    "patient/*.rs",
    "patient/*.read",
    "user/*.cruds",
    "user/*.rs",
    "user/*.read",
    "system/*.cruds",
    "system/*.rs",
    "system/*.read",
)

AUTHENTICATION = ("client_secret_basic", "client_secret_post", "private_key_jwt")


async def smart_configuration(parts: Parts, call: Call) -> Reply:
    """GET /fhir/.well-known/smart-configuration."""
    return json_reply(_server(parts) | {"capabilities": CAPABILITIES}, kept=KEPT)


async def openid_configuration(parts: Parts, call: Call) -> Reply:
    """GET /.well-known/openid-configuration."""
    more = {
        "userinfo_endpoint": parts.url("/auth/userinfo"),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "fhirUser",
            "name",
            "preferred_username",
            "profile",
        ],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    return json_reply(_server(parts) | more, kept=KEPT)


async def authorization_server(parts: Parts, call: Call) -> Reply:
    """GET /.well-known/oauth-authorization-server."""
    return json_reply(_server(parts), kept=KEPT)


def _server(parts: Parts) -> dict[str, Any]:
    """What all three say (RFC 8414, 2)."""
    found: dict[str, Any] = {
        "issuer": parts.settings.site,
        "jwks_uri": parts.url("/auth/jwks"),
        "authorization_endpoint": parts.url("/auth/authorize"),
        "token_endpoint": parts.url("/auth/token"),
        "introspection_endpoint": parts.url("/auth/introspect"),
        "revocation_endpoint": parts.url("/auth/revoke"),
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": SCOPES,
        "ui_locales_supported": ["en", "zh-CN"],
        "authorization_response_iss_parameter_supported": True,
    }
    if parts.settings.registration:
        found["registration_endpoint"] = parts.url("/auth/register")
    for endpoint in ("token", "introspection", "revocation"):
        found[f"{endpoint}_endpoint_auth_methods_supported"] = [*AUTHENTICATION, "none"]
        found[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = ALGORITHMS
    return found
