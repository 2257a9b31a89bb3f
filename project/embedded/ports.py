"""Free TCP ports on the loopback address."""

import socket
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from project.embedded.problems import ServerProblem

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Tell whether a server could listen on a port now."""
    try:
        listen(port, host).close()
    except OSError:
        return False
    return True


def any_free() -> int:
    """Return a port that nobody listens on."""
    with closing(listen(0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Reserved:
    """A TCP port that no other Celesta will choose while this object lives.

    The UDP port of the same number marks it: binding one is atomic, works between users, and ends
    with the process, whatever ends that.
    """

    port: int
    mark: socket.socket

    @classmethod
    def from_upwards(cls, wanted: int, *, tries: int = 100) -> "Reserved":
        """Reserve the first free port from `wanted` upwards; ServerProblem if there is none."""
        for port in range(wanted, min(wanted + tries, 65_536)):
            with suppress(OSError):
                return cls.of(port)
        raise none_free(wanted, tries)

    @classmethod
    def of(cls, port: int) -> "Reserved":
        """Reserve a port; OSError if it is taken or another Celesta has reserved it."""
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind((LOOPBACK, port))
            listen(port).close()
        except OSError:
            mark.close()
            raise
        return cls(port, mark)


def listen_from(wanted: int, host: str = LOOPBACK, *, tries: int = 100) -> socket.socket:
    """Listen on the first free port from `wanted` upwards; ServerProblem if there is none."""
    for port in range(wanted, min(wanted + tries, 65_536)):
        with suppress(OSError):
            return listen(port, host)
    raise none_free(wanted, tries)


def none_free(wanted: int, tries: int) -> ServerProblem:
    """Return the problem of a whole range of ports that are taken."""
    return ServerProblem(
        f"No port from {wanted} to {wanted + tries - 1} is free: stop something, or name one "
        "with WEB_PORT or FLOWER_PORT."
    )


def kept_port(file: Path) -> int:
    """Return the port of last time if it is free, else another one, and remember it."""
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        port = 0
    if not port or not is_free(port):
        port = any_free()
        file.write_text(str(port))
    return port


def listen(port: int, host: str = LOOPBACK) -> socket.socket:
    """Return a socket bound to an address; OSError if it is taken.

    SO_REUSEADDR lets a restart take the port whose last connections linger; on Linux and macOS
    it does not let two servers share it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. uvicorn takes a socket handed to it for a Unix one and would not
        # set it: each answer on a kept connection then waits 40 ms for the client's delayed ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
