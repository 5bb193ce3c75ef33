"""The committed tables hold what the package says."""

from __future__ import annotations

import re
import time

import pytest

from hub.definitions import (
    ancestors,
    bound_codes,
    compartment,
    compartment_names,
    conformance,
    conformance_urls,
    is_resource_type,
    left_out_parameters,
    resource_types,
    search_parameters,
    search_parameters_of,
    special_parameters,
    type_definition,
    type_names,
)


def test_there_are_146_concrete_resource_types():
    assert len(resource_types()) == 146
    assert list(resource_types()) == sorted(resource_types())
    assert not {"Resource", "DomainResource"} & set(resource_types())


def test_every_type_can_be_read_and_carries_its_elements():
    for name in type_names():
        definition = type_definition(name)
        assert definition.name == name
        assert definition.elements[0].path == name
        assert all(row.path.startswith(f"{name}.") for row in definition.elements[1:])


def test_an_unknown_type_is_a_key_error():
    with pytest.raises(KeyError):
        type_definition("Wizard")


def test_only_concrete_resources_are_resource_types():
    assert is_resource_type("Patient")
    assert not is_resource_type("Resource")
    assert not is_resource_type("HumanName")


def test_ancestors_lead_from_the_type_to_its_root():
    assert ancestors("Patient") == ("Patient", "DomainResource", "Resource")
    assert ancestors("code") == ("code", "string", "Element")
    assert ancestors("Bundle") == ("Bundle", "Resource")
    assert ancestors("Age") == ("Age", "Quantity", "Element")


def test_ids_and_extension_urls_have_fhir_types():
    rows = {row.path: row for row in type_definition("Patient").elements}
    assert rows["Patient.id"].types[0].code == "id"
    assert rows["Patient.contact.id"].types[0].code == "string"
    assert rows["Patient.contact.id"].is_xml_attribute
    rows = {row.path: row for row in type_definition("Extension").elements}
    assert rows["Extension.url"].types[0].code == "uri"


def test_constraints_of_a_type_are_not_repeated_on_its_elements():
    rows = {row.path: row for row in type_definition("Observation").elements}
    assert {"dom-3", "obs-6", "obs-7"} <= {rule.key for rule in rows["Observation"].constraints}
    assert [rule.key for rule in rows["Observation.referenceRange"].constraints] == ["obs-3"]
    assert rows["Observation.code"].constraints == ()


def test_every_content_reference_names_an_element_of_its_type():
    for name in type_names():
        paths = {row.path for row in type_definition(name).elements}
        for row in type_definition(name).elements:
            assert row.content_reference is None or row.content_reference in paths


def test_every_type_named_by_an_element_is_known():
    for name in type_names():
        for row in type_definition(name).elements:
            for kind in row.types:
                assert kind.code in type_names() or kind.code.startswith("System.")
                assert set(kind.targets) <= set(resource_types())


def test_every_required_binding_has_an_answer():
    for name in type_names():
        for row in type_definition(name).elements:
            if row.binding and row.binding.strength == "required":
                codes = bound_codes(row.binding.value_set)
                assert codes is not None, row.path
                assert codes.codes or codes.syntax, row.path


@pytest.mark.parametrize(
    ("value_set", "code", "allowed"),
    [
        ("observation-status", "final", True),
        ("observation-status", "Final", False),
        ("administrative-gender", "female", True),
        ("resource-types", "Patient", True),
        ("all-types", "HumanName", True),
        ("defined-types", "xhtml", True),
        ("name-use", "maiden", True),
        ("days-of-week", "mon", True),
    ],
)
def test_codes_of_value_sets(value_set, code, allowed):
    codes = bound_codes(f"http://hl7.org/fhir/ValueSet/{value_set}|4.0.1")
    assert codes is not None
    assert (code in codes.codes) is allowed


def test_hierarchies_and_imports_are_expanded():
    codes = bound_codes("http://terminology.hl7.org/ValueSet/v3-ActEncounterCode")
    assert codes is not None
    assert {"AMB", "VR", "IMP", "ACUTE", "NONAC"} <= codes.codes


@pytest.mark.parametrize(
    ("url", "syntax"),
    [
        ("http://hl7.org/fhir/ValueSet/mimetypes", "mime"),
        ("http://hl7.org/fhir/ValueSet/currencies", "iso4217"),
        ("http://hl7.org/fhir/ValueSet/ucum-units", "ucum"),
        ("http://hl7.org/fhir/ValueSet/all-languages", "bcp47"),
    ],
)
def test_open_value_sets_are_checked_by_syntax(url, syntax):
    codes = bound_codes(url)
    assert codes is not None
    assert codes.syntax == syntax


def test_a_value_set_over_loinc_cannot_be_listed():
    assert bound_codes("http://hl7.org/fhir/ValueSet/observation-codes") is None


def test_search_parameters_have_unique_stable_keys():
    rows = search_parameters()
    assert len(rows) == 1400
    assert len({row.key for row in rows}) == 1400
    assert [row.key for row in rows] == sorted(row.key for row in rows)
    by_url = {row.url: row.key for row in rows}
    assert by_url["http://hl7.org/fhir/SearchParameter/Account-identifier"] == 1


