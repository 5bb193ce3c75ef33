"""Fetching a client's keys cannot be turned against machines that only the hub reaches."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc.jwk import ECKey

from hub.access import key_sets
from hub.access.key_sets import KeySets, KeysUnusable, fetch, is_public_address

KEY = ECKey.generate_key("P-384", {"kid": "one"}, private=True).as_dict(private=False)
SET = json.dumps({"keys": [{**KEY, "kid": "one"}]}).encode()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd12::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "2002:a00:1::",
    ],
)
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not is_public_address(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_outside_are(address: str) -> None:
    assert is_public_address(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "10.0.0.1",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
        "169.254.1.1",
    ],
)
def test_a_set_inside_is_not_fetched(host: str) -> None:
    with pytest.raises(KeysUnusable):
        fetch(f"https://{host}:1/jwks")


def test_a_name_with_one_address_inside_is_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*_: object, **__: object) -> list[object]:
        return [(0, 0, 0, "", ("1.1.1.1", 443)), (0, 0, 0, "", ("127.0.0.1", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with pytest.raises(KeysUnusable, match="internal"):
        fetch("https://rebinding.example/jwks")


@pytest.mark.parametrize("uri", ["http://a.example/", "file:///etc/passwd", "https://", "gopher:x"])
def test_only_https_is_fetched(uri: str) -> None:
    with pytest.raises(KeysUnusable):
        fetch(uri)


# --- a real TLS server on loopback, with that one address permitted -----------------------------


@dataclass
class Server:
    """Answers each connection with the same bytes, one after another if it drips (seconds)."""

    port: int
    context: ssl.SSLContext
    answer: bytes = b""
    drip: float = 0
    requests: list[bytes] = field(default_factory=list)

    def say(self, status: str, body: bytes, *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.answer = "\r\n".join(lines).encode() + body

    def fetch(self, path: str = "/jwks") -> bytes:
        return fetch(f"https://localhost:{self.port}{path}", lambda _: True, self.context)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, SHA256())
    )
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(pem)
    theirs = ssl.create_default_context(cadata=certificate.public_bytes(Encoding.PEM).decode())
    listening = socket.create_server(("127.0.0.1", 0))
    made = Server(listening.getsockname()[1], theirs)

    def serve() -> None:
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            try:
                with ours.wrap_socket(plain, server_side=True) as line:
                    made.requests.append(line.recv(4096))
                    if made.drip:
                        for byte in made.answer:
                            line.sendall(bytes((byte,)))
                            time.sleep(made.drip)
                    line.sendall(made.answer)
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield made
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


def test_a_set_is_fetched(server: Server) -> None:
    server.say("200 OK", SET)
    assert server.fetch("/a/jwks?x=1") == SET
    assert server.requests[0].startswith(b"GET /a/jwks?x=1 HTTP/1.1\r\nHost: localhost:")


def test_redirects_are_not_followed(server: Server) -> None:
    server.say("302 Found", b"", "Location: https://127.0.0.1/secret")
    with pytest.raises(KeysUnusable, match="answers 302"):
        server.fetch()


def test_little_is_read(server: Server) -> None:
    server.say("200 OK", b"x" * (1 << 20))
    with pytest.raises(KeysUnusable, match="too large"):
        server.fetch()
    server.answer = b"nonsense"
    with pytest.raises(KeysUnusable):
        server.fetch()


def test_who_sends_a_byte_now_and_then_is_cut(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_sets, "SECONDS", 0.5)
    server.answer, server.drip = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100, 0.1
    began = time.monotonic()
    with pytest.raises(KeysUnusable):
        server.fetch()
    assert time.monotonic() - began < 5


def test_a_certificate_of_another_is_refused(server: Server) -> None:
    server.say("200 OK", SET)
    with pytest.raises(KeysUnusable, match="SSL"):
        fetch(f"https://localhost:{server.port}/", lambda _: True)


# --- how often --------------------------------------------------------------------------------


def _counting(answer: bytes | None) -> tuple[list[str], Callable[[str], bytes]]:
    asked: list[str] = []

    def read(uri: str) -> bytes:
        asked.append(uri)
        if answer is None:
            raise KeysUnusable("down")
        return answer

    return asked, read


async def test_a_set_is_fetched_once_for_all_who_ask() -> None:
    asked, read = _counting(SET)
    sets = KeySets(read)
    await asyncio.gather(*(sets.at("https://a", "one") for _ in range(20)))
    await sets.at("https://a", "one")
    assert len(asked) == 1


async def test_unknown_keys_do_not_make_the_hub_fetch_again_and_again() -> None:
    asked, read = _counting(SET)
    sets = KeySets(read)
    for n in range(20):
        await sets.at("https://a", f"unknown {n}")
    assert len(asked) == 1


async def test_a_failure_is_remembered_for_a_while() -> None:
    asked, read = _counting(None)
    sets = KeySets(read)
    for _ in range(20):
        with pytest.raises(KeysUnusable, match="down"):
            await sets.at("https://a", "one")
    assert len(asked) == 1


async def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_sets, "MOST_KEPT", 3)
    sets = KeySets(_counting(SET)[1])
    for n in range(10):
        await sets.at(f"https://{n}", "one")
    assert len(sets._kept) == 3
