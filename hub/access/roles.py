"""Roles, and whose resources are whose, read from the data files beside this module.

`roles.toml` says what each role may, `patient_scope_types.toml` and `branch_owners.toml` what
belongs to a patient and to a branch. Called by `hub.access.limits` and `hub.access.policy`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from hub.definitions import compartment, resource_types

Reach = Literal["all", "branches", "patients"]

LETTERS = frozenset("cruds")
_NONE: frozenset[str] = frozenset()


class Role(NamedTuple):
    """A role.

    Attributes:
        name: Its name.
        reach: Whose resources.
        letters: By resource type, the letters of what it may; types that are absent: nothing.
    """

    name: str
    reach: Reach
    letters: Mapping[str, frozenset[str]]

    def may(self, letter: str, type: str) -> bool:
        """Whether it may do that with any resource of a type."""
        return letter in self.letters.get(type, _NONE)


class PatientTypes(NamedTuple):
    """What those confined to patients see beside the compartments; see the data file."""

    open: frozenset[str]
    closed: frozenset[str]
    alone: Mapping[str, str]
    of_patient: Mapping[str, str]


class BranchTypes(NamedTuple):
    """What belongs to a branch; see the data file."""

    open: frozenset[str]
    closed: frozenset[str]
    owner: Mapping[str, str]
    alone: Mapping[str, str]
    kept_by: Mapping[str, str]
    through: Mapping[str, tuple[str, str]]
    of_patient: Mapping[str, str]


@lru_cache(maxsize=1)
def roles() -> Mapping[str, Role]:
    """All roles by name."""
    found = {}
    for name, row in _table("roles")["roles"].items():
        letters: dict[str, frozenset[str]] = {}
        for line in row["may"]:
            given = frozenset(line["letters"])
            if not given <= LETTERS:
                raise ValueError(f"roles.toml: {name}: letters are some of cruds")
            letters.update(dict.fromkeys(_types(line["types"]), given))
        found[name] = Role(name, row["reach"], MappingProxyType(letters))
    return MappingProxyType(found)


@lru_cache(maxsize=1)
def patient_types() -> PatientTypes:
    """What those confined to patients see beside the compartments."""
    table = _table("patient_scope_types")
    return PatientTypes(
        frozenset(_types(table["open"])),
        frozenset(table["closed"]),
        table["alone"],
        table["of_patient"],
    )


@lru_cache(maxsize=1)
def branch_types() -> BranchTypes:
    """What belongs to a branch."""
    table = _table("branch_owners")
    through = {name: (row[0], row[1]) for name, row in table["through"].items()}
    return BranchTypes(
        frozenset(_types(table["open"])),
        frozenset(table["closed"]),
        table["owner"],
        table["alone"],
        table["kept_by"],
        through,
        table["of_patient"],
    )


@cache
def _table(name: str) -> Mapping[str, Any]:
    """A data file's content."""
    return tomllib.loads(files("hub.access").joinpath(f"{name}.toml").read_text("utf-8"))


def _types(names: list[str]) -> dict[str, None]:
    """The types that names, groups and `*` stand for.

    Raises:
        ValueError: One of them is none.
    """
    found: dict[str, None] = {}
    for name in names:
        if name == "*":
            own = list(resource_types())
        elif name == "@compartment":
            own = list(compartment("Patient"))
        else:
            own = _table("roles")["groups"][name[1:]] if name[0] == "@" else [name]
        found.update(dict.fromkeys(own))
    unknown = found.keys() - set(resource_types())
    if unknown:
        raise ValueError(f"no resource types: {', '.join(sorted(unknown))}")
    return found
