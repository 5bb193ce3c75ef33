"""SMART scopes: read, written, compared and narrowed.

A scope is kept as it was asked for; `Scope` is what a resource scope means. Version 1 (`.read`,
`.write`, `.*`) and version 2 (`.cruds`, `?category=...`) mean the same kind of thing. Called by
the consent page, the token endpoint, `hub.access.person` and `hub.access.policy`.
Spec: SMART App Launch 2.2, "Scopes and Launch Context".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import cast
from urllib.parse import quote, unquote

from hub.definitions import SearchParameter, is_resource_type
from hub.errors import HubError
from hub.principal import Level, Scope
from hub.search.parse import criteria_of
from hub.search.registry import core

MOST = 100
LONGEST = 4000

OTHERS = frozenset(
    (
        "openid",
        "fhirUser",
        "profile",
        "launch",
        "launch/patient",
        "launch/encounter",
        "offline_access",
        "online_access",
    )
)
"""Scopes that are about no resource."""

_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}
_ORDER = "cruds"
_KINDS = frozenset(("token", "reference", "uri", "string"))
_MODIFIERS = frozenset(("", "not", "missing"))
_GENERAL = frozenset(("_tag", "_security", "_profile", "_source"))
"""Parameters of every type that a scope may be restricted by."""

_shape = re.compile(r"(patient|user|system)/([A-Za-z]+|\*)\.([a-z]+|\*)(\?.*)?").fullmatch
_is_letters = re.compile(r"(?=.)c?r?u?d?s?").fullmatch
_NAME_SAFE = ":_-."
_VALUE_SAFE = ":/|,_-.~!*'();@$"


class ScopeRefused(ValueError):
    """A scope cannot be understood or granted; `message` is the id of the words for it."""

    def __init__(self, message: str, **arguments: object) -> None:
        """Say why."""
        super().__init__(message)
        self.message, self.arguments = message, arguments


@dataclass(frozen=True, slots=True)
class Asked:
    """What a scope parameter holds.

    Attributes:
        resources: Resource scopes with their texts, in order.
        others: The other scopes, in order.
    """

    resources: tuple[tuple[str, Scope], ...]
    others: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a scope parameter."""
        return " ".join((*self.others, *(text for text, _ in self.resources)))


def read(text: str) -> Asked:
    """Read a scope parameter; one that is there twice counts once.

    Raises:
        ScopeRefused: One of the scopes is none, or they are too many.
    """
    words = dict.fromkeys(text.split(" ")) if text else {}
    words.pop("", None)
    if len(text) > LONGEST or len(words) > MOST:
        raise ScopeRefused("scope-too-many", most=MOST, longest=LONGEST)
    resources = tuple((word, parse(word)) for word in words if word not in OTHERS)
    return Asked(resources, tuple(word for word in words if word in OTHERS))


def resource_scopes(text: str) -> tuple[Scope, ...]:
    """The resource scopes of a grant; what cannot be understood grants nothing.

    Args:
        text: Scopes separated by spaces.
    """
    found: list[Scope] = []
    for word in text.split(" ")[:MOST]:
        if word and word not in OTHERS:
            try:
                found.append(parse(word))
            except ScopeRefused:
                continue
    return tuple(found)


@lru_cache(maxsize=1024)
def parse(text: str) -> Scope:
    """Read one resource scope.

    Raises:
        ScopeRefused: It is none.
    """
    shown = text[:100] if text.isascii() and text.isprintable() else "?"
    found = _shape(text)
    if found is None or shown == "?":
        raise ScopeRefused("scope-malformed", scope=shown)
    level, type, letters, query = found.groups()
    if type != "*" and not is_resource_type(type):
        raise ScopeRefused("scope-type", scope=shown, type=type[:64])
    if letters in _VERSION_1:
        if query:
            raise ScopeRefused("scope-restriction", scope=shown)
        letters = _VERSION_1[letters]
    elif not _is_letters(letters):
        raise ScopeRefused("scope-permissions", scope=shown)
    try:
        search = _restriction(type, query[1:]) if query else ()
    except (HubError, ValueError) as error:
        raise ScopeRefused("scope-restriction", scope=shown) from error
    return Scope(cast(Level, level), type, frozenset(letters), search)


