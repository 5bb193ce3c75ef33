"""hub.model.xml: every rule of FHIR XML, and what hostile XML gets."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from hub.errors import BadRequest, HubError, Unprocessable
from hub.messages import render
from hub.model import xml

FHIR = 'xmlns="http://hl7.org/fhir"'
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'


def patient(inside: str) -> bytes:
    return f"<Patient {FHIR}>{inside}</Patient>".encode()


def issues(data: bytes) -> list[tuple[str, str]]:
    """Message ids and locations of the refusal."""
    with pytest.raises(BadRequest) as caught:
        xml.parse(data)
    for issue in caught.value.issues:
        assert render(issue.message, issue.arguments)
        assert render(issue.message, issue.arguments, "zh")
    return [(issue.message, issue.location) for issue in caught.value.issues]


def test_primitives_get_the_types_of_json():
    found = xml.parse(
        patient(
            '<active value="true"/><multipleBirthInteger value="2"/>'
            '<extension url="u"><valueDecimal value="1.00"/></extension>'
            '<extension url="u"><valueDecimal value="100"/></extension>'
            '<extension url="u"><valueInteger value="-3"/></extension>'
            '<extension url="u"><valueDecimal value="1e-3"/></extension>'
        )
    )
    assert found["active"] is True
    assert found["multipleBirthInteger"] == 2
    assert [list(row.values())[1] for row in found["extension"]] == [
        Decimal("1.00"),
        100,
        -3,
        Decimal("0.001"),
    ]
    assert str(found["extension"][0]["valueDecimal"]) == "1.00"


def test_values_that_do_not_fit_are_left_to_validation():
    found = xml.parse(patient('<active value="yes"/><multipleBirthInteger value="01"/><gender/>'))
    assert found == {
        "resourceType": "Patient",
        "active": "yes",
        "multipleBirthInteger": "01",
        "_gender": {},
    }


def test_ids_and_extensions_of_primitives():
    text = (
        '<name id="n"><family id="f" value="Li"><extension url="u"><valueCode value="x"/>'
        '</extension></family><given value="A"/><given id="g"/></name><birthDate><extension '
        'url="u"><valueString value=" s&#10;t "/></extension></birthDate>'
    )
    found = xml.parse(patient(text))
    assert found == {
        "resourceType": "Patient",
        "name": [
            {
                "id": "n",
                "family": "Li",
                "_family": {"id": "f", "extension": [{"url": "u", "valueCode": "x"}]},
                "given": ["A", None],
                "_given": [None, {"id": "g"}],
            }
        ],
        "_birthDate": {"extension": [{"url": "u", "valueString": " s\nt "}]},
    }
    assert xml.parse(xml.serialize(found)) == found


def test_narrative_is_a_text_free_of_its_surroundings():
    found = xml.parse(
        f'<Patient {FHIR} xmlns:x="urn:x"><text><status value="generated"/>{DIV}a &amp; '
        "<b>张&#19977;</b><!-- kept --></div> </text></Patient>".encode()
    )
    assert found["text"]["div"] == f"{DIV}a &amp; <b>张三</b><!-- kept --></div>"


def test_contained_resources_and_bundle_entries():
    found = xml.parse(
        patient('<contained><Organization><id value="o"/></Organization></contained>')
    )
    assert found["contained"] == [{"resourceType": "Organization", "id": "o"}]
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "link": [{"relation": "self", "url": "http://x?a=1&b=2"}],
        "entry": [
            {"link": [{"relation": "a", "url": "b"}], "resource": found},
            {"request": {"method": "GET", "url": "Patient?name=<é>"}},
        ],
    }
    assert xml.parse(xml.serialize(bundle)) == bundle


def test_elements_come_out_in_the_order_of_the_definition():
    data = xml.serialize(
        {
            "resourceType": "Observation",
            "valueQuantity": {"unit": "mg", "value": Decimal("1.50")},
            "status": "final",
            "id": "a",
        }
    ).decode()
    assert data.index("<id ") < data.index("<status ") < data.index("<valueQuantity>")
    assert data.index('<value value="1.50"/>') < data.index("<unit ")


def test_white_space_and_markup_in_values_survive():
    made = {"resourceType": "Basic", "id": "\t\r\n <>&\"' 😀"}
    assert xml.parse(xml.serialize(made)) == made


def test_characters_that_xml_cannot_hold_are_replaced():
    data = xml.serialize({"resourceType": "Basic", "id": "a\x00\x0b\ufffe"})
    assert xml.parse(data)["id"] == "a\ufffd\ufffd\ufffd"


@pytest.mark.parametrize(
    ("div", "inside"),
    [
        ("<div>a</div>", "a"),
        (f"{DIV}a&nbsp;b&eacute;&amp;</div>", "a\xa0bé&amp;"),
        (f"{DIV}<p>not closed</div>", "&lt;p&gt;not closed&lt;/div&gt;"),
        ("plain", "plain"),
        ("<!DOCTYPE a><div/>", "&lt;!DOCTYPE a&gt;"),
        ('<?xml version="1.0"?><div/>', "&lt;?xml version="),
        (f"{DIV}&wizard;</div>", "&amp;wizard;"),
        (f"{DIV}</div><script/>", "&lt;script/&gt;"),
        (f"{DIV}\x00</div>", "\ufffd"),
        (f"{DIV}\ufffe</div>", "\ufffd"),
    ],
)
def test_any_narrative_is_written_well_formed(div, inside):
    made = {"resourceType": "Basic", "text": {"status": "generated", "div": div}}
    found = xml.parse(xml.serialize(made))["text"]["div"]
    assert found.startswith(DIV)
    assert inside in found


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<wizard/>", [("xml-element", "Patient.wizard")]),
        ('<name/><name><x y="z"/></name>', [("xml-element", "Patient.name[1].x")]),
        ('<active value="true" x="y"/>', [("xml-attribute", "Patient.active")]),
        ('<name value="x"/>', [("xml-attribute", "Patient.name")]),
        ("<active>true</active>", [("xml-text", "Patient.active")]),
        ("<name>Li</name>", [("xml-text", "Patient.name")]),
        ("<name/>Li", [("xml-text", "Patient")]),
        ("<![CDATA[x]]>", [("xml-text", "Patient")]),
        ("<active/><active/>", [("xml-repeated", "Patient.active[1]")]),
        ('<active value="true"/><active/>', [("xml-repeated", "Patient.active[1]")]),
        ("<contained/>", [("xml-contained", "Patient.contained")]),
        ("<contained><Basic/><Basic/></contained>", [("xml-contained", "Patient.contained")]),
        ("<contained><wizard/></contained>", [("xml-root", "Patient.contained.wizard")]),
        ('<div xmlns="http://www.w3.org/1999/xhtml"/>', [("xml-element", "Patient.div")]),
        ('<active xmlns="urn:x" value="true"/>', [("xml-element", "Patient.active")]),
        ("<text><div>a</div></text>", [("xml-element", "Patient.text.div")]),
        ("<birthDate><wizard/></birthDate>", [("xml-element", "Patient.birthDate.wizard")]),
        (
            "<contained><Basic><x/></Basic></contained>",
            [("xml-element", "Patient.contained.x")],
        ),
        ("<a/><b/>", [("xml-element", "Patient.a"), ("xml-element", "Patient.b")]),
    ],
)
def test_what_does_not_belong_is_named_with_its_place(inside, expected):
    assert issues(patient(inside)) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"<Patient/>",
        b'<Patient xmlns="urn:x"/>',
        f"<Wizard {FHIR}/>".encode(),
        f"<Resource {FHIR}/>".encode(),
        f"<HumanName {FHIR}/>".encode(),
        b'<html xmlns="http://www.w3.org/1999/xhtml"/>',
    ],
)
def test_only_resources_in_the_fhir_namespace_are_read(data):
    assert issues(data)[0][0] == "xml-root"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{}",
        b"<Patient",
        patient("<name>"),
        patient("<name/></name>"),
        patient("&nbsp;"),
        patient("&#0;"),
        patient("\x0b"),
        patient('<active value="true" value="true"/>'),
        patient("") + patient(""),
        patient("<x:a/>"),
    ],
)
def test_malformed_xml_is_a_syntax_error(data):
    assert issues(data)[0][0] == "xml-syntax"


def test_a_syntax_error_does_not_repeat_the_text():
    with pytest.raises(BadRequest) as caught:
        xml.parse(patient('<name><family value="Zhang"/></nom>'))
    (issue,) = caught.value.issues
    assert "Zhang" not in str(issue.arguments)
    assert issue.arguments["line"] == 1


@pytest.mark.parametrize(
    "data",
    [
        patient('<id value="1"/>').decode().encode("utf-16"),
        patient('<id value="é"/>').decode().encode("latin-1"),
        b'<?xml version="1.0" encoding="GB18030"?>'
        + patient('<id value="张"/>').decode().encode("gb18030"),
    ],
)
def test_other_encodings_are_refused(data):
    assert issues(data)[0][0] == "xml-encoding"


LAUGHS = '<!DOCTYPE lolz [<!ENTITY l0 "ha">' + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)
)


@pytest.mark.parametrize(
    "prolog",
    [
        LAUGHS + "]>",
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
        "<!DOCTYPE Patient>",
    ],
)
def test_document_types_and_entities_are_refused(prolog):
    start = time.process_time()
    assert issues(prolog.encode() + patient('<id value="&l9;&e;"/>')) == [("xml-doctype", "")]
    assert time.process_time() - start < 0.5


def test_nesting_is_limited():
    def nested(levels: int) -> bytes:
        return patient('<extension url="u">' * levels + "</extension>" * levels)

    assert xml.parse(nested(40))
    assert issues(nested(60))[0][0] == "xml-depth"
    assert issues(nested(10_000))[0][0] in ("xml-syntax", "xml-depth")
    assert issues(patient("<name>" * 100_000))[0][0] in ("xml-syntax", "xml-element")


def test_many_faults_are_cut_short():
    assert len(issues(patient("<x/>" * 1000))) == 50


@pytest.mark.parametrize("number", ["1E+999999999", "1" * 101, "1." + "0" * 200])
def test_numbers_that_exhaust_arithmetic_are_refused(number):
    inside = f'<extension url="u"><valueDecimal value="{number}"/></extension>'
    assert issues(patient(inside))[0][0] == "json-number-range"


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ({"resourceType": "Patient", "wizard": 1}, "wizard"),
        ({"resourceType": "Patient", "_wizard": {}}, "_wizard"),
        ({"resourceType": "Wizard"}, "resourceType"),
        ({"resourceType": ["Patient"]}, "resourceType"),
        ({}, "resourceType"),
        ({"resourceType": "Patient", "name": {}}, "name"),
        ({"resourceType": "Patient", "name": ["x"]}, "name"),
        ({"resourceType": "Patient", "active": [True]}, "active"),
        ({"resourceType": "Patient", "gender": {"x": 1}}, "gender"),
        ({"resourceType": "Patient", "_gender": "x"}, "gender"),
        ({"resourceType": "Patient", "text": {"div": 1}}, "div"),
    ],
)
def test_what_is_not_in_the_definition_cannot_be_written(resource, name):
    with pytest.raises(Unprocessable) as caught:
        xml.serialize(resource)
    (issue,) = caught.value.issues
    assert issue.arguments == {"name": name}


def test_pretty_xml_is_indented_but_means_the_same():
    made = {"resourceType": "Patient", "name": [{"given": ["A", "B"]}]}
    data = xml.serialize(made, pretty=True)
    assert b'\n    <given value="A"/>\n' in data
    assert xml.parse(data) == made


def test_a_resource_type_where_no_resource_is_cannot_be_written() -> None:
    with pytest.raises(HubError) as refused:
        xml.serialize({"resourceType": "Patient", "name": [{"resourceType": "x", "text": "a"}]})
    (issue,) = refused.value.issues
    assert (issue.message, issue.arguments["name"]) == ("xml-unwritable", "resourceType")
