"""What the pages show is what the hub answers, on the record of docs/examples.ndjson."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.app import Hub
from hub.model import json
from hub.settings import Settings
from tests.docs.pages import DOCS, Example, encoded, examples, findings, matches, pages

RECORD = DOCS / "examples.ndjson"
_WITH_EXAMPLES = [page for page in pages() if any(examples(page)) or any(findings(page))]


@asynccontextmanager
async def hub_with_the_record(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A hub of its own, the record of the examples in it, and a site that never answers."""
    site = folder / "sites" / "central.toml"
    site.parent.mkdir()
    site.write_text('[destination]\nhost = "127.0.0.1"\nport = 9\n')
    hub: Any = Hub(Settings(data=folder, auth="off"))
    to_hub: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_hub: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    life = asyncio.create_task(hub({"type": "lifespan"}, to_hub.get, from_hub.put))
    await to_hub.put({"type": "lifespan.startup"})
    assert (await from_hub.get())["type"] == "lifespan.startup.complete"
    try:
        transport = httpx.ASGITransport(app=hub)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8080", timeout=30
        ) as client:
            await _load(client)
            yield client
    finally:
        await to_hub.put({"type": "lifespan.shutdown"})
        await life


async def _load(client: httpx.AsyncClient) -> None:
    entries = []
    for line in RECORD.read_bytes().splitlines():
        resource = json.decode(line)
        url = f"{resource['resourceType']}/{resource['id']}"
        entries.append({"resource": resource, "request": {"method": "PUT", "url": url}})
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await client.post(
        "/fhir",
        content=json.encode(bundle),
        headers={"content-type": "application/fhir+json"},
    )
    assert answer.status_code == 200, answer.text


async def _repeat(client: httpx.AsyncClient, example: Example) -> None:
    request = example.request
    content = request.body.encode() or None
    headers = {name.encode(): value.encode() for name, value in request.headers}
    made = client.build_request(example.method, example.path, content=content, headers=headers)
    for own in ("accept", "accept-encoding"):  # httpx sends these by itself.
        if own.encode() not in headers:
            del made.headers[own]
    response = await client.send(made)
    if example.answer is None:
        assert response.is_success, response.text
        return
    written = example.answer
    start = f"HTTP/1.1 {response.status_code} {response.reason_phrase}"
    assert start == written.start, f"{request.start}: {response.text}"
    for name, value in written.headers:
        assert matches(value, response.headers.get(name, "(absent)")), name
    assert matches(written.body, response.text), f"{request.start}: {response.text}"


@pytest.mark.parametrize("page", _WITH_EXAMPLES, ids=lambda page: page.stem)
async def test_the_examples_of_a_page_are_answered_as_written(page: Path, tmp_path: Path) -> None:
    async with hub_with_the_record(tmp_path) as client:
        for finding in findings(page):
            response = await client.get("/fhir/" + encoded(finding.search))
            if finding.found[:1] and finding.found[0].isdigit():
                assert response.status_code == int(finding.found[0]), finding.search
                issues = response.json()["issue"]
                codes = [issue["details"]["coding"][0]["code"] for issue in issues]
                assert codes == list(finding.found[1:]), finding.search
                continue
            assert response.status_code == 200, f"{finding.search}: {response.text}"
            entries = response.json().get("entry", [])
            ids = [entry["resource"].get("id", "OperationOutcome") for entry in entries]
            wanted = list(finding.found)
            assert sorted(ids) == sorted(wanted), finding.search
        for example in examples(page):
            await _repeat(client, example)
