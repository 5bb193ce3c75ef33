"""Several resources that the caller has worked out, in one commit."""

from __future__ import annotations

import pytest

from hub.context import Context
from hub.errors import HubError
from hub.interactions import Interactions
from hub.interactions.commit import Change
from hub.interactions.preconditions import Expected
from hub.storage.port import ABSENT, VersionConflict
from tests.interactions.conftest import observation, patient

NEW = Expected(ABSENT, False)


def new(resource: dict[str, object], id: str, location: str = "") -> Change:
    return Change("POST", str(resource["resourceType"]), id, resource | {"id": id}, NEW, location)


async def test_all_are_written_in_one_commit(door: Interactions, ctx: Context) -> None:
    made = await door.write(ctx, [new(observation("Patient/a"), "o"), new(patient(), "a")])
    assert [(one.stored and one.stored.version, one.created) for one in made] == [(1, True)] * 2
    assert len({one.stored.sequence for one in made if one.stored}) == 1


async def test_all_that_is_wrong_is_told_and_nothing_is_written(
    door: Interactions, ctx: Context
) -> None:
    changes = [
        new(patient(birthDate="no"), "a", "Bundle.entry[0]"),
        new(patient(), "b", "Bundle.entry[1]"),
        new(patient(gender="no"), "c", "Bundle.entry[2]"),
    ]
    with pytest.raises(HubError) as refused:
        await door.write(ctx, changes)
    assert [issue.location for issue in refused.value.issues] == [
        "Bundle.entry[0].resource.birthDate",
        "Bundle.entry[2].resource.gender",
    ]
    assert refused.value.status == 422
    assert (await door.search(ctx, "Patient", ())).entries == ()


async def test_a_version_that_moved_on_is_left_to_the_caller(
    door: Interactions, ctx: Context
) -> None:
    await door.write(ctx, [new(patient(), "a")])
    with pytest.raises(VersionConflict):
        await door.write(ctx, [new(patient(), "a")])
