"""The access matrix: who gets what by which way, over HTTP, with real tokens.

`tests/cases/access/matrix` holds the cells, `world` the record and whom it is asked by.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.access import address
from hub.access.front_desk import open_desk
from hub.app import open_door
from hub.context import utc_now
from hub.settings import Settings
from tests.access.matrix import Case, Matrix, all_cases
from tests.access.world import GONE, WHO, let_in, moved, observation, ref, world
from tests.rest.running import RunningHub, running


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    """A hub with the world in it."""
    folder = tmp_path_factory.mktemp("matrix")
    with running(folder, auth="on") as hub:
        fill(hub)
        tokens = tokens_of(folder / "data")
        with httpx.Client(base_url=f"{hub.url}/fhir/", timeout=30) as client:
            yield Matrix(client, tokens, hub.token)
        assert hub.unexpected_errors() == 0


def fill(hub: RunningHub) -> None:
    """Put the world in."""
    for one in (*world(), *moved(), *GONE):
        answer = hub.client.put(f"/{one['resourceType']}/{one['id']}", json=one)
        assert answer.status_code in (200, 201), answer.text
    for one in GONE:
        assert hub.client.delete(f"/Observation/{one['id']}").status_code == 204


def tokens_of(data: Path) -> dict[str, str]:
    """A token of everybody, made beside the running hub."""

    async def make() -> dict[str, str]:
        async with open_door(Settings(data=data)) as door:
            now = int(utc_now().timestamp() * 1000)
            desk = open_desk(door.store.ledger, 1)
            try:
                base = await address.noted(door.store.ledger, 1, now)
                return await let_in(desk, base, now)
            finally:
                desk.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, make()).result()


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in all_cases()])
def test_everybody_gets_what_may_be(matrix: Matrix, case: Case) -> None:
    found: dict[str, Any] = {name: matrix.observe(case, name) for name in WHO}
    assert found == case.outcomes


def test_there_are_many_cells() -> None:
    assert sum(len(case.outcomes) for _, case in all_cases()) >= 400


HIDDEN_AND_MISSING = (
    ("GET Observation/{}", "obs-cat", "nothing"),
    ("GET Observation/{}", "gone-cat", "nothing"),
    ("GET Observation/{}/_history", "obs-cat", "nothing"),
    ("GET Observation/{}/_history", "gone-cat", "nothing"),
    ("GET Observation/{}/_history/1", "obs-cat", "nothing"),
    ("GET Observation/{}/_history/1", "gone-cat", "nothing"),
    ("GET Observation/{}/$meta", "obs-cat", "nothing"),
    ("GET Patient/{}/$everything", "cat", "nobody"),
    ("GET Patient/{}/Observation", "cat", "nobody"),
    ("GET Patient/{}/$validate?mode=delete", "cat", "nobody"),
    ("GET Composition/{}/$document", "comp-cat", "nothing"),
    ("GET Binary/{}", "bin-cat", "nothing"),
    ("GET Observation?_id={}&_total=accurate", "obs-cat", "nothing"),
    ("GET Observation?patient={}&_total=estimate", "cat", "nobody"),
    ("GET Observation?_list={}", "list-cat", "nothing"),
    ("GET Observation/_history?_list={}", "list-cat", "nothing"),
    ("GET Patient?_has:Observation:subject:_id={}", "obs-cat", "nothing"),
    ("DELETE Observation/{}", "obs-cat", "nothing"),
    ("PUT Observation/{}", "obs-cat", "nothing"),
    ("PUT Observation/{}", "gone-cat", "nothing"),
    ("PATCH Observation/{}", "obs-cat", "nothing"),
    ("PATCH Observation?_id={}", "obs-cat", "nothing"),
    ("POST Observation", "enc-cat", "nothing"),
    ("POST Observation/$validate", "enc-cat", "nothing"),
)


@pytest.mark.parametrize(("ask", "hidden", "missing"), HIDDEN_AND_MISSING)
@pytest.mark.parametrize("who", ["doctor", "app", "ann", "annv", "son", "bob"])
@pytest.mark.parametrize("headers", [{}, {"if-match": 'W/"1"'}, {"if-none-match": "*"}])
def test_what_is_hidden_reads_as_what_never_was(
    matrix: Matrix, ask: str, hidden: str, missing: str, who: str, headers: dict[str, str]
) -> None:
    """Status, headers and every byte of the answer but the id and what is random anyway."""
    if headers and ask.startswith("GET"):
        headers = {}
    assert _answer(matrix, ask, hidden, who, headers) == _answer(matrix, ask, missing, who, headers)


def _answer(matrix: Matrix, ask: str, id: str, who: str, headers: dict[str, str]) -> Any:
    method, _, path = ask.partition(" ")
    body: Any = None
    sent = {"authorization": f"Bearer {matrix.tokens[who]}"} | headers
    patient = {"son": "olga", "bob": "bob"}.get(who, "ann")
    if method == "PATCH":
        body = [{"op": "replace", "path": "/status", "value": "amended"}]
        sent["content-type"] = "application/json-patch+json"
    elif method == "PUT":
        body = observation(id, patient)
    elif method == "POST":
        body = observation("x", patient, encounter=ref(f"Encounter/{id}"))
        if "validate" in path:
            mode = {"name": "mode", "valueCode": "create"}
            parameters = [mode, {"name": "resource", "resource": body}]
            body = {"resourceType": "Parameters", "parameter": parameters}
    if body is not None:
        sent.setdefault("content-type", "application/fhir+json")
    answer = matrix.client.request(method, path.format(id), headers=sent, json=body)
    text = answer.text.replace(id, "ID")
    told = answer.json() if text else {}
    if told.get("resourceType") == "Bundle":
        text = str(
            [told.get("total"), told.get("entry"), [one["relation"] for one in told["link"]]]
        )
    kept = {
        name: value
        for name, value in answer.headers.items()
        if name not in ("date", "x-request-id", "content-length")
    }
    return answer.status_code, kept, text


def test_a_refused_delete_names_nothing_hidden(matrix: Matrix) -> None:
    """For those without limits it says what stands against it; for others only that something."""
    words = {}
    for who in ("admin", "doctor"):
        case = Case("DELETE Encounter/enc-ann", None, {}, {})
        answer = matrix.ask(case, who)
        assert answer.status_code == 409
        words[who] = answer.json()["issue"][0]["details"]["text"]
    assert "Observation" in words["admin"]
    assert "Observation" not in words["doctor"]


def test_a_relative_loses_sight_when_the_consent_is_revoked(matrix: Matrix) -> None:
    case = Case("GET Patient/olga", None, {}, {})
    assert matrix.ask(case, "son").status_code == 200
    consent = next(one for one in world() if one["id"] == "for-son")
    _put(matrix, consent | {"status": "inactive"})
    try:
        _wait(lambda: matrix.ask(case, "son").status_code == 403)
        found = matrix.ask(Case("GET Observation?patient=olga", None, {}, {}), "son")
        assert found.status_code == 403
    finally:
        _put(matrix, consent)
    _wait(lambda: matrix.ask(case, "son").status_code == 200)


def test_a_doctor_loses_sight_of_a_branch_with_the_role_there(matrix: Matrix) -> None:
    case = Case("GET Patient/ann", None, {}, {})
    assert matrix.ask(case, "doctor").status_code == 200
    role = next(one for one in world() if one["id"] == "role-doctor")
    _put(matrix, role | {"organization": ref("Organization/south")})
    try:
        _wait(lambda: matrix.ask(case, "doctor").status_code == 404)
        assert matrix.ask(Case("GET Patient/cat", None, {}, {}), "doctor").status_code == 200
    finally:
        _put(matrix, role)
    _wait(lambda: matrix.ask(case, "doctor").status_code == 200)


def _put(matrix: Matrix, resource: dict[str, Any]) -> None:
    path = f"{resource['resourceType']}/{resource['id']}"
    headers = {"authorization": f"Bearer {matrix.admin}"}
    assert matrix.client.put(path, json=resource, headers=headers).status_code == 200


def _wait(holds: Callable[[], bool]) -> None:
    """Until something holds: within two seconds."""
    end = time.monotonic() + 2.5
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
