"""The ASGI application of the FHIR base: one function from request to answer.

Stands in front of FastAPI (`hub.app`), so that a read costs no framework. Finds out who asks,
reads headers, path and query, negotiates, finds the route, calls its handler, turns every error
into an OperationOutcome, sends, counts and logs. Spec: https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

import asyncio
import logging
import os
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hub.context import Context, Tenant
from hub.errors import (
    BadRequest,
    Forbidden,
    HubError,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    Unavailable,
    fault,
)
from hub.interactions.failures import as_hub_error
from hub.interactions.url import parameters as parameters_of
from hub.model.identity import valid_id
from hub.principal import LOCAL, Principal
from hub.rest import negotiation, outcomes, urls
from hub.rest.authenticate import (
    ANONYMOUS,
    INSUFFICIENT,
    Guard,
    StrangerNotes,
    Unauthenticated,
    is_open,
    refuse_token_in_url,
)
from hub.rest.body import BodyTimeout, ClientGone, Intake
from hub.rest.exchange import Answer, Format, Header, Parameters, Receive, Request, Scope, Send
from hub.rest.headers import collect, valid_request_id
from hub.rest.incoming import is_large
from hub.rest.logs import AccessLog
from hub.rest.metrics import Metrics
from hub.rest.origin import Edge
from hub.rest.routes import Route, interaction, match
from hub.rest.service import Service

if TYPE_CHECKING:
    from hub.audit.recorder import Recorder

_LOG = logging.getLogger("hub.rest")
_COMMON: tuple[Header, ...] = (
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Accept, Accept-Encoding, Accept-Language, Authorization, Origin"),
    (b"x-content-type-options", b"nosniff"),
)
_UNKEPT: tuple[Header, ...] = ((b"cache-control", b"no-store"), *_COMMON[1:])
"""For refusals: what is refused to one may be given to the next."""
_RETRY_AFTER: Header = (b"retry-after", b"1")
_BINARY = b"/Binary/"
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_NO_BODY = frozenset((204, 304))
_REFUSALS = frozenset((401, 403))
_CLOSE: Header = (b"connection", b"close")
_LARGE = 256 * 1024
_SMALL_BODY = 64 * 1024
_LINGER_SECONDS, _LINGER_BYTES = 2.0, 256 * 1024 * 1024
_CLIENT_GONE = 499
NOBODY = Principal("")
"""Who a stranger is in the audit."""


class RequestIds:
    """Takes over a client's X-Request-Id when it is harmless, else makes one."""

    def __init__(self) -> None:
        """Pick this process's random prefix."""
        self._prefix = os.urandom(6).hex()
        self._next = count(1).__next__

    def of(self, headers: Mapping[bytes, bytes]) -> str:
        """The id of a request."""
        given = headers.get(b"x-request-id")
        if given is not None and valid_request_id(given):
            return given.decode("ascii")
        return f"{self._prefix}{self._next():08x}"


class _Call:
    """What is known of a request so far; filled in on the way."""

    __slots__ = (
        "format",
        "headers",
        "id",
        "intake",
        "interaction",
        "language",
        "principal",
        "reason",
        "request_id",
        "rest",
        "route",
        "type",
    )

    def __init__(self, headers: Mapping[bytes, bytes], request_id: str, intake: Intake) -> None:
        self.headers = headers
        self.request_id = request_id
        self.intake = intake
        self.language = negotiation.language(headers.get(b"accept-language"))
        self.format: Format | None = None
        self.route: Route | None = None
        self.type = self.id = self.rest = self.reason = ""
        self.interaction = "unknown"
        self.principal: Principal = ANONYMOUS


