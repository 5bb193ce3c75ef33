"""search: pages, includes, shapes, warnings."""

from __future__ import annotations

import json as plain_json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from hub.context import Context
from hub.errors import BadRequest, HubError
from hub.interactions import BundleAnswer, Interactions
from hub.storage.port import Store
from tests.interactions.conftest import door_over, observation, patient


def ids(answer: BundleAnswer, mode: str = "match") -> list[str]:
    return [entry.stored.id for entry in answer.entries if entry.stored and entry.mode == mode]


def following(answer: BundleAnswer) -> list[tuple[str, str]] | None:
    url = dict(answer.links).get("next")
    return None if url is None else parse_qsl(urlsplit(url).query, keep_blank_values=True)


async def put(door: Interactions, ctx: Context, *resources: dict[str, Any]) -> None:
    for resource in resources:
        await door.update(ctx, resource["resourceType"], resource["id"], resource)


async def test_a_page_of_stored_bytes(door: Interactions, ctx: Context) -> None:
    await put(door, ctx, patient(id="a"), patient(id="b"))
    answer = await door.search(ctx, "Patient", (("name", "小明"), ("_total", "accurate")))
    assert sorted(ids(answer)) == ["a", "b"]
    made = plain_json.loads(answer.to_json())
    assert made == plain_json.loads(answer.to_json(pretty=True))
    assert made["type"] == "searchset"
    assert made["total"] == 2
    assert made["link"] == [
        {
            "relation": "self",
            "url": f"{ctx.base}/Patient?name=%E5%B0%8F%E6%98%8E&_total=accurate",
        }
    ]
    assert made["entry"][0]["fullUrl"] == f"{ctx.base}/Patient/{ids(answer)[0]}"
    assert made["entry"][0]["search"] == {"mode": "match"}
    assert plain_json.loads(plain_json.dumps(answer.to_dict(), default=str)) == made


async def test_pages_follow_each_other(door: Interactions, ctx: Context) -> None:
    await put(door, ctx, *(patient(id=f"p{n:02}") for n in range(11)))
    seen: list[str] = []
    parameters: Any = (("name", "张"), ("_count", "3"), ("_sort", "birthdate"))
    while parameters is not None:
        answer = await door.search(ctx, "Patient", parameters)
        seen += ids(answer)
        parameters = following(answer)
    assert sorted(seen) == sorted(f"p{n:02}" for n in range(11))
    assert len(seen) == 11


async def test_a_cursor_belongs_to_its_search(door: Interactions, ctx: Context) -> None:
    await put(door, ctx, *(patient(id=f"p{n}") for n in range(3)))
    answer = await door.search(ctx, "Patient", (("name", "张"), ("_count", "1")))
    cursor = dict(following(answer) or ())["_cursor"]
    for parameters in (
        (("name", "李"), ("_cursor", cursor)),
        (("name", "张"), ("_cursor", cursor[:-4] + "AAAA")),
        (("name", "张"), ("_cursor", "x")),
    ):
        with pytest.raises(BadRequest):
            await door.search(ctx, "Patient", parameters)


async def test_counts_only(door: Interactions, ctx: Context) -> None:
    await put(door, ctx, patient(id="a"))
    for parameter in (("_summary", "count"), ("_count", "0")):
        answer = await door.search(ctx, "Patient", (parameter,))
        assert (answer.total, answer.entries) == (1, ())


