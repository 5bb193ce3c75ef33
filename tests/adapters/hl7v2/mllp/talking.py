"""Both ends of MLLP for tests: a receiver that answers at will, and certificates."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.hl7v2.mllp.receiver import Taken
from adapters.hl7v2.mllp.server import Limits, Server
from hub.listening import bound

HOST = "127.0.0.1"


@dataclass
class Echo:
    """Answers every message with itself, or as it is told."""

    answer: Callable[[bytes], Taken] = lambda raw: Taken(b"got " + raw)
    admitted: bool = True
    taken: list[bytes] = field(default_factory=list)

    def admits(self, address: str) -> bool:
        return self.admitted and address == HOST

    async def take(self, raw: bytes, address: str) -> Taken:
        self.taken.append(raw)
        await asyncio.sleep(0)
        return self.answer(raw)

    def oversize(self, beginning: bytes, size: int) -> bytes:
        return b"too large: %d" % size


async def until(fulfilled: Callable[[], bool]) -> None:
    """Wait for something to happen."""
    async with asyncio.timeout(10):
        while not fulfilled():
            await asyncio.sleep(0.001)


@dataclass
class Listening:
    """A server and where it is."""

    server: Server
    port: int
    echo: Echo


@asynccontextmanager
async def listening(
    echo: Echo | None = None, tls: Any = None, **limits: Any
) -> AsyncIterator[Listening]:
    """A server until the block ends."""
    echo = echo or Echo()
    server = Server(echo, Limits(**limits))
    with bound(HOST, 0) as place:
        await server.start(place, tls)
        try:
            yield Listening(server, place.getsockname()[1], echo)
        finally:
            await server.stop(2)


def certificate(folder: Path, name: str, issuer: str = "") -> Path:
    """A certificate with its key in one file; signed by itself or by another of the folder.

    Args:
        folder: Where it goes.
        name: Of the file and of the subject.
        issuer: Name of another one.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signed_by = key, subject
    if issuer:
        pem = (folder / f"{issuer}.pem").read_bytes()
        loaded = serialization.load_pem_private_key(pem, None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        signer, signed_by = loaded, x509.load_pem_x509_certificate(pem).subject
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=not issuer, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address(HOST))]), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
