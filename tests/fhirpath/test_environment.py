"""The environment: variables, services, trace, the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.fhirpath import (
    DEFAULT_LIMITS,
    Environment,
    FHIRPathEvaluationError,
    FHIRPathSemanticError,
    Item,
    Limits,
    compile,
)
from hub.fhirpath.errors import FHIRPathLimitError

ORGANIZATION = {"resourceType": "Organization", "id": "1", "name": "Clinic"}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "managingOrganization": {"reference": "Organization/1"},
    "generalPractitioner": [{"reference": "Practitioner/2"}, {"reference": "urn:uuid:3"}],
    "maritalStatus": {"coding": [{"system": "urn:s", "code": "M"}]},
    "gender": "male",
}


class Store:
    """Finds one organization."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def resolve(self, reference: str) -> dict[str, Any] | None:
        self.asked.append(reference)
        if reference == "urn:uuid:3":
            return {"resourceType": "Practitioner", "id": "3"}
        return ORGANIZATION if reference == "Organization/1" else None


class Terminology:
    """Knows one value set, in which `M` is, and that `A` subsumes `M`."""

    def member_of(self, system: str | None, code: str, value_set: str) -> bool | None:
        return code == "M" if value_set == "urn:vs" else None

    def subsumes(self, system: str, general: str, specific: str) -> bool | None:
        return (general, specific) in {("A", "M"), ("M", "M")}


class Profiles:
    """Knows one profile."""

    def conforms_to(self, resource: Any, profile: str) -> bool | None:
        return resource.get("gender") == "male" if profile == "urn:men" else None


@pytest.fixture(params=["fast", "guarded"])
def limits(request: pytest.FixtureRequest) -> Limits | None:
    return DEFAULT_LIMITS if request.param == "guarded" else None


def test_references_are_resolved_by_the_resolver(limits: Limits | None) -> None:
    environment = Environment(resolver=Store(), limits=limits)
    expression = compile("managingOrganization.resolve().name", root_type="Patient")
    assert expression.evaluate_values(PATIENT, environment) == ["Clinic"]
    assert compile("generalPractitioner.resolve().id").evaluate_values(PATIENT, environment) == [
        "3"
    ]


def test_the_type_behind_a_reference_is_read_from_it(limits: Limits | None) -> None:
    store = Store()
    environment = Environment(resolver=store, limits=limits)
    expression = compile("generalPractitioner.where(resolve() is Practitioner).reference")
    found = expression.evaluate_values(PATIENT, environment)
    assert found == ["Practitioner/2", "urn:uuid:3"]
    assert store.asked == ["urn:uuid:3"]


def test_terminology_answers_member_of(limits: Limits | None) -> None:
    environment = Environment(terminology=Terminology(), limits=limits)
    assert compile("maritalStatus.memberOf('urn:vs')").boolean(PATIENT, environment)
    assert not compile("gender.memberOf('urn:vs')").boolean(PATIENT, environment)
    assert compile("gender.memberOf('urn:x')").evaluate(PATIENT, environment) == []
    outside = "%general.subsumes(maritalStatus.coding.first())"
    general = {"system": "urn:s", "code": "A"}
    environment = Environment(
        terminology=Terminology(), limits=limits, variables={"general": Item(general, "Coding")}
    )
    assert compile(outside).boolean(PATIENT, environment)
    assert not compile("maritalStatus.coding.subsumes(%general)").boolean(PATIENT, environment)
    assert compile("maritalStatus.coding.subsumedBy(%general)").boolean(PATIENT, environment)


def test_profiles_answer_conforms_to(limits: Limits | None) -> None:
    environment = Environment(conformance=Profiles(), limits=limits)
    assert compile("conformsTo('urn:men')").boolean(PATIENT, environment)
    with pytest.raises(FHIRPathEvaluationError, match="fhirpath-unknown-profile"):
        compile("conformsTo('urn:x')").boolean(PATIENT, environment)


def test_narrative_checks_are_given(limits: Limits | None) -> None:
    narrative = {"resourceType": "Patient", "text": {"div": "<div/>"}}
    environment = Environment(narrative=lambda div: div == "<div/>", limits=limits)
    assert compile("text.div.all(htmlChecks())").boolean(narrative, environment)


def test_variables_come_from_outside(limits: Limits | None) -> None:
    environment = Environment(
        variables={"number": 5, "texts": ["a", "b"], "nothing": None, "org": ORGANIZATION},
        limits=limits,
    )
    assert compile("%number + 1").evaluate_values(PATIENT, environment) == [6]
    assert compile("%texts").evaluate_values(PATIENT, environment) == ["a", "b"]
    assert compile("%nothing").evaluate_values(PATIENT, environment) == []
    assert compile("%org.name").evaluate_values(PATIENT, environment) == ["Clinic"]
    with pytest.raises(FHIRPathSemanticError, match="fhirpath-unknown-variable"):
        compile("%other").evaluate(PATIENT, environment)


def test_the_resource_around_an_element(limits: Limits | None) -> None:
    environment = Environment(resource=PATIENT, root_resource=ORGANIZATION, limits=limits)
    element = Item({"coding": []}, "CodeableConcept")
    assert compile("%resource.gender").evaluate_values(element, environment) == ["male"]
    assert compile("%rootResource.name").evaluate_values(element, environment) == ["Clinic"]


def test_trace_is_told_name_and_items(limits: Limits | None) -> None:
    seen: list[tuple[str, list[str]]] = []

    def trace(name: str, items: list[Item]) -> None:
        seen.append((name, [item.type for item in items]))

    environment = Environment(trace=trace, limits=limits)
    compile("gender.trace('g').length().trace('n')").evaluate(PATIENT, environment)
    compile("gender.trace('p', length())").evaluate(PATIENT, environment)
    assert seen == [("g", ["code"]), ("n", ["System.Integer"]), ("p", ["System.Integer"])]


def test_now_is_one_moment() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    environment = Environment(now=moment)
    assert compile("now()").evaluate_values(PATIENT, environment) == [
        "2026-01-02T03:04:05.000+00:00"
    ]
    assert compile("now() = now()").boolean(PATIENT, empty=False)


@pytest.mark.parametrize(
    ("limits", "text", "message"),
    [
        (Limits(steps=10), "(1|2|3|4|5|6|7|8|9|10|11).where(true)", "fhirpath-limit-steps"),
        (Limits(items=5), "1.combine(2|3|4|5|6)", "fhirpath-limit-items"),
        (Limits(milliseconds=0), "(1|2).select((1|2|3|4|5|6|7|8|9|10|11|12|13))",
         "fhirpath-limit-time"),
    ],
)  # fmt: skip
def test_limits_stop_an_evaluation(limits: Limits, text: str, message: str) -> None:
    with pytest.raises(FHIRPathLimitError, match=message):
        compile(text).evaluate(PATIENT, Environment(limits=limits))
