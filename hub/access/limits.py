"""What resources must meet to be within somebody's reach, as criteria of a search.

Each function is pure and remembers what it made: a limit is made once and then used by every
search and point read of a principal. Criteria come in the form that the rewrite rules leave, so
that a store and `hub.search.matching` understand them as they are. Called by
`hub.access.policy`.
Spec: https://hl7.org/fhir/R4/compartmentdefinition-patient.html; SMART App Launch 2.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from hub.access.roles import branch_types, patient_types
from hub.definitions import SearchParameter, compartment
from hub.search.parse import criteria_of
from hub.search.query import (
    And,
    Chain,
    Criterion,
    Ids,
    InCompartment,
    Match,
    Not,
    Or,
    Present,
    Query,
    ReferenceValue,
)
from hub.search.registry import core
from hub.search.rewrite import RewriteContext, apply_rules

NOTHING = Or()
"""What no resource meets."""

_READING = frozenset("rs")
_KEPT = 4096


@lru_cache(maxsize=_KEPT)
def of_patients(type: str, patients: frozenset[str], letter: str) -> Criterion | None:
    """Resources of some patients' records, and what is nobody's in particular.

    A Patient is within reach by its id alone: the compartment's `link` would let one person see
    another.

    Args:
        type: Resource type.
        patients: Logical ids.
        letter: What is to be done, one of `cruds`; only `r` and `s` reach what is nobody's.

    Returns:
        None when there is no limit.
    """
    table = patient_types()
    reading = letter in _READING
    if type == "Patient":
        return Ids(tuple(sorted(patients))) if patients else NOTHING
    if type in table.closed:
        return NOTHING
    if type in table.of_patient:
        return _named(type, table.of_patient[type], "Patient", patients, type in table.open)
    if type in compartment("Patient"):
        own = any_of(InCompartment("Patient", one) for one in sorted(patients))
        mine = Ids(tuple(sorted(patients))) if patients else NOTHING
        return _alone(type, table.alone, own, mine)
    return None if reading and type in table.open else NOTHING


@lru_cache(maxsize=_KEPT)
def of_branches(type: str, organizations: frozenset[str], letter: str) -> Criterion | None:
    """Resources of some branches and of their patients, and what is nobody's in particular.

    Args:
        type: Resource type.
        organizations: Logical ids of Organizations.
        letter: What is to be done, one of `cruds`.

    Returns:
        None when there is no limit.
    """
    table = branch_types()
    if type in table.closed:
        return NOTHING
    if type in table.kept_by and letter not in _READING:
        kept = _names(_parameter(type, table.kept_by[type]), "Organization", organizations)
        if type != "Organization":
            return kept
        own = Ids(tuple(sorted(organizations))) if organizations else NOTHING
        # A new one becomes part of a branch; one that is there must be of it already.
        return any_of((own, kept)) if letter == "c" else own
    if type in table.through:
        code, target = table.through[type]
        inner = of_branches(target, organizations, letter)
        parameter = _parameter(type, code)
        if inner is None:
            return Present(parameter)
        return NOTHING if inner == NOTHING else Chain(parameter, target, inner)
    if type in table.of_patient:
        return _through_patient(type, table.of_patient[type], organizations, type in table.open)
    if type == "Patient":
        return _names(_parameter(type, table.owner[type]), "Organization", organizations)
    if type in table.open:
        return None
    if type not in compartment("Patient"):
        return NOTHING
    by_patient = _through_patient(type, _patient_code(type), organizations, False)
    if type in table.alone:
        return _alone(type, table.alone, by_patient, of_branches("Patient", organizations, letter))
    if type not in table.owner or by_patient == NOTHING:
        return by_patient
    owner = _parameter(type, table.owner[type])
    named = _names(owner, "Organization", organizations)
    return any_of((named, And((Not(Present(owner)), by_patient))))


@lru_cache(maxsize=_KEPT)
def restriction(type: str, search: tuple[tuple[str, str], ...]) -> Criterion:
    """What a scope's parameters ask of a resource (`?category=laboratory`).

    Args:
        type: Resource type.
        search: Names and values, as `hub.access.scopes` lets them through.
    """
    query = criteria_of(core(), type, search, zone="UTC", base="")
    return apply_rules(query, RewriteContext(core())).criterion


def any_of(criteria: Iterable[Criterion]) -> Criterion:
    """At least one of them; none: nothing."""
    parts: dict[Criterion, None] = {}
    for one in criteria:
        if isinstance(one, Or):
            parts.update(dict.fromkeys(one.criteria))
        else:
            parts[one] = None
    return next(iter(parts)) if len(parts) == 1 else Or(tuple(parts))


def all_of(criteria: Iterable[Criterion]) -> Criterion | None:
    """All of them; None when there are none."""
    parts = tuple(dict.fromkeys(criteria))
    if NOTHING in parts:
        return NOTHING
    if len(parts) > 1:
        query = apply_rules(Query((), And(parts)), RewriteContext(core()))
        return query.criterion
    return parts[0] if parts else None


def _alone(
    type: str, table: Mapping[str, str], own: Criterion, patients: Criterion | None
) -> Criterion:
    """Resources that name no other patients than some, where the type tells of several.

    Args:
        type: Resource type.
        table: The types that do, with the parameter that names them.
        own: What they must meet besides.
        patients: What a Patient within reach meets.
    """
    if type not in table or patients is None or own == NOTHING:
        return own
    others = Chain(_parameter(type, table[type]), "Patient", Not(patients))
    return And((own, Not(others)))


def _names(parameter: SearchParameter, target: str, ids: frozenset[str]) -> Criterion:
    """Resources that refer to one of some others."""
    if not ids:
        return NOTHING
    return Match(parameter, tuple(ReferenceValue(target, one) for one in sorted(ids)))


def _named(type: str, code: str, target: str, ids: frozenset[str], is_open: bool) -> Criterion:
    parameter = _parameter(type, code)
    named = _names(parameter, target, ids)
    return any_of((named, Not(Present(parameter)))) if is_open else named


def _through_patient(
    type: str, code: str, organizations: frozenset[str], is_open: bool
) -> Criterion:
    """Resources whose patient belongs to one of some branches."""
    if not organizations and not is_open:
        return NOTHING
    parameter = _parameter(type, code)
    owner = _parameter("Patient", branch_types().owner["Patient"])
    own = Chain(parameter, "Patient", _names(owner, "Organization", organizations))
    return any_of((own, Not(Present(parameter)))) if is_open else own


def _patient_code(type: str) -> str:
    """The parameter by which a resource names the patient it is about."""
    known = core().of(type)
    for code in ("patient", "subject"):
        if code in known:
            return code
    return compartment("Patient")[type][0]


def _parameter(type: str, code: str) -> SearchParameter:
    found = core().get(type, code)
    if found is None:
        raise ValueError(f"{type} has no search parameter {code}")
    return found
