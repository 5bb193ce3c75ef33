"""Token rows (https://hl7.org/fhir/R4/search.html#token).

One factory per data type; each gives a closure that notes the rows of one element. Called by
`hub.search.extraction.leaves`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.search.extraction.found import Found, Visit
from hub.search.folding import fold_label
from hub.search.values import TokenRow

_new = tuple.__new__
OF_TYPE = "of-type"
_PLAIN_CODING = frozenset(["system", "code", "display"])
_PLAIN_CONCEPT = frozenset(["coding", "text"])


Fold = Callable[[str], str]


def codeable_concept(
    keys: tuple[int, ...], folding: Fold | None, beyond: Callable[[str], Visit] | None = None
) -> Visit:
    """A row per coding with its display or the concept's text; notes these texts as well.

    A text that no coding carries has a row of its own.

    Args:
        keys: Parameters that index the element.
        folding: What makes codes comparable; None: they are compared as written.
        beyond: Gives what visits a Coding or CodeableConcept that holds more than the usual.
    """

    def visit(concept: dict[str, Any], found: Found) -> None:
        note, texts = found.tokens.append, found.texts
        whole = concept.get("text")
        if whole is None:
            text = ""
        else:
            texts[whole] = None
            text = fold_label(whole)
        is_told = not text
        for coding in concept.get("coding", ()):
            code, display = coding.get("code", ""), coding.get("display")
            if display is None:
                words = text
            else:
                texts[display] = None
                words = fold_label(display)
            if words == text:
                is_told = True
            if folding is not None:
                code = folding(code)
            system = coding.get("system", "")
            for key in keys:
                note(_new(TokenRow, (key, system, code, words, "code")))
            if beyond is not None and not coding.keys() <= _PLAIN_CODING:
                beyond("Coding")(coding, found)
        if not is_told:
            for key in keys:
                note(_new(TokenRow, (key, "", "", text, "code")))
        if beyond is not None and not concept.keys() <= _PLAIN_CONCEPT:
            beyond("CodeableConcept")(concept, found)

    return visit


def concept_texts(beyond: Callable[[str], Visit]) -> Visit:
    """Only the texts, of a concept that no parameter indexes.

    Args:
        beyond: As in `codeable_concept`.
    """

    def visit(concept: dict[str, Any], found: Found) -> None:
        texts = found.texts
        if "text" in concept:
            texts[concept["text"]] = None
        for coding in concept.get("coding", ()):
            if "display" in coding:
                texts[coding["display"]] = None
            if not coding.keys() <= _PLAIN_CODING:
                beyond("Coding")(coding, found)
        if not concept.keys() <= _PLAIN_CONCEPT:
            beyond("CodeableConcept")(concept, found)

    return visit


def coding(keys: tuple[int, ...], folding: Fold | None) -> Visit:
    """One row; arguments as in `codeable_concept`."""

    def visit(element: dict[str, Any], found: Found) -> None:
        code = element.get("code", "")
        row = (
            element.get("system", ""),
            code if folding is None else folding(code),
            fold_label(element.get("display", "")),
            "code",
        )
        for key in keys:
            found.tokens.append(_new(TokenRow, (key, *row)))

    return visit


def identifier(keys: tuple[int, ...], folding: Fold | None) -> Visit:
    """A row for the identifier and one for each coding of its type, for `:of-type`."""

    def visit(element: dict[str, Any], found: Found) -> None:
        value = element.get("value", "")
        if folding is not None:
            value = folding(value)
        kind = element.get("type")
        text = ""
        codes: list[str] = []
        if kind is not None:
            text = fold_label(kind.get("text", ""))
            if value:
                codes = [of_type_code(coding, value) for coding in kind.get("coding", ())]
        for key in keys:
            found.tokens.append(
                _new(TokenRow, (key, element.get("system", ""), value, text, "code"))
            )
            for code in codes:
                found.tokens.append(_new(TokenRow, (key, "", code, "", OF_TYPE)))

    return visit


def of_type_code(coding: Mapping[str, Any], value: str) -> str:
    """What an `of-type` row holds: `type-system|type-code|value`.

    Args:
        coding: Of Identifier.type.
        value: Identifier.value.
    """
    return f"{coding.get('system', '')}|{coding.get('code', '')}|{value}"


def contact_point(keys: tuple[int, ...], folding: Fold | None) -> Visit:
    """A row with the number or address."""

    def visit(element: dict[str, Any], found: Found) -> None:
        value = element.get("value")
        if value is not None:
            _note(keys, value if folding is None else folding(value), found)

    return visit


def text(keys: tuple[int, ...], folding: Fold | None) -> Visit:
    """A primitive: code, string, uri, id."""

    def visit(element: str, found: Found) -> None:
        _note(keys, element if folding is None else folding(element), found)

    return visit


def boolean(keys: tuple[int, ...], folding: Fold | None) -> Visit:
    """`true` or `false`."""

    def visit(element: bool, found: Found) -> None:
        _note(keys, "true" if element else "false", found)

    return visit


def _note(keys: tuple[int, ...], code: str, found: Found) -> None:
    for key in keys:
        found.tokens.append(_new(TokenRow, (key, "", code, "", "code")))
