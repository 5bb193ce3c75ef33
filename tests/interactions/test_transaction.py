"""transaction: order, links, conditions, atomicity, limits."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from hub.context import Context
from hub.errors import HubError
from hub.interactions import Accompanying, BundleAnswer, Interactions, Preference
from hub.interactions.answer import resource_of
from hub.messages import render
from hub.storage.port import Store
from tests.interactions.conftest import door_over, observation, patient

U = "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee1208770{}"
REPRESENTATION = Preference("representation")


def post(resource: dict[str, Any], full_url: str = "", **request: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"], **request},
    }
    return entry | ({"fullUrl": full_url} if full_url else {})


def put(resource: dict[str, Any], url: str, **request: Any) -> dict[str, Any]:
    return {"resource": resource, "request": {"method": "PUT", "url": url, **request}}


def bare(method: str, url: str, **request: Any) -> dict[str, Any]:
    return {"request": {"method": method, "url": url, **request}}


def bundle(*entries: dict[str, Any], type: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


def statuses(answer: BundleAnswer) -> list[str]:
    return [entry.response.status[:3] for entry in answer.entries if entry.response]


def resources(answer: BundleAnswer) -> list[Any]:
    return [
        resource_of(entry.stored) if entry.stored else entry.resource for entry in answer.entries
    ]


async def refused(door: Interactions, ctx: Context, made: dict[str, Any]) -> HubError:
    """The error of a transaction, after which nothing may have been stored."""
    before = await door.store.info(1)
    with pytest.raises(HubError) as caught:
        await door.bundle(ctx, made)
    assert (await door.store.info(1)).sequence == before.sequence
    for issue in caught.value.issues:
        assert render(issue.message, issue.arguments)
        assert render(issue.message, issue.arguments, "zh")
    return caught.value


async def test_entries_refer_to_each_other(door: Interactions, ctx: Context) -> None:
    link = {"other": {"reference": U.format(2)}, "type": "seealso"}
    answer = await door.bundle(
        ctx,
        bundle(
            post(observation(U.format(1)), U.format(0)),
            post(patient(link=[link]), U.format(1)),
            post(patient(link=[link | {"other": {"reference": U.format(1)}}]), U.format(2)),
        ),
        prefer=REPRESENTATION,
    )
    assert answer.type == "transaction-response"
    assert statuses(answer) == ["201"] * 3
    made = resources(answer)
    assert made[0]["subject"]["reference"] == f"Patient/{made[1]['id']}"
    assert made[1]["link"][0]["other"]["reference"] == f"Patient/{made[2]['id']}"
    assert made[2]["link"][0]["other"]["reference"] == f"Patient/{made[1]['id']}"
    assert len({entry.stored.sequence for entry in answer.entries if entry.stored}) == 1
    response = answer.to_dict()["entry"][1]["response"]
    assert response["location"] == f"Patient/{made[1]['id']}/_history/1"
    assert response["etag"] == 'W/"1"'


async def test_links_are_replaced_wherever_they_can_be(door: Interactions, ctx: Context) -> None:
    url = U.format(1)
    xhtml = 'xmlns="http://www.w3.org/1999/xhtml"'
    div = f"<div {xhtml}><a href=\"{url}\">x</a> <img src='{url}' alt='x'/> {url}</div>"
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "text": {"status": "generated", "div": div},
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": url},
        "extension": [
            {"url": "http://e", "valueReference": {"reference": url}},
            {"url": "http://e", "valueUri": url},
            {"url": "http://e", "valueUrl": url},
            {"url": "http://e", "valueCanonical": url},
            {"url": "http://e", "valueString": url},
        ],
        "_status": {"extension": [{"url": "http://e", "valueReference": {"reference": url}}]},
        "content": [{"attachment": {"url": url}}],
        "contained": [
            {
                "resourceType": "Basic",
                "id": "o",
                "code": {"text": "x"},
                "subject": {"reference": url},
            }
        ],
        "context": {"related": [{"reference": "#o"}]},
    }
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "YQ=="}
    answer = await door.bundle(
        ctx, bundle(post(document), post(binary, url)), prefer=REPRESENTATION
    )
    made, binary = resources(answer)
    target = f"Binary/{binary['id']}"
    assert made["content"][0]["attachment"]["url"] == target
    assert [list(one.values())[1] for one in made["extension"]] == [
        {"reference": target},
        target,
        target,
        url,
        url,
    ]
    assert made["_status"]["extension"][0]["valueReference"]["reference"] == target
    assert made["contained"][0]["subject"]["reference"] == target
    assert made["masterIdentifier"]["value"] == url
    assert made["text"]["div"] == (
        f"<div {xhtml}><a href=\"{target}\">x</a> <img src='{target}' alt='x'/> {url}</div>"
    )


async def test_full_urls_of_another_server_are_replaced(door: Interactions, ctx: Context) -> None:
    root = "http://example.org/fhir"
    answer = await door.bundle(
        ctx,
        bundle(
            post(observation(f"{root}/Patient/1"), f"{root}/Observation/1"),
            post(observation("Patient/1"), f"{root}/Observation/2"),
            post(patient(id="1"), f"{root}/Patient/1"),
        ),
        prefer=REPRESENTATION,
    )
    first, second, person = resources(answer)
    assert person["id"] != "1"
    assert first["subject"]["reference"] == second["subject"]["reference"]
    assert first["subject"]["reference"] == f"Patient/{person['id']}"


async def test_a_urn_that_no_entry_has_is_refused(door: Interactions, ctx: Context) -> None:
    error = await refused(door, ctx, bundle(post(patient()), post(observation(U.format(9)))))
    assert [issue.message for issue in error.issues] == ["reference-unresolved"]
    assert error.issues[0].location == "Bundle.entry[1].resource.subject"


async def test_kinds_are_processed_in_order(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "old", patient(id="old"))
    await door.update(ctx, "Patient", "kept", patient(id="kept"))
    answer = await door.bundle(
        ctx,
        bundle(
            bare("GET", "Patient/new"),
            bare("GET", "Patient?_id=old,new,kept&_total=accurate"),
            put(patient(id="new"), "Patient/new"),
            post(patient()),
            bare("DELETE", "Patient/old"),
        ),
    )
    assert statuses(answer) == ["200", "200", "201", "201", "204"]
    assert answer.entries[0].stored is not None
    assert answer.entries[1].bundle is not None
    assert answer.entries[1].bundle.total == 2


async def test_a_failing_entry_fails_all_and_is_named(door: Interactions, ctx: Context) -> None:
    error = await refused(
        door,
        ctx,
        bundle(
            post(patient()),
            post(patient(gender="x")),
            put(patient(id="a", birthDate="x"), "Patient/a"),
        ),
    )
    assert error.status == 422
    assert [issue.location for issue in error.issues] == [
        "Bundle.entry[1].resource.gender",
        "Bundle.entry[2].resource.birthDate",
    ]


async def test_a_missing_target_names_the_entry(door: Interactions, ctx: Context) -> None:
    error = await refused(door, ctx, bundle(post(patient()), post(observation("Patient/nobody"))))
    assert error.issues[0].message == "reference-target-missing"
    assert error.issues[0].location == "Bundle.entry[1].resource.subject"


async def test_delete_and_create_of_what_is_referred_to(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    await door.update(ctx, "Observation", "o", observation("Patient/a", id="o"))
    error = await refused(door, ctx, bundle(bare("DELETE", "Patient/a")))
    assert error.status == 409
    assert error.issues[0].location == "Bundle.entry[0].request"
    error = await refused(
        door,
        ctx,
        bundle(bare("DELETE", "Patient/a"), put(observation("Patient/a", id="o"), "Observation/o")),
    )
    answer = await door.bundle(
        ctx, bundle(bare("DELETE", "Patient/a"), bare("DELETE", "Observation/o"))
    )
    assert statuses(answer) == ["204", "204"]


@pytest.mark.parametrize(
    "entries",
    [
        [put(patient(id="a"), "Patient/a"), put(patient(id="a"), "Patient/a")],
        [put(patient(id="a"), "Patient/a"), bare("DELETE", "Patient/a")],
        [put(patient(id="a"), "Patient/a"), put(patient(), "Patient?identifier=p1")],
        [bare("DELETE", "Patient/a"), bare("DELETE", "Patient?identifier=p1")],
    ],
)
async def test_one_resource_in_two_entries_is_refused(
    door: Interactions, ctx: Context, entries: list[dict[str, Any]]
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    from copy import deepcopy

    error = await refused(door, ctx, bundle(*deepcopy(entries)))
    assert error.issues[0].message == "bundle-same-resource"
    assert error.issues[0].location == "Bundle.entry[1].request.url"


async def test_a_full_url_twice_is_refused(door: Interactions, ctx: Context) -> None:
    error = await refused(
        door, ctx, bundle(post(patient(), U.format(1)), post(patient(), U.format(1)))
    )
    assert error.issues[0].message == "bundle-url-repeated"


async def test_if_none_exist_finds_or_creates(door: Interactions, ctx: Context) -> None:
    def made() -> dict[str, Any]:
        return bundle(
            post(patient(), U.format(1), ifNoneExist="identifier=urn:oid:1.2.3|p1"),
            post(observation(U.format(1))),
        )

    first = await door.bundle(ctx, made(), prefer=REPRESENTATION)
    second = await door.bundle(ctx, made(), prefer=REPRESENTATION)
    assert statuses(first) == ["201", "201"]
    assert statuses(second) == ["200", "201"]
    target = f"Patient/{resources(first)[0]['id']}"
    assert resources(second)[1]["subject"]["reference"] == target


async def test_the_same_transaction_posted_at_once_creates_once(
    door: Interactions, ctx: Context
) -> None:
    def made() -> dict[str, Any]:
        return bundle(
            post(patient(), U.format(1), ifNoneExist="identifier=urn:oid:1.2.3|p1"),
            post(observation(U.format(1))),
        )

    answers = await asyncio.gather(
        *(door.bundle(ctx, made(), prefer=REPRESENTATION) for _ in range(8))
    )
    assert sorted(statuses(answer)[0] for answer in answers) == ["200"] * 7 + ["201"]
    targets = {resources(answer)[1]["subject"]["reference"] for answer in answers}
    assert len(targets) == 1
    found = await door.search(ctx, "Patient", (("_summary", "count"),))
    assert found.total == 1


async def test_conditional_references(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    answer = await door.bundle(
        ctx,
        bundle(
            post(observation("Patient?identifier=urn:oid:1.2.3|p1")),
            post(observation(f"{ctx.base}/Patient?identifier=urn:oid:1.2.3|p1")),
        ),
        prefer=REPRESENTATION,
    )
    for made in resources(answer):
        assert made["subject"]["reference"] == "Patient/a"


async def test_a_conditional_reference_finds_what_the_transaction_writes(
    door: Interactions, ctx: Context
) -> None:
    answer = await door.bundle(
        ctx,
        bundle(post(observation("Patient?identifier=urn:oid:1.2.3|p1")), post(patient())),
        prefer=REPRESENTATION,
    )
    made, person = resources(answer)
    assert made["subject"]["reference"] == f"Patient/{person['id']}"


async def test_a_conditional_reference_does_not_find_what_the_transaction_changes_or_deletes(
    door: Interactions, ctx: Context
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    reference = observation("Patient?identifier=urn:oid:1.2.3|p1")
    changed = patient(id="a", identifier=[{"value": "p2"}])
    for entry in (bare("DELETE", "Patient/a"), put(changed, "Patient/a")):
        error = await refused(door, ctx, bundle(post(dict(reference)), entry))
        assert error.issues[0].message == "conditional-reference-no-match"


async def test_a_conditional_reference_to_none_or_several_is_refused(
    door: Interactions, ctx: Context
) -> None:
    made = bundle(post(observation("Patient?identifier=urn:oid:1.2.3|p1")))
    error = await refused(door, ctx, made)
    assert error.issues[0].message == "conditional-reference-no-match"
    assert error.issues[0].location == "Bundle.entry[0].resource.subject"
    for _ in range(2):
        await door.create(ctx, "Patient", patient())
    error = await refused(
        door, ctx, bundle(post(observation("Patient?identifier=urn:oid:1.2.3|p1")))
    )
    assert error.status == 412
    error = await refused(door, ctx, bundle(post(observation("Patient?nosuch=1"))))
    assert error.status == 400


async def test_all_conditional_references_that_lead_nowhere_are_named(
    door: Interactions, ctx: Context
) -> None:
    first, second = (observation(f"Patient?identifier=urn:oid:1.2.3|{one}") for one in "ab")
    held = {"valueReference": {"reference": "Practitioner?identifier=x"}, "url": "http://x"}
    second["extension"] = [held]
    error = await refused(door, ctx, bundle(post(first), post(second)))
    assert error.status == 422
    assert [(issue.message, issue.location) for issue in error.issues] == [
        ("conditional-reference-no-match", "Bundle.entry[0].resource.subject"),
        ("conditional-reference-no-match", "Bundle.entry[1].resource.subject"),
        ("conditional-reference-no-match", "Bundle.entry[1].resource.extension[0].value"),
    ]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"fullUrl": 1}, "fullUrl"),
        ({"resource": []}, "resource"),
        (
            {"request": {"method": "POST", "url": "Patient", "ifNoneExist": 1}},
            "request.ifNoneExist",
        ),
        ({"request": {"method": "POST", "url": "x"}}, "request.url"),
        ({"request": {"method": "PUT", "url": "Patient/a_b"}}, "request.url"),
        ({"request": {"method": "BREW", "url": "Patient"}}, "request.method"),
    ],
)
async def test_what_is_wrong_with_an_entry_is_located_exactly(
    door: Interactions, ctx: Context, change: dict[str, Any], place: str
) -> None:
    error = await refused(door, ctx, bundle(post(patient()) | change))
    assert [issue.location for issue in error.issues] == [f"Bundle.entry[0].{place}"]


async def test_conditional_updates_and_deletes(door: Interactions, ctx: Context) -> None:
    for number in (2, 3, 3):
        identifier = [{"system": "urn:oid:1.2.3", "value": f"p{number}"}]
        await door.create(ctx, "Patient", patient(identifier=identifier))
    answer = await door.bundle(
        ctx,
        bundle(
            {"fullUrl": U.format(1), **put(patient(), "Patient?identifier=urn:oid:1.2.3|p1")},
            put(patient(gender="male"), "Patient?identifier=urn:oid:1.2.3|p2"),
            bare("DELETE", "Patient?identifier=urn:oid:1.2.3|p3"),
            post(observation(U.format(1))),
        ),
        prefer=REPRESENTATION,
    )
    assert statuses(answer) == ["201", "200", "204", "201"]
    made = resources(answer)
    assert made[3]["subject"]["reference"] == f"Patient/{made[0]['id']}"
    assert (await door.search(ctx, "Patient", (("_summary", "count"),))).total == 2


async def test_if_match_in_an_entry(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    await door.bundle(ctx, bundle(put(patient(id="a"), "Patient/a", ifMatch='W/"1"')))
    error = await refused(
        door, ctx, bundle(post(patient()), put(patient(id="a"), "Patient/a", ifMatch='W/"1"'))
    )
    assert error.status == 412
    assert error.issues[0].location == "Bundle.entry[1].request"


def json_patch(operations: str) -> dict[str, Any]:
    return {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": base64.b64encode(operations.encode()).decode(),
    }


async def test_patches_in_a_transaction(door: Interactions, ctx: Context) -> None:
    for id in ("a", "b"):
        await door.update(ctx, "Patient", id, patient(id=id))
    reference = '{"other":{"reference":"' + U.format(1) + '"},"type":"seealso"}'
    first = json_patch('[{"op":"add","path":"/link","value":[' + reference + "]}]")
    second = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [
                    {"name": "type", "valueCode": "replace"},
                    {"name": "path", "valueString": "Patient.birthDate"},
                    {"name": "value", "valueDate": "1980"},
                ],
            }
        ],
    }
    answer = await door.bundle(
        ctx,
        bundle(
            {"resource": first, "request": {"method": "PATCH", "url": "Patient/a"}},
            {
                "resource": second,
                "request": {"method": "PATCH", "url": "Patient/b", "ifMatch": 'W/"1"'},
            },
            post(patient(), U.format(1)),
        ),
        prefer=REPRESENTATION,
    )
    assert statuses(answer) == ["200", "200", "201"]
    made = resources(answer)
    assert made[0]["link"][0]["other"]["reference"] == f"Patient/{made[2]['id']}"
    assert made[1]["birthDate"] == "1980"


async def test_a_patch_of_nothing_fails_the_transaction(door: Interactions, ctx: Context) -> None:
    entry = {"resource": json_patch("[]"), "request": {"method": "PATCH", "url": "Patient/a"}}
    error = await refused(door, ctx, bundle(post(patient()), entry))
    assert error.status == 404
    entry["resource"] = {"resourceType": "Binary", "contentType": "text/plain", "data": "YQ=="}
    error = await refused(door, ctx, bundle(post(patient()), entry))
    assert error.issues[0].message == "patch-format"


@pytest.mark.parametrize("url", ["Patient/a?x=1", "Patient/a/_history?x=1"])
async def test_strict_entries_refuse_what_has_no_effect(
    door: Interactions, ctx: Context, url: str
) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    strict = Preference(strict=True)
    for prefer, expected in ((None, ["200"]), (strict, ["400"])):
        answer = await door.bundle(ctx, bundle(bare("GET", url), type="batch"), prefer=prefer)
        assert statuses(answer) == expected
    with pytest.raises(HubError) as caught:
        await door.bundle(ctx, bundle(post(patient()), bare("GET", url)), prefer=strict)
    assert caught.value.issues[0].message == "parameter-unknown"
    assert (await door.history(ctx, "Patient", "")).total == 1


@pytest.mark.parametrize("beside", [(), (post(patient()),)])
@pytest.mark.parametrize("url", ["Patient/nobody", "Patient/nobody/_history/1"])
async def test_a_read_of_nothing_fails_the_whole_also_when_nothing_is_written(
    door: Interactions, ctx: Context, beside: tuple[dict[str, Any], ...], url: str
) -> None:
    error = await refused(door, ctx, bundle(*beside, bare("GET", url)))
    assert error.status == 404
    location = f"Bundle.entry[{len(beside)}].request"
    assert all(issue.location.startswith(location) for issue in error.issues)


async def test_a_read_of_what_is_not_there_fails_the_transaction(
    door: Interactions, ctx: Context
) -> None:
    error = await refused(door, ctx, bundle(post(patient()), bare("GET", "Patient/nobody")))
    assert error.status == 404
    assert error.issues[0].location == "Bundle.entry[1].request.url"
    error = await refused(door, ctx, bundle(post(patient()), bare("GET", "Patient?birthdate=x")))
    assert error.status == 400


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({}, "bundle-request-missing"),
        ({"request": []}, "bundle-request-missing"),
        (bare("BREW", "Patient"), "bundle-method"),
        ({"request": {"method": "POST"}}, "bundle-url"),
        (bare("POST", "Patient"), "bundle-resource-missing"),
        (bare("POST", "Nothing"), "bundle-url"),
        (bare("POST", "Patient/a"), "bundle-url"),
        (bare("PUT", "Patient"), "bundle-url"),
        (bare("DELETE", "Patient"), "bundle-url"),
        (bare("DELETE", ""), "bundle-url"),
        (bare("GET", "Patient/a/b/c/d"), "bundle-url"),
        (bare("GET", "http://example.org/Patient/a"), "bundle-url"),
        (bare("GET", "Patient//a"), "bundle-url"),
        (bare("GET", "Patient/a%zz"), "url-escape-broken"),
        (bare("GET", "Patient/a%20b"), "id-malformed"),
        (bare("DELETE", "Patient/a?identifier=1"), "bundle-url"),
        (bare("POST", "Patient", ifNoneExist=1), "bundle-entry"),
        ({"fullUrl": 1, **bare("DELETE", "Patient/a")}, "bundle-entry"),
        ({"resource": "x", **bare("DELETE", "Patient/a")}, "bundle-entry"),
        (post(observation()) | {"request": {"method": "POST", "url": "Patient"}}, "type-mismatch"),
        (put(patient(), "Patient/a"), "id-missing"),
        (bare("POST", "$nosuch"), "operation-unknown"),
    ],
)
async def test_a_malformed_entry_is_named(
    door: Interactions, ctx: Context, entry: dict[str, Any], message: str
) -> None:
    error = await refused(door, ctx, bundle(post(patient()), entry))
    assert [issue.message for issue in error.issues] == [message]
    assert error.issues[0].location.startswith("Bundle.entry[1]")


async def test_all_malformed_entries_are_named_at_once(door: Interactions, ctx: Context) -> None:
    error = await refused(door, ctx, bundle({}, post(patient()), bare("BREW", "x")))
    assert [issue.location for issue in error.issues] == [
        "Bundle.entry[0].request",
        "Bundle.entry[2].request.method",
    ]


@pytest.mark.parametrize(
    "made",
    [
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Bundle", "type": ["transaction"]},
        {"resourceType": "Patient", "type": "transaction"},
        {"resourceType": "Bundle", "type": "transaction", "entry": {}},
        {"resourceType": "Bundle", "type": "batch", "entry": "x"},
    ],
)
async def test_what_is_no_batch_or_transaction_is_refused(
    door: Interactions, ctx: Context, made: dict[str, Any]
) -> None:
    assert (await refused(door, ctx, made)).status == 400


@pytest.mark.parametrize("type", ["transaction", "batch"])
async def test_an_empty_bundle_is_answered_empty(
    door: Interactions, ctx: Context, type: str
) -> None:
    for made in ({"resourceType": "Bundle", "type": type}, bundle(type=type)):
        answer = await door.bundle(ctx, made)
        assert answer.entries == ()
        assert answer.type == f"{type}-response"


@pytest.mark.parametrize("type", ["transaction", "batch"])
async def test_a_bundle_over_the_limit_is_refused_before_any_work(
    store: Store, ctx: Context, type: str
) -> None:
    door = door_over(store, bundle_entries=1000)
    made = {"resourceType": "Bundle", "type": type, "entry": [None] * 50_000}
    error = await refused(door, ctx, made)
    assert error.status == 413
    assert error.issues[0].message == "bundle-too-many"


async def test_the_same_idempotency_key_is_answered_with_the_first_result(
    door: Interactions, ctx: Context
) -> None:
    def made() -> dict[str, Any]:
        return bundle(
            post(patient(), U.format(1), ifNoneExist="identifier=urn:oid:1.2.3|p1"),
            post(observation(U.format(1))),
        )

    first = await door.bundle(ctx, made(), accompanying=Accompanying("k"), prefer=REPRESENTATION)
    second = await door.bundle(ctx, made(), accompanying=Accompanying("k"), prefer=REPRESENTATION)
    assert [one["id"] for one in resources(second)] == [one["id"] for one in resources(first)]
    assert (await door.search(ctx, "", (("_summary", "count"),))).total == 2


async def test_outcomes_come_along_when_asked_for(door: Interactions, ctx: Context) -> None:
    answer = await door.bundle(ctx, bundle(post(patient())), prefer=Preference("OperationOutcome"))
    outcome = answer.to_dict()["entry"][0]["response"]["outcome"]
    assert outcome["resourceType"] == "OperationOutcome"
    profile = patient(meta={"profile": ["http://example.org/nosuch"]})
    answer = await door.bundle(ctx, bundle(post(profile)))
    issue = answer.to_dict()["entry"][0]["response"]["outcome"]["issue"][0]
    assert issue["severity"] == "warning"


# --- batch -----------------------------------------------------------------------------------


async def test_each_entry_of_a_batch_has_its_own_outcome(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    answer = await door.bundle(
        ctx,
        bundle(
            bare("GET", "Patient/a"),
            bare("GET", "Patient/nobody"),
            post(patient(gender="x")),
            post(patient()),
            put(patient(id="b"), "Patient/b"),
            {
                "resource": json_patch('[{"op":"remove","path":"/birthDate"}]'),
                "request": {"method": "PATCH", "url": "Patient/a"},
            },
            bare("DELETE", "Patient/nobody"),
            bare("GET", "Patient?_summary=count"),
            bare("GET", "Patient/a/_history"),
            bare("GET", "Patient/a/_history/1"),
            bare("GET", "metadata"),
            bare("GET", "Patient/a", ifNoneMatch='W/"2"'),
            bare("GET", "Patient/a/Observation"),
            bare("GET", "Patient/a/*"),
            {},
            type="batch",
        ),
    )
    assert answer.type == "batch-response"
    assert statuses(answer) == [
        "200", "404", "422", "201", "201", "200", "204", "200", "200", "200", "200", "304",
        "200", "200", "400",
    ]  # fmt: skip
    made = answer.to_dict()["entry"]
    assert made[1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert made[2]["response"]["outcome"]["issue"][0]["expression"] == [
        "Bundle.entry[2].resource.gender"
    ]
    assert made[7]["resource"]["total"] == 3
    assert made[8]["resource"]["type"] == "history"
    assert made[10]["resource"]["resourceType"] == "CapabilityStatement"


async def test_a_batch_resolves_no_links(door: Interactions, ctx: Context) -> None:
    answer = await door.bundle(
        ctx,
        bundle(
            post(patient(), U.format(1)),
            post(observation("Patient?identifier=p1")),
            post(observation(U.format(1))),
            type="batch",
        ),
        prefer=REPRESENTATION,
    )
    assert resources(answer)[2]["subject"]["reference"] == U.format(1)


async def test_conditional_reads_and_heads_in_a_batch(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "Patient", "a", patient(id="a"))
    answer = await door.bundle(
        ctx,
        bundle(
            bare("GET", "Patient/a", ifModifiedSince="2100-01-01T00:00:00Z"),
            bare("GET", "Patient/a", ifModifiedSince="2000-01-01T00:00:00Z"),
            bare("GET", "Patient/a", ifModifiedSince="yesterday"),
            bare("HEAD", "Patient/a"),
            bare("GET", f"{ctx.base}/Patient?_format=json&_pretty=true"),
            type="batch",
        ),
    )
    assert statuses(answer) == ["304", "200", "400", "200", "200"]
    made = answer.to_dict()["entry"]
    assert ["resource" in entry for entry in made] == [False, True, False, False, True]
    assert answer.entries[4].bundle is not None
    assert answer.entries[4].bundle.issues == ()


async def test_if_none_exist_may_start_with_a_question_mark(
    door: Interactions, ctx: Context
) -> None:
    for condition in ("?identifier=p1", "Patient?identifier=p1", "identifier=p1"):
        await door.bundle(ctx, bundle(post(patient(), ifNoneExist=condition)))
    assert (await door.search(ctx, "Patient", (("_summary", "count"),))).total == 1
