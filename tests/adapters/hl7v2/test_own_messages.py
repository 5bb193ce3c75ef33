"""A hundred messages of invented hospitals become the resources that their cases tell."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from hub.model import json
from hub.validation.validator import Validator
from tests.adapters.hl7v2 import own_messages
from tests.adapters.hl7v2.own_messages import case, converted, told

NAMES = own_messages.names()


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def test_there_are_a_hundred_of_all_kinds() -> None:
    kinds = Counter(name.partition("/")[0] for name in NAMES)
    assert len(NAMES) >= 100
    assert set(kinds) == {"adt", "oru", "orm", "siu", "ref", "rri", "mdm", "vxu"}
    events = Counter(name.partition("/")[2][:3] for name in NAMES if name.startswith("adt/"))
    assert set(events) == {"a01", "a03", "a04", "a05", "a08", "a11", "a28", "a31", "a40"}


@pytest.mark.parametrize("name", NAMES)
def test_a_message_says_what_its_case_tells(name: str) -> None:
    known = case(name)
    site, result = converted(known.raw)
    assert site == known.site
    assert told(result) == known.expected


@pytest.mark.parametrize("name", NAMES)
def test_what_a_message_says_is_valid(name: str, validator: Validator) -> None:
    for mapped in converted(case(name).raw)[1].resources:
        resource: dict[str, Any] = json.decode(json.encode(mapped.resource))
        said = [
            (mapped.key, issue.message, issue.location)
            for issue in validator.validate(resource)
            if issue.severity in ("error", "fatal")
        ]
        assert said == []
        model = get_fhir_model_class(mapped.type)
        model.model_validate_json(json.encode(resource))


@pytest.mark.parametrize("name", NAMES)
def test_every_resource_names_where_it_came_from(name: str) -> None:
    for mapped in converted(case(name).raw)[1].resources:
        assert mapped.sources, mapped.key
