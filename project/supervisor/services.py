"""The services of `up`: what each is started with, and when it counts as ready."""

import os
import signal
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import socket

from project import ROOT
from project.embedded import ports
from project.embedded.problems import ServerProblem
from project.processes.child import Command, python
from project.processes.record import Ending
from project.supervisor.options import Options
from project.supervisor.service import Spec

WEB_PORT, FLOWER_PORT = 8000, 5555
GRACE = 8.0  # seconds for what is under way; the whole of `down` must fit into 15
# A warm shutdown, then a cold one: what a worker had begun is handed back and taken up again.
WORKER_ENDING = Ending(((signal.SIGTERM, GRACE), (signal.SIGQUIT, 2.0)))


@dataclass
class Web:
    """The web server's socket: the supervisor holds it, so no restart loses the port."""

    host: str
    listener: socket

    @classmethod
    def open(cls, options: Options) -> "Web":
        """Listen on the port asked for, else on 8000 or the next free one."""
        host, wanted = options.web_host, options.web_port
        if not wanted:
            return cls(host, ports.listen_from(WEB_PORT, host))
        try:
            return cls(host, ports.listen(wanted, host))
        except OSError as error:
            raise port_in_use("WEB_PORT", wanted, host) from error

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return int(self.listener.getsockname()[1])

    def spec(self, env: dict[str, str]) -> Spec:
        """Return the web service."""
        listener = self.listener.fileno()
        arguments = ["--fd", str(listener), "--timeout-graceful-shutdown", "5"]
        quiet = ["--no-access-log", "--log-level", "warning", "--lifespan", "off"]
        command = Command(
            "web",
            python("-m", "uvicorn", "project.asgi:application", *arguments, *quiet),
            env={**env, "DATABASE_POOL_SIZE": env.get("DATABASE_POOL_SIZE", "10")},
            cwd=ROOT,
            pass_fds=(listener,),
            ending=Ending(((signal.SIGTERM, GRACE),)),
        )
        return Spec("web", lambda: command, lambda: answers(self.port, "/health/live"), True)


@dataclass
class Flower:
    """Flower's port and password."""

    reserved: ports.Reserved
    password: str

    @classmethod
    def open(cls, options: Options, password: str) -> "Flower":
        """Take the port asked for, else 5555 or the next free one."""
        wanted = options.flower_port
        if not wanted:
            return cls(ports.Reserved.from_upwards(FLOWER_PORT), password)
        try:
            return cls(ports.Reserved.of(wanted), password)
        except OSError as error:
            raise port_in_use("FLOWER_PORT", wanted, ports.LOOPBACK) from error

    @property
    def port(self) -> int:
        """Return the port that it listens on."""
        return self.reserved.port

    def spec(self, env: dict[str, str]) -> Spec:
        """Return the service; the password is in its environment, not for `ps` to show."""
        arguments = [f"--address={ports.LOOPBACK}", f"--port={self.port}"]
        command = Command(
            "flower",
            python("-m", "celery", "-A", "project", "flower", *arguments),
            env={**env, "FLOWER_BASIC_AUTH": f"celesta:{self.password}"},
            cwd=ROOT,
            ending=Ending(((signal.SIGTERM, GRACE),)),
        )
        return Spec("flower", lambda: command, lambda: answers(self.port, "/healthcheck"))


def workers(options: Options, env: dict[str, str], run: Path) -> list[Spec]:
    """Return one worker for each set of queues."""
    level = env.get("LOG_LEVEL", "INFO")
    specs = []
    for number, queues in enumerate(options.queues, 1):
        name = "worker" if len(options.queues) == 1 else f"worker{number}"
        arguments = ["worker", "-n", f"{name}@%h", "-Q", queues, "-l", level]
        # Nobody here listens to gossip, and mingling costs a second at every start.
        arguments += ["-c", str(options.concurrency), "--without-gossip", "--without-mingle"]
        # Flower asks for events every five seconds; the first nodes would be over by then.
        arguments += ["--task-events"]
        specs.append(_celery(name, arguments, env, run, WORKER_ENDING))
    return specs


def beat(env: dict[str, str], run: Path) -> Spec:
    """Return celery beat; its schedule is in the database, its record is ours."""
    arguments = ["beat", "-l", env.get("LOG_LEVEL", "INFO"), "--pidfile="]
    return _celery("beat", arguments, env, run, Ending(((signal.SIGTERM, GRACE),)))


def _celery(
    name: str, arguments: list[str], env: dict[str, str], run: Path, ending: Ending
) -> Spec:
    """Return a service of Celery's that announces itself by a file."""
    ready = run / f"{name}.ready"

    def command() -> Command:
        ready.unlink(missing_ok=True)
        announced = {**env, "CELESTA_READY_FILE": str(ready)}
        argv = python("-m", "celery", "-q", "-A", "project", *arguments)
        return Command(name, argv, env=announced, cwd=ROOT, ending=ending)

    return Spec(name, command, ready.exists, reloads=True)


def answers(port: int, path: str) -> bool:
    """Tell whether a web server on this machine answers without an error of its own."""
    connection = HTTPConnection(ports.LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def port_in_use(name: str, port: int, host: str) -> ServerProblem:
    """Return the problem of a port that was asked for and is taken."""
    return ServerProblem(
        f"Port {port} on {host} is in use: stop what uses it, or choose another with "
        f"{name}={port + 1}, or unset {name} to have the next free one."
    )


def environment(options: Options, values: dict[str, str]) -> dict[str, str]:
    """Return the environment of every service: ours, with `values`."""
    ours = [str(ROOT / part) for part in ("", "apps", "workers")]
    theirs = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    return {
        **os.environ,
        **values,
        "CELESTA_HOME": str(options.home),
        "STATIC_FROM_APPS": "1",
        "PYTHONPATH": os.pathsep.join(ours + theirs),
        "PYTHONUNBUFFERED": "1",
    }
