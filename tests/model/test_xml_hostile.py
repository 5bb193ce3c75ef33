"""hub.model.xml on documents made to exhaust time."""

from __future__ import annotations

import time

import pytest

from hub.errors import BadRequest, TooLarge
from hub.messages import render
from hub.model import xml
from hub.model.json import MAX_VALUES

MANY = 40_000
ATTRIBUTES = b"".join(b' a%d="v"' % n for n in range(MANY))
NAMESPACES = b"".join(b' xmlns:a%d="u%d"' % (n, n) for n in range(MANY))
PREFIXED = b"".join(b"<a%d:p/>" % n for n in range(MANY))
XHTML = b'xmlns="http://www.w3.org/1999/xhtml"'


def patient(content: bytes, more: bytes = b"") -> bytes:
    return b'<Patient xmlns="http://hl7.org/fhir"' + more + b">" + content + b"</Patient>"


def narrative(div: bytes) -> bytes:
    return patient(b'<text><status value="generated"/>' + div + b"</text>")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(patient(b"", ATTRIBUTES), id="attributes of a resource"),
        pytest.param(patient(b"<active" + ATTRIBUTES + b"/>"), id="attributes of a primitive"),
        pytest.param(
            narrative(b"<div " + XHTML + NAMESPACES + b">" + PREFIXED + b"</div>"),
            id="namespaces of a narrative",
        ),
        pytest.param(
            narrative(b"<div " + XHTML + b"><p" + NAMESPACES + b">" + PREFIXED + b"</p></div>"),
            id="namespaces within a narrative",
        ),
    ],
)
def test_crowds_of_attributes_and_namespaces_are_refused_soon(data: bytes):
    started = time.process_time()
    with pytest.raises(BadRequest) as caught:
        xml.parse(data)
    assert time.process_time() - started < 1  # 3 s and more at this size, quadratic
    (issue,) = caught.value.issues
    assert issue.message == "xml-attributes"
    assert render(issue.message, issue.arguments, "zh-CN")


def test_more_elements_than_memory_has_room_for_are_refused_before_they_are_made():
    with pytest.raises(TooLarge) as caught:
        xml.parse(patient(b"<name/>" * MAX_VALUES))
    (issue,) = caught.value.issues
    assert issue.message == "xml-too-many-elements"
    assert render(issue.message, issue.arguments, "zh-CN")
