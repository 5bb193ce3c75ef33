"""What holds for one question: the content, the rules of versions, the supplements asked for.

Which version of a code system an include means: the one forced, else its own, else the default
of the request, else what the request will check. A version that comes with the code narrows a
pattern. Spec: https://hl7.org/fhir/R4/valueset-operation-expand.html (system-version,
check-system-version, force-system-version)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from terminology.core.content import Library
from terminology.core.effort import BRANCH, COMPARED, Effort
from terminology.core.findings import Finding, Refused
from terminology.core.languages import Languages
from terminology.core.shapes import CodeSystem, Resource, ValueSet, objects
from terminology.core.supplements import supplemented
from terminology.core.versions import choose, fits, is_pattern, known

SUPPLEMENT = "http://hl7.org/fhir/StructureDefinition/valueset-supplement"
DEFAULT, CHECK, FORCE = "system-version", "check-system-version", "force-system-version"

Rules = Mapping[str, str]
_NONE: Rules = {}


class Choice(NamedTuple):
    """Which version is meant, and what is there.

    Attributes:
        wanted: Version or pattern after the rules, "" for any.
        rule: The rule that said so: `DEFAULT`, `CHECK`, `FORCE`, or "".
        system: None when there is no such version.
    """

    wanted: str
    rule: str
    system: CodeSystem | None


@dataclass(frozen=True, slots=True)
class Scope:
    """One question's.

    Attributes:
        library: The content.
        languages: What displays are asked for.
        default: Url of code systems to version, where an include names none.
        check: Url to the version or pattern that must have been used.
        force: Url to the version to use, whatever an include names.
        supplements: Canonicals of the supplements to use.
        value_sets: Url of value sets to version, where an import names none.
        left_out: Canonicals of code systems whose codes are not wanted.
    """

    library: Library
    languages: Languages = field(default_factory=Languages)
    default: Rules = field(default_factory=lambda: _NONE)
    check: Rules = field(default_factory=lambda: _NONE)
    force: Rules = field(default_factory=lambda: _NONE)
    supplements: tuple[str, ...] = ()
    value_sets: Rules = field(default_factory=lambda: _NONE)
    left_out: frozenset[str] = frozenset()
    _whole: dict[int, CodeSystem] = field(default_factory=dict, compare=False, repr=False)

    @property
    def effort(self) -> Effort:
        """What may still be done."""
        return self.library.effort

    def choose(self, url: str, version: str = "", given: str = "") -> Choice:
        """The code system that an include, or a code by itself, means.

        Args:
            url: Of the code system.
            version: Of the include, "" without.
            given: Version that came with the code, "" without.
        """
        wanted, rule = self._wanted(url, version)
        groups = self.library.code_systems(url)
        narrowed = given and (not wanted or (is_pattern(wanted) and fits(wanted, given)))
        found = choose(groups, given) if narrowed else None
        if found is None:
            found = choose(groups, wanted)
        if found is not None and not len(found) and found.content != "complete":
            found = None
        if found is not None and self.supplements:
            found = self._supplemented(found)
        return Choice(wanted, rule, found)

    def _supplemented(self, system: CodeSystem) -> CodeSystem:
        """The code system with the supplements asked for, put together once."""
        made = self._whole.get(id(system))
        if made is None:
            self.effort.spend(COMPARED * len(system))
            made = self._whole[id(system)] = supplemented(system, self.supplements_of(system))
        return made

    def _wanted(self, url: str, version: str) -> tuple[str, str]:
        if url in self.force:
            return self.force[url], FORCE
        if version:
            return version, ""
        if url in self.default:
            return self.default[url], DEFAULT
        if url in self.check:
            return self.check[url], CHECK
        return "", ""

    def versions(self, url: str) -> list[str]:
        """The versions of a code system that are there, oldest first."""
        return known(self.library.code_systems(url))

    def is_unknown(self, url: str) -> bool:
        """Whether there is no version with concepts of a code system."""
        return not any(
            len(one) or one.content == "complete"
            for group in self.library.code_systems(url)
            for one in group
        )

    def has(self, url: str, version: str) -> bool:
        """Whether a version of a code system is there."""
        return any(
            fits(version, one.version) for group in self.library.code_systems(url) for one in group
        )

    def checked(self, url: str, found: CodeSystem, location: str = "") -> Finding | None:
        """What is wrong with the version that is used, if it had to be checked."""
        required = self.check.get(url)
        if required is None or fits(required, found.version):
            return None
        return Finding(
            "tx-version-check",
            location=location,
            arguments={"version": found.version, "system": url, "required": required},
        )

    def supplements_of(self, system: CodeSystem) -> list[CodeSystem]:
        """The supplements asked for that belong to a code system."""
        self.effort.spend(BRANCH * len(self.supplements))
        there = self.library.supplements(system.url)
        found = []
        for canonical in self.supplements:
            url, _, version = canonical.partition("|")
            mine = [[one for one in group if one.url == url] for group in there]
            supplement = choose(mine, version)
            if supplement is not None and _belongs(supplement, system):
                found.append(supplement)
        return found

    def require_supplements(self, systems: Sequence[CodeSystem]) -> None:
        """Refuse when a supplement asked for belongs to none of the code systems in use.

        Raises:
            Refused: Such a one.
        """
        if not self.supplements:
            return
        there = {one.url for system in systems for one in self.supplements_of(system)}
        for canonical in self.supplements:
            if canonical.partition("|")[0] not in there:
                raise Refused(
                    Finding("tx-supplement-unknown", arguments={"url": canonical}), status=404
                )

    def value_set(self, canonical: str, version: str = "") -> ValueSet | None:
        """A value set by canonical, or one that a url by itself implies.

        Args:
            canonical: `url` or `url|version`.
            version: The version when it is given apart.
        """
        url, _, own = canonical.partition("|")
        wanted = version or own or self.value_sets.get(url, "")
        found = choose(self.library.value_sets(url), wanted)
        return found or _implied(url)


def _belongs(supplement: CodeSystem, system: CodeSystem) -> bool:
    _, _, version = supplement.supplements.partition("|")
    return fits(version, system.version)


def _implied(url: str) -> ValueSet | None:
    """The value sets that `?fhir_vs` after the url of a code system stands for."""
    system, mark, query = url.partition("?fhir_vs")
    if not mark or not system:
        return None
    include: Resource = {"system": system}
    if query.startswith("=isa/"):
        include["filter"] = [{"property": "concept", "op": "is-a", "value": query[5:]}]
    elif query:
        return None
    return ValueSet(
        {
            "resourceType": "ValueSet",
            "url": url,
            "status": "active",
            "compose": {"include": [include]},
        }
    )


def supplements_in(resource: Resource) -> tuple[str, ...]:
    """The supplements that a value set asks for by its extension."""
    return tuple(
        str(one.get("valueCanonical"))
        for one in objects(resource.get("extension"))
        if one.get("url") == SUPPLEMENT and one.get("valueCanonical")
    )
