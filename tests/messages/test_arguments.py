"""Every message is raised with exactly the arguments that its words hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import hub
from hub.errors import Issue, fault
from hub.interactions.outcome import operation_outcome
from hub.messages import catalogue
from hub.rest.outcomes import outcome

ROOT = Path(next(iter(hub.__path__)))
_PLACEHOLDER = re.compile(r"{(\w+)[^}]*}")
_OTHERS = {"location", "severity"}


def _calls() -> Iterator[tuple[str, str, set[str]]]:
    """(place, message, names of its arguments) of each call that names a message literally."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                found = _arguments(name, node)
                if found is not None:
                    yield (f"{path.relative_to(ROOT)}:{node.lineno}", *found)


def _arguments(name: str, call: ast.Call) -> tuple[str, set[str]] | None:
    if name in ("fault", "refuse"):
        message = _text(call, 1)
        if message is None or any(keyword.arg is None for keyword in call.keywords):
            return None
        return message, {str(keyword.arg) for keyword in call.keywords} - _OTHERS
    if name in ("Issue", "Problem"):
        place = 2 if name == "Issue" else 1
        message = _text(call, place)
        given: ast.expr = call.args[place + 1] if len(call.args) > place + 1 else ast.Dict([], [])
        for keyword in call.keywords:
            given = keyword.value if keyword.arg == "arguments" else given
        if message is None or not isinstance(given, ast.Dict):
            return None
        keys = [key.value for key in given.keys if isinstance(key, ast.Constant)]
        return (message, set(map(str, keys))) if len(keys) == len(given.keys) else None
    return None


def _text(call: ast.Call, place: int) -> str | None:
    argument = call.args[place] if len(call.args) > place else None
    is_text = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    return str(argument.value) if is_text and isinstance(argument, ast.Constant) else None


def test_arguments_are_the_placeholders_of_the_message() -> None:
    wrong, seen = [], 0
    for place, message, given in _calls():
        seen += 1
        words = catalogue().get(message)
        if words is None:
            wrong.append(f"{place}: no message {message}")
        elif given != set(_PLACEHOLDER.findall(words[0])):
            wrong.append(f"{place}: {message} has {_PLACEHOLDER.findall(words[0])}, not {given}")
    assert seen > 250
    assert wrong == []


def test_both_languages_hold_the_same_placeholders() -> None:
    for message, (english, chinese) in catalogue().items():
        # What R4 says of its own rules is English only.
        held = set(_PLACEHOLDER.findall(english)) - {"human"}
        assert held == set(_PLACEHOLDER.findall(chinese)) - {"human"}, message


def test_a_message_without_its_arguments_loses_its_words_only() -> None:
    broken = Issue("warning", "conflict", "version-conflict", {"type": "Patient"}, "Patient.name")
    unknown = fault("value", "no-such-message", "Patient.id")
    for made in (outcome((broken, unknown), "zh"), operation_outcome((broken, unknown), "zh")):
        first, second = made["issue"]
        assert (first["severity"], first["code"]) == ("warning", "conflict")
        assert first["expression"] == ["Patient.name"]
        assert first["details"]["coding"][0]["code"] == "version-conflict"
        assert "version-conflict" in first["details"]["text"]
        assert second["details"]["coding"][0]["code"] == "no-such-message"
