"""The ASGI application of everything beside `/fhir`: health, metrics, and other pages behind them.

Health and metrics are asked for every few seconds and answered without a framework; any other
path goes to an application that is imported then: those that are mounted here, else our FastAPI
pages. While authentication is on, what shows how the hub is doing is for this machine and for
administrators. Called by `hub.app`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter

import msgspec

from hub.errors import Forbidden, HubError, fault
from hub.messages import render
from hub.rest import health, negotiation
from hub.rest.authenticate import Guard, Unauthenticated
from hub.rest.dispatcher import RequestIds
from hub.rest.exchange import Answer, Application, Header, Message, Receive, Scope, Send
from hub.rest.headers import collect
from hub.rest.logs import AccessLog
from hub.rest.metrics import Metrics
from hub.rest.origin import Edge
from hub.rest.service import Service

_LOG = logging.getLogger("hub.rest")
_COMMON: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)


class Later:
    """An application that is imported, off the event loop, when it is first asked."""

    def __init__(self, load: Callable[[], Application]) -> None:
        """Load nothing yet.

        Args:
            load: Imports and makes it; called once, on a thread.
        """
        self._load = load
        self._found: Application | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on (ASGI)."""
        if self._found is None:
            async with self._loading:
                if self._found is None:
                    self._found = await asyncio.to_thread(self._load)
        await self._found(scope, receive, send)


class Pages:
    """Answers every path beside the FHIR base."""

    def __init__(
        self,
        service: Service,
        edge: Edge,
        metrics: Metrics,
        log: AccessLog | None,
        ids: RequestIds,
        folder: Path | None = None,
        tenant: int = 1,
        guard: Guard | None = None,
        mounts: Mapping[str, Application] | None = None,
        record: Callable[..., None] | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            service: What the pages show.
            edge: Rules about addresses and origins.
            metrics: Where requests are counted.
            log: Access log, None for none.
            ids: Makes request ids.
            folder: Where workers share their metrics; None for a single one.
            tenant: Tenant key for the store's facts.
            guard: Finds out who asks; None while authentication is off.
            mounts: Applications by the first segment of the paths they answer (`auth`).
            record: Takes refusals into the audit (`hub.audit.recorder.Recorder.access`).
        """
        self._service, self._edge, self._metrics = service, edge, metrics
        self._log, self._ids, self._folder, self._tenant = log, ids, folder, tenant
        self._guard, self._mounts, self._record = guard, mounts or {}, record
        self._site = Later(lambda: _load_site(service, tenant))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._site(scope, receive, send)
            return
        started = perf_counter()
        raw = scope["headers"]
        request_id = self._ids.of(dict(raw))
        name, status, size = "page", 500, 0

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                ]
            else:
                size += len(message.get("body", b""))
            await send(message)

        try:
            name = await self._page(scope, receive, counted)
        # FastAPI's own handler has answered 500 by then; here it is counted.
        except Exception as error:  # noqa: BLE001
            self._metrics.unexpected += 1
            _LOG.error("unexpected error in a page", exc_info=error, extra={"request": request_id})
            if status == 500 and not size:
                await _send(_problem(500, "Internal server error."), counted)
        seconds = perf_counter() - started
        self._metrics.observe(name, status, seconds)
        if self._log is not None:
            self._log.add(
                request_id,
                scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "OTHER",
                "",
                name,
                "",
                status,
                int(seconds * 1_000_000),
                size,
            )

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> str:
        """Answer, and give the page's name for logs and metrics."""
        path = scope["path"]
        try:
            headers = collect(scope["headers"])
            self._edge.check_host(headers)
            self._edge.check_origin(scope["method"], headers)
            if path in _MONITORING:
                await _send(await self._monitoring(scope, headers), send)
                return _MONITORING[path]
        except HubError as error:
            language = negotiation.language(dict(scope["headers"]).get(b"accept-language"))
            issue = error.issues[0]
            text = render(issue.message, issue.arguments, language)
            await _send(_problem(error.status, text, _challenge(error)), send)
            return "refused"
        if scope.get("client"):
            scope["client"] = (self._edge.address(scope, headers), scope["client"][1])
        name = path.split("/", 2)[1] if path[:1] == "/" else ""
        mounted = self._mounts.get(name)
        if mounted is None:
            await self._site(scope, receive, send)
            return "page"
        await mounted(scope, receive, send)
        return name.strip(".")

    async def _monitoring(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Answer:
        """Health and metrics.

        Raises:
            Unauthenticated: Metrics, and nobody who is known asks.
            Forbidden: Metrics, and somebody else than an administrator asks.
        """
        store, settings, path = self._service.door.store, self._service.settings, scope["path"]
        if scope["method"] not in ("GET", "HEAD"):
            return _problem(405, "Only GET and HEAD are possible here.")
        if path == "/health/live":
            return health.live()
        if path == "/health/ready":
            details = True
            try:
                await self._check_insight(scope, headers)
            except (Unauthenticated, Forbidden):
                details = False
            return await health.ready(store, settings, self._tenant, details)
        await self._check_insight(scope, headers, self._record)
        return await health.exposition(store, self._tenant, self._metrics, self._folder)

    async def _check_insight(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        record: Callable[..., None] | None = None,
    ) -> None:
        """Let this machine and administrators see how the hub is doing.

        Raises:
            Unauthenticated: Nobody who is known asks.
            Forbidden: Somebody else asks.
        """
        if self._guard is None or self._edge.is_local(scope, headers):
            return
        note = partial(record or _unnoted, "metrics", ok=False)
        address = self._edge.address(scope, headers)
        try:
            principal = await self._guard.principal(scope["headers"], headers)
        except Unauthenticated as refused:
            note(address=address, reason=refused.reason)
            raise
        if "admin" not in principal.roles:
            client = principal.client
            note(account=principal.name, client=client, address=address, reason="forbidden")
            raise Forbidden(fault("forbidden", "administrators-only"))


def _unnoted(event: str, **about: object) -> None:
    """Nothing is taken into the audit."""


def _challenge(error: HubError) -> tuple[Header, ...]:
    if isinstance(error, Unauthenticated):
        return ((b"www-authenticate", error.challenge),)
    return ()


_MONITORING = {
    "/health/live": "health-live",
    "/health/ready": "health-ready",
    "/metrics": "metrics",
}


def _load_site(service: Service, tenant: int) -> Application:
    from hub.rest.site import build

    return build(service, tenant)


def _problem(status: int, text: str, headers: tuple[Header, ...] = ()) -> Answer:
    body = msgspec.json.encode({"status": status, "detail": text})
    return Answer(status, ((b"content-type", b"application/problem+json"), *headers), body)


async def _send(answer: Answer, send: Send) -> None:
    assert isinstance(answer.body, bytes)
    length = (b"content-length", b"%d" % len(answer.body))
    headers = [*answer.headers, *_COMMON, length]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
