"""What is wrong with a FHIRPath expression, as exceptions that carry an issue.

Syntax and meaning are found by `compile`; evaluation raises the last two. All are 400
(https://hl7.org/fhir/R4/fhirpath.html). Positions count characters from 1.
"""

from __future__ import annotations

from hub.errors import BadRequest, Issue
from hub.messages import Phrase

_WORDS = ("expected", "found", "what", "left", "right", "service")


class FHIRPathError(BadRequest):
    """Something is wrong with an expression or with what it does to a resource."""

    code = "invalid"

    def __init__(self, message: str, position: int = 0, **arguments: object) -> None:
        """Make the one issue.

        Args:
            message: Stable message id of `hub.messages.fhirpath`.
            position: Where in the expression, from 1; 0 when it is not at one place.
            **arguments: Values for the message's placeholders.
        """
        self.message = message
        self.position = position
        details = {"position": position, **arguments}
        for name, value in arguments.items():
            # Names of functions and operators hold no space.
            if isinstance(value, str) and (name in _WORDS or " " in value):
                details[name] = Phrase(value)
        super().__init__(Issue("error", self.code, message, details))


class FHIRPathSyntaxError(FHIRPathError):
    """The text is not a FHIRPath expression."""


class FHIRPathSemanticError(FHIRPathError):
    """The expression cannot mean anything: unknown function, element, type or variable."""


class FHIRPathEvaluationError(FHIRPathError):
    """The expression met values it is not defined for."""

    code = "processing"


class FHIRPathLimitError(FHIRPathEvaluationError):
    """The expression was stopped: too many steps, items, characters or milliseconds."""

    code = "too-costly"
