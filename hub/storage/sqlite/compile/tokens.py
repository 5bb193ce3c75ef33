"""Token and uri criteria: rows by term.

The table holds term, principal date and row id, so that rows of one term come in order of date
and a row at hand is tested by looking up its own key.
Spec: https://hl7.org/fhir/R4/search.html#token and #uri
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.search.folding import matches_string
from hub.search.query import StringValue, TokenValue, UriValue
from hub.storage.sqlite.compile.fragments import (
    NOTHING,
    Leaf,
    Node,
    Sql,
    one_of,
)
from hub.storage.sqlite.compile.keyed import Keys, keyed_leaf
from hub.storage.sqlite.compile.logic import some_of
from hub.storage.sqlite.compile.planner import Planner
from hub.storage.sqlite.entry import NO_TERM, Entry
from hub.storage.sqlite.functions import Predicate
from hub.storage.sqlite.interner import (
    CODE,
    IDENTIFIER,
    OF_TYPE,
    TEXT,
    TEXT_ONLY,
    URI,
    URI_VALUE,
)
from hub.storage.sqlite.lexicon import Terms

Types = tuple[int, ...]

_TOKEN_FLAVOURS = {"": CODE, "identifier": IDENTIFIER, "of-type": OF_TYPE}


# --- tokens ---------------------------------------------------------------------------------


def tokens(
    planner: Planner, key: int, values: Sequence[TokenValue], modifier: str, types: Types
) -> Leaf:
    """The parameter has one of the codes.

    Args:
        planner: The compilation.
        key: Key of the parameter.
        values: Codes.
        modifier: "", `of-type` or `identifier`.
        types: Numbers of the types searched, empty for all.
    """
    ids: dict[int, None] = {}
    ranges: list[tuple[int, int]] = []
    listed: dict[str, list[str]] = {}
    for value in values:
        if value.system is not None and value.code is not None:
            listed.setdefault(value.system, []).append(value.code)
            continue
        found = planner.lexicon.codes(value.system, value.code)
        ids.update(dict.fromkeys(found.ids))
        ranges += found.ranges
    for system, codes in listed.items():
        ids.update(dict.fromkeys(planner.lexicon.codes_among(system, codes)))
    groups = planner.lexicon.groups_of(key, _TOKEN_FLAVOURS[modifier], types)
    return terms_leaf(planner, "token", groups, Terms(tuple(ids), tuple(ranges)))


def texts(planner: Planner, key: int, values: Sequence[StringValue], types: Types) -> Node:
    """The parameter has a code displayed with, or is, a text that starts so (`:text`)."""
    lexicon = planner.lexicon
    coded = lexicon.groups_of(key, CODE, types)
    alone = lexicon.groups_of(key, TEXT_ONLY, types)
    wanted: set[int] = set()

    def shown_as(text: str) -> bool:
        return any(matches_string(text, value.folded) for value in values)

    for value in values:
        found = _texts_starting(planner, value.folded)
        if found is None:
            return _text_leaf(planner, frozenset(coded + alone), 2, shown_as)
        wanted.update(found)
    if not wanted:
        return NOTHING
    shown = one_of("text", sorted(wanted))
    codes = planner.rows(
        Sql(f"SELECT DISTINCT term FROM token_text WHERE {shown.text}", shown.values)
    )
    terms = Terms(tuple(term for (term,) in codes))
    groups = frozenset(coded)

    def is_displayed(entry: Entry) -> bool:
        flat = entry.tokens
        return any(
            flat[place] in groups and flat[place + 2] in wanted for place in range(0, len(flat), 3)
        )

    return some_of(
        [
            terms_leaf(planner, "text", coded, terms, is_displayed),
            terms_leaf(planner, "text", alone, Terms(tuple(wanted))),
        ]
    )


def _texts_starting(planner: Planner, folded: str) -> list[int] | None:
    """Display texts that match, None if too many to list."""
    if folded.isascii():
        found, is_whole = planner.lexicon.starting_with(TEXT, folded, planner.limits.listed)
        return found if is_whole else None
    # Han is found from the middle: of the texts that hold it, those that have such a suffix.
    rows = planner.rows(
        Sql(
            "SELECT id, text FROM term WHERE instr(text, ?) LIMIT ?",
            (folded, planner.limits.listed),
        )
    )
    if len(rows) == planner.limits.listed:
        return None
    return [
        term
        for term, text in rows
        if planner.lexicon.space(term) == TEXT and matches_string(text, folded)
    ]


def _text_leaf(
    planner: Planner, groups: frozenset[int], place: int, matches: Callable[[str], bool]
) -> Leaf:
    """Rows with a term whose text matches, tested one by one; for terms too many to list."""
    lexicon = planner.lexicon

    def has_text(entry: Entry) -> bool:
        flat = entry.tokens
        return any(
            flat[start] in groups
            and flat[start + place] != NO_TERM
            and matches(lexicon.text(flat[start + place]))
            for start in range(0, len(flat), 3)
        )

    return Leaf("text", lambda row: planner.test(has_text, row)) if groups else NOTHING


def terms_leaf(
    planner: Planner,
    label: str,
    groups: tuple[int, ...],
    terms: Terms,
    verify: Predicate | None = None,
) -> Leaf:
    """Rows of the token table with one of the terms.

    Args:
        planner: The compilation.
        label: For people.
        groups: Groups that hold the parameter.
        terms: Terms wanted.
        verify: Also needed of the packed entry.
    """
    ids, ranges = terms
    known, wanted = frozenset(groups), frozenset(ids)

    def has_term(entry: Entry) -> bool:
        flat = entry.tokens
        for place in range(0, len(flat), 3):
            if flat[place] in known:
                term = flat[place + 1]
                if term in wanted or any(low <= term <= high for low, high in ranges):
                    return verify is None or verify(entry)
        return False

    keys = Keys("token", "value", groups, ids, ranges, is_unique=True)
    return keyed_leaf(planner, label, keys, has_term, verify)


# --- uris -----------------------------------------------------------------------------------


def uris(
    planner: Planner, key: int, values: Sequence[UriValue], modifier: str, types: Types
) -> Leaf:
    """The parameter has one of the uris, or with a modifier one below or above."""
    lexicon = planner.lexicon
    groups = lexicon.groups_of(key, URI_VALUE, types)
    found: dict[int, None] = {}

    def is_below(uri: str) -> bool:
        return any(uri.startswith(value.uri) for value in values)

    for value in values:
        if modifier == "below":
            below, is_whole = lexicon.starting_with(URI, value.uri, planner.limits.listed)
            if not is_whole:
                return _text_leaf(planner, frozenset(groups), 1, is_below)
            found.update(dict.fromkeys(below))
            continue
        candidates = uris_above(value.uri) if modifier == "above" else (value.uri,)
        terms = (lexicon.term(URI, candidate) for candidate in candidates)
        found.update((term, None) for term in terms if term is not None)
    return terms_leaf(planner, "uri", groups, Terms(tuple(found)))


def uris_above(uri: str) -> tuple[str, ...]:
    """A uri and what it starts with, up to or with a slash."""
    slashes = [place for place, character in enumerate(uri) if character == "/"]
    starts = [uri[:end] for place in slashes for end in (place, place + 1)]
    return (uri, *(start for start in dict.fromkeys(starts) if start and start != uri))
