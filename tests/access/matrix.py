"""Runs the cells of the access matrix: who asks what, by which way, and what comes back.

A case asks one thing as everybody; its cells say what each gets. Outcomes are short texts:
`200` for a resource, `403` for a refusal, `obs-ann lab-ann` for what a search finds (sorted; `-`
for nothing), `#3` for a total, `v2 v1` for a history, `201/404` for the entries of a batch. What
changes something says so: `201+1` is one version more in the record.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tests.access.world import GONE, WHO, Resource, world

Key = tuple[str, str]

CASES = Path(__file__).parent.parent / "cases" / "access" / "matrix"
_WORLD: dict[Key, Resource] = {(one["resourceType"], one["id"]): one for one in (*world(), *GONE)}
_GONE = {(one["resourceType"], one["id"]) for one in GONE}


@dataclass(frozen=True)
class Case:
    """One thing asked by all.

    Attributes:
        ask: Method and path, as in `GET Patient/ann`.
        body: What is sent, None for nothing.
        headers: Further headers.
        outcomes: What comes back, by name.
    """

    ask: str
    body: Any
    headers: dict[str, str]
    outcomes: dict[str, str]

    @property
    def is_changing(self) -> bool:
        """Whether it may change the record."""
        return not self.ask.startswith("GET ")


def cases(file: Path) -> Iterator[Case]:
    """The cases of a file; each has a cell for everybody."""
    table = tomllib.loads(file.read_text())
    bodies = {name: json.loads(text) for name, text in table.get("bodies", {}).items()}
    for row in table["case"]:
        outcomes = {
            name: outcome for outcome, names in row["cells"].items() for name in names.split()
        }
        body = _filled(bodies[row["send"]], bodies) if "send" in row else None
        assert outcomes.keys() == WHO.keys(), f"{file.name}: {row['ask']}"
        yield Case(row["ask"], body, row.get("headers", {}), outcomes)


def _filled(body: Any, bodies: dict[str, Any]) -> Any:
    """A body in which `"$name"` stands for another one."""
    if isinstance(body, str) and body.startswith("$"):
        return bodies[body[1:]]
    if isinstance(body, list):
        return [_filled(item, bodies) for item in body]
    if isinstance(body, dict):
        return {key: _filled(item, bodies) for key, item in body.items()}
    return body


@cache
def all_cases() -> tuple[tuple[str, Case], ...]:
    """The cases of all files, each with a name for the report."""
    return tuple(
        (f"{file.stem}: {case.ask}", case)
        for file in sorted(CASES.glob("*.toml"))
        for case in cases(file)
    )


@dataclass
class Matrix:
    """A running hub with the world in it, asked as everybody.

    Attributes:
        client: Without a token.
        tokens: By name.
        admin: A token that sees and restores everything.
    """

    client: httpx.Client
    tokens: dict[str, str]
    admin: str
    _versions: int = field(default=0)

    def observe(self, case: Case, who: str) -> str:
        """What somebody gets; the record is as before afterwards."""
        before = self.versions() if case.is_changing else 0
        answer = self.ask(case, who)
        outcome = told(answer)
        if not case.is_changing:
            return outcome
        grown = self.versions() - before
        if grown:
            self.restore(grown)
        return f"{outcome}+{grown}"

    def ask(self, case: Case, who: str) -> httpx.Response:
        """The answer to a case."""
        method, _, path = case.ask.partition(" ")
        headers = {"authorization": f"Bearer {self.tokens[who]}"} | case.headers
        if case.body is not None and "content-type" not in headers:
            headers["content-type"] = "application/fhir+json"
        content = None if case.body is None else json.dumps(case.body)
        return self.client.request(method, path.lstrip("/"), headers=headers, content=content)

    def versions(self) -> int:
        """How many versions the record has."""
        found = self._admin("GET", "_history?_count=1")
        return int(found["total"])

    def restore(self, grown: int) -> None:
        """Make the newest versions undone: the world's as they were, others as if never made."""
        newest = self._admin("GET", f"_history?_count={grown}")["entry"]
        changed = dict.fromkeys(_key(one["fullUrl"]) for one in newest)
        self._change("PUT", [key for key in changed if key in _WORLD])
        self._change("DELETE", [key for key in changed if key not in _WORLD or key in _GONE])
        for key in changed:
            if key not in _WORLD:
                confirm = {"name": "confirm", "valueString": "/".join(key)}
                body = {"resourceType": "Parameters", "parameter": [confirm]}
                self._admin("POST", f"{'/'.join(key)}/$expunge", body)

    def _change(self, method: str, keys: list[Key]) -> None:
        """Put or delete resources together."""
        entries = [
            {"request": {"method": method, "url": "/".join(key)}}
            | ({"resource": _WORLD[key]} if method == "PUT" else {})
            for key in keys
        ]
        if entries:
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            self._admin("POST", "", bundle)

    def _admin(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self.admin}"}
        answer = self.client.request(method, path, headers=headers, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


def _key(url: str) -> Key:
    _, type, id = url.rsplit("/", 2)
    return type, id


def told(answer: httpx.Response) -> str:
    """The outcome of an answer, in short."""
    if answer.status_code not in (200, 201):
        return str(answer.status_code)
    kind = answer.headers.get("content-type", "")
    body = answer.json() if "json" in kind and answer.content else {}
    if body.get("resourceType") != "Bundle" or "type" not in body:
        return str(answer.status_code)
    entries = body.get("entry", [])
    match body["type"]:
        case "searchset":
            ids = [
                one["resource"]["id"]
                for one in entries
                if one.get("search", {}).get("mode") != "outcome"
            ]
            if "total" in body and not ids:
                return f"#{body['total']}"
            return " ".join(sorted(ids)) or "-"
        case "history":
            return " ".join(f"v{one['response']['etag'][3:-1]}" for one in entries) or "-"
        case "batch-response" | "transaction-response":
            return "/".join(_entry(one) for one in entries)
    return str(answer.status_code)


def _entry(entry: dict[str, Any]) -> str:
    inner = entry.get("resource", {})
    if inner.get("resourceType") == "Bundle" and inner.get("type") == "searchset":
        return " ".join(sorted(one["resource"]["id"] for one in inner.get("entry", []))) or "-"
    return str(entry["response"]["status"]).split(" ")[0]
