"""Entries of one transaction with one condition create one resource, as they would in turn."""

from __future__ import annotations

from typing import Any

import pytest

from hub.context import Context
from hub.errors import HubError
from hub.interactions import Interactions
from hub.interactions.answer import BundleAnswer
from tests.interactions.conftest import observation, patient

FIRST = "urn:uuid:7f1c1a3e-6b1f-4a5e-9d5e-0d3c0f1f0c11"
SECOND = "urn:uuid:7f1c1a3e-6b1f-4a5e-9d5e-0d3c0f1f0c12"
CONDITION = "identifier=urn:oid:1.2.3|p1"


def create(url: str, **request: str) -> dict[str, Any]:
    wanted = {"method": "POST", "url": "Patient", "ifNoneExist": CONDITION} | request
    return {"fullUrl": url, "request": wanted, "resource": patient()}


def about(url: str) -> dict[str, Any]:
    return {"request": {"method": "POST", "url": "Observation"}, "resource": observation(url)}


def transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def told(answer: BundleAnswer) -> list[tuple[str, str]]:
    return [(e.response.status, e.response.location) for e in answer.entries if e.response]


@pytest.mark.parametrize("times", [1, 2])
async def test_the_first_creates_and_the_others_find_it(
    times: int, door: Interactions, ctx: Context
) -> None:
    for number in range(times):
        answer = await door.bundle(
            ctx, transaction(about(SECOND), create(FIRST), create(SECOND), about(FIRST))
        )
        (_, _), (one, place), (other, found), (_, _) = told(answer)
        assert one == ("200 OK" if number else "201 Created")
        assert other == "200 OK"
        assert place == found
    page = await door.search(ctx, "Patient", [("_total", "accurate")])
    assert page.total == 1
    target = place.partition("/_history")[0]
    page = await door.search(ctx, "Observation", [("subject", target), ("_total", "accurate")])
    assert page.total == 2 * times


async def test_the_order_of_parameters_makes_no_other_condition(
    door: Interactions, ctx: Context
) -> None:
    one, other = f"{CONDITION}&birthdate=1970-03-01", f"?birthdate=1970-03-01&{CONDITION}"
    answer = await door.bundle(
        ctx, transaction(create(FIRST, ifNoneExist=one), create(SECOND, ifNoneExist=other))
    )
    assert [status for status, _ in told(answer)] == ["201 Created", "200 OK"]
    assert (await door.search(ctx, "Patient", [("_total", "accurate")])).total == 1
    entries = [
        {"request": {"method": "PUT", "url": f"Patient?{query}"}, "resource": patient()}
        for query in ("identifier=x&name=y", "name=y&identifier=x")
    ]
    with pytest.raises(HubError) as caught:
        await door.bundle(ctx, transaction(*entries))
    assert caught.value.issues[0].message == "bundle-same-resource"


async def test_other_conditions_are_no_twins(door: Interactions, ctx: Context) -> None:
    answer = await door.bundle(
        ctx, transaction(create(FIRST), create(SECOND, ifNoneExist="identifier=urn:oid:9|9"))
    )
    assert [status for status, _ in told(answer)] == ["201 Created", "201 Created"]


@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_two_entries_with_one_condition_are_about_one_resource(
    door: Interactions, ctx: Context, method: str
) -> None:
    update = {"request": {"method": "PUT", "url": f"Patient?{CONDITION}"}, "resource": patient()}
    other = update | {"resource": patient()}
    if method == "POST":
        other["request"] = {"method": "POST", "url": "Patient", "ifNoneExist": CONDITION}
    with pytest.raises(HubError) as caught:
        await door.bundle(ctx, transaction(update, other))
    assert caught.value.issues[0].message == "bundle-same-resource"
    assert (await door.search(ctx, "Patient", [("_total", "accurate")])).total == 0
