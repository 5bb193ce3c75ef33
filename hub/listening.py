"""Ports: sockets of ours on them, and that nobody else takes them.

Called by `hub.serve`, which reserves ports before anything is opened, and by what then listens.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from hub.settings import SettingsError


@contextmanager
def claimed_port(host: str, port: int, setting: str, option: str) -> Iterator[int]:
    """Reserve a port, so that a second hub is told at once and port 0 becomes a number.

    Args:
        host: Address.
        port: Port; 0 takes a free one.
        setting: Environment variable that names another, for the error.
        option: Option that does.

    Raises:
        SettingsError: The address is not ours, or somebody else listens there.
    """
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"Cannot listen on {host} port {port}: {error.strerror}. "
                f"Choose another with {setting} or {option}."
            ) from error
        port = int(probe.getsockname()[1])
    # Bound but not listening: it gets no connections, but keeps others from taking the port.
    with bound(host, port):
        yield port


def bound(host: str, port: int) -> socket.socket:
    """A socket of ours on the port that other sockets of ours share.

    Args:
        host: Address.
        port: Port.

    Raises:
        OSError: The port is somebody else's.
    """
    made = socket.socket(_family(host))
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


def is_free(host: str, port: int) -> bool:
    """Whether nobody has a port."""
    try:
        with socket.socket(_family(host)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:
        return False
    return True


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
