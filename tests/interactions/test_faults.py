"""What the interactions make of a store that fails, is slow or is raced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.context import Context
from hub.errors import Conflict, HubError, TooCostly, Unavailable
from hub.interactions.commit import Change, Purpose, store_changes
from hub.search.query import Query
from hub.storage.memory.store import MemoryStore
from hub.storage.port import (
    Commit,
    Committed,
    DeadlineExceeded,
    GenerationMoved,
    HistoryPage,
    HistoryQuery,
    Page,
    PreconditionChanged,
    Stored,
    StoreUnavailable,
    VersionConflict,
)
from tests.interactions.conftest import door_over, observation, patient


class Failing(MemoryStore):
    """A memory store whose commits, reads and searches raise what a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.on_commit: Callable[[], Exception | None] | None = None
        self.on_read: Callable[[], Exception] | None = None
        self.on_search: Callable[[], Exception] | None = None
        self.commits = 0

    async def commit(self, commit: Commit) -> Committed:
        self.commits += 1
        error = self.on_commit() if self.on_commit is not None else None
        if error is not None:
            raise error
        return await super().commit(commit)

    async def read(self, tenant: int, type: str, id: str) -> Stored | None:
        if self.on_read is not None:
            raise self.on_read()
        return await super().read(tenant, type, id)

    async def search(self, *arguments: Any, **named: Any) -> Page:
        if self.on_search is not None:
            raise self.on_search()
        return await super().search(*arguments, **named)

    async def history(self, tenant: int, query: HistoryQuery) -> HistoryPage:
        if self.on_search is not None:
            raise self.on_search()
        return await super().history(tenant, query)

    async def explain(self, tenant: int, query: Query) -> tuple[str, ...]:
        if self.on_search is not None:
            raise self.on_search()
        return await super().explain(tenant, query)


@pytest.fixture
def failing() -> Failing:
    return Failing()


@pytest.mark.parametrize(
    ("uncertain", "message"), [(False, "store-unavailable"), (True, "store-uncertain")]
)
async def test_a_store_that_cannot_write_is_503(
    failing: Failing, ctx: Context, uncertain: bool, message: str
) -> None:
    failing.on_commit = lambda: StoreUnavailable("disk full", uncertain)
    with pytest.raises(Unavailable) as caught:
        await door_over(failing).create(ctx, "Patient", patient())
    assert caught.value.issues[0].message == message


async def test_a_condition_too_slow_to_check_is_too_costly(failing: Failing, ctx: Context) -> None:
    failing.on_commit = DeadlineExceeded
    with pytest.raises(TooCostly):
        await door_over(failing).create(ctx, "Patient", patient(), if_none_exist="identifier=p1")


async def test_a_search_too_slow_is_too_costly(failing: Failing, ctx: Context) -> None:
    failing.on_search = DeadlineExceeded
    with pytest.raises(TooCostly):
        await door_over(failing).search(ctx, "Patient", ())


@pytest.mark.parametrize(
    "url",
    ["Patient", "Patient?_explain=true", "Patient/_history", "Patient/a/_history", "_history"],
)
@pytest.mark.parametrize("type", ["batch", "transaction"])
async def test_what_is_stored_is_told_though_reading_is_too_slow(
    failing: Failing, ctx: Context, type: str, url: str
) -> None:
    write = {
        "resource": patient(id="a"),
        "request": {"method": "PUT", "url": "Patient/a"},
    }
    entries = [write, {"request": {"method": "GET", "url": url}}]
    failing.on_search = DeadlineExceeded
    answer = await door_over(failing).bundle(
        ctx, {"resourceType": "Bundle", "type": type, "entry": entries}
    )
    told = [entry.response.status for entry in answer.entries if entry.response is not None]
    assert told == ["201 Created", "403 Forbidden"]
    with pytest.raises(TooCostly):
        await door_over(failing).conditional_delete(ctx, "Patient", (("identifier", "x"),))


