"""read, vread, create, update, delete, history of single resources."""

from __future__ import annotations

import json as plain_json

import pytest
from msgspec.structs import replace

from hub.context import Context
from hub.errors import (
    BadRequest,
    Conflict,
    Gone,
    HubError,
    NotFound,
    PreconditionFailed,
    Unprocessable,
)
from hub.interactions import Interactions
from hub.interactions.answer import body_of, resource_of
from hub.messages import render
from hub.principal import Principal
from hub.storage.port import Store
from tests.interactions.conftest import door_over, observation, patient


def messages(error: HubError) -> list[str]:
    """The message ids, each of which must have words."""
    for issue in error.issues:
        assert render(issue.message, issue.arguments)
        assert render(issue.message, issue.arguments, "zh")
    return [issue.message for issue in error.issues]


async def test_what_was_created_can_be_read(door: Interactions, ctx: Context) -> None:
    changed = await door.create(ctx, "Patient", patient(id="mine"))
    assert changed.status == 201
    assert changed.stored is not None
    assert changed.stored.id != "mine"
    assert changed.stored.version == 1
    stored = await door.read(ctx, "Patient", changed.stored.id)
    assert stored == changed.stored
    resource = resource_of(stored)
    assert resource["meta"]["versionId"] == "1"
    assert resource["meta"]["lastUpdated"].endswith("Z")
    assert resource["name"] == patient()["name"]


async def test_the_server_sets_version_and_time_and_keeps_the_rest_of_meta(
    door: Interactions, ctx: Context
) -> None:
    meta = {
        "versionId": "99",
        "lastUpdated": "2000-01-01T00:00:00Z",
        "profile": ["http://hl7.org/fhir/StructureDefinition/Patient"],
        "tag": [{"system": "http://example.org", "code": "a"}],
    }
    changed = await door.create(ctx, "Patient", patient(meta=meta))
    assert changed.stored is not None
    kept = resource_of(changed.stored)["meta"]
    assert kept["versionId"] == "1"
    assert not kept["lastUpdated"].startswith("2000")
    assert kept["profile"] == meta["profile"]
    assert kept["tag"] == meta["tag"]


async def test_an_update_replaces_meta_whole(door: Interactions, ctx: Context) -> None:
    tagged = patient(id="a", meta={"tag": [{"code": "x"}]})
    await door.update(ctx, "Patient", "a", tagged)
    changed = await door.update(ctx, "Patient", "a", patient(id="a"))
    assert changed.stored is not None
    assert "tag" not in resource_of(changed.stored)["meta"]


async def test_an_update_of_what_is_not_there_creates_it(door: Interactions, ctx: Context) -> None:
    changed = await door.update(ctx, "Patient", "my-id.1", patient(id="my-id.1"))
    assert changed.status == 201
    changed = await door.update(ctx, "Patient", "my-id.1", patient(id="my-id.1"))
    assert changed.status == 200
    assert changed.stored is not None
    assert changed.stored.version == 2


async def test_every_version_can_be_read(door: Interactions, ctx: Context) -> None:
    for year in ("1970", "1971", "1972"):
        await door.update(ctx, "Patient", "a", patient(id="a", birthDate=year))
    assert [
        resource_of(await door.vread(ctx, "Patient", "a", version))["birthDate"]
        for version in ("1", "2", "3")
    ] == ["1970", "1971", "1972"]


