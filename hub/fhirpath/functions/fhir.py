"""Functions R4 adds: extension, hasValue, getValue, resolve, conformsTo, htmlChecks.

https://hl7.org/fhir/R4/fhirpath.html#functions.
"""

from __future__ import annotations

from typing import Any

from hub.fhirpath import references, schema
from hub.fhirpath.code import (
    EMPTY,
    Code,
    Run,
    computed,
    constant,
    described,
    many,
    one,
    present,
    value,
)
from hub.fhirpath.errors import FHIRPathEvaluationError
from hub.fhirpath.item import Item
from hub.fhirpath.navigation import navigate
from hub.fhirpath.site import Function, Site
from hub.fhirpath.values import system_value, type_of

BOOLEAN = "System.Boolean"
STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"


def _extension(site: Site) -> Code:
    if site.source.empty:
        return EMPTY
    return _bare_extension(site) if site.source.raw is not None else _described_extension(site)


def _bare_extension(site: Site) -> Code:
    source, url = many(site.source), site.text(0)

    def run(node: Any, context: Any) -> Any:
        wanted = url(node, context)
        found: list[Any] = []
        for item in source(node, context):
            holder = item.element if item.__class__ is Item else item
            if holder.__class__ is dict and "extension" in holder:
                found.extend(each for each in holder["extension"] if each.get("url") == wanted)
        return found

    return Code(run, False, ("Extension",), "Extension")


def _described_extension(site: Site) -> Code:
    source, url = described(site.source), site.text(0)

    def run(node: Any, context: Any) -> Any:
        wanted = url(node, context)
        found: list[Any] = []
        for item in source(node, context):
            navigate(item, "extension", found)
        return [
            item
            for item in found
            if item.value.__class__ is dict and item.value.get("url") == wanted
        ]

    return Code(run, False, ("Extension",))


def _has_extension(site: Site) -> Code:
    return computed(present(_extension(site)), BOOLEAN)


def _has_value(site: Site) -> Code:
    source = site.source
    if source.empty or (source.raw is not None and not schema.is_primitive(source.raw)):
        return constant(False, BOOLEAN)
    run = source.run
    if source.raw is not None and source.single:

        def single(node: Any, context: Any) -> Any:
            found = run(node, context)
            if found.__class__ is Item:
                found = found.value
            return found is not None

        return computed(single, BOOLEAN)
    sequence = described(source)

    def judged(node: Any, context: Any) -> Any:
        found = sequence(node, context)
        return len(found) == 1 and _is_primitive_value(found[0])

    return computed(judged, BOOLEAN)


def _is_primitive_value(node: Any) -> bool:
    if node.__class__ is not Item:
        return True
    return node.value is not None and node.value.__class__ not in (dict, list)


def _get_value(site: Site) -> Code:
    run = one(Code(described(site.source), False, site.source.types), site.label, site.position)

    def primitive(node: Any, context: Any) -> Any:
        found = run(node, context)
        return system_value(found) if found is not None and _is_primitive_value(found) else None

    return Code(primitive, True, None)


def _resolve(site: Site) -> Code:
    if site.source.empty:
        return EMPTY
    source = many(site.source)
    site.compiler.need_context()

    def run(node: Any, context: Any) -> Any:
        found: list[Any] = []
        for item in source(node, context):
            value = item.value if item.__class__ is Item else item
            resource = references.resolve(value, context)
            if resource is not None:
                own = schema.type_of_resource(resource)
                found.append(Item(resource, own, name=own))
        return found

    return Code(site.holding(run), False, ("Resource",))


def _conforms_to(site: Site) -> Code:
    source = one(Code(described(site.source), False), site.label, site.position)
    profile = site.text(0)
    site.compiler.need_context()

    def run(node: Any, context: Any) -> Any:
        found, url = source(node, context), profile(node, context)
        if found is None or url is None:
            return None
        service = context.environment.conformance
        judged = service.conforms_to(found.value, url) if service is not None else None
        if judged is None:
            judged = _is_base_type(type_of(found), url)
        if judged is None:
            raise FHIRPathEvaluationError("fhirpath-unknown-profile", site.position)
        return judged

    return computed(run, BOOLEAN)


def _is_base_type(own: str, profile: str) -> bool | None:
    """Whether a type is the one a base StructureDefinition defines; None for other profiles."""
    name = profile.partition("|")[0].removeprefix(STRUCTURE)
    return schema.is_a(own, name) if schema.type_named(name) == name else None


def _html_checks(site: Site) -> Code:
    source = value(site.source, site.label, site.position)
    site.compiler.need_context()

    def run(node: Any, context: Any) -> Any:
        found = source(node, context)
        if found is None:
            return None
        check = context.environment.narrative
        if check is None:
            raise FHIRPathEvaluationError(
                "fhirpath-no-service", site.position, name=site.name, service="narrative checks"
            )
        return isinstance(found, str) and check(found)

    return computed(run, BOOLEAN)


def _check_modifiers(site: Site) -> Code:
    """checkModifiers(url...): the input, unless it has a modifier extension not listed."""
    urls: list[Run] = [site.text(index) for index in range(len(site.arguments))]
    source = described(site.source)

    def run(node: Any, context: Any) -> Any:
        allowed = {url(node, context) for url in urls}
        found = source(node, context)
        for item in found:
            extensions: list[Any] = []
            navigate(item, "modifierExtension", extensions)
            if any(extension.value.get("url") not in allowed for extension in extensions):
                raise site.wrong_input("elements without other modifier extensions", item)
        return found

    return Code(run, False, site.source.types)


FUNCTIONS = {
    "extension": Function(_extension, 1, 1),
    "hasExtension": Function(_has_extension, 1, 1),
    "hasValue": Function(_has_value),
    "getValue": Function(_get_value),
    "resolve": Function(_resolve),
    "conformsTo": Function(_conforms_to, 1, 1),
    "htmlChecks": Function(_html_checks),
    "checkModifiers": Function(_check_modifiers, 0, 32),
}
