"""What a search finds is what brute force finds: random searches over real data, all pages.

`HUB_ORACLE_SEARCHES` sets how many (a few hundred by default); with HUB_SHARED also over Synthea.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.context import Context
from hub.demo.generate import generate
from hub.interactions import Interactions, RegistryHolder
from hub.interactions.answer import BundleAnswer, resource_of
from hub.model import json
from hub.settings import Settings
from hub.storage.sqlite.store import open_store
from hub.validation.validator import Validator
from tests.property.search_oracle import BASE, Asked, Oracle

SEARCHES = int(os.environ.get("HUB_ORACLE_SEARCHES", "300"))
RANDOM = settings(
    max_examples=SEARCHES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
CTX = Context(base=BASE)
Parameters = list[tuple[str, str]]

NOT_ASKED = ("AuditEvent", "Binary", "Bundle", "Provenance")
"""Of two the hub itself tells more than what was loaded."""


class Hub:
    """A store with data, and the oracle over the same."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self._open(folder))

    async def _open(self, folder: Path) -> None:
        self.store = open_store(folder)
        self.door = Interactions(self.store, Validator(), RegistryHolder(self.store), Settings())

    async def _load(self, resources: list[dict[str, Any]]) -> None:
        for one in resources:
            if one["resourceType"] == "Bundle":
                await self.door.bundle(CTX, one)
            else:
                await self.door.update(CTX, one["resourceType"], one["id"], one)

    async def _all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page, after = await self.store.scan(1, (), after, 500)
            if not page:
                return found
            found += map(resource_of, page)

    def load(self, resources: list[dict[str, Any]]) -> None:
        self.loop.run_until_complete(self._load(resources))
        self.oracle = Oracle(self.loop.run_until_complete(self._all()))
        self.types = [name for name in self.oracle.resources if name not in NOT_ASKED]

    def page(self, type: str, parameters: Parameters) -> BundleAnswer:
        return self.loop.run_until_complete(self.door.search(CTX, type, parameters, strict=True))

    def pages(self, type: str, parameters: Parameters) -> Iterator[BundleAnswer]:
        asked = parameters
        while True:
            page = self.page(type, asked)
            yield page
            following = dict(page.links).get("next")
            if following is None:
                return
            (cursor,) = parse_qs(urlsplit(following).query)["_cursor"]
            asked = [*parameters, ("_cursor", cursor)]

    def close(self) -> None:
        self.loop.run_until_complete(self.store.close())
        self.loop.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The family-doctor centre."""
    hub = Hub(tmp_path_factory.mktemp("demo"))
    hub.load([json.decode(json.encode(one)) for one in generate(25, 3)])
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def synthea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Two patients with their hospitals and practitioners."""
    folder = Path(os.environ["HUB_SHARED"]) / "data" / "synthea"
    patients = sorted(
        (file for file in folder.glob("*_*.json")), key=lambda file: file.stat().st_size
    )
    files = [*sorted(folder.glob("hospital*")), *sorted(folder.glob("practitioner*"))]
    hub = Hub(tmp_path_factory.mktemp("synthea"))
    hub.load([json.decode(file.read_bytes()) for file in [*files, *patients[:2]]])
    yield hub
    hub.close()


def ids(page: BundleAnswer, mode: str = "match") -> list[str]:
    return [
        f"{entry.stored.type}/{entry.stored.id}"
        for entry in page.entries
        if entry.mode == mode and entry.stored
    ]


def agrees(hub: Hub, seed: int) -> None:
    """One random search, all its pages."""
    random = Random(seed)
    type = random.choice(hub.types)
    like = random.choice(hub.oracle.resources[type])
    drawn = [hub.oracle.ask(random, like) for _ in range(random.choice((1, 1, 2, 3)))]
    asked: list[Asked] = [one for one in drawn if one is not None]
    if not asked:
        return
    parameters = [(one.name, one.text) for one in asked]
    expected = Counter(
        f"{type}/{one['id']}"
        for one in hub.oracle.resources[type]
        if all(criterion.finds(one) for criterion in asked)
    )
    shape = [("_count", str(random.choice((1, 2, 7, 50, 1000)))), ("_total", "accurate")]
    # Quantities go by canonical units and tokens also by texts, which the oracle knows nothing of.
    sortable = [
        one.code
        for one in hub.oracle.parameters(type)
        if one.code == "_id" or one.type not in ("composite", "token", "quantity")
    ]
    keys = [random.choice(sortable) for _ in range(random.choice((0, 1, 1, 2)))]
    sort = ",".join(f"{random.choice(('', '-'))}{key}" for key in keys)
    if sort:
        shape.append(("_sort", sort))
    found: list[str] = []
    for page in hub.pages(type, parameters + shape):
        assert page.total == sum(expected.values()), parameters
        found += ids(page)
    assert Counter(found) == expected, parameters
    if sort:
        first = hub.oracle.ranks(type, sort.split(",")[0])
        places = [first[one] for one in found]
        assert places == sorted(places), parameters + shape