@pytest.mark.parametrize(
    "refusal",
    [
        lambda: PreconditionChanged(0, ()),
        lambda: VersionConflict(0, "Patient", "a", 5),
        lambda: GenerationMoved(7),
    ],
)
async def test_endless_races_end_in_a_conflict(
    failing: Failing,
    ctx: Context,
    refusal: Callable[[], Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from hub.interactions.json_patch import parse

    monkeypatch.setattr("hub.interactions.commit.PATIENCE", 0.1)

    door = door_over(failing)
    await door.update(ctx, "Patient", "a", patient(id="a"))
    failing.on_commit, failing.commits = refusal, 0
    with pytest.raises(Conflict) as caught:
        await door.patch(ctx, "Patient", "a", parse(b'[{"op":"remove","path":"/birthDate"}]'))
    assert caught.value.issues[0].message == "contended"
    assert failing.commits > 2


async def test_a_batch_goes_on_when_the_store_fails(failing: Failing, ctx: Context) -> None:
    failing.on_read = lambda: StoreUnavailable("I/O error")
    entries = [
        {"request": {"method": "GET", "url": "Patient/a"}},
        {"resource": patient(), "request": {"method": "POST", "url": "Patient"}},
    ]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = await door_over(failing).bundle(ctx, bundle)
    statuses = [entry.response.status[:3] for entry in answer.entries if entry.response]
    assert statuses == ["503", "201"]


@pytest.mark.parametrize("type", ["batch", "transaction"])
async def test_an_error_that_nobody_foresaw_is_its_entry_s_own(
    failing: Failing, ctx: Context, type: str, caplog: pytest.LogCaptureFixture
) -> None:
    failing.on_search = lambda: KeyError("Geheimnis")
    entries: list[dict[str, Any]] = [
        {"request": {"method": "GET", "url": "Patient?name=x"}},
        {"resource": patient(), "request": {"method": "POST", "url": "Patient"}},
        {"request": {"method": "GET", "url": "metadata"}},
    ]
    bundle = {"resourceType": "Bundle", "type": type, "entry": entries}
    answer = await door_over(failing).bundle(ctx, bundle)
    told = [entry.response for entry in answer.entries if entry.response]
    assert [one.status[:3] for one in told] == ["500", "201", "200"]
    assert [one.unforeseen for one in told] == [True, False, False]
    assert "Geheimnis" not in str(told[0].outcome)
    assert ctx.request_id in str(told[0].outcome)
    assert [record.message for record in caplog.records] == ["unexpected error in Bundle.entry[0]"]


async def test_neighbours_of_an_error_that_nobody_foresaw_are_stored_and_told(
    failing: Failing, ctx: Context
) -> None:
    failing.on_commit = lambda: KeyError() if failing.commits == 3 else None
    entries = [
        {"resource": patient(id=f"p{n}"), "request": {"method": "PUT", "url": f"Patient/p{n}"}}
        for n in range(5)
    ]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = await door_over(failing).bundle(ctx, bundle)
    told = [entry.response.status[:3] for entry in answer.entries if entry.response]
    assert sorted(told) == ["201", "201", "201", "201", "500"]
    for n, status in enumerate(told):
        assert (await failing.read(1, "Patient", f"p{n}") is not None) == (status == "201")


async def test_a_race_in_a_transaction_is_resolved_anew(failing: Failing, ctx: Context) -> None:
    """Somebody creates what If-None-Exist looked for, between the search and the commit."""
    door = door_over(failing)
    raced = False

    def race() -> Exception:
        nonlocal raced
        raced = True
        failing.on_commit = None
        return PreconditionChanged(0, ())

    url = "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee12087701"
    condition = {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=p1"}
    entries = [
        {"fullUrl": url, "resource": patient(), "request": condition},
        {"resource": observation(url), "request": {"method": "POST", "url": "Observation"}},
    ]
    failing.on_commit = race
    # The other client's commit is done between the attempts.
    original = failing.search

    async def search(*arguments: Any, **named: Any) -> Page:
        if raced and not await failing.read(1, "Patient", "theirs"):
            await door_over(failing).update(ctx, "Patient", "theirs", patient(id="theirs"))
        return await original(*arguments, **named)

    failing.search = search  # type: ignore[method-assign]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await door.bundle(ctx, bundle)
    statuses = [entry.response.status[:3] for entry in answer.entries if entry.response]
    assert statuses == ["200", "201"]
    (found,) = [
        entry.stored
        for entry in (await door.search(ctx, "Observation", ())).entries
        if entry.stored
    ]
    assert b'"Patient/theirs"' in found.tail


async def test_errors_carry_no_content(failing: Failing, ctx: Context) -> None:
    secret = "Geheimnis"
    door = door_over(failing)
    for resource in (
        patient(birthDate=secret),
        patient(gender=secret),
        patient(generalPractitioner=[{"reference": secret}]),
    ):
        with pytest.raises(HubError) as caught:
            await door.create(ctx, "Patient", resource)
        assert secret not in repr([issue.arguments for issue in caught.value.issues])


async def test_what_is_kept_hides_no_conditional_reference_of_what_is_written(
    failing: Failing, ctx: Context
) -> None:
    door = door_over(failing)
    await door.update(ctx, "Patient", "a", patient(id="a"))
    conditional = patient(id="b", managingOrganization={"reference": "Organization?identifier=1"})
    changes = [
        Change("PUT", "Patient", "a", patient(id="a"), keep_equal=True),
        Change("PUT", "Patient", "b", conditional),
    ]
    with pytest.raises(HubError) as caught:
        await store_changes(door, ctx, changes, Purpose("U", "update"))
    assert caught.value.issues[0].message == "reference-conditional"
