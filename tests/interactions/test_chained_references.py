"""Conditional references through other resources, and queries that name entries by fullUrl."""

from __future__ import annotations

from typing import Any

import pytest

from hub.context import Context
from hub.interactions import Interactions, chained_references
from tests.interactions.conftest import observation, patient
from tests.interactions.test_transaction import (
    REPRESENTATION,
    U,
    bare,
    bundle,
    post,
    put,
    refused,
    resources,
)


def _person(value: str, **more: Any) -> dict[str, Any]:
    return patient(identifier=[{"system": "https://s", "value": value}], **more)


def _encounter(subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": subject},
    } | more


def _during(encounter: str) -> dict[str, Any]:
    return observation(encounter={"reference": encounter})


@pytest.fixture
async def stored(door: Interactions, ctx: Context) -> None:
    """A patient with an encounter."""
    await door.update(ctx, "Patient", "p", _person("1", id="p"))
    await door.update(ctx, "Encounter", "e", _encounter("Patient/p", id="e"))


async def _encounter_found(door: Interactions, ctx: Context, *entries: dict[str, Any]) -> str:
    """What the last entry's conditional reference became."""
    answer = await door.bundle(ctx, bundle(*entries), prefer=REPRESENTATION)
    found: str = resources(answer)[-1]["encounter"]["reference"]
    return found


@pytest.mark.parametrize("chain", ["patient.identifier", "subject:Patient.identifier"])
@pytest.mark.usefixtures("stored")
async def test_a_chain_in_the_record(door: Interactions, ctx: Context, chain: str) -> None:
    entry = post(_during(f"Encounter?{chain}=https://s|1"))
    assert await _encounter_found(door, ctx, entry) == "Encounter/e"


async def test_a_chain_among_what_the_transaction_writes(door: Interactions, ctx: Context) -> None:
    answer = await door.bundle(
        ctx,
        bundle(
            post(_person("2"), U.format(1)),
            post(_encounter(U.format(1))),
            post(_during("Encounter?patient.identifier=https://s|2")),
        ),
        prefer=REPRESENTATION,
    )
    _, encounter, made = resources(answer)
    assert made["encounter"]["reference"] == f"Encounter/{encounter['id']}"


@pytest.mark.usefixtures("stored")
async def test_a_chain_from_the_transaction_into_the_record(
    door: Interactions, ctx: Context
) -> None:
    planned = _encounter("Patient/p", id="f", status="planned")
    entries = (
        put(planned, "Encounter/f"),
        post(_during("Encounter?status=planned&patient.identifier=https://s|1")),
    )
    assert await _encounter_found(door, ctx, *entries) == "Encounter/f"


@pytest.mark.usefixtures("stored")
async def test_a_chain_sees_what_the_transaction_changes(door: Interactions, ctx: Context) -> None:
    change = put(_person("3", id="p"), "Patient/p")
    old = bundle(change, post(_during("Encounter?patient.identifier=https://s|1")))
    assert (await refused(door, ctx, old)).issues[0].message == "conditional-reference-no-match"
    entries = (
        put(_person("3", id="p"), "Patient/p"),
        post(_during("Encounter?patient.identifier=https://s|3")),
    )
    assert await _encounter_found(door, ctx, *entries) == "Encounter/e"


@pytest.mark.usefixtures("stored")
async def test_a_conditional_reference_may_name_an_entry(door: Interactions, ctx: Context) -> None:
    answer = await door.bundle(
        ctx,
        bundle(
            post(_person("4"), U.format(1)),
            post(_encounter(U.format(1))),
            post(_during(f"Encounter?patient={U.format(1)}")),
        ),
        prefer=REPRESENTATION,
    )
    _, encounter, made = resources(answer)
    assert made["encounter"]["reference"] == f"Encounter/{encounter['id']}"


@pytest.mark.usefixtures("stored")
async def test_going_back_is_refused_while_such_resources_are_written(
    door: Interactions, ctx: Context
) -> None:
    back = "Patient?_has:Encounter:patient:status=finished"
    await door.bundle(ctx, bundle(post(observation(back))))
    made = bundle(post(observation(back)), post(_encounter("Patient/p")))
    error = await refused(door, ctx, made)
    (issue,) = error.issues
    assert issue.message == "conditional-reference-backwards"
    assert issue.location == "Bundle.entry[0].resource.subject"


@pytest.mark.usefixtures("stored")
async def test_a_chain_through_too_many_is_refused(
    door: Interactions, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chained_references, "MOST_BETWEEN", 1)
    entries = (
        post(_person("1")),
        post(_during("Encounter?patient.identifier=https://s|1")),
    )
    error = await refused(door, ctx, bundle(*entries))
    assert error.issues[0].message == "conditional-reference-wide"


@pytest.mark.parametrize(
    "entry",
    [
        post(_encounter(U.format(1)), ifNoneExist=f"patient={U.format(1)}"),
        put(_encounter(U.format(1)), f"Encounter?status=planned&patient={U.format(1)}"),
        bare("DELETE", f"Encounter?patient=Patient/x,{U.format(1)}"),
    ],
)
async def test_a_condition_that_names_an_entry_is_refused(
    door: Interactions, ctx: Context, entry: dict[str, Any]
) -> None:
    error = await refused(door, ctx, bundle(post(_person("5"), U.format(1)), entry))
    (issue,) = error.issues
    assert issue.message == "condition-names-entry"
    assert issue.location == "Bundle.entry[1].request"


async def test_a_search_that_names_an_entry_finds_it(door: Interactions, ctx: Context) -> None:
    made = bundle(
        bare("GET", f"Encounter?patient={U.format(1)}"),
        post(_person("6"), U.format(1)),
        post(_encounter(U.format(1))),
    )
    answer = await door.bundle(ctx, made, prefer=REPRESENTATION)
    page = answer.entries[0].bundle
    assert page is not None
    assert len(page.entries) == 1
