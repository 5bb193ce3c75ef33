"""Who asks, for whom and when: the context that travels with every interaction.

Made by the edge (REST, CLI, adapters), read by interactions, storage and audit.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from hub.principal import LOCAL, Principal

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The system clock, with its offset."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Tenant:
    """The data controller whose records an interaction may touch.

    Attributes:
        key: Integer that leads every key of every store.
        name: Name in URLs and settings; `main` is the default tenant.
        zone: IANA zone that expands dates without an offset.
    """

    key: int = 1
    name: str = "main"
    zone: str = "Asia/Shanghai"


class Context(msgspec.Struct, frozen=True):
    """One request's context.

    Attributes:
        tenant: The tenant.
        principal: Who asks; `LOCAL` while authentication is off.
        request_id: Correlates log, audit and answer; `X-Request-Id`.
        language: BCP-47 tag for messages, negotiated from Accept-Language.
        base: The hub's own base URL without a trailing slash, for absolute links.
        clock: The clock to use.
        large: What it brings may be so large that looking through it would keep all other
            requests waiting.
        address: Network address of the client, for the audit; "" on the command line.
    """

    tenant: Tenant = msgspec.field(default_factory=Tenant)
    principal: Principal = LOCAL
    request_id: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex)
    language: str = "en"
    base: str = "http://127.0.0.1:8080/fhir"
    clock: Clock = utc_now
    large: bool = False
    address: str = ""

    @property
    def now(self) -> int:
        """Milliseconds since the epoch by its clock."""
        return int(self.clock().timestamp() * 1000)
