"""Another way to write a path is no way round the token, and none to somebody else's record.

Raw sockets, for HTTP clients tidy paths up before they send them.
"""

from __future__ import annotations

import socket
import time

import pytest

from tests.access.hostile.lab import Lab

TRICKS = [
    "/fhir//Patient/wang",
    "/fhir/./Patient/wang",
    "/fhir/../fhir/Patient/wang",
    "/fhir/%2e%2e/fhir/Patient/wang",
    "/fhir/metadata/../Patient/wang",
    "/fhir/metadata/%2e%2e/Patient/wang",
    "/fhir/metadata%2f..%2fPatient/wang",
    "/fhir/metadata/..;/Patient/wang",
    "/fhir/metadata;x=/Patient/wang",
    "/fhir/metadata%00/Patient/wang",
    "/fhir/metadata\\..\\Patient/wang",
    "/fhir/.well-known/../Patient/wang",
    "/fhir/.well-known/smart-configuration/../../Patient/wang",
    "/fhir/.well-known/smart-configuration/Patient/wang",
    "/fhir/%50atient/wang",
    "/fhir/Patient/%77ang",
    "/fhir/Patient%2fwang",
    "/fhir/Patient/wang/",
    "/fhir/Patient/wang;jsessionid=1",
    "/fhir/Patient/wang%20",
    "/fhir/Patient/wang%00",
    "/fhir/Patient/wang?x=/fhir/metadata",
    "/fhir/Patient/wang?_format=json#/metadata",
]
"""Below the FHIR base."""

OUTSIDE = [
    "//fhir/Patient/wang",
    "/FHIR/Patient/wang",
    "/%66hir/Patient/wang",
    "/./fhir/Patient/wang",
    "/auth/../fhir/Patient/wang",
    "/auth/jwks/../../fhir/Patient/wang",
    "/auth/%2e%2e/fhir/Patient/wang",
    "/static/../fhir/Patient/wang",
    "/livez/../fhir/Patient/wang",
    "\\fhir\\Patient\\wang",
    "fhir/Patient/wang",
    "*",
]
"""Not below it as it is written."""

NEIGHBOURS = [
    "/fhir/Patient/wang/../zhao",
    "/fhir/Patient/wang/%2e%2e/zhao",
    "/fhir/Patient/wang%2f..%2fzhao",
    "/fhir/Patient/wang/..%2fzhao/_history/1",
    "/fhir/Patient/zhao",
    "/fhir/Patient/zhao/_history/1",
    "/fhir/Patient/zhao?patient=wang",
    "/fhir/Patient/zhao?_id=wang",
    "/fhir/Patient/zhao/_history",
    "/fhir/Patient/zhao/$everything",
    "/fhir/Patient?_id=zhao",
    "/fhir/Patient?_id=wang,zhao&_id=zhao",
    "/fhir?_type=Patient&_id=zhao",
    "/fhir/Patient/wang/Patient?_id=zhao",
]
"""From the own record to another's."""


def raw(lab: Lab, target: str, *headers: str) -> tuple[int, bytes]:
    """Send a request line as it is; gives status and body, status 0 for a hang-up."""
    lines = [f"GET {target} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers]
    with socket.create_connection(lab.hub.address, timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]) if head else 0, body


@pytest.mark.parametrize("target", TRICKS)
def test_no_way_to_write_a_path_goes_round_the_token(lab: Lab, target: str):
    since, id = time.time(), lab.request_id()
    status, body = raw(lab, target, f"X-Request-Id: {id}")
    assert status in (400, 401)
    assert "王秀英".encode() not in body
    if status == 401:
        assert id in str(lab.refusals(since))


@pytest.mark.parametrize("target", OUTSIDE)
def test_what_is_not_below_the_base_shows_nothing_of_the_record(lab: Lab, target: str):
    for headers in ((), (f"Authorization: Bearer {lab.token('li.wei')}",)):
        status, body = raw(lab, target, *headers)
        assert status == 0 or status >= 400
        assert "王秀英".encode() not in body


def test_the_absolute_form_of_a_request_needs_a_token_too(lab: Lab):
    status, body = raw(lab, f"{lab.hub.url}/fhir/Patient/wang")
    assert status in (400, 401)
    assert "王秀英".encode() not in body


@pytest.mark.parametrize("target", NEIGHBOURS)
def test_no_path_leads_from_the_own_record_to_anothers(lab: Lab, target: str):
    header = f"Authorization: Bearer {lab.token('wang', 'user/*.rs')}"
    assert raw(lab, "/fhir/Patient/wang", header)[0] == 200
    since, id = time.time(), lab.request_id()
    status, body = raw(lab, target, header, f"X-Request-Id: {id}")
    assert status < 500
    assert "赵明".encode() not in body
    if status in (403, 404):
        assert id in str(lab.refusals(since))