class Dispatcher:
    """Answers everything below the FHIR base."""

    def __init__(
        self,
        service: Service,
        edge: Edge,
        metrics: Metrics,
        log: AccessLog | None,
        ids: RequestIds,
        prefix: bytes = b"/fhir",
        guard: Guard | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        """Put the parts together.

        Args:
            service: What the handlers work with.
            edge: Rules about addresses and origins.
            metrics: Where requests are counted.
            log: Access log, None for none.
            ids: Makes request ids.
            prefix: Path of the base.
            guard: Finds out who asks; None while authentication is off.
            recorder: Takes what was asked and answered into the audit; None for not.
        """
        self._service, self._edge, self._guard = service, edge, guard
        self._recorder, self._strangers = recorder, StrangerNotes()
        self._metrics, self._log, self._ids = metrics, log, ids
        self._cut = len(prefix)
        settings = service.settings
        self._tenant = Tenant(zone=settings.zone)
        self._gzip_from = settings.gzip_minimum if settings.gzip else 1 << 62

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        started = perf_counter()
        raw = scope["headers"]
        headers: Mapping[bytes, bytes] = dict(raw)
        intake = Intake(receive, headers, self._service.settings, self._service.budget)
        call = _Call(headers, self._ids.of(headers), intake)
        metrics = self._metrics
        pieces: AsyncGenerator[bytes, None] | None = None
        metrics.in_flight += 1
        try:
            if self._guard is None:
                call.principal = LOCAL
            elif not is_open(scope["method"], scope["raw_path"][self._cut :], headers):
                call.principal = await self._guard.principal(raw, headers)
            elif b"authorization" in headers:
                call.principal = await self._guard.if_known(raw, headers)
            if len(headers) != len(raw):
                call.headers = collect(raw)
            answer = await self._answer(scope, call)
            if not isinstance(answer.body, bytes):
                pieces = answer.body
                answer = replace(answer, body=_begun(await anext(pieces, b""), pieces))
        except ClientGone:
            answer = Answer(_CLIENT_GONE)
        # Whatever a handler raises becomes an OperationOutcome; what nobody foresaw is counted.
        except Exception as error:  # noqa: BLE001
            answer = self._refusal(call, error)
        finally:
            metrics.in_flight -= 1
            intake.release()
        if self._recorder is not None and answer.status != _CLIENT_GONE:
            answer = self._noted(self._recorder, scope, call, answer)
        size = 0
        try:
            if answer.status != _CLIENT_GONE:
                size = await self._send(scope["method"], call, answer, send)
        finally:
            if pieces is not None:  # To HEAD, and to who has left, it was not sent to its end.
                await pieces.aclose()
        seconds = perf_counter() - started
        metrics.observe(call.interaction, answer.status, seconds)
        metrics.unexpected += answer.unforeseen
        if self._log is not None:
            self._write_log(scope["method"], call, answer.status, seconds, size)

    # --- from request to answer -------------------------------------------------------------

    async def _answer(self, scope: Scope, call: _Call) -> Answer:
        """The answer of the handler that the route names."""
        service, headers, method = self._service, call.headers, scope["method"]
        if self._metrics.in_flight > service.settings.in_flight:
            raise Unavailable(fault("throttled", "requests-too-many"))
        accept = headers.get(b"accept")
        query: Parameters = ()
        parameters: Parameters = ()
        if scope["query_string"]:
            refuse_token_in_url(scope["query_string"])
            query = parameters_of(scope["query_string"])
            call.format, parameters = negotiation.extract(accept, query)
        if call.format is None:
            call.format = self._negotiate(scope, accept)
        self._edge.check_host(headers)
        self._edge.check_origin(method, headers)
        segments = urls.segments(scope["raw_path"][self._cut :])
        route = match(segments)
        type = segments[0] if route.has_type else ""
        id = segments[1] if route.has_id else ""
        if type and type not in service.types:
            raise NotFound(fault("not-supported", "type-unknown", type=type[:64]))
        rest = segments[route.rest_at] if route.rest_at >= 0 else ""
        call.route, call.type, call.id, call.rest = route, type, id, rest
        if id and not valid_id(id):
            raise BadRequest(fault("value", "id-malformed"))
        if method == "OPTIONS":
            call.interaction = "options"
            allow = (b"allow", route.allow)
            return Answer(204, (allow, *self._edge.preflight(headers)))
        name, handler = interaction(route, method)
        call.interaction = name
        context = Context(
            self._tenant,
            call.principal,
            call.request_id,
            call.language,
            self._edge.base(scope, headers),
            large=method != "GET" and is_large(headers),
            address=self._edge.address(scope, headers),
        )
        return await handler(
            Request(
                service,
                context,
                method,
                type,
                id,
                rest,
                parameters,
                query,
                headers,
                call.format,
                call.intake,
            )
        )

    def _negotiate(self, scope: Scope, accept: bytes | None) -> Format:
        """The format by Accept; the content of a Binary may be anything."""
        try:
            return negotiation.negotiate(accept)
        except NotAcceptable:
            if scope["raw_path"][self._cut :].startswith(_BINARY):
                return negotiation.DEFAULT
            raise

    def _refusal(self, call: _Call, error: Exception) -> Answer:
        """The OperationOutcome for an error."""
        told, expected = as_hub_error(error, call.request_id)
        call.reason = told.reason if isinstance(told, Unauthenticated) else told.issues[0].message
        if not expected:
            self._unforeseen(call, error)
        headers: tuple[Header, ...] = ()
        if isinstance(told, Unauthenticated):
            headers = ((b"www-authenticate", told.challenge),)
        elif isinstance(told, Forbidden) and told.issues[0].code == "forbidden":
            headers = (INSUFFICIENT,)
        elif isinstance(told, MethodNotAllowed) and call.route is not None:
            headers = ((b"allow", call.route.allow),)
        elif isinstance(told, Unavailable):
            headers = (_RETRY_AFTER,)
        elif told.status == 415 and call.interaction.startswith("patch"):
            from hub.rest.handlers.patch import ACCEPTED

            headers = (ACCEPTED,)
        if isinstance(told, BodyTimeout):
            headers = (*headers, _CLOSE)
        format = call.format or _fallback(call.headers)
        return outcomes.answer(told.status, told.issues, call.language, format, headers)

    def _unforeseen(self, call: _Call, error: Exception) -> None:
        """Count and log an error of ours."""
        self._metrics.unexpected += 1
        _LOG.error(
            "unexpected error in %s",
            call.interaction,
            exc_info=error,
            extra={"request": call.request_id},
        )

    # --- audit ------------------------------------------------------------------------------

    def _noted(self, recorder: Recorder, scope: Scope, call: _Call, answer: Answer) -> Answer:
        """The answer, taken into the audit; a refusal instead of it when that is full."""
        principal, reason, status = call.principal, call.reason, answer.status
        if status < 400 and (principal is ANONYMOUS or call.interaction == "capabilities"):
            return answer  # The CapabilityStatement, a preflight: nothing of the record.
        if principal is ANONYMOUS:
            note = self._strangers.note(reason)
            if note is None:
                return answer
            principal, reason = NOBODY, note
        body = answer.body
        try:
            recorder.add(
                principal,
                call.request_id,
                self._edge.address(scope, call.headers),
                call.interaction,
                status,
                call.type,
                call.id,
                call.rest,
                scope["query_string"].decode("latin-1"),
                body if isinstance(body, bytes) else b"",
                reason,
            )
        except Unavailable as error:
            return self._refusal(call, error)
        return answer

    # --- sending ----------------------------------------------------------------------------

    async def _send(self, method: str, call: _Call, answer: Answer, send: Send) -> int:
        """Send an answer; gives the bytes of its body."""
        body = answer.body
        headers: list[Header] = [
            *answer.headers,
            *(_UNKEPT if answer.status in _REFUSALS else _COMMON),
            (b"x-request-id", call.request_id.encode()),
            *self._edge.headers(call.headers),
        ]
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        if not isinstance(body, bytes):
            await send(start)
            if method != "HEAD":
                return await self._stream(call, body, send)
            await send({"type": "http.response.body", "body": b""})
            return 0
        if (
            len(body) >= self._gzip_from
            and not answer.encoded
            and negotiation.gzip_accepted(call.headers.get(b"accept-encoding"))
        ):
            body = await _packed(body)
            headers.append((b"content-encoding", b"gzip"))
        if answer.status not in _NO_BODY:
            headers.append((b"content-length", b"%d" % len(body)))
        if method == "HEAD":
            body = b""
        if call.intake.complete or not _has_body(call.headers):
            await send(start)
            await send({"type": "http.response.body", "body": body})
        else:
            await self._send_and_linger(call, start, body, send)
        return len(body)

    async def _stream(self, call: _Call, pieces: AsyncIterator[bytes], send: Send) -> int:
        """Send pieces until they end or the client is gone; gives the bytes sent."""
        size = 0
        gone = asyncio.ensure_future(call.intake.gone())
        try:
            async for piece in pieces:
                if gone.done():
                    return size
                size += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        # Too late for words: an answer that ends early tells the client, the log tells us.
        except Exception as error:  # noqa: BLE001
            self._unforeseen(call, error)
            return size
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b""})
        return size

    async def _send_and_linger(
        self, call: _Call, start: dict[str, object], body: bytes, send: Send
    ) -> None:
        """Answer before the body was read, and let the client read that answer.

        Closing at once would make the kernel reset the connection under the client's hands; so
        the rest of the body is thrown away for a while first.
        """
        headers = start["headers"]
        assert isinstance(headers, list)
        headers.append(_CLOSE)
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": True})
        if b"expect" not in call.headers:
            await call.intake.discard(_LINGER_SECONDS, _LINGER_BYTES)
        await send({"type": "http.response.body", "body": b""})

    def _write_log(self, method: str, call: _Call, status: int, seconds: float, size: int) -> None:
        route = call.route
        assert self._log is not None
        self._log.add(
            call.request_id,
            method if method in _METHODS else "OTHER",
            "/fhir" + route.template if route is not None else "",
            call.interaction,
            call.type,
            status,
            int(seconds * 1_000_000),
            size,
        )


async def _begun(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """All pieces, the first one fetched before: what cannot even begin is told in words."""
    yield first
    async for piece in rest:
        yield piece


async def _packed(body: bytes) -> bytes:
    """The body compressed; level 1 saves three quarters of what 6 does, in a third of its time."""
    if len(body) < _LARGE:
        return zlib.compress(body, 1, 31)
    return await asyncio.to_thread(zlib.compress, body, 1, 31)


def _has_body(headers: Mapping[bytes, bytes]) -> bool:
    """More is to come than fits a socket's buffer, or nobody knows how much."""
    length = headers.get(b"content-length")
    if length is None:
        return b"transfer-encoding" in headers
    return not length.isdigit() or int(length) > _SMALL_BODY


def _fallback(headers: Mapping[bytes, bytes]) -> Format:
    """The format of an error that came before negotiation, or from it."""
    try:
        return negotiation.negotiate(headers.get(b"accept"))
    except HubError:
        return negotiation.DEFAULT
