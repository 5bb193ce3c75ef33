"""HTTP by hand: malformed, slow, oversized and unusual requests over raw sockets."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from tests.rest.running import RunningHub, exchange

HEAD = "Host: 127.0.0.1\r\n"
UNSET = 15.0
"""Seconds: less than the hub's limits (20 s, 30 s) where the tests' own 1 s were not in force."""


def _exchange(hub: RunningHub, *sent: bytes, timeout: float = 8.0, pause: float = 0.0) -> bytes:
    """What comes back until the hub closes or is silent; what lets in goes behind the host."""
    lets_in = (HEAD + hub.header_lines).encode()
    pieces = [piece.replace(HEAD.encode(), lets_in) for piece in sent]
    return exchange(hub.address, *pieces, timeout=timeout, pause=pause)


def _status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def _outcome(answer: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert found["resourceType"] == "OperationOutcome"
    return found


def _get(path: str, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"GET {path} HTTP/1.1\r\n{HEAD}Connection: close\r\n{lines}\r\n".encode("latin-1")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /fhir/metadata HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
        b"GET /fhir/metadata HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
        b"GET /fhir/\xe5\xbc\xa0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /fhir HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST /fhir HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /fhir HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n",
    ],
)
def test_malformed_http_is_answered_in_words(hub: RunningHub, sent: bytes) -> None:
    answer = _exchange(hub, sent, timeout=3)
    assert _status(answer) == 400
    _outcome(answer)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "percent-encoded"), ("zh-CN,zh", "百分号编码")]
)
def test_raw_letters_in_an_address_are_told_of(hub: RunningHub, language: str, words: str) -> None:
    path = "/fhir/Patient?name=王".encode()
    lines = f" HTTP/1.1\r\n{HEAD}Accept-Language: {language}\r\n\r\n".encode()
    answer = _exchange(hub, b"GET " + path + lines, timeout=3)
    assert _status(answer) == 400
    (issue,) = _outcome(answer)["issue"]
    assert issue["details"]["coding"][0]["code"] == "url-not-ascii"
    assert words in issue["details"]["text"]


def test_length_and_chunks_together_are_refused(hub: RunningHub) -> None:
    smuggled = (
        b"POST /fhir HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /fhir/metadata HTTP/1.1\r\n\r\n"
    )
    assert _status(_exchange(hub, smuggled, timeout=3)) == 400


def test_headers_over_the_limit_are_refused(hub: RunningHub) -> None:
    at_once = _exchange(hub, _get("/fhir/metadata", "X-Filler: " + "x" * 20_000), timeout=3)
    assert _status(at_once) == 431
    _outcome(at_once)


def test_headers_without_an_end_are_refused(hub: RunningHub) -> None:
    pieces = [b"GET /fhir/metadata HTTP/1.1\r\nHost: 127.0.0.1\r\n"]
    pieces += [b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(40)]
    answer = _exchange(hub, *pieces, timeout=3, pause=0.01)
    assert _status(answer) == 431


def test_a_long_url_is_refused(hub: RunningHub) -> None:
    assert _status(_exchange(hub, _get("/fhir/Patient?name=" + "x" * 20_000), timeout=3)) == 431


def test_slow_headers_are_given_up(hub: RunningHub) -> None:
    answer = _exchange(hub, b"GET /fhir/metadata HTTP/1.1\r\nHost: 127", timeout=UNSET)
    assert _status(answer) == 408
    _outcome(answer)


def test_a_silent_connection_is_closed(hub: RunningHub) -> None:
    with socket.create_connection(hub.address, UNSET) as connection:
        assert connection.recv(1) == b"", "closed; silence would be a TimeoutError"


def test_a_slow_body_is_given_up(hub: RunningHub) -> None:
    head = (
        f"POST /fhir/Patient HTTP/1.1\r\n{HEAD}Content-Type: application/fhir+json\r\n"
        "Content-Length: 100\r\n\r\n{"
    )
    answer = _exchange(hub, head.encode(), timeout=UNSET)
    assert _status(answer) == 408
    assert b"connection: close" in answer.lower()
    _outcome(answer)


def test_a_client_that_sends_on_after_413_can_read_it(hub: RunningHub) -> None:
    size = 20_000_000
    head = (
        f"POST /fhir/Patient HTTP/1.1\r\n{HEAD}Content-Type: application/fhir+json\r\n"
        f"Content-Length: {size}\r\n\r\n"
    )
    answer = _exchange(hub, head.encode(), b" " * size, timeout=UNSET)
    assert _status(answer) == 413
    assert b"connection: close" in answer.lower()


def test_an_expected_413_comes_before_the_body(hub: RunningHub) -> None:
    head = (
        f"POST /fhir/Patient HTTP/1.1\r\n{HEAD}Content-Type: application/fhir+json\r\n"
        "Content-Length: 20000000\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = _exchange(hub, head.encode(), timeout=UNSET)
    assert _status(answer) == 413, "408 would have waited for it"


def test_a_body_is_sent_after_100_continue(hub: RunningHub) -> None:
    body = b'{"resourceType":"Patient"}'
    head = (
        f"POST /fhir/Patient HTTP/1.1\r\n{HEAD}Content-Type: application/fhir+json\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = _exchange(hub, head.encode(), body, pause=0.2)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201")


def test_requests_on_one_connection_are_answered_in_order(hub: RunningHub) -> None:
    first = f"GET /fhir/Patient/one HTTP/1.1\r\n{HEAD}\r\n".encode()
    second = f"GET /fhir/Nothing HTTP/1.1\r\n{HEAD}\r\n".encode()
    answer = _exchange(hub, first + second + _get("/fhir/Patient/three"))
    assert answer.count(b"HTTP/1.1 404") == 3
    assert answer.index(b"resource-not-found") < answer.index(b"type-unknown")


def test_a_repeated_header_with_two_values_is_refused(hub: RunningHub) -> None:
    answer = _exchange(hub, _get("/fhir/metadata", "X-Request-Id: a", "X-Request-Id: b"))
    assert _status(answer) == 400
    assert b"header-repeated" in answer


def test_repeated_accept_headers_are_one_list(hub: RunningHub) -> None:
    answer = _exchange(
        hub,
        _get("/fhir/metadata", "Accept: application/pdf", "Accept: application/fhir+xml;q=0.5"),
    )
    assert _status(answer) == 200
    assert b"application/fhir+xml" in answer.partition(b"\r\n\r\n")[0]


def test_a_host_is_not_needed_in_http_1_0(hub: RunningHub) -> None:
    asked = f"GET /fhir/Patient/one HTTP/1.0\r\n{hub.header_lines}\r\n"
    assert _status(_exchange(hub, asked.encode())) == 404


def test_an_absolute_url_is_a_path(hub: RunningHub) -> None:
    host, port = hub.address
    assert _status(_exchange(hub, _get(f"http://{host}:{port}/fhir/Patient/one"))) == 404


def test_an_upgrade_is_not_followed(hub: RunningHub) -> None:
    answer = _exchange(hub, _get("/fhir/Patient/one", "Upgrade: websocket", "Connection: Upgrade"))
    assert _status(answer) in (400, 404)


def test_a_client_that_leaves_harms_nobody(hub: RunningHub) -> None:
    head = (
        f"POST /fhir/Patient HTTP/1.1\r\n{HEAD}Content-Type: application/fhir+json\r\n"
        f"{hub.header_lines}Content-Length: 100\r\n\r\n{{"
    )
    with socket.create_connection(hub.address, 5) as connection:
        connection.sendall(head.encode())
    assert hub.client.get("/Patient/absent").status_code == 404
    statuses = [line.get("status") for line in hub.lines()]
    assert 499 in statuses
