"""From a search's criteria to what the store can pass over rows by: keys and times.

What comes out is never narrower than the criteria: every event that meets them has a key of each
group and lies in the range. It is matched again as a resource. Called by `search`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from hub.audit.kinds import ALERT, KINDS, interactions_with
from hub.search.query import (
    And,
    Criterion,
    DateValue,
    Has,
    Ids,
    InCompartment,
    LastUpdated,
    ListMembers,
    Match,
    Not,
    Or,
    ReferenceValue,
    TokenValue,
    Value,
)
from hub.storage.audit_keys import (
    action_key,
    interaction_key,
    name_key,
    outcome_key,
    reference_key,
)

Keys = tuple[int, ...]
_MOST_KEYS = 10_000


@dataclass(slots=True)
class Narrowed:
    """What rows must have.

    Attributes:
        groups: Groups of keys; a row has one of each.
        low: No row before this time counts (ms), None for no limit.
        since: No event before this time counts, though its row may be later.
        high: No event at or after this time counts (ms), None for no limit.
        ids: The only logical ids that count, None for all.
    """

    groups: list[Keys] = field(default_factory=list)
    low: int | None = None
    since: int | None = None
    high: int | None = None
    ids: frozenset[str] | None = None

    def between(self, low: int | None, high: int | None) -> None:
        """Keep to a range of time."""
        if low is not None:
            self.low = low if self.low is None else max(self.low, low)
        if high is not None:
            self.high = high if self.high is None else min(self.high, high)

    def among(self, ids: tuple[str, ...]) -> None:
        """Keep to some ids."""
        found = frozenset(ids)
        self.ids = found if self.ids is None else self.ids & found


def narrowed(criterion: Criterion) -> Narrowed:
    """What rows must have to hold something that meets a criterion."""
    found = Narrowed()
    _narrow(criterion, found)
    return found


def backwards(criterion: Criterion) -> bool:
    """Whether a criterion asks for what points here, which nothing rendered can be asked."""
    match criterion:
        case Has() | ListMembers():
            return True
        case And(parts) | Or(parts):
            return any(map(backwards, parts))
        case Not(inner):
            return backwards(inner)
    return False


def _narrow(criterion: Criterion, found: Narrowed) -> None:
    match criterion:
        case And(parts):
            for part in parts:
                _narrow(part, found)
        case Ids(ids):
            found.among(ids)
        case LastUpdated(values):
            found.between(*_span(values))
        case Match(parameter, values, "") if parameter.code in ("date", "recorded"):
            low, high = _span(tuple(one for one in values if isinstance(one, DateValue)))
            found.between(low, high)
            if low is not None:
                found.since = max(low, found.since or low)
        case _:
            keys = _keys(criterion)
            if keys is not None and len(keys) <= _MOST_KEYS:
                found.groups.append(keys)


def _keys(criterion: Criterion) -> Keys | None:
    """Keys of which every event that meets a criterion has one; None when that cannot be said."""
    match criterion:
        case InCompartment(name, id):
            return (reference_key(f"{name}/{id}"),)
        case Match(parameter, values, modifier):
            return _keys_of(_PARAMETERS.get((parameter.code, modifier)), values)
        case And(parts):
            return next((keys for part in parts if (keys := _keys(part)) is not None), None)
        case Or(parts):
            return _all(_keys(part) for part in parts)
    return None


def _keys_of(read: Reading | None, values: tuple[Value, ...]) -> Keys | None:
    return None if read is None else _all(map(read, values))


def _all(groups: Iterator[Keys | None]) -> Keys | None:
    found: dict[int, None] = {}
    for keys in groups:
        if keys is None:
            return None
        found.update(dict.fromkeys(keys))
    return tuple(found)


Reading = Callable[[Value], Keys | None]


def _reference(value: Value) -> Keys | None:
    if isinstance(value, ReferenceValue) and value.type and value.id:
        return (reference_key(f"{value.type}/{value.id}"),)
    return None


def _patient(value: Value) -> Keys | None:
    if isinstance(value, ReferenceValue) and value.id:
        return (reference_key(f"Patient/{value.id}"),)
    return None


def _token(key: Callable[[str], int]) -> Reading:
    def read(value: Value) -> Keys | None:
        return (key(value.code),) if isinstance(value, TokenValue) and value.code else None

    return read


def _subtype(value: Value) -> Keys | None:
    if isinstance(value, TokenValue) and value.code:
        return tuple(map(interaction_key, interactions_with(value.code)))
    return None


def _type(value: Value) -> Keys | None:
    """By the interactions of a type; alerts are refusals too."""
    if not isinstance(value, TokenValue) or not value.code or value.code == "rest":
        return None
    found = [name for name, kind in KINDS.items() if kind.type.code == value.code]
    keys = tuple(map(interaction_key, found))
    return (*keys, outcome_key("4")) if value.code == ALERT.code else keys


_PARAMETERS: Mapping[tuple[str, str], Reading] = {
    ("agent", ""): _reference,
    ("agent", "identifier"): _token(name_key),
    ("altid", ""): _token(name_key),
    ("entity", ""): _reference,
    ("target", ""): _reference,
    ("patient", ""): _patient,
    ("action", ""): _token(action_key),
    ("outcome", ""): _token(outcome_key),
    ("subtype", ""): _subtype,
    ("type", ""): _type,
}
"""What a search parameter with a modifier tells about keys, of AuditEvent and Provenance."""


def _span(values: tuple[DateValue, ...]) -> tuple[int | None, int | None]:
    """A range in milliseconds that holds every instant that meets one of some dates."""
    spans = [_range(value) for value in values]
    lows, highs = [low for low, _ in spans], [high for _, high in spans]
    low = None if None in lows or not lows else min(one for one in lows if one is not None)
    high = None if None in highs or not highs else max(one for one in highs if one is not None)
    return low, high


def _range(value: DateValue) -> tuple[int | None, int | None]:
    """Of one date: the first millisecond that may meet it, and the first beyond."""
    low, high = value.low // 1000, -(-value.high // 1000)
    match value.prefix:
        case "ge":
            return low, None
        case "gt" | "sa":
            return high - 1, None
        case "le":
            return None, high
        case "lt" | "eb":
            return None, -(-value.low // 1000)
        case "ne":
            return None, None
    return low, high