def _restriction(type: str, query: str) -> tuple[tuple[str, str], ...]:
    """The parameters behind a question mark.

    Raises:
        ValueError: They restrict nothing, or in a way that no token can carry.
        HubError: A value cannot be read.
    """
    pairs = []
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        name, value = unquote(name, errors="strict"), unquote(value, errors="strict")
        if not equals or not value:
            raise ValueError("a parameter has a name and a value")
        code, _, modifier = name.partition(":")
        parameter = _parameter(type, code)
        if parameter is None or modifier not in _MODIFIERS or parameter.type not in _KINDS:
            raise ValueError("no such parameter for a scope")
        pairs.append((name, value))
    criteria_of(core(), "Basic" if type == "*" else type, pairs, zone="UTC", base="")
    return tuple(sorted(dict.fromkeys(pairs)))


def _parameter(type: str, code: str) -> SearchParameter | None:
    if type == "*" or code.startswith("_"):
        return core().get("Resource", code) if code in _GENERAL else None
    return core().get(type, code)


def write(scope: Scope) -> str:
    """A resource scope as text, of version 2."""
    letters = "".join(letter for letter in _ORDER if letter in scope.permissions)
    query = "&".join(
        f"{quote(name, safe=_NAME_SAFE)}={quote(value, safe=_VALUE_SAFE)}"
        for name, value in scope.search
    )
    return f"{scope.level}/{scope.type}.{letters}{'?' if query else ''}{query}"


def covers(granted: Iterable[Scope], one: Scope) -> bool:
    """Whether scopes together give all that one gives."""
    wanted = set(one.permissions)
    for scope in granted:
        if (
            scope.level == one.level
            and scope.type in ("*", one.type)
            and set(scope.search) <= set(one.search)
        ):
            wanted -= scope.permissions
    return not wanted


def both(one: Scope, other: Scope) -> Scope | None:
    """What two scopes have in common, None if that is nothing."""
    permissions = one.permissions & other.permissions
    if one.level != other.level or not permissions:
        return None
    if "*" not in (one.type, other.type) and one.type != other.type:
        return None
    type = other.type if one.type == "*" else one.type
    return Scope(one.level, type, permissions, tuple(sorted({*one.search, *other.search})))


def intersect(asked: str, allowed: str) -> str:
    """What is both asked for and allowed; a scope that is allowed whole keeps its words.

    Args:
        asked: Scopes separated by spaces.
        allowed: The same.

    Raises:
        ScopeRefused: One of them is no scope.
    """
    wanted, limit = read(asked), read(allowed)
    scopes = [scope for _, scope in limit.resources]
    found = dict.fromkeys(word for word in wanted.others if word in limit.others)
    for text, one in wanted.resources:
        if covers(scopes, one):
            found[text] = None
            continue
        for scope in scopes:
            common = both(one, scope)
            if common is not None:
                found[write(common)] = None
    return " ".join(found)


def narrow(asked: str, granted: str) -> str:
    """The scopes of a refresh: all of what was granted, or less, never more (RFC 6749, 6).

    Args:
        asked: Scopes separated by spaces, "" for all.
        granted: The same.

    Raises:
        ScopeRefused: One is no scope, or more than what was granted.
    """
    if not asked.strip(" "):
        return granted
    wanted, limit = read(asked), read(granted)
    scopes = [scope for _, scope in limit.resources]
    for word in wanted.others:
        if word not in limit.others:
            raise ScopeRefused("scope-wider", scope=word)
    for text, one in wanted.resources:
        if not covers(scopes, one):
            raise ScopeRefused("scope-wider", scope=text[:100])
    return wanted.text
