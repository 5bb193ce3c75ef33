"""The demo's people, as `serve --demo` prints them, and the demo hub they come to."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hub.loading.demo_accounts import cast
from tests.e2e.commands import fhir_hub
from tests.rest.running import RunningHub, running

_LINE = re.compile(r"user: (\S+)  password: (\S+)  \((\w+)\)")


@dataclass(frozen=True)
class Somebody:
    """One of the demo.

    Attributes:
        account: Name at login.
        password: As it was printed.
        name: For people, "" for the administrator.
        id: Logical id in the record.
    """

    account: str
    password: str
    name: str
    id: str


@dataclass(frozen=True)
class Centre:
    """The demo hub, its people by role, and the tokens of their scripts."""

    hub: RunningHub
    data: Path
    people: dict[str, Somebody]
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The FHIR base."""
        return f"{self.hub.url}/fhir"

    def command(self, *arguments: str, code: int = 0) -> str:
        """`fhir-hub` at the centre's machine; gives what it printed."""
        return fhir_hub(self.data, *arguments, code=code)

    def get(self, role: str, path: str, **query: str) -> httpx.Response:
        """What somebody's own script gets, with a token of `fhir-hub token`."""
        return httpx.get(self.base + path, params=query, headers=self.token(role), timeout=30)

    def token(self, role: str) -> dict[str, str]:
        """The header of somebody's script."""
        if role not in self.tokens:
            self.tokens[role] = self.command("token", self.people[role].account).strip()
        return {"authorization": f"Bearer {self.tokens[role]}"}

    def events(self, expected: int = 1, **query: str) -> list[dict[str, Any]]:
        """AuditEvents as the administrator finds them, newest first.

        A read is in the chain a quarter of a second after its answer: so many are waited for.
        """
        deadline = time.monotonic() + 10
        while True:
            answer = self.get("admin", "/AuditEvent", _count="100", **query)
            assert answer.status_code == 200, answer.text
            found = [entry["resource"] for entry in answer.json().get("entry", ())]
            if len(found) >= expected or time.monotonic() > deadline:
                return found
            time.sleep(0.1)


@contextmanager
def centre(folder: Path) -> Iterator[Centre]:
    """The demo until the block ends.

    Args:
        folder: For its data and log.
    """
    with running(folder, "--demo", auth="on") as hub:
        # What it prints is kept beside the record, so that every start prints the same.
        printed = (folder / "data/demo-accounts.txt").read_text(encoding="utf-8")
        passwords = {role: (name, password) for name, password, role in _LINE.findall(printed)}
        people = {
            one.role: Somebody(*passwords[one.role], one.display, one.fhir_user.partition("/")[2])
            for one in cast()
        }
        yield Centre(hub, folder / "data", people)
