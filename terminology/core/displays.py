"""Whether a display is a right one, and which is shown.

Called by validation. Spec: https://hl7.org/fhir/R4/valueset-operation-validate-code.html
(display, displayLanguage)
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.errors import Severity
from terminology.core.code_system import designation
from terminology.core.findings import Finding
from terminology.core.languages import Languages, fitting, is_display, shown
from terminology.core.shapes import CodeSystem, Designation, Resource, objects
from terminology.core.standing import STANDARDS_STATUS

_GONE = ("withdrawn", "deprecated")
_SHOWN_CHOICES = 10
_SHOWN_LENGTH = 200


def words(
    system: CodeSystem | None, ordinal: int | None, listed: Resource | None
) -> tuple[str, str, list[Designation]]:
    """Display, its language, and the other words of a concept.

    Args:
        system: Its code system, None when only a value set lists it.
        ordinal: Its concept there.
        listed: What an include says of it.
    """
    display, language = "", ""
    others: list[Designation] = []
    if system is not None and ordinal is not None:
        display, language = system.display(ordinal), system.language
        others += system.designations(ordinal)
    if listed is not None:
        given = listed.get("designation")
        others += [designation(one) for one in objects(given)]
        own = listed.get("display")
        if isinstance(own, str) and own:
            if display and display != own:
                others.append(Designation(display, language))
            display = own
    return display, language, others


def best_display(
    system: CodeSystem | None, ordinal: int | None, listed: Resource | None, wanted: Languages
) -> str:
    """The display to answer with: in a language asked for, else the default; "" without any."""
    display, language, others = words(system, ordinal, listed)
    return shown(display, language, others, wanted).display or display


def display_finding(
    given: str,
    code: tuple[str, str],
    display: str,
    language: str,
    others: Sequence[Designation],
    wanted: Languages,
    location: str,
    severity: Severity,
) -> Finding | None:
    """What is wrong with a display.

    Args:
        given: The display to check.
        code: System and code it is for.
        display: The default display.
        language: Its language.
        others: The other words.
        wanted: The languages asked for.
        location: FHIRPath of the display.
        severity: Of what is wrong.
    """
    every = [(display, language)] if display else []
    every += [(one.value, one.language) for one in others if is_display(one) and not _gone(one)]
    right = fitting(every, wanted)
    if not every or _same(given, right):
        return None
    arguments: dict[str, object] = {
        "display": given[:_SHOWN_LENGTH],
        "system": code[0],
        "code": code[1],
        "languages": wanted.shown,
        "default": display,
    }
    if not right:
        if _same(given, every):
            return Finding("tx-display-default", "information", location, arguments)
        return Finding("tx-display-no-language", severity, location, arguments)
    for one in others:
        if _gone(one) and one.value.casefold() == given.casefold():
            arguments |= {"status": _gone(one), "choices": ", ".join(dict(right))}
            return Finding("tx-display-gone", "warning", location, arguments)
    choices = list(dict.fromkeys(right))
    written = [
        f"'{word}' ({tongue})" if tongue else f"'{word}'"
        for word, tongue in choices[:_SHOWN_CHOICES]
    ]
    listed = written[0] if len(written) == 1 else f"{', '.join(written[:-1])} or {written[-1]}"
    arguments |= {"choices": listed, "count": len(choices)}
    if any(_plain(given) == _plain(word) for word, _ in right):
        return Finding("tx-display-space", severity, location, arguments)
    message = "tx-display" if len(choices) == 1 else "tx-display-several"
    return Finding(message, severity, location, arguments)


def _gone(one: Designation) -> str:
    """`withdrawn` or `deprecated` when a word is no longer right, else ""."""
    for extension in one.extension:
        if extension.get("url") == STANDARDS_STATUS and extension.get("valueCode") in _GONE:
            return str(extension["valueCode"])
    return ""


def _same(given: str, right: Sequence[tuple[str, str]]) -> bool:
    folded = given.casefold()
    return any(word.casefold() == folded for word, _ in right)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
