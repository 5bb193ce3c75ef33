"""Expressions taken apart into routes, or left to the FHIRPath engine."""

from __future__ import annotations

import pytest

from hub.fhirpath import FHIRPathSyntaxError
from hub.search.extraction.routes import (
    At,
    Get,
    Refers,
    Route,
    Routes,
    Where,
    WithExtension,
    routes_of,
)


def only(expression: str, focus: str) -> Route:
    taken_apart = routes_of(expression, focus)
    assert taken_apart.rest == ()
    (route,) = taken_apart.routes
    return route


def test_a_path_is_a_route_of_json_keys() -> None:
    route = only("Patient.name.given", "Patient")
    assert route == Route((Get("name", True), Get("given", True)), "string")


def test_members_of_a_union_about_other_types_are_left_out() -> None:
    union = "Patient.birthDate | Person.birthDate | RelatedPerson.birthDate"
    assert only(union, "Person").steps == (Get("birthDate", False),)
    assert routes_of(union, "Group") == Routes(())


def test_a_base_type_stands_for_every_type() -> None:
    assert only("Resource.meta.tag", "Binary").type == "Coding"
    assert only("DomainResource.text", "Patient").type == "Narrative"
    assert only("Resource.meta.tag", "Resource").type == "Coding"


@pytest.mark.parametrize(
    "expression",
    [
        "(Observation.value as Quantity)",
        "Observation.value as Quantity",
        "Observation.value.as(Quantity)",
        "Observation.value.ofType(Quantity)",
        "Observation.value.as(FHIR.Quantity)",
    ],
)
def test_a_cast_chooses_the_key_of_a_choice(expression: str) -> None:
    assert only(expression, "Observation").steps == (Get("valueQuantity", False),)


def test_a_choice_without_a_cast_is_all_its_types() -> None:
    types = {route.type for route in routes_of("Observation.effective", "Observation").routes}
    assert types == {"dateTime", "Period", "Timing", "instant"}


def test_filters_are_steps() -> None:
    assert only("Patient.telecom.where(system='email')", "Patient").steps[1] == Where(
        "system", "email"
    )
    assert only("Patient.extension('http://e').url", "Patient").steps[1] == Where("url", "http://e")
    route = only("Observation.subject.where(resolve() is Patient)", "Observation")
    assert route.steps[1] == Refers("Patient")
    assert route.targets == ("Patient",)
    route = only("Patient.name.where(hasExtension('http://e')).family", "Patient")
    assert route.steps[1] == WithExtension("http://e")
    assert only("Bundle.entry[0].fullUrl", "Bundle").steps[1] == At(0)


def test_a_backbone_element_is_a_type_of_its_own() -> None:
    assert only("Observation.component", "Observation").type == "Observation.component"
    assert only("value.as(Quantity)", "Observation.component").type == "Quantity"
    assert only("code", "Observation.component").type == "CodeableConcept"
    assert only("Questionnaire.item.item.linkId", "Questionnaire").type == "string"


@pytest.mark.parametrize(
    "expression",
    [
        "Patient.name.count() > 1",
        "Patient.name.first()",
        "Patient.name.where(use = 'old' and period.exists())",
        "Patient.name.where(period.start = @2020)",
        "Patient.contact.name[0]",
        "Patient.deceased.exists() and Patient.deceased != false",
        "Patient.descendants()",
        "Patient.name.nothing",
        "iif(Patient.active, Patient.name, {})",
    ],
)
def test_anything_else_is_left_to_the_engine(expression: str) -> None:
    taken_apart = routes_of(expression, "Patient")
    assert taken_apart.routes == ()
    assert len(taken_apart.rest) == 1


def test_a_union_may_be_taken_apart_in_part() -> None:
    taken_apart = routes_of("Patient.name.family | Patient.name.first().text", "Patient")
    assert len(taken_apart.routes) == len(taken_apart.rest) == 1


def test_what_is_no_fhirpath_is_refused() -> None:
    with pytest.raises(FHIRPathSyntaxError):
        routes_of("Patient.(", "Patient")
