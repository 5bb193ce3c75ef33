"""Terminology: memberOf, subsumes, subsumedBy.

https://hl7.org/fhir/R4/fhirpath.html#functions. The environment's terminology answers; without
it, memberOf() still knows the value sets of R4's own required bindings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.definitions import bound_codes
from hub.fhirpath.code import Code, computed, described, one
from hub.fhirpath.errors import FHIRPathEvaluationError
from hub.fhirpath.site import Function, Site

BOOLEAN = "System.Boolean"
Coded = tuple[str | None, str]


def codes_of(value: Any) -> list[Coded]:
    """System and code of a bare code, a Coding or each coding of a CodeableConcept."""
    if isinstance(value, str):
        return [(None, value)]
    if not isinstance(value, dict):
        return []
    codings = value.get("coding", ()) if "coding" in value else (value,)
    return [
        (coding.get("system"), coding["code"])
        for coding in (codings if isinstance(codings, list | tuple) else ())
        if isinstance(coding, dict) and isinstance(coding.get("code"), str)
    ]


def _value(node: Any) -> Any:
    return getattr(node, "value", node)


def _no_service(site: Site) -> FHIRPathEvaluationError:
    return FHIRPathEvaluationError(
        "fhirpath-no-service", site.position, name=site.name, service="terminology"
    )


def _known(system: str | None, code: str, value_set: str) -> bool | None:
    found = bound_codes(value_set.partition("|")[0])
    if found is None or found.syntax:
        return None
    if system is None:
        return code in found.codes
    return code in found.systems.get(system, ())


def _member_of(site: Site) -> Code:
    source = one(Code(described(site.source), False), site.label, site.position)
    value_set = site.text(0)
    site.compiler.need_context()

    def run(node: Any, context: Any) -> Any:
        found, url = source(node, context), value_set(node, context)
        if found is None or url is None:
            return None
        service = context.environment.terminology
        ask = _known if service is None else service.member_of
        answers = [ask(system, code, url) for system, code in codes_of(_value(found))]
        if True in answers:
            return True
        if None in answers:
            if service is None:
                raise _no_service(site)
            return None
        return False

    return computed(run, BOOLEAN)


def _subsumption(reverse: bool) -> Callable[[Site], Code]:
    def build(site: Site) -> Code:
        first = one(Code(described(site.source), False), site.label, site.position)
        second = one(Code(described(site.argument(0)), False), site.label, site.position)
        site.compiler.need_context()

        def run(node: Any, context: Any) -> Any:
            left, right = first(node, context), second(node, context)
            if left is None or right is None:
                return None
            if reverse:
                left, right = right, left
            service = context.environment.terminology
            if service is None:
                raise _no_service(site)
            answers = [
                service.subsumes(system, general, specific)
                for system, general in codes_of(_value(left))
                for other, specific in codes_of(_value(right))
                if system is not None and system == other
            ]
            return True if True in answers else (None if None in answers else False)

        return computed(run, BOOLEAN)

    return build


FUNCTIONS = {
    "memberOf": Function(_member_of, 1, 1),
    "subsumes": Function(_subsumption(reverse=False), 1, 1),
    "subsumedBy": Function(_subsumption(reverse=True), 1, 1),
}
