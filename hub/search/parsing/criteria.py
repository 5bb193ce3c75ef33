"""One search parameter, with its modifier, chain and values, as a criterion.

https://hl7.org/fhir/R4/search.html#chaining, #has and #modifiers. The criteria still hold
modifiers that no store knows; `hub.search.rewrite` turns them into others. Called by
`hub.search.parse` and `hub.search.parsing.filters`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hub.definitions import SearchParameter, ancestors, is_resource_type, resource_types
from hub.messages import Phrase
from hub.model.identity import valid_id
from hub.search.folding import query_words
from hub.search.parsing import values
from hub.search.parsing.escapes import split, unescape
from hub.search.parsing.modifiers import TERMINOLOGY, check_modifier
from hub.search.parsing.reading import (
    LONGEST_CHAIN,
    MOST_VALUES,
    Reading,
    UnknownParameter,
    invalid,
    refuse,
)
from hub.search.query import (
    And,
    Chain,
    Criterion,
    Has,
    ListMembers,
    Match,
    Or,
    TokenValue,
    UriValue,
    Value,
    Words,
)
from hub.search.traits import targets_of, traits_of

ANY_TYPE = frozenset(["Resource", "DomainResource"])
"""What parameters are asked of when several types are searched at once."""

_HAS = "_has"
_TOP_ONLY = frozenset(["_filter"])
"""Not behind a chain: `hub.search.parse` reads it."""

_HAS_PARTS = 4

ValueReader = Callable[[Reading, SearchParameter, str], Value]


def criterion_of(reading: Reading, type: str, name: str, text: str, depth: int = 0) -> Criterion:
    """What a parameter and its values ask for.

    Args:
        reading: The search.
        type: Resource type, or one of `ANY_TYPE`.
        name: Name with chain and modifier: `subject:Patient.name:exact`.
        text: Values, joined by commas.
        depth: Chain links before this one.

    Raises:
        UnknownParameter: The type has no such parameter.
        BadRequest: Anything else that cannot be understood.
    """
    if depth > LONGEST_CHAIN:
        refuse("too-costly", "search-chain-too-deep", name=name[:64], limit=LONGEST_CHAIN)
    if name.partition(":")[0] == _HAS:
        return _has(reading, type, name, text, depth)
    head, dot, rest = name.partition(".")
    code, _, modifier = head.partition(":")
    if not dot and code in _SPECIAL:
        if modifier:
            refuse("not-supported", "search-unknown-modifier", name=code, modifier=modifier)
        if code == "_text" and type not in ANY_TYPE and "DomainResource" not in ancestors(type):
            raise UnknownParameter(type, name)
        return _SPECIAL[code](reading, type, text)
    parameter = reading.registry.get(type, code)
    if parameter is None or code in _TOP_ONLY:
        raise UnknownParameter(type, name)
    if dot:
        return _chain(reading, type, parameter, modifier, rest, text, depth)
    return match_of(reading, type, parameter, modifier, text)


# --- one parameter --------------------------------------------------------------------------


def match_of(
    reading: Reading, type: str, parameter: SearchParameter, modifier: str, text: str
) -> Criterion:
    """A parameter with a modifier and its values.

    Args:
        reading: The search.
        type: Resource type it is asked of.
        parameter: The parameter.
        modifier: Without its colon, "" for none.
        text: Values, joined by commas.
    """
    check_modifier(parameter, modifier)
    if not modifier and parameter.code == "url" and parameter.type == "uri" and "|" in text:
        return _versioned_url(reading, type, parameter, text)
    reader = _reader(parameter, modifier)
    if parameter.type == "uri" and modifier in ("above", "below") and text.startswith("urn:"):
        invalid(parameter, "a url: urns have no hierarchy")
    found = tuple(reader(reading, parameter, piece) for piece in pieces_of(parameter, text))
    if parameter.type == "reference" and traits_of(parameter).is_canonical:
        found = tuple(both for value in found for both in values.absolute(reading, value))
    return Match(parameter, found, modifier)


def pieces_of(parameter: SearchParameter, text: str) -> list[str]:
    """The values of a parameter, still escaped, each once; empty ones are dropped.

    Raises:
        BadRequest: There are too many, or none.
    """
    pieces = list(dict.fromkeys(piece for piece in split(text, ",") if piece))
    if len(pieces) > MOST_VALUES:
        refuse("too-costly", "search-too-many-values", name=parameter.code, limit=MOST_VALUES)
    if not pieces:
        refuse("value", "search-value-empty", name=parameter.code)
    return pieces


def _reader(parameter: SearchParameter, modifier: str) -> ValueReader:
    if modifier == "missing":
        return _read_missing
    if parameter.type == "token":
        if modifier in TERMINOLOGY:
            return _read_value_set if modifier in ("in", "not-in") else values.read_concept
        return _TOKEN_READERS.get(modifier, values.read_token)
    if modifier == "identifier":
        return values.read_identifier
    return values.read


def _read_missing(reading: Reading, parameter: SearchParameter, text: str) -> Value:
    if text not in ("true", "false"):
        invalid(parameter, "true or false")
    return TokenValue(None, text)


def _read_value_set(reading: Reading, parameter: SearchParameter, text: str) -> Value:
    return UriValue(unescape(text))


_TOKEN_READERS: Mapping[str, ValueReader] = {
    "text": values.read_string,
    "of-type": values.read_of_type,
}


def _versioned_url(reading: Reading, type: str, parameter: SearchParameter, text: str) -> Criterion:
    """`url=canonical|version` asks for the version as well."""
    version = reading.registry.get(type, "version")
    found: list[Criterion] = []
    for piece in pieces_of(parameter, text):
        url, _, number = unescape(piece).partition("|")
        own = Match(parameter, (UriValue(url),))
        if number and version is not None:
            found.append(And((own, Match(version, (TokenValue(None, number),)))))
        else:
            found.append(own)
    return found[0] if len(found) == 1 else Or(tuple(found))


# --- chains ---------------------------------------------------------------------------------


def _chain(
    reading: Reading,
    type: str,
    parameter: SearchParameter,
    modifier: str,
    rest: str,
    text: str,
    depth: int,
) -> Criterion:
    return chain_of(
        reading,
        type,
        parameter,
        modifier,
        lambda target: criterion_of(reading, target, rest, text, depth + 1),
    )


def chain_of(
    reading: Reading,
    type: str,
    parameter: SearchParameter,
    modifier: str,
    below: Callable[[str], Criterion],
) -> Criterion:
    """A chain over a reference, one for each type it may lead to.

    Args:
        reading: The search.
        type: Resource type that holds the reference.
        parameter: The reference parameter.
        modifier: Target type, "" for all.
        below: Criterion on a target type; it raises UnknownParameter where it has no meaning.
    """
    if parameter.type != "reference":
        refuse(
            "not-supported",
            "search-chain-not-reference",
            name=parameter.code,
            kind=parameter.type,
        )
    check_modifier(parameter, modifier)
    if not traits_of(parameter).is_chainable or (modifier and not is_resource_type(modifier)):
        refuse("not-supported", "search-chain-unresolved", name=parameter.code)
    found: list[Criterion] = []
    unknown: UnknownParameter | None = None
    for target in _chain_targets(type, parameter, modifier):
        reading.link(parameter.code, f"{parameter.code}:Patient")
        try:
            found.append(Chain(parameter, target, below(target)))
        except UnknownParameter as missing:
            unknown = unknown or missing
    if not found:
        raise unknown or UnknownParameter(type, parameter.code)
    return found[0] if len(found) == 1 else Or(tuple(found))


def _chain_targets(type: str, parameter: SearchParameter, modifier: str) -> tuple[str, ...]:
    if type in ANY_TYPE:
        targets = tuple(filter(is_resource_type, parameter.targets))
    else:
        targets = targets_of(parameter, type)
    if not modifier:
        return targets or resource_types()
    if targets and modifier not in targets:
        refuse("not-found", "search-target-type", name=parameter.code, target=modifier)
    return (modifier,)


def _has(reading: Reading, type: str, name: str, text: str, depth: int) -> Criterion:
    parts = name.split(":", _HAS_PARTS - 1)
    if len(parts) < _HAS_PARTS or not all(parts):
        refuse("invalid", "search-has-syntax")
    return has_of(
        reading,
        type,
        parts[1],
        parts[2],
        lambda source: criterion_of(reading, source, parts[3], text, depth + 1),
    )


def has_of(
    reading: Reading, type: str, source: str, code: str, below: Callable[[str], Criterion]
) -> Criterion:
    """A reverse chain.

    Args:
        reading: The search.
        type: Resource type that is pointed at.
        source: Resource type that points.
        code: Its reference parameter.
        below: Criterion on the source type.
    """
    if not is_resource_type(source):
        refuse("not-found", "search-type-unknown", type=source[:64])
    parameter = reading.registry.get(source, code)
    if parameter is None:
        raise UnknownParameter(source, code)
    if parameter.type != "reference":
        refuse("not-supported", "search-chain-not-reference", name=code, kind=parameter.type)
    if not traits_of(parameter).is_chainable:
        refuse("not-supported", "search-chain-unresolved", name=f"{source}.{code}")
    targets = targets_of(parameter, source)
    if targets and type not in ANY_TYPE and type not in targets:
        refuse("not-found", "search-target-type", name=f"{source}.{code}", target=type)
    reading.link(code, f"_has:{source}:{code}:_id")
    return Has(source, parameter, below(source))


# --- parameters without an index of their own -----------------------------------------------


def _words(field: str) -> Callable[[Reading, str, str], Criterion]:
    def words(reading: Reading, type: str, text: str) -> Criterion:
        found: list[Criterion] = []
        for piece in split(text, ","):
            own = tuple(query_words(unescape(piece)))
            if own:
                found.append(Words("text" if field == "_text" else "content", own))
        if not found:
            refuse("value", "search-value-invalid", name=field, expected=Phrase("one word or more"))
        return found[0] if len(found) == 1 else Or(tuple(found))

    return words


def _list(reading: Reading, type: str, text: str) -> Criterion:
    found: list[Criterion] = []
    for piece in split(text, ","):
        if piece.startswith("$"):
            refuse("not-supported", "search-current-list", name=piece[:64])
        logical_id = unescape(piece).removeprefix("List/")
        if not valid_id(logical_id):
            refuse(
                "value", "search-value-invalid", name="_list", expected=Phrase("the id of a List")
            )
        found.append(ListMembers(logical_id))
    return found[0] if len(found) == 1 else Or(tuple(found))


def _query(reading: Reading, type: str, text: str) -> Criterion:
    refuse("not-supported", "search-not-supported", name="_query")


_SPECIAL: Mapping[str, Callable[[Reading, str, str], Criterion]] = {
    "_text": _words("_text"),
    "_content": _words("_content"),
    "_list": _list,
    "_query": _query,
}
"""Parameters with a syntax of their own; `_filter` is added by `hub.search.parse`."""
