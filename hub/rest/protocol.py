"""uvicorn's HTTP protocol with limits of ours: size and time of headers, words for bad HTTP.

uvicorn bounds neither, and answers malformed HTTP in plain text. Used by `hub.serve`.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hub.errors import Issue, fault
from hub.model import json
from hub.rest.negotiation import language
from hub.rest.outcomes import outcome
from hub.settings import Settings

_RAW_ADDRESS = re.compile(rb"(?m)^[A-Z]{3,8} [\x21-\x7e]*[\x80-\xff]")
_LANGUAGE = re.compile(rb"(?im)^accept-language:[ \t]*([^\r\n]*)")


class HubProtocol(HttpToolsProtocol):
    """One connection.

    Attributes:
        settings: Set on the subclass that `protocol_class` makes.
    """

    settings: Settings

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: the first request's headers are due."""
        super().connection_made(transport)
        self._due_since = self.loop.time()
        self._size = 0
        self._refusal: tuple[int, Issue] | None = None
        self._received = b""
        self._unread, self._unread_since = 0, 0.0

    def data_received(self, data: bytes) -> None:
        """Feed the parser, and refuse headers without an end."""
        self._size = len(data) + (self._size if self._due_since else 0)
        self._received = data
        super().data_received(data)
        self._received = b""
        if self._due_since and self._size > self.settings.header_limit and self._refusal is None:
            self._refuse_size()
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """A request starts: the clock runs until its headers are complete."""
        if not self._due_since:
            self._due_since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Check the size of headers that came together with more, and hand the request on."""
        limit = self.settings.header_limit
        if self._size > limit:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > limit:
                self._refuse_size()
                raise ValueError  # The parser turns it into the answer to a bad request.
        self._due_since = 0.0
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer bad HTTP with an OperationOutcome and close."""
        status, issue = self._refusal or (400, self._malformed())
        # The parser has given up: what headers it has not seen are looked for by hand.
        asked = _LANGUAGE.search(self._received)
        body = json.encode(outcome((issue,), language(asked[1] if asked else None)))
        self._refusal = (status, issue)
        self.transport.write(
            b"".join(
                (
                    STATUS_LINE[status],
                    b"content-type: application/fhir+json; charset=utf-8\r\n",
                    b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body),
                    body,
                )
            )
        )
        self.transport.close()

    def _malformed(self) -> Issue:
        """What is wrong with HTTP that the parser refuses."""
        if self._due_since and _RAW_ADDRESS.search(self._received):
            return fault("structure", "url-not-ascii")
        return fault("structure", "http-malformed")

    def _refuse_size(self) -> None:
        limit = self.settings.header_limit
        self._refusal = (431, fault("too-long", "headers-too-large", limit=limit))

    def close_if_late(self, now: float) -> None:
        """End the connection when its headers are overdue.

        Args:
            now: The loop's time.
        """
        if not self._due_since or now - self._due_since < self.settings.header_timeout:
            return
        if self._size:
            self._refusal = (408, fault("timeout", "headers-too-slow"))
            self.send_400_response("")
        else:
            self.transport.close()

    def unread(self, now: float) -> int:
        """Bytes of answers that the client has not taken yet; a client that takes none is left.

        An answer stays in memory until then, long after its request was counted as done.

        Args:
            now: The loop's time.
        """
        waiting = int(self.transport.get_write_buffer_size())
        if not waiting or waiting != self._unread:
            self._unread, self._unread_since = waiting, now
        elif now - self._unread_since > self.settings.body_timeout:
            self.leave()
            return 0
        return waiting

    def leave(self) -> None:
        """Close at once and forget what was to be sent."""
        self.transport.abort()


def protocol_class(settings: Settings) -> type[Any]:
    """The protocol with a hub's limits.

    Args:
        settings: `header_limit`, `header_timeout`.
    """
    return type("HubProtocol", (HubProtocol,), {"settings": settings})
