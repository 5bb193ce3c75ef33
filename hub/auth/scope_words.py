"""Scopes in plain words, for the consent page.

Identity and launch scopes are technicalities to people: each group is one wish. Every resource
scope is a wish of its own, so that each can be refused.
Spec: SMART App Launch 2.2, scopes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hub.access import scopes
from hub.messages import render
from hub.principal import Scope

GROUPS = (
    ("auth-scope-identity", ("openid", "fhirUser", "profile")),
    ("auth-scope-context", ("launch", "launch/patient", "launch/encounter")),
    ("auth-scope-offline", ("offline_access",)),
    ("auth-scope-online", ("online_access",)),
)
VERBS = (("rs", "see"), ("c", "add"), ("u", "change"), ("d", "delete"))


@dataclass(frozen=True, slots=True)
class Wish:
    """One line to tick.

    Attributes:
        scopes: What it grants, separated by spaces.
        words: What it means.
        writes: It lets something be changed.
    """

    scopes: str
    words: str
    writes: bool = False


def wishes(asked: tuple[str, ...], language: str) -> list[Wish]:
    """What an app wants: resources first, then the rest.

    Args:
        asked: Scopes.
        language: `zh` or `en`.
    """
    found = [
        Wish(text, _resource(scope, language), bool(scope.permissions & set("cud")))
        for text, scope in scopes.read(" ".join(asked)).resources
    ]
    for message, group in GROUPS:
        present = [scope for scope in asked if scope in group]
        if present:
            found.append(Wish(" ".join(present), render(message, {}, language)))
    return found


def _resource(scope: Scope, language: str) -> str:
    verbs = [
        render(f"auth-verb-{verb}", {}, language)
        for letters, verb in VERBS
        if scope.permissions & set(letters)
    ]
    what = render(f"auth-scope-{scope.level}", {"types": _type(scope.type, language)}, language)
    words = render("auth-scope", {"verbs": _joined(verbs, language), "what": what}, language)
    for name, value in scope.search:
        short = value.rpartition("|")[2]
        words += render("auth-scope-only", {"name": name, "value": short}, language)
    return words[:1].upper() + words[1:]


def _joined(words: list[str], language: str) -> str:
    if language == "zh":
        return "、".join(words)
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


@lru_cache(maxsize=1)
def _names() -> Mapping[str, list[str]]:
    return tomllib.loads(Path(__file__).with_name("type_names.toml").read_text("utf-8"))


def _type(type: str, language: str) -> str:
    if type == "*":
        return render("auth-scope-everything", {}, language)
    names = _names().get(type)
    if names is None:
        return type if language == "zh" else re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type).lower()
    return names[language == "zh"]