@RANDOM
@given(st.integers(0, 2**48))
def test_a_search_finds_what_brute_force_finds(demo: Hub, seed: int) -> None:
    agrees(demo, seed)


@pytest.mark.shared
@RANDOM
@given(st.integers(0, 2**48))
def test_a_search_in_synthea_finds_what_brute_force_finds(synthea: Hub, seed: int) -> None:
    agrees(synthea, seed)


def included(hub: Hub, seed: int) -> None:
    """One page with an include of each kind brings just what refers to it or is referred to."""
    random = Random(seed)
    type = random.choice(hub.types)
    references = hub.oracle.references(type)
    if not references:
        return
    parameter = random.choice(references)
    target = random.choice(["", *(one for one in hub.types if one in parameter.targets)])
    value = f"{type}:{parameter.code}" + (f":{target}" if target else "")
    shape = [("_count", str(random.choice((1, 3, 10))))]
    page = hub.page(type, [*shape, ("_include", value)])
    matched = [one for one in hub.oracle.resources[type] if f"{type}/{one['id']}" in ids(page)]
    wanted = {
        f"{found['resourceType']}/{found['id']}"
        for one in matched
        for kind in ([target] if target else hub.oracle.resources)
        for found in hub.oracle.targets(one, parameter, kind)
    }
    assert sorted(ids(page, "include")) == sorted(wanted - set(ids(page))), value

    kind = target or random.choice(hub.types)
    page = hub.page(kind, [*shape, ("_revinclude", f"{type}:{parameter.code}")])
    matches = set(ids(page))
    pointing = {
        f"{type}/{one['id']}"
        for one in hub.oracle.resources[type]
        for found in hub.oracle.targets(one, parameter, kind)
        if f"{kind}/{found['id']}" in matches
    }
    assert sorted(ids(page, "include")) == sorted(pointing - matches), value


@RANDOM
@given(st.integers(0, 2**48))
def test_includes_bring_what_brute_force_follows(demo: Hub, seed: int) -> None:
    included(demo, seed)


def test_pages_lose_and_repeat_nothing_while_data_changes(tmp_path: Path) -> None:
    """What stays as it is is met once, whatever comes, goes and changes between the pages."""
    hub = Hub(tmp_path)
    hub.load([json.decode(json.encode(one)) for one in generate(6, 5)])
    observations = hub.oracle.resources["Observation"]
    random = Random(1)

    async def disturb(number: int) -> None:
        one = random.choice(moving)
        match number % 3:
            case 0:
                fresh = {**one, "id": f"new-{number}"}
                await hub.door.update(CTX, "Observation", fresh["id"], fresh)
            case 1:
                moved = {**one, "effectiveDateTime": f"20{number % 90 + 10}-01-01"}
                await hub.door.update(CTX, "Observation", one["id"], moved)
            case _:
                await hub.door.delete(CTX, "Observation", f"new-{number - 2}")

    for sort in ("", "date", "-date", "_id", "-_lastUpdated", "code", "value-quantity,-_id"):
        moving = random.sample(observations, len(observations) // 3)
        names = {one["id"] for one in moving}
        staying = sorted(one["id"] for one in observations if one["id"] not in names)
        met: list[str] = []
        shape = [("_count", "3"), *([("_sort", sort)] if sort else [])]
        for number, page in enumerate(hub.pages("Observation", shape)):
            met += [one.partition("/")[2] for one in ids(page)]
            hub.loop.run_until_complete(disturb(number))
        assert sorted(one for one in met if one in set(staying)) == staying, sort
    hub.close()