@pytest.mark.parametrize("version", ["4", "0", "01", "x", "-1", "9" * 40, "", "1.0"])
async def test_a_version_that_never_was_is_not_found(
    door: Interactions, ctx: Context, version: str
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    with pytest.raises(NotFound) as caught:
        await door.vread(ctx, "Patient", "a", version)
    assert messages(caught.value) == ["version-not-found"]


async def test_what_never_was_is_not_found(door: Interactions, ctx: Context) -> None:
    for type, id in (("Patient", "nobody"), ("Patient", "bad id!"), ("Nothing", "a")):
        with pytest.raises(NotFound):
            await door.read(ctx, type, id)
        with pytest.raises(NotFound):
            await door.vread(ctx, type, id, "1")


async def test_a_deleted_resource_is_gone(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    changed = await door.delete(ctx, "Patient", "a")
    assert changed.status == 204
    assert changed.deleted == 1
    with pytest.raises(Gone):
        await door.read(ctx, "Patient", "a")
    with pytest.raises(Gone):
        await door.vread(ctx, "Patient", "a", "2")
    assert (await door.vread(ctx, "Patient", "a", "1")).version == 1


async def test_versions_count_on_after_a_delete(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    await door.delete(ctx, "Patient", "a")
    changed = await door.update(ctx, "Patient", "a", patient(id="a"))
    assert changed.status == 201
    assert changed.stored is not None
    assert changed.stored.version == 3


async def test_deleting_what_is_not_there_is_no_error(door: Interactions, ctx: Context) -> None:
    changed = await door.delete(ctx, "Patient", "nobody")
    assert changed.status == 204
    assert changed.deleted == 0


async def test_type_and_id_must_be_those_of_the_url(door: Interactions, ctx: Context) -> None:
    with pytest.raises(BadRequest) as caught:
        await door.create(ctx, "Observation", patient())
    assert messages(caught.value) == ["type-mismatch"]
    with pytest.raises(BadRequest) as caught:
        await door.update(ctx, "Patient", "a", patient(id="b"))
    assert messages(caught.value) == ["id-mismatch"]
    with pytest.raises(BadRequest) as caught:
        await door.update(ctx, "Patient", "a", patient())
    assert messages(caught.value) == ["id-missing"]
    with pytest.raises(BadRequest) as caught:
        await door.update(ctx, "Patient", "bad id", patient(id="bad id"))
    assert messages(caught.value) == ["id-malformed"]
    with pytest.raises(NotFound):
        await door.create(ctx, "Nothing", {"resourceType": "Nothing"})


async def test_what_is_not_valid_is_refused_with_all_issues(
    door: Interactions, ctx: Context
) -> None:
    with pytest.raises(Unprocessable) as caught:
        await door.create(ctx, "Patient", patient(gender="x", birthDate="yesterday", foo=1))
    assert len(messages(caught.value)) == 3
    assert {issue.location for issue in caught.value.issues} >= {
        "Patient.gender",
        "Patient.birthDate",
    }


async def test_digits_offsets_and_extensions_of_primitives_survive(
    door: Interactions, ctx: Context
) -> None:
    from hub.model import json

    text = (
        b'{"resourceType":"Observation","status":"final","_status":{"id":"s"},'
        b'"code":{"text":"x"},"effectiveDateTime":"2026-03-01T02:00:00.10-00:00",'
        b'"valueQuantity":{"value":1.00,"unit":"mg"}}'
    )
    changed = await door.create(ctx, "Observation", json.decode(text))
    assert changed.stored is not None
    assert text[len(b'{"resourceType":"Observation"') :] in body_of(changed.stored)


# --- versions in headers ---------------------------------------------------------------------


async def test_if_match_guards_an_update(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    changed = await door.update(ctx, "Patient", "a", patient(id="a"), if_match='W/"1"')
    assert changed.stored is not None
    assert changed.stored.version == 2
    with pytest.raises(PreconditionFailed) as caught:
        await door.update(ctx, "Patient", "a", patient(id="a"), if_match='W/"1"')
    assert messages(caught.value) == ["version-conflict"]
    with pytest.raises(PreconditionFailed):
        await door.update(ctx, "Patient", "nobody", patient(id="nobody"), if_match='W/"1"')


@pytest.mark.parametrize(
    ("header", "holds"),
    [
        ('"2"', True),
        ("2", True),
        ('W/"1", W/"2"', True),
        ("*", True),
        ('W/"1"', False),
        ('W/"abc"', False),
        ('W/"1","3"', False),
    ],
)
async def test_forms_of_if_match(
    door: Interactions, ctx: Context, header: str, holds: bool
) -> None:
    for _ in range(2):
        await door.update(ctx, "Patient", "a", patient(id="a"))
    if holds:
        assert (await door.delete(ctx, "Patient", "a", if_match=header)).deleted == 1
    else:
        with pytest.raises(PreconditionFailed):
            await door.delete(ctx, "Patient", "a", if_match=header)


@pytest.mark.parametrize("header", ['W/"0"', "0", f'W/"{10**18}"', f'W/"0", W/"{"9" * 30}"'])
async def test_a_tag_that_is_no_versions_never_creates(
    door: Interactions, ctx: Context, header: str
) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        await door.update(ctx, "Patient", "a", patient(id="a"), if_match=header)
    assert messages(caught.value) == ["version-none"]


@pytest.mark.parametrize("header", ["", "W/1", 'W/"1', "a b", '"1" "2"', "\x00"])
async def test_a_malformed_entity_tag_is_refused(
    door: Interactions, ctx: Context, header: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        await door.update(ctx, "Patient", "a", patient(id="a"), if_match=header)
    assert messages(caught.value) == ["etag-malformed"]


async def test_if_none_match_creates_only(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"), if_none_match="*")
    with pytest.raises(PreconditionFailed) as caught:
        await door.update(ctx, "Patient", "a", patient(id="a"), if_none_match="*")
    assert messages(caught.value) == ["resource-exists"]
    with pytest.raises(PreconditionFailed):
        await door.update(ctx, "Patient", "a", patient(id="a"), if_none_match='W/"1"')
    await door.update(ctx, "Patient", "a", patient(id="a"), if_none_match='W/"7"')


# --- integrity -------------------------------------------------------------------------------


async def test_a_reference_to_nothing_is_refused(door: Interactions, ctx: Context) -> None:
    with pytest.raises(Unprocessable) as caught:
        await door.create(ctx, "Observation", observation("Patient/nobody"))
    assert messages(caught.value) == ["reference-target-missing"]
    assert caught.value.issues[0].location == "Observation.subject"


async def test_a_reference_to_a_deleted_resource_is_refused(
    door: Interactions, ctx: Context
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    await door.delete(ctx, "Patient", "a")
    with pytest.raises(Unprocessable):
        await door.create(ctx, "Observation", observation("Patient/a"))


async def test_references_elsewhere_are_found_too(door: Interactions, ctx: Context) -> None:
    extension = {"url": "http://e", "valueReference": {"reference": "Patient/nobody"}}
    with pytest.raises(Unprocessable) as caught:
        await door.create(ctx, "Patient", patient(extension=[extension]))
    assert messages(caught.value) == ["reference-target-missing"]
    assert caught.value.issues[0].location.startswith("Patient.extension[0].value")


async def test_references_that_are_not_ours_are_left_alone(
    door: Interactions, ctx: Context
) -> None:
    for reference in (
        "http://example.org/fhir/Patient/1",
        "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7",
    ):
        await door.create(ctx, "Observation", observation(reference))
    contained = observation("#p", contained=[{"resourceType": "Patient", "id": "p"}])
    await door.create(ctx, "Observation", contained)


async def test_a_resource_may_refer_to_itself(door: Interactions, ctx: Context) -> None:
    link = {"other": {"reference": "Patient/a"}, "type": "seealso"}
    await door.update(ctx, "Patient", "a", patient(id="a", link=[link]))
    assert (await door.delete(ctx, "Patient", "a")).deleted == 1


async def test_what_is_referred_to_is_not_deleted(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    await door.update(ctx, "Observation", "o", observation("Patient/a", id="o"))
    with pytest.raises(Conflict) as caught:
        await door.delete(ctx, "Patient", "a")
    assert messages(caught.value) == ["still-referenced"]
    await door.delete(ctx, "Observation", "o")
    assert (await door.delete(ctx, "Patient", "a")).deleted == 1


async def test_integrity_can_be_off(store: Store, ctx: Context) -> None:
    door = door_over(store, integrity=False)
    await door.update(ctx, "Observation", "o", observation("Patient/a", id="o"))
    await door.update(ctx, "Patient", "a", patient(id="a"))
    assert (await door.delete(ctx, "Patient", "a")).deleted == 1


async def test_absolute_references_to_this_server_become_relative(
    door: Interactions, ctx: Context
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    made = observation(f"{ctx.base}/Patient/a/_history/1")
    changed = await door.create(ctx, "Observation", made)
    assert changed.stored is not None
    assert resource_of(changed.stored)["subject"] == {"reference": "Patient/a/_history/1"}
    with pytest.raises(Unprocessable):
        await door.create(ctx, "Observation", observation(f"{ctx.base}/Patient/nobody"))


# --- history ---------------------------------------------------------------------------------


async def test_a_history_is_newest_first_and_paged(door: Interactions, ctx: Context) -> None:
    for _ in range(5):
        await door.update(ctx, "Patient", "a", patient(id="a"))
    await door.delete(ctx, "Patient", "a")
    seen = []
    parameters: tuple[tuple[str, str], ...] = (("_count", "4"),)
    for _ in range(2):
        page = await door.history(ctx, "Patient", "a", parameters)
        assert page.total == 6
        seen += [entry.stored.version for entry in page.entries if entry.stored]
        links = dict(page.links)
        assert links["self"].startswith(f"{ctx.base}/Patient/a/_history")
        if "next" in links:
            cursor = links["next"].partition("_cursor=")[2]
            parameters = (("_count", "4"), ("_cursor", cursor))
    assert seen == [6, 5, 4, 3, 2, 1]
    assert "next" not in links
    page = await door.history(ctx, "Patient", "a")
    first = plain_json.loads(page.to_json())["entry"][0]
    assert "resource" not in first
    assert first["request"] == {"method": "DELETE", "url": "Patient/a"}
    assert first["response"]["status"] == "204 No Content"
    last = plain_json.loads(page.to_json())["entry"][-1]
    assert last["request"] == {"method": "PUT", "url": "Patient/a"}
    assert last["response"]["status"] == "201 Created"
    assert last["response"]["etag"] == 'W/"1"'
    assert last["fullUrl"] == f"{ctx.base}/Patient/a"
    assert page.to_dict()["entry"][0] == first


async def test_a_history_says_which_versions_created(door: Interactions, ctx: Context) -> None:
    for _ in range(2):
        await door.update(ctx, "Patient", "a", patient(id="a"))
    await door.delete(ctx, "Patient", "a")
    for _ in range(2):
        await door.update(ctx, "Patient", "a", patient(id="a"))
    expected = ["200", "201", "204", "200", "201"]
    page = await door.history(ctx, "Patient", "a")
    assert [one.response.status[:3] for one in page.entries if one.response] == expected
    single: list[str] = []
    parameters: tuple[tuple[str, str], ...] = (("_count", "1"),)
    while parameters:
        page = await door.history(ctx, "Patient", "a", parameters)
        single += [one.response.status[:3] for one in page.entries if one.response]
        _, more, cursor = dict(page.links).get("next", "").partition("_cursor=")
        parameters = (("_count", "1"), ("_cursor", cursor)) if more else ()
    assert single == expected


async def test_a_strict_history_refuses_what_has_no_effect(
    door: Interactions, ctx: Context
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    given = (("_count", "2"), ("_sort", "_id"))
    assert (await door.history(ctx, "Patient", "a", given)).total == 1
    with pytest.raises(BadRequest) as caught:
        await door.history(ctx, "Patient", "a", given, strict=True)
    assert messages(caught.value) == ["parameter-unknown"]
    given = (("_count", "2"), ("_format", "json"))
    assert (await door.history(ctx, "Patient", "a", given, strict=True)).total == 1


async def test_histories_of_a_type_and_of_the_system(door: Interactions, ctx: Context) -> None:
    await door.create(ctx, "Patient", patient())
    await door.create(ctx, "Observation", observation())
    assert (await door.history(ctx, "Patient", "")).total == 1
    assert (await door.history(ctx, "", "")).total == 2
    entry = plain_json.loads((await door.history(ctx, "Patient", "")).to_json())["entry"][0]
    assert entry["request"] == {"method": "POST", "url": "Patient"}


async def test_a_history_of_the_members_of_a_list(door: Interactions, ctx: Context) -> None:
    for id in ("a", "b", "c"):
        for _ in range(3):
            await door.update(ctx, "Patient", id, patient(id=id))
    items = [
        "Patient/a",
        "Patient/a/_history/2",
        "Patient/b/_history/2",
        "Patient/b/_history/x",
        f"{ctx.base}/Patient/b/_history/3",
        "http://elsewhere.example.org/fhir/Patient/c",
    ]
    mine: dict[str, object] = {"resourceType": "List", "id": "mine", "status": "current"}
    mine |= {"mode": "working", "entry": [{"item": {"reference": one}} for one in items]}
    await door.update(ctx, "List", "mine", mine)

    async def versions(type: str, id: str = "", *more: tuple[str, str]) -> list[str]:
        page = await door.history(ctx, type, id, (("_list", "mine"), *more), strict=True)
        assert len(page.entries) == page.total or more
        return [f"{one.id}{one.version}" for one in (e.stored for e in page.entries) if one]

    assert await versions("") == ["b3", "b2", "a3", "a2", "a1"]
    assert await versions("Patient") == ["b3", "b2", "a3", "a2", "a1"]
    assert await versions("Patient", "a") == ["a3", "a2", "a1"]
    assert await versions("Patient", "c") == []
    assert await versions("List") == []
    first = await door.history(ctx, "Patient", "", (("_list", "List/mine"), ("_count", "2")))
    links = dict(first.links)
    assert "_list=List/mine" in links["self"]
    cursor = ("_cursor", links["next"].partition("_cursor=")[2])
    assert await versions("Patient", "", ("_count", "2")) == ["b3", "b2"]
    with pytest.raises(BadRequest):
        await door.history(ctx, "Patient", "", (("_list", "other"), ("_count", "2"), cursor))
    second = await door.history(
        ctx, "Patient", "", (("_list", "List/mine"), ("_count", "2"), cursor)
    )
    assert [entry.stored.version for entry in second.entries if entry.stored] == [3, 2]
    assert (await door.history(ctx, "", "", (("_list", "nothing"),))).total == 0
    await door.delete(ctx, "List", "mine")
    assert await versions("Patient") == []


async def test_a_cursor_belongs_to_its_history(door: Interactions, ctx: Context) -> None:
    for id in ("a", "b"):
        for _ in range(3):
            await door.update(ctx, "Patient", id, patient(id=id))
    page = await door.history(ctx, "Patient", "a", (("_count", "1"),))
    cursor = dict(page.links)["next"].partition("_cursor=")[2]
    with pytest.raises(BadRequest):
        await door.history(ctx, "Patient", "b", (("_count", "1"), ("_cursor", cursor)))


@pytest.mark.parametrize(
    "parameter",
    [
        ("_since", "x"),
        ("_at", "2026-13"),
        ("_count", "-1"),
        ("_count", "x"),
        ("_cursor", "x"),
        ("_list", "$current-problems"),
        ("_list", "a_b"),
        ("_list", "a,b"),
        ("_list", ""),
    ],
)
async def test_a_malformed_history_parameter_is_refused(
    door: Interactions, ctx: Context, parameter: tuple[str, str]
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    with pytest.raises(BadRequest) as caught:
        await door.history(ctx, "Patient", "a", (parameter,))
    assert messages(caught.value)


async def test_a_history_since_an_instant(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    changed = await door.update(ctx, "Patient", "a", patient(id="a"))
    assert changed.stored is not None
    from hub.model.body import instant

    since = instant(changed.stored.updated)
    page = await door.history(ctx, "Patient", "a", (("_since", since),))
    assert [entry.stored.version for entry in page.entries if entry.stored] == [2]
    page = await door.history(ctx, "Patient", "a", (("_at", since),))
    assert [entry.stored.version for entry in page.entries if entry.stored] == [2]


async def test_the_history_of_nothing_is_not_found(door: Interactions, ctx: Context) -> None:
    with pytest.raises(NotFound):
        await door.history(ctx, "Patient", "nobody")
    with pytest.raises(NotFound):
        await door.history(ctx, "Nothing", "")


# --- audit -----------------------------------------------------------------------------------


async def test_every_write_is_in_the_audit_chain(door: Interactions, ctx: Context) -> None:
    asker = replace(ctx, principal=Principal("somebody", frozenset(("admin",))), request_id="r1")
    await door.update(asker, "Patient", "a", patient(id="a"))
    await door.delete(asker, "Patient", "a")
    rows = [row for _, _, row in await door.store.audit_records(1, 0, 10)]
    assert [(row.action, row.interaction) for row in rows] == [("U", "update"), ("D", "delete")]
    assert {row.principal for row in rows} == {"somebody"}
    assert {row.request_id for row in rows} == {"r1"}
    assert rows[0].entities == ("Patient/a/_history/1",)


async def test_a_conditional_reference_outside_a_transaction_is_refused(
    door: Interactions, ctx: Context
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    for prefix in ("", f"{ctx.base}/"):
        with pytest.raises(Unprocessable) as caught:
            await door.create(ctx, "Observation", observation(f"{prefix}Patient?identifier=p1"))
        assert messages(caught.value) == ["reference-conditional"]
        assert caught.value.issues[0].location == "Observation.subject"
    await door.create(ctx, "Observation", observation("http://example.org/Patient?identifier=p1"))
