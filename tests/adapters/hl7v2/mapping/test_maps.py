"""All our maps fit R4, and their tables lead into the codes that it allows."""

from __future__ import annotations

import pytest

from adapters.hl7v2.mapping import files
from adapters.hl7v2.mapping.library import Library, message_names
from adapters.hl7v2.sites import Site
from hub.definitions import bound_codes

BOUND = {
    "sex": "administrative-gender",
    "encounter-status-by-class": "encounter-status",
    "event-status": "encounter-status",
    "name-use": "name-use",
    "address-type": "address-type",
    "address-use": "address-use",
    "telecom-use": "contact-point-use",
    "telecom-system": "contact-point-system",
    "allergy-category": "allergy-intolerance-category",
    "allergy-type": "allergy-intolerance-type",
    "allergy-criticality": "allergy-intolerance-criticality",
}
"""Tables that fill elements with a required binding."""


def test_every_map_compiles() -> None:
    Library(Site()).check()
    Library(Site(), trace=True).check()


@pytest.mark.parametrize("name", BOUND)
def test_a_table_leads_into_the_codes_that_are_allowed(name: str) -> None:
    allowed = bound_codes(f"http://hl7.org/fhir/ValueSet/{BOUND[name]}")
    assert allowed is not None
    content = files.ours("tables")[name]
    found = {
        target if isinstance(target, str) else target[0] for target in content["codes"].values()
    }
    assert found | {content.get("unknown", "")} <= allowed.codes | {""}


def test_a_code_on_the_left_stands_once_and_is_no_number_or_word_of_yaml() -> None:
    for name, content in files.ours("tables").items():
        assert all(isinstance(code, str) for code in content["codes"]), name


def test_the_messages_of_the_release_have_maps() -> None:
    assert {
        *(f"ADT^A{event}" for event in ("01", "03", "04", "05", "08", "11", "28", "31", "40")),
        *("ORU^R01", "SIU^S12", "SIU^S13", "SIU^S14", "SIU^S15", "REF^I12", "RRI^I12"),
        *("MDM^T02", "VXU^V04", "ORM^O01"),
    } <= set(message_names())
