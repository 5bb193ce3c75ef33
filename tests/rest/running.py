"""A real hub in a process of its own, for tests over sockets.

Authentication is on, and the clients of these tests send an administrator's token, unless a test
says `auth="off"`; with `HUB_TEST_AUTH=off` in the environment it is off for all that do not say.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hub.access import address
from hub.access.accounts import AccountRefused
from hub.access.front_desk import open_desk
from hub.access.personal_tokens import EVERYTHING, personal_token
from hub.app import open_door
from hub.context import utc_now
from hub.settings import Settings

AUTH = os.environ.get("HUB_TEST_AUTH", "on")

_BANNER = re.compile(r"FHIR +(http://[^/]+)/fhir")
_TOKEN = re.compile(r"^token: (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RunningHub:
    """A hub that answers.

    Attributes:
        url: Without `/fhir`.
        process: Its first process.
        log: File with its standard error.
        client: HTTP client of its FHIR base.
        token: An administrator's; "" while authentication is off.
        banner: What it printed at its start.
    """

    url: str
    process: subprocess.Popen[str]
    log: Path
    client: httpx.Client
    token: str = field(default="", repr=False)
    banner: str = field(default="", repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What lets a request in."""
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    @property
    def header_lines(self) -> str:
        """The same, for requests by hand."""
        return "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())

    def another_client(self, **more: Any) -> httpx.Client:
        """A client with connections of its own."""
        more.setdefault("timeout", 30)
        return httpx.Client(base_url=f"{self.url}/fhir", headers=self.headers, **more)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def lines(self) -> list[dict[str, Any]]:
        """The log so far; every line of it is JSON."""
        time.sleep(0.3)
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def tracebacks(self) -> str:
        """Where errors that nobody foresaw came from."""
        return "\n\n".join(
            "\n".join(line["traceback"]) for line in self.lines() if "traceback" in line
        )

    def unexpected_errors(self) -> int:
        """How many requests ended in an error of the hub itself."""
        text = httpx.get(self.url + "/metrics", timeout=10).text
        found = re.search(r"^hub_unexpected_errors_total (\d+)", text, re.MULTILINE)
        assert found
        return int(found[1])

    def audited(self, criteria: str, wanted: Callable[[Any], bool]) -> list[dict[str, Any]]:
        """The AuditEvents that criteria find and that are wanted; at least one, in five seconds."""
        deadline = time.monotonic() + 5
        while True:
            page = self.client.get(f"/AuditEvent?_count=200&{criteria}").json()
            resources = [entry["resource"] for entry in page.get("entry", ())]
            if found := [one for one in resources if wanted(one)]:
                return found
            assert time.monotonic() < deadline, f"no AuditEvent with {criteria}"
            time.sleep(0.2)

    def stop(self, code: int = 0) -> None:
        """Stop gracefully and expect an exit code."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == code


def _without_settings() -> dict[str, str]:
    """The environment without the settings of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}


@contextmanager
def running(folder: Path, *arguments: str, **settings: str) -> Iterator[RunningHub]:
    """A hub until the block ends.

    Args:
        folder: For its data and log.
        arguments: More arguments of `serve`.
        settings: `HUB_*` variables by their lower-case names without prefix.
    """
    settings.setdefault("auth", AUTH)
    variables = {f"HUB_{name.upper()}": value for name, value in settings.items()}
    log = folder / "hub.log"
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=_without_settings() | {"HUB_DATA": str(folder / "data")} | variables,
        )
    try:
        assert process.stdout is not None
        banner = ""
        for line in process.stdout:
            banner += line
            if "Stop with" in line:
                break
        assert "Stop with" in banner, f"{banner}{log.read_text()}"
        url = _url(banner, arguments)
        token = ""
        if settings["auth"] == "on":
            printed = _TOKEN.search(banner)
            token = printed[1] if printed else admin_token(_data(folder, arguments))
        headers = {"authorization": f"Bearer {token}"} if token else {}
        with httpx.Client(base_url=f"{url}/fhir", headers=headers, timeout=30) as client:
            yield RunningHub(url, process, log, client, token, banner)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _url(banner: str, arguments: tuple[str, ...]) -> str:
    """Where it listens; one with a public address is told its port."""
    found = _BANNER.search(banner)
    return found[1] if found else f"http://127.0.0.1:{arguments[arguments.index('--port') + 1]}"


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _data(folder: Path, arguments: tuple[str, ...]) -> Path:
    if "--data" in arguments:
        return Path(arguments[arguments.index("--data") + 1])
    return folder / "data"


def admin_token(data: Path) -> str:
    """A token of the administrator `tester`, who is made if need be.

    Args:
        data: Data folder of a hub that runs.
    """
    return token_of(data, "tester", "admin")


def token_of(data: Path, name: str, role: str, scope: str = EVERYTHING, fhir_user: str = "") -> str:
    """A token of an account, which is made if need be.

    Args:
        data: Data folder of a hub that runs.
        name: The account's.
        role: The account's.
        scope: The token's.
        fhir_user: The account's.
    """

    async def make() -> str:
        async with open_door(Settings(data=data)) as door:
            desk, now = open_desk(door.store.ledger, 1), int(utc_now().timestamp() * 1000)
            with suppress(AccountRefused):
                await desk.accounts.add(name, "a b c d e f", now, roles=[role], fhir_user=fhir_user)
            base = await address.noted(door.store.ledger, 1, now)
            try:
                return await personal_token(desk, name, base, now, scope=scope, lifetime=3600)
            finally:
                desk.close()

    # A test may have an event loop of its own already.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, make()).result()


def exchange(
    address: tuple[str, int], *sent: bytes, timeout: float = 5.0, pause: float = 0.0
) -> bytes:
    """What comes back for bytes by hand, until the hub closes or is silent.

    Args:
        address: Host and port.
        sent: Pieces.
        timeout: Seconds of silence.
        pause: Seconds after each piece.
    """
    with socket.create_connection(address, timeout) as connection:
        for piece in sent:
            try:
                connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
            time.sleep(pause)
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except (TimeoutError, ConnectionResetError):
            pass
        return received


def outcome(response: httpx.Response) -> dict[str, Any]:
    """The OperationOutcome of an error, checked for its shape."""
    assert response.headers["content-type"].startswith("application/fhir+json"), response.text
    found: dict[str, Any] = response.json()
    assert found["resourceType"] == "OperationOutcome"
    assert found["issue"]
    for issue in found["issue"]:
        assert issue["severity"] in ("fatal", "error", "warning", "information")
        assert issue["code"]
        assert issue["details"]["text"]
        assert issue["details"]["coding"][0]["code"]
    return found


def message_ids(response: httpx.Response) -> list[str]:
    """Stable message ids of an OperationOutcome."""
    return [issue["details"]["coding"][0]["code"] for issue in outcome(response)["issue"]]
