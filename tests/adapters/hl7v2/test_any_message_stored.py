"""Whatever stands in a message: what is answered AA is valid, what is answered AE is kept whole.

`TEST_ANY_MESSAGES` says how many examples, 60 in the suite.
"""

from __future__ import annotations

import asyncio
import os
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.hl7v2.envelope import open_beside
from adapters.hl7v2.inbox import Inbox
from adapters.hl7v2.mapping.library import message_names
from adapters.hl7v2.pipeline import Pipeline
from adapters.hl7v2.reasons import read_reasons
from adapters.hl7v2.sites import DEFAULT, Site, Sites
from adapters.hl7v2.work import Worker
from hub.context import Tenant
from hub.model import json
from hub.model.body import join
from hub.storage.memory.store import MemoryStore
from hub.storage.message_log import MessageQuery
from hub.storage.port import Stored
from tests.adapters.hl7v2.random_messages import messages
from tests.interactions.conftest import VALIDATOR, door_over

EXAMPLES = int(os.environ.get("TEST_ANY_MESSAGES", "60"))
BASE = "http://127.0.0.1/fhir"


async def everything(store: MemoryStore) -> list[Stored]:
    """What is stored now."""
    rows, _ = await store.scan(1, (), 0, 100_000)
    return rows


async def tell(texts: list[str]) -> None:
    """Send messages one after the other, and look at what is there after each."""
    store = MemoryStore()
    log, sites, kinds = store.messages, Sites({DEFAULT: Site()}), message_names().keys()
    worker = Worker(door_over(store), Tenant(), BASE)
    pipeline = Pipeline(log, 1, worker, partial(open_beside, sites=sites, kinds=kinds))
    inbox = Inbox(log, 1, sites, kinds, pipeline, 1_000_000)
    for number, text in enumerate(texts):
        raw = text.replace("|C1|", f"|C{number}|", 1).encode()
        before = await everything(store)
        taken = await inbox.take(raw, "127.0.0.1")
        answer = (taken.now if taken.later is None else await taken.later).decode()
        row = (await log.arrivals(1, MessageQuery(count=1)))[0].row
        found = await log.arrival(1, row)
        assert found is not None
        assert found.arrival.raw == raw
        after = await everything(store)
        assert "\ufffd" not in answer
        if "\rMSA|AA|" in answer:
            assert found.arrival.state == "stored"
            assert_valid(after)
        else:
            assert after == before
            assert found.arrival.state == "quarantined"
            assert read_reasons(found.arrival.reason)
    assert pipeline.outcomes.failures == 0


def assert_valid(rows: list[Stored]) -> None:
    """Every resource is valid, and refers to what is there."""
    there = {f"{row.type}/{row.id}" for row in rows}
    for row in rows:
        body = join(row.type, row.id, row.version, row.updated, row.tail)
        resource = json.decode(body)
        issues = VALIDATOR.validate(resource)
        assert not [issue for issue in issues if issue.severity == "error"], resource
        assert "\ufffd" not in body.decode()
        for reference in references(resource):
            assert reference.partition("/_history/")[0] in there, reference


def references(value: object) -> list[str]:
    """All literal references in a resource."""
    if isinstance(value, list):
        return [one for inner in value for one in references(inner)]
    if not isinstance(value, dict):
        return []
    own = value.get("reference")
    found = [own] if isinstance(own, str) and not own.startswith("#") else []
    return found + [one for inner in value.values() for one in references(inner)]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(messages(), min_size=1, max_size=3))
def test_any_messages_leave_a_valid_record(texts: list[str]) -> None:
    asyncio.run(tell(texts))
