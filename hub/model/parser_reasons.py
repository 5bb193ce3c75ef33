"""What a parser of JSON or XML says, in the hub's own words and without the text it quotes.

The parsers speak English only, and libxml2 may quote what it read. Called by `hub.model.json` and
`hub.model.xml_read`; the Chinese words are in `hub.messages.parser_phrases`.
"""

from __future__ import annotations

import re

from hub.messages import Phrase

_LONGEST = 200

# msgspec 0.19 to 0.21, all that its JSON decoder says.
JSON_REASONS = {
    "expected '\"'": "a quotation mark is expected",
    "expected ',' or ']'": "a comma or ] is expected",
    "expected ',' or '}'": "a comma or } is expected",
    "expected ':'": "a colon is expected",
    "object keys must be strings": "a name in double quotation marks is expected",
    "trailing comma in array": "a comma stands before ]",
    "trailing comma in object": "a comma stands before }",
    "trailing characters": "something follows the end",
    "invalid character": "a character does not belong here",
    "invalid number": "no number is written this way",
    "invalid escape character in string": "no escape is written this way",
    "invalid escaped character": "no escape is written this way",
    "invalid character in unicode escape": "\\u needs four hexadecimal digits",
    "unexpected end of hex escape": "\\u needs four hexadecimal digits",
    "invalid utf-16 surrogate pair": "half of a surrogate pair stands alone",
    "unexpected end of escaped utf-16 surrogate pair": "half of a surrogate pair stands alone",
}

_NAME = r"(?P<name>\S+)"
XML_REASONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), phrase)
    for pattern, phrase in (
        ("Document is empty", "there is no element"),
        ("Start tag expected", "an element is expected"),
        (rf"Couldn't find end of Start Tag {_NAME}", "the start tag {name} has no end"),
        (rf"Premature end of data in tag {_NAME}", "the element {name} has no end tag"),
        (
            rf"Opening and ending tag mismatch: {_NAME}(?: line \d+)? and (?P<other>\S+)",
            "the element {name} is closed by {other}",
        ),
        (
            rf"Specification mandates value for attribute {_NAME}",
            "the attribute {name} has no value",
        ),
        (rf"(?:Namespaced )?Attribute {_NAME}.* redefined", "the attribute {name} stands twice"),
        ("AttValue: \" or ' expected", "an attribute's value needs quotation marks"),
        ("AttValue: ' expected", "an attribute's value has no closing quotation mark"),
        ("Unescaped '<' not allowed", "a < in an attribute's value must be written &lt;"),
        (rf"Namespace prefix {_NAME} .*is not defined", "the prefix {name} has no namespace"),
        ("xmlns:.*Empty XML namespace", "the namespace of a prefix is empty"),
        (
            "xml namespace|reuse of the xmlns|redefinition of the",
            "a reserved prefix is declared anew",
        ),
        ("xmlns.*(?:not a valid URI|not absolute)", "a namespace is no URI"),
        (r"Entity '(?P<name>\S+)' not defined", "the entity {name} is not defined"),
        ("xmlParseEntityRef: no name", "an & must be written &amp;"),
        ("EntityRef: expecting ';'", "an entity has no semicolon"),
        (
            "xmlParseCharRef|PCDATA invalid Char|Invalid character|invalid character"
            "|xmlParseComment: invalid|Char 0x|CDATA.* invalid Char",
            "a character is not allowed in XML",
        ),
        (
            "StartTag: invalid element name|Failed to parse QName|error parsing attribute name"
            "|xmlParseStartTag",
            "a name is not written as XML wants",
        ),
        ("attributes construct error", "two attributes need a space between them"),
        ("Double hyphen within comment", "a comment holds two hyphens"),
        ("Comment not terminated", "a comment has no end"),
        ("CData section not finished", "a CDATA section has no end"),
        ("ParsePI|xmlParsePI", "a processing instruction has no end"),
        ("Sequence '", "]]> may not stand in a text"),
        ("XML declaration allowed only", "the XML declaration is not at the start"),
        (
            "Blank needed here|Unsupported version|Malformed declaration|standalone accepts"
            "|String not |parsing XML declaration|Missing encoding name|Invalid XML encoding",
            "the XML declaration is malformed",
        ),
        ("Extra content at the end", "something follows the end"),
        ("Excessive depth|Maximum (?:element|entity) ", "it is nested too deep"),
        (
            "Resource limit exceeded|Name too long|PI .* too big|AttValue length",
            "a text or name is too long",
        ),
    )
)


def json_reason(text: str) -> Phrase:
    """What msgspec says.

    Args:
        text: Its message without `JSON is malformed` and place.
    """
    known = JSON_REASONS.get(text)
    return _unknown(text) if known is None else Phrase(known)


def xml_reason(text: str) -> Phrase:
    """What libxml2 says.

    Args:
        text: Its message, which may quote the document behind a line break.
    """
    line = text.partition("\n")[0].partition(", line ")[0]
    for pattern, phrase in XML_REASONS:
        found = pattern.match(line)
        if found is not None:
            names = {name: value[:64] for name, value in found.groupdict().items()}
            return Phrase(phrase, names)
    return _unknown(line)


def _unknown(text: str) -> Phrase:
    return Phrase("{reason}", {"reason": text[:_LONGEST]})
