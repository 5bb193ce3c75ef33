"""The CapabilityStatement and the TerminologyCapabilities."""

from __future__ import annotations

import pytest

from hub.context import Context
from hub.definitions import conformance, conformance_urls, resource_types, search_parameters_of
from hub.errors import BadRequest
from hub.interactions import Interactions, capabilities, indexing
from hub.interactions.terminology_capabilities import BY_RULE, NOT_PRESENT
from hub.storage.port import Store
from hub.validation.validator import Validator
from tests.interactions.conftest import door_over
from tests.interactions.test_search_parameters import colour


@pytest.fixture
def door(store: Store) -> Interactions:
    return door_over(store)


@pytest.mark.parametrize("mode", capabilities.MODES)
async def test_it_is_valid(door: Interactions, ctx: Context, mode: str) -> None:
    made = await door.capabilities(ctx, mode)
    errors = [one for one in Validator().validate(made) if one.severity in ("error", "fatal")]
    assert errors == []


async def test_it_names_all_types_and_their_parameters(door: Interactions, ctx: Context) -> None:
    made = await door.capabilities(ctx)
    (rest,) = made["rest"]
    assert [one["type"] for one in rest["resource"]] == list(resource_types())
    for one in rest["resource"]:
        names = {parameter["name"] for parameter in one["searchParam"]}
        assert names == {*search_parameters_of(one["type"]), "_has", "_list"} - {"_query"}
        assert one["conditionalDelete"] == "multiple"
        assert "enforced" in one["referencePolicy"]
    assert {"_type", "_has", "_list", "_id"} <= {one["name"] for one in rest["searchParam"]}
    assert made["implementation"]["url"] == ctx.base
    assert "小明" in rest["documentation"]
    assert len(rest["compartment"]) == 5


async def test_parameters_made_at_run_time_are_named(door: Interactions, ctx: Context) -> None:
    await door.update(ctx, "SearchParameter", "colour", colour())
    await indexing.catch_up(door, ctx)
    made = await door.capabilities(ctx)
    (of_patient,) = [one for one in made["rest"][0]["resource"] if one["type"] == "Patient"]
    assert {
        "name": "colour",
        "definition": "http://example.org/SearchParameter/colour",
        "type": "string",
        "documentation": "Eye colour",
    } in of_patient["searchParam"]


@pytest.mark.parametrize("registration", [True, False])
async def test_it_says_where_apps_log_in(store: Store, ctx: Context, registration: bool) -> None:
    made = await door_over(store, auth="on", registration=registration).capabilities(ctx)
    security = made["rest"][0]["security"]
    (extension,) = security["extension"]
    uris = {one["url"]: one["valueUri"] for one in extension["extension"]}
    assert uris["authorize"] == "http://127.0.0.1:8080/auth/authorize"
    assert uris["token"] == "http://127.0.0.1:8080/auth/token"
    assert ("register" in uris) is registration
    assert security["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    assert security["cors"] is True


async def test_without_authentication_it_names_no_login(store: Store, ctx: Context) -> None:
    made = await door_over(store, auth="off").capabilities(ctx)
    assert made["rest"][0]["security"].keys() == {"cors", "description"}


async def test_the_normative_mode_leaves_out_trial_use(door: Interactions, ctx: Context) -> None:
    made = await door.capabilities(ctx, "normative")
    (rest,) = made["rest"]
    assert "security" not in rest
    assert "conditionalCreate" not in rest["resource"][0]
    assert rest["resource"][0]["searchParam"]


async def test_an_unknown_mode_is_refused(door: Interactions, ctx: Context) -> None:
    with pytest.raises(BadRequest):
        await door.capabilities(ctx, "other")


async def test_it_is_made_once(door: Interactions, ctx: Context) -> None:
    first = await capabilities.capabilities_bytes(door, ctx, "full")
    assert await capabilities.capabilities_bytes(door, ctx, "full") is first


async def test_the_terminology_mode_names_the_code_systems(
    door: Interactions, ctx: Context
) -> None:
    for version in ("1", "2"):
        system = {"url": "http://example.org/codes", "version": version, "content": "complete"}
        resource = {"resourceType": "CodeSystem", "status": "active"} | system
        await door.create(ctx, "CodeSystem", resource)
    made = await door.capabilities(ctx, "terminology")
    errors = [one for one in Validator().validate(made) if one.severity in ("error", "fatal")]
    assert errors == []
    systems = {one["uri"]: one for one in made["codeSystem"]}
    assert len(systems) == 1062 - len(NOT_PRESENT) + len(BY_RULE) + 1
    assert systems["http://example.org/codes"]["version"] == [{"code": "1"}, {"code": "2"}]
    gender = systems["http://hl7.org/fhir/administrative-gender"]
    assert gender["version"] == [{"code": "4.0.1"}]
    act = systems["http://terminology.hl7.org/CodeSystem/v3-ActCode"]
    assert act["version"] == [{"code": "2018-08-12"}]
    assert "http://snomed.info/sct" not in systems


def test_code_systems_that_r4_only_names_are_not_claimed() -> None:
    resources = map(conformance, conformance_urls("CodeSystem"))
    named = {one["url"] for one in resources if one and one["content"] == "not-present"}
    assert named == NOT_PRESENT
