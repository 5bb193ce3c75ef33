"""The ASGI application of everything beside `/fhir`: health, metrics, and FastAPI behind them.

Health and metrics are asked for every few seconds and answered without a framework; any other
path goes to FastAPI, which is imported then. Called by `hub.app`.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from time import perf_counter

import msgspec

from hub.errors import HubError
from hub.messages import render
from hub.rest import health, negotiation
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
        """
        self._service, self._edge, self._metrics = service, edge, metrics
        self._log, self._ids, self._folder, self._tenant = log, ids, folder, tenant
        self._site: Application | None = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await (await self._fastapi())(scope, receive, send)
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
        try:
            headers = collect(scope["headers"])
            self._edge.check_host(headers)
            self._edge.check_origin(scope["method"], headers)
        except HubError as error:
            language = negotiation.language(dict(scope["headers"]).get(b"accept-language"))
            issue = error.issues[0]
            text = render(issue.message, issue.arguments, language)
            await _send(_problem(error.status, text), send)
            return "refused"
        path = scope["path"]
        if path in _MONITORING:
            await _send(await self._monitoring(path, scope["method"]), send)
            return _MONITORING[path]
        await (await self._fastapi())(scope, receive, send)
        return "page"

    async def _monitoring(self, path: str, method: str) -> Answer:
        if method not in ("GET", "HEAD"):
            return _problem(405, "Only GET and HEAD are possible here.")
        if path == "/health/live":
            answer = health.live()
        elif path == "/health/ready":
            answer = await health.ready(
                self._service.door.store, self._service.settings, self._tenant
            )
        else:
            answer = await health.exposition(
                self._service.door.store, self._tenant, self._metrics, self._folder
            )
        return answer

    async def _fastapi(self) -> Application:
        """FastAPI with our pages, imported off the event loop by whoever needs it first."""
        async with self._loading:
            if self._site is None:
                self._site = await asyncio.to_thread(_load_site, self._service, self._tenant)
        return self._site


_MONITORING = {
    "/health/live": "health-live",
    "/health/ready": "health-ready",
    "/metrics": "metrics",
}


def _load_site(service: Service, tenant: int) -> Application:
    from hub.rest.site import build

    return build(service, tenant)


def _problem(status: int, text: str) -> Answer:
    body = msgspec.json.encode({"status": status, "detail": text})
    return Answer(status, ((b"content-type", b"application/problem+json"),), body)


async def _send(answer: Answer, send: Send) -> None:
    assert isinstance(answer.body, bytes)
    length = (b"content-length", b"%d" % len(answer.body))
    headers = [*answer.headers, *_COMMON, length]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
