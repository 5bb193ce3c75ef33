"""A real hub in a process of its own, for tests over sockets."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_BANNER = re.compile(r"FHIR +(http://[^/]+)/fhir")


@dataclass(frozen=True, slots=True)
class RunningHub:
    """A hub that answers.

    Attributes:
        url: Without `/fhir`.
        process: Its first process.
        log: File with its standard error.
        client: HTTP client of its FHIR base.
    """

    url: str
    process: subprocess.Popen[str]
    log: Path
    client: httpx.Client

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

    def stop(self, code: int = 0) -> None:
        """Stop gracefully and expect an exit code."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == code


@contextmanager
def running(folder: Path, *arguments: str, **settings: str) -> Iterator[RunningHub]:
    """A hub until the block ends.

    Args:
        folder: For its data and log.
        arguments: More arguments of `serve`.
        settings: `HUB_*` variables by their lower-case names without prefix.
    """
    variables = {f"HUB_{name.upper()}": value for name, value in settings.items()}
    log = folder / "hub.log"
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve", "--port", "0", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"HUB_DATA": str(folder / "data")} | variables,
        )
    try:
        assert process.stdout is not None
        banner = ""
        for line in process.stdout:
            banner += line
            if "Stop with" in line:
                break
        found = _BANNER.search(banner)
        assert found, f"{banner}{log.read_text()}"
        with httpx.Client(base_url=f"{found[1]}/fhir", timeout=30) as client:
            yield RunningHub(found[1], process, log, client)
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
