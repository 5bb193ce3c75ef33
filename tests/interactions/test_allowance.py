"""The answers of one bundle are bounded, in bytes and in time."""

from __future__ import annotations

from typing import Any

import pytest

from hub.context import Context
from hub.errors import HubError, TooCostly
from hub.interactions.allowance import Allowance
from hub.interactions.answer import BundleAnswer, Entry, Preference
from hub.messages import render
from hub.storage.port import Store
from tests.interactions.conftest import door_over, patient

LIMIT = 64 * 1024
SEARCH = {"request": {"method": "GET", "url": "Patient?_count=1000"}}


def bundle(type: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type, "entry": entries}


def statuses(answer: BundleAnswer) -> list[str]:
    return [entry.response.status for entry in answer.entries if entry.response]


@pytest.mark.parametrize("type", ["batch", "transaction"])
async def test_searches_beyond_the_limit_are_refused_in_their_entries(
    type: str, store: Store, ctx: Context
) -> None:
    door = door_over(store, body_limit=LIMIT)
    await door.create(ctx, "Patient", patient(name=[{"text": "x" * 16_000}]))
    write = {"request": {"method": "POST", "url": "Patient"}, "resource": patient()}
    answer = await door.bundle(ctx, bundle(type, [write] + [SEARCH] * 100))
    found = statuses(answer)
    assert found[0] == "201 Created"
    assert 4 <= found.count("200 OK") <= 40
    assert found.count("403 Forbidden") == 100 - found.count("200 OK")
    assert len(answer.to_json()) < 2 * LIMIT + 100 * 1000
    outcome = next(e.response.outcome for e in answer.entries if e.response and e.response.outcome)
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "bundle-answer-size"


async def test_a_transaction_of_reads_only_fails_whole(store: Store, ctx: Context) -> None:
    door = door_over(store, body_limit=LIMIT)
    await door.create(ctx, "Patient", patient(name=[{"text": "x" * 16_000}]))
    with pytest.raises(HubError) as caught:
        await door.bundle(ctx, bundle("transaction", [SEARCH] * 100))
    assert caught.value.status == 403


async def test_capabilities_asked_for_a_hundred_times_are_given_a_few_times(
    store: Store, ctx: Context
) -> None:
    door = door_over(store)
    ask = {"request": {"method": "GET", "url": "metadata"}}
    answer = await door.bundle(ctx, bundle("batch", [ask] * 60))
    assert 1 <= statuses(answer).count("200 OK") <= 40


async def test_writes_beyond_the_limit_are_done_and_answered_without_the_resource(
    store: Store, ctx: Context
) -> None:
    door = door_over(store, body_limit=LIMIT)
    made = await door.create(ctx, "Patient", patient(name=[{"text": "x" * 16_000}]))
    assert made.stored is not None
    operation = {
        "name": "operation",
        "part": [
            {"name": "type", "valueCode": "replace"},
            {"name": "path", "valueString": "Patient.birthDate"},
            {"name": "value", "valueDate": "1980-01-01"},
        ],
    }
    patch = {
        "request": {"method": "PATCH", "url": f"Patient/{made.stored.id}"},
        "resource": {"resourceType": "Parameters", "parameter": [operation]},
    }
    answer = await door.bundle(
        ctx, bundle("batch", [patch] * 40), prefer=Preference("representation")
    )
    assert set(statuses(answer)) == {"200 OK"}
    assert 3 <= sum(entry.stored is not None for entry in answer.entries) <= 6
    assert (await door.read(ctx, "Patient", made.stored.id)).version == 41


def test_reading_ends_after_its_time() -> None:
    now = 0.0
    allowance = Allowance(1000, 5, lambda: now)
    allowance.check()
    now = 6.0
    with pytest.raises(TooCostly) as caught:
        allowance.check()
    issue = caught.value.issues[0]
    assert issue.message == "bundle-answer-time"
    assert render(issue.message, issue.arguments, "zh-CN")


def test_a_bundle_in_a_bundle_counts_with_all_its_entries() -> None:
    allowance = Allowance(1000)
    resource = {"resourceType": "Patient", "language": "x" * 300}
    allowance.take(Entry(bundle=BundleAnswer("searchset", (Entry(resource=resource),))))
    with pytest.raises(TooCostly):
        allowance.check()
