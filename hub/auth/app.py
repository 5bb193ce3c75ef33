"""The endpoints as one ASGI application: a table of routes, and what an error becomes.

`build` is what `hub.app` calls. Paths are the hub's own: `/auth/...`, `/.well-known/...` and
`/fhir/.well-known/smart-configuration`. Endpoints that apps call answer JSON and any origin that
`cors` names (no cookie counts there); pages answer HTML to people and nobody else.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError

from hub.access.front_desk import FrontDesk
from hub.access.tokens import Person, TokenVerifier
from hub.auth import (
    apps,
    authorize,
    consent,
    discovery,
    exchange,
    introspect,
    jwks,
    launch,
    login,
    logout,
    password,
    patient_picker,
    register,
    rendering,
    revoke,
    stylesheet,
    token,
    userinfo,
)
from hub.auth.authorization import Returned, Shown
from hub.auth.exchange import Call, Header, Receive, Refused, Repeated, Reply, Scope, Send
from hub.auth.parts import Event, Parts, Recorder
from hub.auth.pending import Pending
from hub.auth.server import told
from hub.auth.sessions import Sessions
from hub.context import Tenant
from hub.errors import HubError, Unavailable
from hub.interactions import Interactions
from hub.settings import Settings
from hub.storage.port import StoreUnavailable

Endpoint = Callable[[Parts, Call], Awaitable[Reply]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_LOG = logging.getLogger("hub.auth")
_SAFE: tuple[Header, ...] = (("x-content-type-options", "nosniff"),)


@dataclass(frozen=True, slots=True)
class Route:
    """A path.

    Attributes:
        endpoints: By method.
        api: Apps call it: JSON, CORS. Otherwise people do.
        event: What a refusal is called in the audit; None where nothing can be refused.
    """

    endpoints: Mapping[str, Endpoint]
    api: bool = False
    event: Event | None = None


def _page(event: Event, get: Endpoint, post: Endpoint) -> Route:
    return Route({"GET": get, "POST": post}, event=event)


def _post(event: Event, endpoint: Endpoint) -> Route:
    return Route({"POST": endpoint}, True, event)


ROUTES: Mapping[str, Route] = {
    "/auth/authorize": _page("authorize", authorize.authorize, authorize.authorize_by_post),
    "/auth/login": _page("login", login.login_page, login.login),
    "/auth/password": _page("password", password.password_page, password.password),
    "/auth/patient": _page("authorize", patient_picker.picker, patient_picker.pick),
    "/auth/consent": _page("authorize", consent.consent_page, consent.consent),
    "/auth/logout": _page("logout", logout.logout_page, logout.logout),
    "/auth/apps": _page("revoke", apps.apps_page, apps.end_app),
    "/auth/style.css": Route({"GET": stylesheet.stylesheet}),
    "/auth/token": _post("token", token.token),
    "/auth/introspect": _post("introspect", introspect.introspect),
    "/auth/revoke": _post("revoke", revoke.revoke),
    "/auth/register": _post("register", register.register),
    "/auth/launch": _post("launch", launch.launch),
    "/auth/jwks": Route({"GET": jwks.jwks}, True),
    "/auth/userinfo": Route(
        {"GET": userinfo.userinfo, "POST": userinfo.userinfo}, True, "userinfo"
    ),
    "/auth/smart-style.json": Route({"GET": stylesheet.smart_style}, True),
    "/fhir/.well-known/smart-configuration": Route({"GET": discovery.smart_configuration}, True),
    "/.well-known/openid-configuration": Route({"GET": discovery.openid_configuration}, True),
    "/.well-known/oauth-authorization-server": Route({"GET": discovery.authorization_server}, True),
}


def build(
    desk: FrontDesk,
    door: Interactions,
    settings: Settings,
    *,
    person: Person,
    verifier: TokenVerifier,
    record: Recorder,
    tenant: Tenant | None = None,
    clock: Callable[[], float] = time.time,
) -> Application:
    """The application.

    Args:
        desk: Accounts, clients, grants, keys, lock-out.
        door: The record.
        settings: Address, registration, lifetimes, origins.
        person: Makes principals.
        verifier: The dispatcher's own, so that a revocation is seen at once.
        record: To the audit.
        tenant: The tenant; `main` in the settings' zone when None.
        clock: Seconds since the epoch.
    """
    tenant = tenant or Tenant(zone=settings.zone)
    ledger = door.store.ledger
    secure = settings.site.startswith("https:")
    parts = Parts(
        desk=desk,
        door=door,
        issuer=desk.issuer(settings.site, settings.base),
        verifier=verifier,
        person=person,
        settings=settings,
        tenant=tenant,
        record=record,
        sessions=Sessions(ledger, tenant.key, desk.accounts, secure, settings.session_lifetime),
        pending=Pending(ledger, tenant.key),
    )

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        now = int(clock() * 1000)
        address = _address(scope)
        try:
            call = await exchange.read(scope, receive, now, parts.prefix, address)
        except Refused as error:
            path = scope["path"].removeprefix(parts.prefix)
            call = Call(scope["method"], path, now=now, address=address)
            _note(parts, call, error.reason)
            reply = _refusal(parts, call, error)
        else:
            reply = await answer(parts, call)
        await exchange.send(reply, call.method, send)

    return application


async def answer(parts: Parts, call: Call) -> Reply:
    """Answer a request, whatever becomes of it."""
    route = ROUTES.get(call.path)
    if route is None:
        return rendering.problem(parts, call, "auth-nowhere", 404).plus(*_SAFE)
    more = _cors(parts, call) if route.api else ()
    if call.method == "OPTIONS" and route.api:
        return Reply(204, (*more, *_PREFLIGHT))
    endpoint = route.endpoints.get("GET" if call.method == "HEAD" else call.method)
    if endpoint is None:
        reply = _refusal(parts, call, Refused(405, "method"))
        return reply.plus(("allow", ", ".join(route.endpoints)), *more)
    try:
        reply = await (_api if route.api else _for_people)(parts, call, endpoint)
    except (Unavailable, StoreUnavailable) as error:
        _LOG.warning("sign-in is put off: %s", error)
        reply = _refusal(parts, call, Refused(503, "unavailable"))
    except Refused as error:
        _note(parts, call, error.reason)
        reply = _refusal(parts, call, error)
    # Nobody must be let in, or see a stack, by an error of ours; it is logged and answered 500.
    except Exception as error:  # noqa: BLE001
        _LOG.error("unexpected error at %s", call.path, exc_info=error)
        reply = _refusal(parts, call, Refused(500, "unexpected"))
    return reply.plus(*_SAFE, *more)


async def _api(parts: Parts, call: Call, endpoint: Endpoint) -> Reply:
    try:
        return await endpoint(parts, call)
    except Repeated:
        error = InvalidRequestError("A parameter stands twice.")
    except OAuth2Error as caught:
        error = caught
    _note(parts, call, error.error)
    return told(error)


async def _for_people(parts: Parts, call: Call, endpoint: Endpoint) -> Reply:
    try:
        return await endpoint(parts, call)
    except Returned as error:
        if not error.noted:
            _note(parts, call, error.error, error.client)
        return error.reply
    except Shown as error:
        if not error.noted:
            _note(parts, call, error.message)
        return rendering.problem(parts, call, error.message, error.status, **error.arguments)
    except Repeated:
        _note(parts, call, "repeated")
        return rendering.problem(parts, call, "auth-unreadable", 400)
    except HubError as error:
        if isinstance(error, Unavailable):
            raise
        return rendering.problem(parts, call, error.issues[0].message, error.status)


def _note(parts: Parts, call: Call, reason: str, client: str = "") -> None:
    """Let the audit know of a refusal."""
    route = ROUTES.get(call.path)
    if route is not None and route.event is not None:
        parts.record(route.event, ok=False, client=client, address=call.address, reason=reason)


def _refusal(parts: Parts, call: Call, error: Refused) -> Reply:
    """What no endpoint looks at."""
    route = ROUTES.get(call.path)
    if route is not None and route.api:
        names = {500: "server_error", 503: "temporarily_unavailable"}
        content = {
            "error": names.get(error.status, "invalid_request"),
            "error_description": f"The request cannot be taken: {error.reason}.",
        }
        return exchange.json_reply(content, error.status).plus(*_later(error.status))
    names = {500: "auth-unexpected", 503: "auth-unavailable", 405: "auth-method"}
    message = names.get(error.status, "auth-unreadable")
    return rendering.problem(parts, call, message, error.status).plus(*_later(error.status))


def _later(status: int) -> tuple[Header, ...]:
    return (("retry-after", "5"),) if status == 503 else ()


_PREFLIGHT: tuple[Header, ...] = (
    ("access-control-allow-methods", "GET, POST"),
    ("access-control-allow-headers", "Accept, Authorization, Content-Type"),
    ("access-control-max-age", "600"),
)


def _cors(parts: Parts, call: Call) -> tuple[Header, ...]:
    origins = parts.settings.origins
    if "*" in origins:
        return (("access-control-allow-origin", "*"),)
    vary = (("vary", "origin"),)
    origin = call.headers.get("origin", "")
    if origin and origin in origins:
        return (("access-control-allow-origin", origin), *vary)
    return vary if origins else ()


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""
