"""JSON and XML bring every resource back; no input makes them do worse than refuse."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.definitions import resource_types
from hub.errors import BadRequest
from hub.model import json, reference, xml
from hub.model.xml_shape import shape
from tests.property.resources import resources

IN_ORDER = msgspec.json.Encoder(decimal_format="number", order="sorted").encode
SLOW = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@SLOW
@given(resources())
def test_json_brings_every_resource_back(resource):
    data = json.encode(resource)
    assert json.decode(data) == resource
    assert json.encode(json.decode(data)) == data
    assert json.decode(json.encode_pretty(resource)) == resource


@SLOW
@given(resources(), st.booleans())
def test_xml_brings_every_resource_back(resource, pretty):
    data = xml.serialize(resource, pretty=pretty)
    # Attributes come first in XML, so the order of properties is not compared; digits are.
    assert IN_ORDER(xml.parse(data)) == IN_ORDER(resource)


@pytest.mark.parametrize("name", resource_types())
@settings(SLOW, max_examples=3)
@given(st.data())
def test_xml_knows_every_type(name, data):
    resource = data.draw(resources(types=(name,)))
    assert xml.parse(xml.serialize(resource)) == resource


def references(node, path):
    """Reference elements told by the definitions."""
    for name, row in shape(path).children.items():
        items = node.get(name, [])
        for item in items if isinstance(items, list) else [items]:
            if row.kind == "resource":
                yield from references(item, item["resourceType"])
            elif row.kind == "complex":
                if row.type == "Reference" and isinstance(item.get("reference"), str):
                    yield item
                yield from references(item, row.path)


@SLOW
@given(resources(types=("Immunization", "Observation", "DetectedIssue", "Bundle", "Claim")))
def test_walk_finds_what_the_definitions_call_a_reference(resource):
    found = list(reference.walk(resource))
    assert all(path.startswith(resource["resourceType"]) for path, _ in found)
    expected = references(resource, resource["resourceType"])
    assert {id(element) for _, element in found} == {id(element) for element in expected}


@SLOW
@given(resources())
def test_walk_takes_any_resource(resource):
    expected = references(resource, resource["resourceType"])
    found = {id(element) for _, element in reference.walk(resource)}
    assert {id(element) for element in expected} <= found


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_read(data):
    for parse in (json.decode, xml.parse):
        try:
            found = parse(data)
        except BadRequest:
            continue
        assert isinstance(found, dict)


TOKENS = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"', '"a"', '"\\', "\\u0000", "1", "1.0", "-", "e9", "null", " "]
)


@settings(max_examples=400)
@given(st.lists(TOKENS, max_size=30))
def test_any_json_tokens_are_refused_or_read(tokens):
    try:
        found = json.decode("".join(tokens).encode())
    except BadRequest:
        return
    assert json.decode(json.encode(found)) == found


KEYS = st.sampled_from(["a", "b", '\\"', "\\u0061", "\\\\", "[", "{", "\\u0022:"])


@st.composite
def objects(draw: st.DrawFn, depth: int = 0) -> tuple[str, bool]:
    """The text of a JSON object, and whether any object in it has a key twice."""
    keys = draw(st.lists(KEYS, max_size=4))
    plain = [{"\\u0061": "a"}.get(key, key) for key in keys]
    twice = len(set(plain)) < len(plain)
    parts = []
    for key in keys:
        value, inner = (
            draw(objects(depth + 1)) if depth < 3 and draw(st.booleans()) else ('"]\\""', False)
        )
        twice = twice or inner
        if draw(st.booleans()):
            value = f"[{value}]"
        parts.append(f'"{key}" :{value}')
    return "{" + " ,".join(parts) + "}", twice


@settings(max_examples=400)
@given(objects())
def test_duplicate_keys_are_found_exactly(made):
    text, twice = made
    if not twice:
        assert json.decode(text.encode()) is not None
        return
    with pytest.raises(BadRequest) as caught:
        json.decode(text.encode())
    assert caught.value.issues[0].message == "json-duplicate-key"


PIECES = st.sampled_from(
    [
        '<Patient xmlns="http://hl7.org/fhir">',
        "</Patient>",
        "<name>",
        "</name>",
        '<family value="x"/>',
        '<active value="maybe"/>',
        "<active/>",
        '<multipleBirthInteger value="1"/>',
        "<contained>",
        "</contained>",
        '<text><div xmlns="http://www.w3.org/1999/xhtml">',
        "</div></text>",
        "<!-- c -->",
        "<?p?>",
        "<![CDATA[x]]>",
        "text",
        "&nbsp;",
        "&#0;",
        "&#10;",
        '<extension url="u">',
        "</extension>",
    ]
)


@settings(max_examples=400)
@given(st.lists(PIECES, max_size=12))
def test_any_xml_pieces_are_refused_or_read(pieces):
    for text in (
        "".join(pieces),
        '<Patient xmlns="http://hl7.org/fhir">' + "".join(pieces) + "</Patient>",
    ):
        try:
            found = xml.parse(text.encode())
        except BadRequest:
            continue
        assert xml.parse(xml.serialize(found)) == found
