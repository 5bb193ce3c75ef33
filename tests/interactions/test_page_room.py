"""Pages of big resources end early, so that they fit into memory, and nothing is passed over."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from hub.context import Context
from hub.interactions import BundleAnswer, Interactions, include
from hub.interactions import history as histories
from hub.search import parse as parsing
from hub.storage.sqlite import record
from hub.storage.sqlite.store import open_store
from tests.interactions.conftest import door_over, observation

COUNT = 20


def ids(answer: BundleAnswer) -> list[str]:
    return [entry.stored.id for entry in answer.entries if entry.stored is not None]


def following(answer: BundleAnswer) -> list[tuple[str, str]] | None:
    url = dict(answer.links).get("next")
    return None if url is None else parse_qsl(urlsplit(url).query)


async def filled(folder: Path, ctx: Context, size: int) -> Interactions:
    door = door_over(open_store(folder))
    for number in range(COUNT):
        more = {"note": [{"text": "x" * size}], "effectiveDateTime": f"20{number + 10}"}
        if number % 4 == 0:
            del more["effectiveDateTime"]
        made = observation(id=f"o{number:02}", **more)
        await door.update(ctx, "Observation", made["id"], made)
    return door


@pytest.mark.parametrize("sort", ["", "date", "-date", "_lastUpdated", "_id", "-date,_id", "code"])
@pytest.mark.parametrize("size", [4000, 100_000])
async def test_pages_end_early_and_go_on(
    tmp_path: Path, ctx: Context, monkeypatch: pytest.MonkeyPatch, sort: str, size: int
) -> None:
    door = await filled(tmp_path, ctx, size)
    parameters = [("_count", str(COUNT)), *([("_sort", sort)] if sort else [])]
    whole = ids(await door.search(ctx, "Observation", parameters))
    assert sorted(whole) == [f"o{number:02}" for number in range(COUNT)]
    monkeypatch.setattr(parsing, "ROOM", 3 * size)
    found: list[str] = []
    asked: list[tuple[str, str]] | None = [*parameters, ("_total", "accurate")]
    while asked is not None:
        answer = await door.search(ctx, "Observation", asked)
        assert answer.total == COUNT
        assert len(answer.entries) in (2, 3)
        found += ids(answer)
        asked = following(answer)
    assert found == whole
    await door.store.close()


async def test_histories_end_early_and_go_on(
    tmp_path: Path, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = await filled(tmp_path, ctx, 4000)
    monkeypatch.setattr(histories, "ROOM", 10_000)
    found: list[str] = []
    asked: list[tuple[str, str]] | None = [("_count", str(COUNT))]
    while asked is not None:
        answer = await door.history(ctx, "Observation", "", asked)
        assert answer.total == COUNT
        assert len(answer.entries) in (2, 3)
        found += ids(answer)
        asked = following(answer)
    assert found == [f"o{number:02}" for number in reversed(range(COUNT))]
    await door.store.close()


async def test_scans_end_early_and_go_on(
    tmp_path: Path, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = await filled(tmp_path, ctx, 4000)
    monkeypatch.setattr(record, "SCANNED_AT_ONCE", 10_000)
    found: list[str] = []
    after = 0
    while True:
        page, after = await door.store.scan(1, ("Observation",), after, COUNT)
        if not page:
            break
        assert len(page) <= 3
        found += [stored.id for stored in page]
    assert found == [f"o{number:02}" for number in range(COUNT)]
    await door.store.close()


@pytest.mark.parametrize(
    "parameters",
    [
        [("_id", "all"), ("_include", "Observation:has-member")],
        [("_id", "all"), ("_revinclude", "Observation:derived-from")],
    ],
)
async def test_what_comes_along_ends_early_and_says_so(
    tmp_path: Path,
    ctx: Context,
    monkeypatch: pytest.MonkeyPatch,
    parameters: list[tuple[str, str]],
) -> None:
    door = await filled(tmp_path, ctx, 4000)
    members = [{"reference": f"Observation/o{number:02}"} for number in range(COUNT)]
    one = observation(id="all", hasMember=members)
    await door.update(ctx, "Observation", "all", one)
    for number in range(COUNT):
        more = {"note": [{"text": "x" * 4000}], "derivedFrom": [{"reference": "Observation/all"}]}
        made = observation(id=f"d{number:02}", **more)
        await door.update(ctx, "Observation", made["id"], made)
    whole = await door.search(ctx, "Observation", parameters)
    assert len(whole.entries) == 1 + COUNT
    assert not whole.issues
    monkeypatch.setattr(include, "ROOM", 10_000)
    monkeypatch.setattr(include, "READ_AT_ONCE", 4)
    cut = await door.search(ctx, "Observation", parameters)
    assert [entry.mode for entry in cut.entries] == ["match", *["include"] * 3, "outcome"]
    assert [issue.message for issue in cut.issues] == ["include-limit"]
    await door.store.close()
