"""A running hub with people and apps of its own, and a desk beside it to forge things at."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx
from joserfc.jwk import RSAKey

from hub.access.front_desk import FrontDesk
from hub.access.personal_tokens import personal_token
from tests.access.beside import at_desk
from tests.rest.running import RunningHub

T = TypeVar("T")

PASSWORD = "correct horse battery"
_SOON = 5.0
_request_ids = itertools.count(1)


@dataclass
class Lab:
    """The hub under attack.

    Attributes:
        hub: It, over HTTP.
        data: Its data folder.
        tokens: Those made so far, by name, scope and base.
    """

    hub: RunningHub
    data: Path
    tokens: dict[tuple[str, str, str], str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The FHIR base."""
        return f"{self.hub.url}/fhir"

    def at_desk(self, do: Callable[[FrontDesk, int], Awaitable[T]]) -> T:
        """Do something with the ledger beside the running hub, as a command would."""

        return at_desk(self.data, do)

    def token(self, name: str, scope: str = "user/*.cruds", base: str = "") -> str:
        """A good token of an account; for another base: as this hub would make it there."""
        asked = name, scope, base or self.base
        if asked not in self.tokens:
            self.tokens[asked] = self.at_desk(
                lambda desk, now: personal_token(
                    desk, name, asked[2], now, scope=scope, lifetime=3600
                )
            )
        return self.tokens[asked]

    @cached_property
    def signing_key(self) -> RSAKey:
        """The hub's own private key: what is signed with it is wrong by its claims alone."""

        async def key(desk: FrontDesk, now: int) -> RSAKey:
            return (await desk.keys.current(now)).key

        return self.at_desk(key)

    @cached_property
    def anybody(self) -> httpx.Client:
        """Comes without a token."""
        return httpx.Client(base_url=self.base, timeout=30)

    @property
    def administrator(self) -> httpx.Client:
        """Reads the audit."""
        return self.hub.client

    def request_id(self) -> str:
        """An X-Request-Id of its own, by which the audit of a request is found."""
        return f"hostile-{next(_request_ids):06d}"

    def refusals(self, since: float, least: int = 1, **criteria: str) -> list[dict[str, Any]]:
        """AuditEvents of what was refused since a time, as soon as there are so many."""
        deadline = time.monotonic() + _SOON
        while True:
            found = self.audited(since, outcome="4,8,12", **criteria)
            if len(found) >= least or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def audited(self, since: float, **criteria: str) -> list[dict[str, Any]]:
        """AuditEvents since a time (seconds since the epoch), newest first."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since))
        answer = self.administrator.get(
            "/AuditEvent",
            params={"date": f"ge{moment}.{int(since * 1000) % 1000:03d}Z", "_count": "200"}
            | criteria,
        )
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", ())]
