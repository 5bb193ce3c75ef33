"""Hosts, origins and the base of links."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import HubError
from hub.rest.origin import Edge
from hub.settings import Settings

PUBLIC = {"public_url": "https://hub.example.org"}


def _host(edge: Edge, host: bytes) -> str:
    try:
        edge.check_host({b"host": host})
    except HubError as error:
        return error.issues[0].message
    return ""


@pytest.mark.parametrize(
    ("settings", "host", "expected"),
    [
        ({}, b"127.0.0.1:8080", ""),
        ({}, b"localhost", ""),
        ({}, b"LOCALHOST:9999", ""),
        ({}, b"[::1]:8080", ""),
        ({}, b"evil.example:8080", "host-unknown"),
        ({}, b"127.0.0.1.evil.example", "host-unknown"),
        ({}, b"hub.example.org", "host-unknown"),
        (PUBLIC, b"hub.example.org", ""),
        (PUBLIC, b"hub.example.org:443", ""),
        ({"hosts": ("hub.lan",)}, b"hub.lan:80", ""),
        ({}, b"", "host-invalid"),
        ({}, b"a b", "host-invalid"),
        ({}, b"a/b", "host-invalid"),
        ({}, b"user@localhost", "host-invalid"),
        ({}, b"localhost:port", "host-invalid"),
        ({}, b"\xff", "host-invalid"),
    ],
)
def test_only_our_own_hosts_are_answered(
    settings: dict[str, Any], host: bytes, expected: str
) -> None:
    assert _host(Edge(Settings(auth="off", **settings)), host) == expected


@pytest.mark.parametrize(
    ("cors", "method", "origin", "allowed"),
    [
        ((), "POST", b"http://127.0.0.1:8080", True),
        ((), "POST", b"https://evil.example", False),
        ((), "POST", b"null", False),
        ((), "DELETE", b"https://evil.example", False),
        ((), "GET", b"https://evil.example", True),
        (("https://app.example",), "POST", b"https://app.example", True),
        (("https://app.example",), "POST", b"https://app.example.evil", False),
        (("*",), "POST", b"https://evil.example", True),
    ],
)
def test_foreign_pages_do_not_write(
    cors: tuple[str, ...], method: str, origin: bytes, allowed: bool
) -> None:
    edge = Edge(Settings(auth="off", cors=cors))
    headers = {b"host": b"127.0.0.1:8080", b"origin": origin}
    if allowed:
        edge.check_origin(method, headers)
    else:
        with pytest.raises(HubError) as refused:
            edge.check_origin(method, headers)
        assert refused.value.status == 403


def test_cors_headers_are_for_allowed_origins_only() -> None:
    edge = Edge(Settings(cors=("https://app.example",)))
    allowed = dict(edge.headers({b"origin": b"https://app.example"}))
    assert allowed[b"access-control-allow-origin"] == b"https://app.example"
    assert b"ETag" in allowed[b"access-control-expose-headers"]
    assert edge.headers({b"origin": b"https://evil.example"}) == ()
    assert edge.headers({}) == ()
    assert Edge(Settings(auth="off")).headers({b"origin": b"https://app.example"}) == ()


def test_a_preflight_is_answered_for_allowed_origins_only() -> None:
    edge = Edge(Settings(cors=("https://app.example",)))
    asked = {b"origin": b"https://app.example", b"access-control-request-method": b"PUT"}
    assert b"PUT" in dict(edge.preflight(asked))[b"access-control-allow-methods"]
    assert edge.preflight({**asked, b"origin": b"https://evil.example"}) == ()


@pytest.mark.parametrize(
    ("settings", "client", "expected"),
    [
        ({}, "10.0.0.1", "http://127.0.0.1:8080/fhir"),
        ({"trusted_proxies": ("10.0.0.0/8",)}, "10.0.0.1", "https://a.example:444/fhir"),
        ({"trusted_proxies": ("10.0.0.0/8",)}, "11.0.0.1", "http://127.0.0.1:8080/fhir"),
        (
            {"trusted_proxies": ("10.0.0.0/8",), **PUBLIC},
            "10.0.0.1",
            "https://hub.example.org/fhir",
        ),
    ],
)
def test_links_follow_trusted_proxies_only(
    settings: dict[str, Any], client: str, expected: str
) -> None:
    headers = {b"x-forwarded-host": b"a.example:444", b"x-forwarded-proto": b"https"}
    found = Edge(Settings(**settings)).base({"client": (client, 1)}, headers)
    assert found == expected


PROXY = {"trusted_proxies": ("10.0.0.0/8",)}


@pytest.mark.parametrize(
    ("settings", "client", "hops", "expected"),
    [
        ({}, "10.0.0.1", b"1.2.3.4", "10.0.0.1"),
        (PROXY, "11.0.0.1", b"1.2.3.4", "11.0.0.1"),
        (PROXY, "10.0.0.1", b"1.2.3.4", "1.2.3.4"),
        (PROXY, "10.0.0.1", b"127.0.0.1, 1.2.3.4", "1.2.3.4"),
        (PROXY, "10.0.0.1", b"6.6.6.6, 1.2.3.4,10.9.9.9", "1.2.3.4"),
        (PROXY, "10.0.0.1", b"10.0.0.2", "10.0.0.2"),
        (PROXY, "10.0.0.1", b"1.2.3.4, nonsense", "10.0.0.1"),
        (PROXY, "10.0.0.1", b"", "10.0.0.1"),
        (PROXY, "10.0.0.1", b"1.2.3.4," * 10_000 + b"2001:db8::1", "2001:db8::1"),
        (PROXY, "", b"1.2.3.4", ""),
    ],
)
def test_an_address_counts_as_far_as_trusted_proxies_tell_it(
    settings: dict[str, Any], client: str, hops: bytes, expected: str
) -> None:
    scope = {"client": (client, 1) if client else None}
    found = Edge(Settings(**settings)).address(scope, {b"x-forwarded-for": hops})
    assert found == expected


@pytest.mark.parametrize(
    ("settings", "client", "headers", "local"),
    [
        ({}, "127.0.0.1", {}, True),
        ({}, "::1", {}, True),
        ({}, "192.168.1.5", {}, False),
        ({}, "127.0.0.1", {b"x-forwarded-for": b"127.0.0.1"}, False),
        ({}, "127.0.0.1", {b"host": b"localhost:8080"}, True),
        ({}, "127.0.0.1", {b"host": b"evil.example"}, False),
        ({}, "127.0.0.1", {b"forwarded": b"for=127.0.0.1"}, False),
        (PUBLIC, "127.0.0.1", {}, False),
        ({"public_url": "http://localhost:8080"}, "127.0.0.1", {}, True),
        (PROXY | PUBLIC, "127.0.0.1", {}, True),
        (PROXY, "10.0.0.1", {b"x-forwarded-for": b"127.0.0.1"}, True),
        (PROXY, "10.0.0.1", {b"x-forwarded-for": b"1.2.3.4"}, False),
        (PROXY, "11.0.0.1", {b"x-forwarded-for": b"127.0.0.1"}, False),
    ],
)
def test_this_machine_is_not_somebody_behind_a_proxy_on_it(
    settings: dict[str, Any], client: str, headers: dict[bytes, bytes], local: bool
) -> None:
    assert Edge(Settings(**settings)).is_local({"client": (client, 1)}, headers) is local
