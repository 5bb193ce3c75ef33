"""TLS for MLLP: certificates from files, both sides checked where that is asked for.

Called by `adapters.hl7v2.service` when the server and the clients are put together.
"""

from __future__ import annotations

import ssl
from pathlib import Path


class CertificateError(ValueError):
    """A file cannot be used; the text names it."""


def server_context(certificate: Path, key: Path | None, clients: Path | None) -> ssl.SSLContext:
    """For the side that listens.

    Args:
        certificate: PEM, with the chain.
        key: PEM; None: in the same file.
        clients: PEM of the authorities whose clients may come in; None: everyone.

    Raises:
        CertificateError: A file is missing or is no such thing.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, certificate, key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        _trust(context, clients)
    return context


def client_context(
    certificate: Path | None, key: Path | None, servers: Path | None
) -> ssl.SSLContext:
    """For the side that connects.

    Args:
        certificate: PEM to show to servers that ask; None: none.
        key: PEM; None: in the same file.
        servers: PEM of the authorities that are believed; None: the system's.

    Raises:
        CertificateError: A file is missing or is no such thing.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        _load(context, certificate, key)
    if servers is not None:
        _trust(context, servers)
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        # A password would be asked for at the terminal of a server that has none.
        context.load_cert_chain(certificate, key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"{certificate}: no certificate with its key ({error})") from error


def _trust(context: ssl.SSLContext, authorities: Path) -> None:
    try:
        context.load_verify_locations(authorities)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"{authorities}: no certificates ({error})") from error
