"""Every interaction on every type, right and wrong, against a running hub on SQLite.

What is refused says why in the client's language and has changed nothing; nothing ends in an
error of the hub's own; memory stays bounded; the store is sound at the end. `HUB_FUZZ_SECONDS`
lets it run for long, `HUB_FUZZ_SEED` elsewhere.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.property.hostile import Request, request
from tests.rest.running import RunningHub, running

SECONDS = float(os.environ.get("HUB_FUZZ_SECONDS", "0"))
SEED = int(os.environ.get("HUB_FUZZ_SEED", "1"))
REQUESTS = 1500
MOST_RSS = 450
_HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub with small limits; stopped, its store is checked."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    with running(folder, body_limit="256KB", body_budget="4MB", search_deadline="2") as found:
        yield found
        assert found.unexpected_errors() == 0, found.tracebacks()
        found.stop()
    data = ["--data", str(folder / "data")]
    command = [sys.executable, "-m", "hub", "check", *data]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def _latest(hub: RunningHub) -> str:
    """What was written last."""
    found = hub.client.get("/_history?_count=1", headers={"accept": "application/fhir+json"})
    assert found.status_code == 200, found.text
    entries = found.json().get("entry", ())
    return "".join(entry["fullUrl"] + entry["response"]["etag"] for entry in entries)


def _told(response: httpx.Response, chinese: bool) -> None:
    """A refusal is an OperationOutcome with words."""
    assert "content-type" in response.headers, response.headers
    kind = response.headers["content-type"]
    assert "fhir+json" in kind or "fhir+xml" in kind, (kind, response.text[:300])
    if "xml" in kind:
        assert "<OperationOutcome" in response.text
        return
    found = response.json()
    assert found["resourceType"] == "OperationOutcome"
    for issue in found["issue"]:
        assert issue["details"]["text"]
        if chinese:
            assert _HAN.search(issue["details"]["text"]), issue


def _rss(hub: RunningHub) -> int:
    """Resident memory of the hub in MB."""
    status = Path(f"/proc/{hub.process.pid}/status")
    if not status.exists():
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text())
    return int(found[1]) // 1024 if found else 0


def _send(hub: RunningHub, made: Request) -> httpx.Response:
    return hub.client.request(
        made.method, f"{hub.url}/fhir{made.url}", content=made.body, headers=made.headers
    )


def test_no_request_breaks_the_hub(hub: RunningHub) -> None:
    rnd, seen = Random(SEED), Counter[int]()
    started, before, number = time.monotonic(), _latest(hub), 0
    while number < REQUESTS or time.monotonic() - started < SECONDS:
        number += 1
        made = request(rnd)
        response = _send(hub, made)
        seen[response.status_code] += 1
        context = f"request {number} of seed {SEED}: {made}\n{response.text[:600]}"
        assert response.status_code < 500 or response.status_code == 503, context
        below = response.request.url.path.startswith("/fhir")
        if response.status_code >= 400 and made.method != "HEAD" and below:
            try:
                _told(response, made.headers.get("accept-language") == "zh-CN")
            except (AssertionError, ValueError, KeyError) as error:
                raise AssertionError(f"{error}\n{context}") from None
        if made.method not in ("GET", "HEAD", "OPTIONS"):
            now = _latest(hub)
            assert response.status_code < 400 or now == before, f"written though refused: {context}"
            before = now
    print(number, dict(seen), _rss(hub))
    assert seen[200] + seen[201] > number // 10, seen
    assert _rss(hub) < MOST_RSS
