"""The decision: what a principal may do, and with which resources.

One place for all ways in. A role says what may be done within its reach, scopes narrow that;
`permits` answers for a type, `limit` gives what a resource of it must meet. Limits become
criteria of every search (`hub.interactions.rewriting`) and are tested on every single resource
(`hub.interactions.sight`). Nothing here does I/O.
Spec: SMART App Launch 2.2, scopes.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.access import limits
from hub.access.roles import Role, roles
from hub.definitions import resource_types
from hub.principal import LOCAL, Principal, Scope
from hub.search.query import Criterion

_MOST = 4096
BINARY = "Binary"


class Decision:
    """What a principal may; made by `decide`, made once for each principal.

    Attributes:
        unlimited: Everything: nothing needs to be asked.
    """

    __slots__ = ("_free", "_limits", "_principal", "_roles", "_scopes", "unlimited")

    def __init__(self, principal: Principal) -> None:
        """Read roles and scopes.

        Args:
            principal: Who asks; `LOCAL` sits at the machine.
        """
        self._principal = principal
        known = roles()
        self._roles = tuple(known[name] for name in sorted(principal.roles) if name in known)
        self._scopes = _usable(principal)
        self._limits: dict[tuple[str, str], Criterion | None] = {}
        self._free: dict[tuple[str, str], bool] = {}
        self.unlimited = principal == LOCAL or self._sees_all()

    def permits(self, letter: str, type: str) -> bool:
        """Whether it may do that with any resource at all.

        A Binary belongs to nobody by itself: `hub.interactions.sight` asks for its security
        context, so its letters are enough here.

        Args:
            letter: One of `cruds`, as in SMART scopes.
            type: Resource type, "" for any.
        """
        if self.unlimited:
            return True
        if not type:
            return any(self.permits(letter, one) for one in resource_types())
        if self.limit(type, letter) != limits.NOTHING:
            return True
        return type == BINARY and self._may(letter, type)

    def limit(self, type: str, letter: str) -> Criterion | None:
        """What a resource of a type must meet.

        Args:
            type: Resource type.
            letter: What is to be done with it.

        Returns:
            None when all of them do; `limits.NOTHING` when none does.
        """
        if self.unlimited:
            return None
        place = (type, letter)
        if place not in self._limits:
            self._limits[place] = self._made(type, letter)
        return self._limits[place]

    def scoped(self, type: str) -> Criterion | None:
        """`limit` for searching: what `RewriteContext.scoped` asks for."""
        return self.limit(type, "s")

    def reach(self, type: str) -> Criterion | None:
        """What a resource must meet that others may refer to, whether or not it may be read.

        An app that may only write Observations still names the patient they are about: scopes
        do not count here, but the patient of the launch does.

        Args:
            type: Resource type.
        """
        if self.unlimited:
            return None
        place = (type, "")
        if place not in self._limits:
            parts = [self._by_roles(type, "r")]
            if self._scopes and all(scope.level == "patient" for scope in self._scopes):
                parts.append(limits.of_patients(type, self._launched, "r"))
            self._limits[place] = limits.all_of(part for part in parts if part is not None)
        return self._limits[place]

    def subjects(self, type: str, letter: str) -> frozenset[str] | None:
        """Whom new content may be about: every patient that it names for the compartment.

        Args:
            type: Resource type.
            letter: `c` or `u`.

        Returns:
            Logical ids of patients; None when it is not confined to patients.
        """
        if self.unlimited:
            return None
        confined: list[frozenset[str]] = []
        acting = [role for role in self._roles if role.may(letter, type)]
        if acting and all(role.reach == "patients" for role in acting):
            confined.append(self._principal.patients or frozenset())
        scopes = None if self._scopes is None else list(self._covering(type, letter))
        if scopes and all(scope.level == "patient" for scope in scopes):
            confined.append(self._launched)
        return frozenset.intersection(*confined) if confined else None

    def is_free(self, letter: str, type: str) -> bool:
        """Whether new content may say anything and refer to anything: nothing of it is tested.

        Args:
            letter: `c` or `u`.
            type: Resource type.
        """
        place = (type, letter)
        if place not in self._free:
            self._free[place] = (
                type != BINARY
                and self.limit(type, letter) is None
                and self.subjects(type, letter) is None
                and all(self.reach(target) is None for target in resource_types())
            )
        return self._free[place]

    # -----------------------------------------------------------------------------------------

    @property
    def _launched(self) -> frozenset[str]:
        return frozenset((self._principal.patient,)) if self._principal.patient else frozenset()

    def _may(self, letter: str, type: str) -> bool:
        """Whether roles and scopes name the letter, whosever the resource is."""
        if not any(role.may(letter, type) for role in self._roles):
            return False
        return self._scopes is None or any(self._covering(type, letter))

    def _sees_all(self) -> bool:
        """Whether some role may everything, and so may what was granted."""
        return any(role.reach == "all" for role in self._roles) and all(
            self._made(type, letter) is None for type in resource_types() for letter in "cruds"
        )

    def _made(self, type: str, letter: str) -> Criterion | None:
        parts = [self._by_roles(type, letter)]
        if self._scopes is not None:
            parts.append(self._by_scopes(type, letter))
        return limits.all_of(part for part in parts if part is not None)

    def _by_roles(self, type: str, letter: str) -> Criterion | None:
        found: list[Criterion] = []
        for role in self._roles:
            if role.may(letter, type):
                own = self._within(role, type, letter)
                if own is None:
                    return None
                found.append(own)
        return limits.any_of(found)

    def _within(self, role: Role, type: str, letter: str) -> Criterion | None:
        principal = self._principal
        if role.reach == "all":
            return None
        if role.reach == "patients":
            return limits.of_patients(type, principal.patients or frozenset(), letter)
        if principal.organizations is None:
            return None
        return limits.of_branches(type, principal.organizations, letter)

    def _by_scopes(self, type: str, letter: str) -> Criterion | None:
        found: list[Criterion] = []
        for scope in self._covering(type, letter):
            parts: list[Criterion] = []
            if scope.level == "patient":
                own = limits.of_patients(type, self._launched, letter)
                if own is not None:
                    parts.append(own)
            if scope.search:
                parts.append(limits.restriction(type, scope.search))
            both = limits.all_of(parts)
            if both is None:
                return None
            found.append(both)
        return limits.any_of(found)

    def _covering(self, type: str, letter: str) -> Iterator[Scope]:
        for scope in self._scopes or ():
            if letter in scope.permissions and scope.type in ("*", type):
                yield scope


def _usable(principal: Principal) -> tuple[Scope, ...] | None:
    """The scopes that mean something: services have `system/` ones, people the others."""
    if principal.scopes is None:
        return None
    is_service = "system" in principal.roles
    return tuple(scope for scope in principal.scopes if (scope.level == "system") == is_service)


_decisions: dict[int, tuple[Principal, Decision]] = {}


def decide(principal: Principal) -> Decision:
    """What a principal may.

    Found by the object itself: comparing two principals costs more than a read. Whoever is
    kept here is alive, so nobody else has its number.

    Args:
        principal: Who asks.
    """
    found = _decisions.get(id(principal))
    if found is not None:
        return found[1]
    if len(_decisions) >= _MOST:
        _decisions.clear()
    made = Decision(principal)
    _decisions[id(principal)] = (principal, made)
    return made