@pytest.mark.parametrize(
    ("parameter", "kept"),
    [
        (("_summary", "true"), {"identifier", "name", "birthDate", "active"}),
        (("_summary", "text"), {"text"}),
        (("_summary", "data"), {"identifier", "name", "birthDate", "active", "maritalStatus"}),
        (("_elements", "name,maritalStatus"), {"name", "maritalStatus", "active"}),
        (("_elements", "Patient.birthDate"), {"birthDate", "active"}),
    ],
)
async def test_shapes(
    door: Interactions, ctx: Context, parameter: tuple[str, str], kept: set[str]
) -> None:
    whole = patient(
        id="a",
        active=True,
        maritalStatus={"text": "married"},
        text={
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
        },
    )
    await put(door, ctx, whole)
    answer = await door.search(ctx, "Patient", (parameter,))
    made = answer.to_dict()["entry"][0]["resource"]
    assert made.keys() - {"resourceType", "id", "meta"} == kept
    assert made["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert made["meta"]["versionId"] == "1"
    answer = await door.search(ctx, "Patient", (("_summary", "false"),))
    assert "tag" not in answer.to_dict()["entry"][0]["resource"]["meta"]


async def test_unknown_parameters_are_named_or_refused(door: Interactions, ctx: Context) -> None:
    await put(door, ctx, patient(id="a"))
    answer = await door.search(ctx, "Patient", (("nosuch", "x"), ("name", "张")))
    assert ids(answer) == ["a"]
    outcome = answer.entries[-1]
    assert outcome.mode == "outcome"
    assert outcome.resource is not None
    assert "nosuch" in outcome.resource["issue"][0]["diagnostics"]
    assert dict(answer.links)["self"].endswith("Patient?name=%E5%BC%A0")
    with pytest.raises(BadRequest):
        await door.search(ctx, "Patient", (("nosuch", "x"),), strict=True)


async def test_the_plan_of_a_search(door: Interactions, ctx: Context) -> None:
    await put(door, ctx, patient(id="a"))
    answer = await door.search(ctx, "Observation", (("patient.name", "张"), ("_explain", "true")))
    (entry,) = answer.entries
    assert entry.mode == "outcome"
    assert entry.resource is not None
    assert len(entry.resource["issue"]) > 1


async def test_compartments(door: Interactions, ctx: Context) -> None:
    await put(
        door,
        ctx,
        patient(id="a"),
        patient(id="b"),
        observation("Patient/a", id="oa"),
        observation("Patient/b", id="ob"),
    )
    answer = await door.search(ctx, "Observation", (), compartment=("Patient", "a"))
    assert ids(answer) == ["oa"]
    assert dict(answer.links)["self"] == f"{ctx.base}/Patient/a/Observation"
    answer = await door.search(ctx, "", (), compartment=("Patient", "a"))
    assert sorted(ids(answer)) == ["a", "oa"]
    assert dict(answer.links)["self"] == f"{ctx.base}/Patient/a/*"
    with pytest.raises(HubError):
        await door.search(ctx, "Medication", (), compartment=("Patient", "a"))


async def test_a_search_over_all_types(door: Interactions, ctx: Context) -> None:
    await put(door, ctx, patient(id="a"), observation(id="o"))
    assert sorted(ids(await door.search(ctx, "", ()))) == ["a", "o"]
    assert ids(await door.search(ctx, "", (("_type", "Observation"),))) == ["o"]
    assert dict((await door.search(ctx, "", ())).links)["self"] == ctx.base


# --- includes --------------------------------------------------------------------------------


async def family(door: Interactions, ctx: Context) -> None:
    await put(
        door,
        ctx,
        {"resourceType": "Organization", "id": "top", "name": "top"},
        {
            "resourceType": "Organization",
            "id": "mid",
            "name": "mid",
            "partOf": {"reference": "Organization/top"},
        },
        {
            "resourceType": "Organization",
            "id": "low",
            "name": "low",
            "partOf": {"reference": "Organization/mid"},
        },
        {"resourceType": "Practitioner", "id": "d"},
        patient(
            id="a",
            managingOrganization={"reference": "Organization/low"},
            generalPractitioner=[{"reference": "Practitioner/d"}],
        ),
        observation("Patient/a", id="o1"),
        observation("Patient/a", id="o2", hasMember=[{"reference": "Observation/o1"}]),
        {
            "resourceType": "Provenance",
            "id": "v",
            "target": [{"reference": "Observation/o2"}],
            "recorded": "2026-03-01T02:00:00+08:00",
            "agent": [{"who": {"reference": "Practitioner/d"}}],
        },
    )


@pytest.mark.parametrize(
    ("type", "parameters", "included"),
    [
        ("Patient", [("_include", "Patient:organization")], ["low"]),
        ("Patient", [("_include", "Patient:general-practitioner")], ["d"]),
        ("Patient", [("_include", "Patient:general-practitioner:Organization")], []),
        ("Patient", [("_include", "Patient:*")], ["d", "low"]),
        ("Patient", [("_include", "*")], ["d", "low"]),
        (
            "Patient",
            [("_include", "Patient:organization"), ("_include", "Organization:partof")],
            ["low"],
        ),
        (
            "Patient",
            [("_include", "Patient:organization"), ("_include:iterate", "Organization:partof")],
            ["low", "mid", "top"],
        ),
        ("Patient", [("_revinclude", "Observation:subject")], ["o1", "o2"]),
        ("Patient", [("_revinclude", "Observation:patient")], ["o1", "o2"]),
        (
            "Patient",
            [("_revinclude", "Observation:subject"), ("_revinclude:iterate", "Provenance:target")],
            ["o1", "o2", "v"],
        ),
        ("Patient", [("_revinclude", "Observation:*")], ["o1", "o2"]),
        ("Patient", [("_revinclude", "*")], ["o1", "o2"]),
        ("Observation", [("_id", "o2"), ("_include", "Observation:has-member")], ["o1"]),
        ("Observation", [("_include", "Observation:subject")], ["a"]),
    ],
)
async def test_includes(
    door: Interactions,
    ctx: Context,
    type: str,
    parameters: list[tuple[str, str]],
    included: list[str],
) -> None:
    await family(door, ctx)
    answer = await door.search(ctx, type, parameters)
    found = [id for id in ids(answer, "include") if not id.startswith("prov-")]
    assert sorted(found) == included


@pytest.mark.parametrize("version", ["0", "9" * 19, "9" * 64, "v2"])
async def test_an_include_passes_over_a_version_that_there_cannot_be(
    door: Interactions, ctx: Context, version: str
) -> None:
    await put(door, ctx, patient(id="a"), observation(f"Patient/a/_history/{version}", id="o"))
    answer = await door.search(ctx, "Observation", [("_include", "Observation:subject")])
    assert (ids(answer), ids(answer, "include")) == (["o"], [])


async def test_includes_in_a_circle_end(door: Interactions, ctx: Context) -> None:
    def org(id: str, part_of: str) -> dict[str, Any]:
        part = {"reference": f"Organization/{part_of}"}
        return {"resourceType": "Organization", "id": id, "name": id, "partOf": part}

    door = door_over(door.store, integrity=False)
    await put(door, ctx, org("a", "b"), org("b", "c"), org("c", "a"))
    parameters = [("_id", "a"), ("_include:iterate", "*"), ("_revinclude:iterate", "*")]
    answer = await door.search(ctx, "Organization", parameters)
    assert sorted(ids(answer, "include")) == ["b", "c"]


async def test_includes_are_cut_at_the_limit_and_say_so(store: Store, ctx: Context) -> None:
    door = door_over(store, include_limit=3)
    await put(door, ctx, patient(id="a"))
    await put(door, ctx, *(observation("Patient/a", id=f"o{n}") for n in range(5)))
    answer = await door.search(ctx, "Patient", [("_revinclude", "Observation:subject")])
    assert len(ids(answer, "include")) == 3
    assert [issue.message for issue in answer.issues] == ["include-limit"]


async def test_a_version_specific_reference_includes_that_version(
    door: Interactions, ctx: Context
) -> None:
    await put(door, ctx, patient(id="a"), patient(id="a", birthDate="1971"))
    await put(door, ctx, observation("Patient/a/_history/1", id="o"))
    answer = await door.search(ctx, "Observation", [("_include", "Observation:subject")])
    (entry,) = [entry for entry in answer.entries if entry.mode == "include"]
    assert entry.stored is not None
    assert entry.stored.version == 1


async def test_a_canonical_with_a_version_includes_that_one(
    door: Interactions, ctx: Context
) -> None:
    questionnaires = [
        {
            "resourceType": "Questionnaire",
            "id": f"q{version}",
            "url": "http://example.org/q",
            "version": version,
            "status": "active",
        }
        for version in ("1", "2")
    ]
    await put(door, ctx, *questionnaires)
    parameters = [("_include", "QuestionnaireResponse:questionnaire")]
    for asked, expected in (("|1", ["q1"]), ("|3", []), ("", ["q1", "q2"])):
        answered = {
            "resourceType": "QuestionnaireResponse",
            "id": "r",
            "status": "completed",
            "questionnaire": f"http://example.org/q{asked}",
        }
        await put(door, ctx, answered)
        answer = await door.search(ctx, "QuestionnaireResponse", parameters)
        assert sorted(ids(answer, "include")) == expected


async def test_canonicals_are_included_both_ways(door: Interactions, ctx: Context) -> None:
    questionnaire = {
        "resourceType": "Questionnaire",
        "id": "q",
        "url": "http://example.org/q",
        "status": "active",
    }
    answered = {
        "resourceType": "QuestionnaireResponse",
        "id": "r",
        "status": "completed",
        "questionnaire": "http://example.org/q|1.0",
    }
    await put(door, ctx, questionnaire, answered)
    parameters = [("_include", "QuestionnaireResponse:questionnaire")]
    answer = await door.search(ctx, "QuestionnaireResponse", parameters)
    assert ids(answer, "include") == ["q"]
    parameters = [("_revinclude", "QuestionnaireResponse:questionnaire")]
    answer = await door.search(ctx, "Questionnaire", parameters)
    assert ids(answer, "include") == ["r"]


async def test_a_canonical_of_any_type_is_included(door: Interactions, ctx: Context) -> None:
    url = "http://example.org/lib"
    plan = {
        "resourceType": "PlanDefinition",
        "id": "p",
        "status": "draft",
        "relatedArtifact": [{"type": "depends-on", "resource": f"{url}|1"}],
    }
    library = {
        "resourceType": "Library",
        "id": "l",
        "status": "draft",
        "type": {"text": "logic"},
        "url": url,
        "version": "1",
    }
    await put(door, ctx, library, plan)
    parameters = [("_include", "PlanDefinition:depends-on")]
    answer = await door.search(ctx, "PlanDefinition", parameters)
    assert ids(answer, "include") == ["l"]
