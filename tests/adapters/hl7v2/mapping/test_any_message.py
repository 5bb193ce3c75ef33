"""Whatever stands in the fields, a message is converted or refused, and what comes out is valid."""

from __future__ import annotations

from functools import lru_cache

import pytest
from hypothesis import HealthCheck, given, settings

from adapters.hl7v2.converted import Converted, Mapped
from adapters.hl7v2.mapping.library import library
from adapters.hl7v2.mapping.variants import OFTEN
from adapters.hl7v2.message import parse
from adapters.hl7v2.sites import Site
from adapters.hl7v2.to_fhir import convert
from hub.errors import HubError, Issue
from hub.model import json
from hub.validation.validator import Validator
from tests.adapters.hl7v2.random_messages import messages

SITE = Site()


@lru_cache(maxsize=1)
def _validator() -> Validator:
    return Validator()


def _converted(text: str, *, trace: bool) -> Converted | list[str]:
    try:
        return convert(parse(text), SITE, 1_780_000_000_000, trace=trace)
    except HubError as error:
        return [issue.location for issue in error.issues]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(messages())
def test_any_message_is_converted_or_refused(text: str) -> None:
    library(SITE, False).shelf.made = 0  # The more there are, the more usual must a shape be.
    for _ in range(OFTEN + 1):  # The last time by maps for the shapes of its segments.
        converted = _converted(text, trace=False)
    traced = _converted(text, trace=True)
    if isinstance(converted, list):
        assert converted == traced
        assert all(converted), "an error names its place"
        return
    assert isinstance(traced, Converted)
    assert [one.resource for one in converted.resources] == [
        one.resource for one in traced.resources
    ]
    assert converted.remarks == traced.remarks
    urls = {one.full_url for one in converted.resources}
    assert len(urls) == len(converted.resources)
    if converted.kind.startswith("ADT"):
        wrong = [issue for one in converted.resources for issue in _errors(one)]
        assert not wrong


def _errors(mapped: Mapped) -> list[Issue]:
    """What is wrong but by the sender's own words: a result without code, a period turned round."""
    content = json.decode(json.encode(mapped.resource))
    return [
        issue
        for issue in _validator().validate(content)
        if issue.severity == "error"
        and mapped.type != "Observation"
        and "per-1" not in str(issue.arguments)
    ]


@pytest.mark.parametrize("length", [1, 5_000])
def test_very_many_segments_take_time_in_proportion(length: int) -> None:
    segments = [f"OBX|{n}|NM|GLU^Glucose^LN||{n}|mmol/L|||||F" for n in range(length)]
    text = "\r".join(
        ["MSH|^~\\&|A|B|||20260301||ORU^R01|C1|P|2.5.1", "PID|1||7", "OBR|1|P|F|X", *segments]
    )
    converted = _converted(text, trace=False)
    assert isinstance(converted, Converted)
    assert len([one for one in converted.resources if one.type == "Observation"]) == length
