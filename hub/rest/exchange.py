"""One request as the handlers see it, and the answer they give.

Made and sent by `hub.rest.dispatcher`. Spec: https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub.context import Context

if TYPE_CHECKING:
    from hub.rest.body import Intake
    from hub.rest.service import Service

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Coroutine[Any, Any, Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]
Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Format:
    """The representation to answer in.

    Attributes:
        name: `json` or `xml`.
        content_type: Value of Content-Type.
        pretty: Indented, for people.
        explicit: A FHIR format was asked for by name, rather than by a wildcard or not at all;
            decides whether Binary is sent raw.
    """

    name: Literal["json", "xml"]
    content_type: bytes
    pretty: bool = False
    explicit: bool = False


class Request(msgspec.Struct, frozen=True):
    """One request under the FHIR base.

    Attributes:
        service: What the handlers work with.
        context: Principal, tenant, language, base, request id.
        method: HTTP method.
        type: Resource type of the path, "" at the base.
        id: Logical id, "" without.
        rest: What the route's last variable holds: the version of vread, the type of a
            compartment search (`*`: all), the name of an operation with `$`.
        parameters: Decoded query without `_format` and `_pretty`.
        query: The same with them, so that a page's links keep the format.
        headers: Lower-case names to raw values; repeated list headers are joined by commas.
        format: How to answer.
        intake: The body.
    """

    service: Service
    context: Context
    method: str
    type: str
    id: str
    rest: str
    parameters: Parameters
    query: Parameters
    headers: Mapping[bytes, bytes]
    format: Format
    intake: Intake

    def header(self, name: bytes) -> str | None:
        """A header's value as text, None when it was not sent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Answer(msgspec.Struct, frozen=True):
    """What to send.

    Attributes:
        status: HTTP status.
        headers: Beside the ones every answer has; Content-Type is among them when there is a
            body.
        body: The bytes, or pieces of them, which the dispatcher closes; pieces need a
            content-length header.
        encoded: The body is compressed already, and a header says so.
        unforeseen: Entries of a bundle that failed by a mistake of ours, to be counted.
    """

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes | AsyncGenerator[bytes, None] = b""
    encoded: bool = False
    unforeseen: int = 0


Handler = Callable[[Request], Awaitable[Answer]]