def test_a_parameter_without_expression_is_left_out_with_a_reason():
    for row in search_parameters():
        if not row.expression:
            assert left_out_parameters()[row.url]
    assert left_out_parameters().keys() <= {row.url for row in search_parameters()}


def test_parameters_of_a_type_include_those_of_its_bases():
    rows = search_parameters_of("Patient")
    assert rows["birthdate"].type == "date"
    assert rows["_id"].url == "http://hl7.org/fhir/SearchParameter/Resource-id"
    assert rows["_text"].url in special_parameters()
    assert "_text" not in search_parameters_of("Bundle")
    assert "age" not in rows


def test_an_example_of_the_specification_never_wins():
    assert search_parameters_of("Condition")["subject"].url.endswith("/Condition-subject")


def test_composites_name_components_that_exist():
    by_url = {row.url: row for row in search_parameters()}
    composites = [row for row in by_url.values() if row.type == "composite"]
    assert len(composites) == 46
    for row in composites:
        assert len(row.components) >= 2
        assert all(part.definition in by_url for part in row.components)


def test_compartments():
    assert compartment_names() == (
        "Device",
        "Encounter",
        "Patient",
        "Practitioner",
        "RelatedPerson",
    )
    patient = compartment("Patient")
    assert patient["Observation"] == ("subject", "performer")
    assert patient["Patient"][0] == "{def}"
    assert patient["Task"] == ("patient",)
    assert "Organization" not in patient


def test_compartment_parameters_are_references_that_reach_the_compartment():
    for name in compartment_names():
        for resource_type, codes in compartment(name).items():
            for code in codes:
                if code != "{def}":
                    parameter = search_parameters_of(resource_type)[code]
                    assert not parameter.targets or name in parameter.targets


def test_conformance_resources_are_found_by_canonical():
    patient = conformance("http://hl7.org/fhir/StructureDefinition/Patient")
    assert patient is not None
    assert patient["type"] == "Patient"
    assert "text" not in patient
    assert conformance("http://hl7.org/fhir/StructureDefinition/Patient|4.0.1") == patient
    assert conformance("http://hl7.org/fhir/StructureDefinition/Patient", "5.0.0") is None
    assert conformance("http://example.org/nothing") is None


def test_all_conformance_resources_decode():
    assert len(conformance_urls("StructureDefinition")) == 655
    assert len(conformance_urls("SearchParameter")) == 1400
    assert len(conformance_urls("ValueSet")) == 1316
    assert len(conformance_urls("CodeSystem")) == 1062
    for url in conformance_urls("OperationDefinition"):
        found = conformance(url)
        assert found is not None
        assert found["url"] == url
    assert conformance_urls("Patient") == ()


def test_a_type_is_decoded_in_a_millisecond():
    fresh = type_definition.__wrapped__
    took = []
    for _ in range(20):
        start = time.process_time()
        fresh("ExplanationOfBenefit")
        took.append(time.process_time() - start)
    assert min(took) < 1e-3


@pytest.mark.parametrize(
    ("name", "text", "fits"),
    [
        ("string", "张\u3000三", True),
        ("string", "a\tb\r\nc", True),
        ("string", "a\x0bb", False),
        ("string", "", False),
        ("code", "a", True),
        ("code", "a b c", True),
        ("code", "a  b", False),
        ("code", " a", False),
        ("code", "a ", False),
        ("code", "a\tb", False),
        ("code", "", False),
        ("uri", "urn:oid:1.2", True),
        ("uri", "a b", False),
        ("uri", "a\n", False),
        ("base64Binary", "AQ==\n AQID", True),
        ("base64Binary", "!", False),
        ("id", "a-b.1", True),
        ("id", "a_b", False),
        ("oid", "urn:oid:1.2.3", True),
        ("oid", "urn:oid:3.2", False),
        ("date", "2026-03-01", True),
        ("date", "2026-3-1", False),
        ("instant", "2026-03-01T02:00:00Z", True),
        ("instant", "2026-03-01", False),
        ("decimal", "-1.50e3", True),
        ("decimal", "01", False),
        ("positiveInt", "0", False),
        ("unsignedInt", "0", True),
        ("uuid", "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", True),
        ("time", "24:00:00", False),
    ],
)
def test_patterns_of_primitives(name, text, fits):
    pattern = type_definition(name).regex
    assert pattern is not None
    assert (re.fullmatch(pattern, text) is not None) is fits


@pytest.mark.parametrize("piece", ["A", " ", "a ", "  A", "=", "1.", "\n", "é"])
def test_patterns_take_time_that_grows_with_the_length_only(piece):
    text = piece * (200_000 // len(piece)) + "\x00"
    start = time.process_time()
    for name in type_names():
        pattern = type_definition(name).regex
        if pattern is not None:
            assert re.fullmatch(pattern, text) is None
            assert re.fullmatch(pattern, f"urn:oid:1.{text}") is None
    assert time.process_time() - start < 5
