"""The door of validation: structure, bindings, references, narrative and invariants of R4.

https://hl7.org/fhir/R4/validation.html. Called by interactions, `$validate`, the loader and
adapters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Literal

from hub.definitions import conformance_urls
from hub.errors import Issue, fault
from hub.fhirpath import MemberOf, Resolver
from hub.validation.fast import FastPass
from hub.validation.invariant import Invariants
from hub.validation.scope import Scope
from hub.validation.structure import MAX_ISSUES, EnoughError, Rules, Walk, no_invariants

Mode = Literal["create", "update", "delete"]


@cache
def _published_profiles() -> frozenset[str]:
    return frozenset(conformance_urls("StructureDefinition"))


def is_published_profile(canonical: str) -> bool:
    """Whether R4's own package has a profile.

    Args:
        canonical: Its url, with or without `|version`.
    """
    return canonical.partition("|")[0] in _published_profiles()


class Validator:
    """Validates R4 resources; one instance serves all requests of a process."""

    def __init__(
        self,
        resolver: Resolver | None = None,
        terminology: MemberOf | None = None,
        *,
        invariants: bool = True,
        known_profiles: Callable[[str], bool] = is_published_profile,
    ) -> None:
        """Make a validator; nothing is compiled before the first resource.

        Args:
            resolver: Finds the resources that invariants resolve; None: only contained ones.
            terminology: Answers memberOf() in invariants.
            invariants: Check the invariants of severity error.
            known_profiles: Whether a canonical in `meta.profile` names a profile that is here.
        """
        self._known_profiles = known_profiles
        rules = Invariants(resolver, terminology)
        self._rules: Rules = rules.problems if invariants else no_invariants
        self.fast = FastPass(rules) if invariants else FastPass()

    def validate(
        self,
        resource: Mapping[str, Any],
        *,
        type: str | None = None,
        mode: Mode | None = None,
        location: str = "",
        warnings: bool = False,
        entries: bool = True,
    ) -> tuple[Issue, ...]:
        """Everything that is wrong with a resource.

        Args:
            resource: As `hub.model.json.decode` gives it: decimals are Decimal, never float.
            type: The type it must have; None: the one it names.
            mode: What is going to be done with it: `update` needs an id; for `delete` the
                content does not count.
            location: FHIRPath of the resource, as `Bundle.entry[3].resource`; empty: its type.
            warnings: Give warnings of invariants too. Unknown profiles are always told.
            entries: False: the resources in a Bundle's entries or in Parameters are validated
                apart, as a transaction does.

        Returns:
            Issues in the order of the resource; none of severity error when it may be stored.
        """
        if mode == "delete":
            return ()
        name = _type_of(resource)
        where = location or name
        if type is not None and name and name != type:
            return (fault("invalid", "validation-other-type", where, type=type, found=name[:64]),)
        issues: list[Issue] = []
        scope = Scope(resource, with_entries=entries)
        if warnings or not self.fast.passes(resource, scope):
            issues = self._walk(resource, location, scope, warnings)
        if mode == "update" and "id" not in resource:
            issues.append(fault("required", "validation-id-required", f"{where}.id"))
        if "meta" in resource or (entries and name in _HOLDERS):
            issues += _cut(resource, where)
            issues += self._unknown_profiles(resource, where, entries)
        return tuple(issues)

    def _walk(
        self, resource: Mapping[str, Any], location: str, scope: Scope, warnings: bool
    ) -> list[Issue]:
        walk = Walk(self._rules, warnings)
        try:
            walk.resource(resource, location, scope)
        except EnoughError:
            more = fault("incomplete", "validation-more", location, "information", limit=MAX_ISSUES)
            return [*walk.issues, more]
        return walk.issues

    def _unknown_profiles(
        self, resource: Mapping[str, Any], location: str, entries: bool
    ) -> Iterator[Issue]:
        meta = resource.get("meta")
        profiles = meta.get("profile") if isinstance(meta, dict) else None
        if isinstance(profiles, list):
            for index, profile in enumerate(profiles):
                if isinstance(profile, str) and not self._known_profiles(profile):
                    yield fault(
                        "not-found",
                        "validation-profile-unknown",
                        f"{location}.meta.profile[{index}]",
                        "warning",
                        profile=profile[:256],
                    )
        if entries:
            for where, held in _held_resources(resource):
                yield from self._unknown_profiles(held, f"{location}.{where}", entries)


_HOLDERS: Mapping[str, str] = {"Bundle": "entry", "Parameters": "parameter"}


def _cut(resource: Mapping[str, Any], location: str) -> Iterator[Issue]:
    """A resource that was read with `_summary` or `_elements`: stored, it would lose the rest.

    Spec: https://hl7.org/fhir/R4/search.html#elements
    """
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, dict) else None
    for index, tag in enumerate(tags if isinstance(tags, list) else ()):
        if isinstance(tag, dict) and tag.get("code") == "SUBSETTED":
            yield fault("business-rule", "validation-subsetted", f"{location}.meta.tag[{index}]")


def _type_of(resource: Mapping[str, Any]) -> str:
    name = resource.get("resourceType")
    return name if isinstance(name, str) else ""


def _held_resources(resource: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The resources in a Bundle's entries or in Parameters, with their place."""
    name = _HOLDERS.get(_type_of(resource))
    rows = resource.get(name) if name is not None else None
    if isinstance(rows, list):
        for index, row in enumerate(rows):
            held = row.get("resource") if isinstance(row, dict) else None
            if isinstance(held, dict):
                yield f"{name}[{index}].resource", held
