"""Take in a request's body: within its limit, within its time, decompressed.

One `Intake` per request, made by `hub.rest.dispatcher`, read by the handlers.
Spec: https://hl7.org/fhir/R4/http.html, RFC 9110 sections 8.4 and 10.1.1.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping

from hub.errors import (
    BadRequest,
    HubError,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
    fault,
)
from hub.rest.exchange import Message, Receive
from hub.settings import Settings

_PIECE = 64 * 1024
_BREATH = 16 * _PIECE


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


class BodyTimeout(HubError):
    """408: the body came too slowly."""

    status = 408


class Budget:
    """Bytes of request bodies that one process holds."""

    def __init__(self, limit: int) -> None:
        """Start empty.

        Args:
            limit: Bytes it may hold.
        """
        self.limit = limit
        self.held = 0


class Intake:
    """A request's body, read at most once.

    Attributes:
        complete: True once the last piece was received, or the client is gone.
    """

    __slots__ = (
        "_budget",
        "_headers",
        "_held",
        "_receive",
        "_received",
        "_settings",
        "_started",
        "complete",
    )

    def __init__(
        self, receive: Receive, headers: Mapping[bytes, bytes], settings: Settings, budget: Budget
    ) -> None:
        """Nothing is received yet.

        Args:
            receive: ASGI receive.
            headers: The request's headers.
            settings: For limits and rates.
            budget: What all bodies together may hold.
        """
        self._receive, self._headers = receive, headers
        self._settings, self._budget = settings, budget
        self._held = self._received = 0
        self._started = 0.0
        self.complete = False

    def release(self) -> None:
        """Give back what the body held of the budget."""
        self._budget.held -= self._held
        self._held = 0

    def _check_length(self, limit: int) -> None:
        text = self._headers.get(b"content-length", b"0")
        if text.isdigit() and int(text) > limit:
            raise _too_large(limit)

    def _poll(self) -> Message | None:
        """The next message if it is here already, which spares nearly every body a timer."""
        receiving = self._receive()
        try:
            receiving.send(None)
        except StopIteration as received:
            message: Message = received.value
            return message
        receiving.close()
        return None

    async def _piece(self, limit: int) -> bytes:
        """The next piece; sets `complete` with the last one."""
        message = self._poll()
        if message is None:
            settings = self._settings
            clock = asyncio.get_running_loop().time
            self._started = self._started or clock()
            allowed = settings.body_timeout + self._received / settings.body_rate
            try:
                async with asyncio.timeout_at(self._started + allowed):
                    message = await self._receive()
            except TimeoutError as error:
                raise BodyTimeout(fault("timeout", "body-too-slow")) from error
        self.complete = not message.get("more_body", False)
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece: bytes = message.get("body", b"")
        self._received += len(piece)
        if self._received > limit:
            raise _too_large(limit)
        return piece

    async def _arriving(self, limit: int) -> AsyncIterator[bytes]:
        """The body as it arrives, still compressed if it was sent so."""
        self._check_length(limit)
        while not self.complete:
            piece = await self._piece(limit)
            if piece:
                yield piece

    async def _inflated(self, limit: int) -> AsyncIterator[bytes]:
        inflater = zlib.decompressobj(wbits=31)
        total = 0
        async for piece in self._arriving(limit):
            while piece:
                try:
                    made = inflater.decompress(piece, _PIECE)
                except zlib.error as error:
                    raise _broken() from error
                if inflater.unused_data:
                    raise _broken()
                piece = inflater.unconsumed_tail
                total += len(made)
                if total > limit:
                    raise _too_large(limit)
                yield made
                if not total % _BREATH:  # A small piece may hold many megabytes.
                    await asyncio.sleep(0)
        yield inflater.flush()
        if not inflater.eof:
            raise _broken()

    def pieces(self, limit: int) -> AsyncIterator[bytes]:
        """The body piece by piece, decompressed; the limit holds before and after.

        Args:
            limit: Most bytes.

        Raises:
            TooLarge: More than `limit` bytes.
            BodyTimeout: Slower than the settings allow.
            UnsupportedMediaType: Content-Encoding is neither gzip nor identity.
            BadRequest: The compressed data is broken.
            ClientGone: The connection was closed first.
        """
        encoding = self._headers.get(b"content-encoding", b"identity").strip().lower()
        if encoding == b"identity":
            return self._arriving(limit)
        if encoding not in (b"gzip", b"x-gzip"):
            raise UnsupportedMediaType(fault("not-supported", "content-encoding-unsupported"))
        return self._inflated(limit)

    async def read(self, limit: int | None = None) -> bytes:
        """The whole body; it counts against the budget until `release`.

        Args:
            limit: Most bytes; the setting `body_limit` when None.

        Raises:
            Unavailable: Other bodies hold the budget.
            HubError: As `pieces` says.
            ClientGone: The connection was closed first.
        """
        limit = self._settings.body_limit if limit is None else limit
        if b"content-encoding" not in self._headers:
            self._check_length(limit)
            piece = await self._piece(limit)
            self._hold(len(piece))
            if self.complete:
                return piece
            found = bytearray(piece)
        else:
            found = bytearray()
        async for piece in self.pieces(limit):
            self._hold(len(piece))
            found += piece
        return bytes(found)

    def _hold(self, size: int) -> None:
        budget = self._budget
        if budget.held + size > budget.limit:
            raise Unavailable(fault("throttled", "bodies-too-many"))
        budget.held += size
        self._held += size

    async def gone(self) -> None:
        """Wait until the client has closed the connection; the body is over."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def discard(self, seconds: float, size: int) -> None:
        """Read on and throw away, so that a client still sending gets to read its answer.

        Args:
            seconds: Most time to spend.
            size: Most bytes to read.
        """
        try:
            async with asyncio.timeout(seconds):
                while not self.complete and size > 0:
                    message = await self._receive()
                    self.complete = not message.get("more_body", False)
                    size -= len(message.get("body", b""))
        except TimeoutError:
            return


def _too_large(limit: int) -> TooLarge:
    return TooLarge(fault("too-long", "body-too-large", limit=limit))


def _broken() -> BadRequest:
    return BadRequest(fault("structure", "gzip-broken"))
