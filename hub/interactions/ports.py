"""What the interactions need from others, as Protocols that live with their consumer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from hub.errors import Issue


class Validator(Protocol):
    """Checks a resource against R4; `hub.validation` implements it."""

    def validate(
        self,
        resource: dict[str, Any],
        *,
        mode: Literal["create", "update", "delete"] | None = None,
        warnings: bool = False,
    ) -> Sequence[Issue]:
        """All issues of a resource; quickly an empty sequence when there is none.

        Issues of severity error and fatal refuse a write; the others are passed on. `mode` and
        `warnings` are for $validate: what is going to be done, and whether warnings of
        invariants are wanted as well.
        """
