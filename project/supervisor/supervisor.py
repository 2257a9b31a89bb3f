"""The supervisor: takes Celesta up, keeps it up, and takes all of it down again."""

import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil

from project.embedded.home import Home
from project.embedded.problems import ServerProblem, tail
from project.embedded.starting import Server, launch
from project.processes import record
from project.processes.child import Child, Command
from project.processes.ending import sweep
from project.processes.record import Ending, Record
from project.processes.warden import PATIENCE, Warden
from project.supervisor.options import Options
from project.supervisor.output import Output
from project.supervisor.rebuild import Rebuild
from project.supervisor.reload import Changes
from project.supervisor.service import Service, Spec, ending
from project.supervisor.services import Flower, Web, environment

TICK = 0.1
READY_PATIENCE = 60.0
RECORD = "supervisor"


class Stopped(Exception):
    """Somebody asked us to stop."""


class Supervisor:
    """Everything that runs, and the directory it runs in."""

    def __init__(self, options: Options, output: Output) -> None:
        self.options = options
        self.output = output
        self.home = Home(options.home)
        self.env: dict[str, str] = {}
        self.services: list[Service] = []
        self.servers: list[tuple[Server, Child]] = []
        self.stopping = threading.Event()
        self._hurry = threading.Event()
        self._warden: Warden | None = None
        # From the first moment on: what changes while all starts is not missed.
        self._changes = Changes() if options.dev else None
        self._rebuild = Rebuild(self.home, output.told) if options.dev else None
        # Under make, its end is ours: nobody is left whom Ctrl-C would reach.
        self._parent = os.getppid() if "MAKELEVEL" in os.environ else None

    def hold(self) -> None:
        """Take the private directory for us alone, and clear what a killed `up` left in it."""
        self.home.prepare()
        already = running(self.home)
        descriptor = self.home.lock(patience=0.0 if already else PATIENCE)
        left = sweep(self.home.run)
        if left:
            self.output.line(f"  cleared what an earlier run left: {', '.join(left)}")
        self._warden = Warden(self.home.run, self.home.environment, holding=(descriptor,))
        me = psutil.Process()
        record.write(self.home.path, Record(RECORD, me.pid, me.create_time(), Ending()))

    def release(self) -> None:
        """Let the warden and the directory go."""
        self.home.environment.unlink(missing_ok=True)
        record.forget(self.home.path, RECORD)
        if self._warden:
            self._warden.dismiss()
        self.home.unlock()

    def heed_signals(self) -> None:
        """Stop on Ctrl-C, SIGTERM and a closed terminal; hurry when asked again."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked)

    def pause(self, seconds: float) -> None:
        """Wait; raise Stopped as soon as somebody asks us to stop, or our parent has vanished."""
        if self.stopping.wait(seconds) or self._parent not in (None, os.getppid()):
            raise Stopped

    def publish(self) -> str:
        """Take the ports, settle the settings, and write them down for other terminals."""
        options = self.options
        self.web = Web.open(options)
        self.flower = Flower.open(options, self.home.secret("flower"))
        self.public_url = os.environ.get("PUBLIC_URL") or f"http://localhost:{self.web.port}"
        settings = {
            **self.env,
            "SECRET_KEY": os.environ.get("SECRET_KEY") or self.home.secret("django"),
            "PUBLIC_URL": self.public_url,
            "FLOWER_URL": f"http://localhost:{self.flower.port}",
            "DEBUG": "1" if options.dev else os.environ.get("DEBUG", "0"),
        }
        self.home.publish(settings)
        self.env = environment(options, settings)
        return f"{self.public_url}, Flower on port {self.flower.port}"

    def add(self, spec: Spec) -> Service:
        """Add and start a service."""
        log = self.home.log(spec.name)
        output = self.output
        service = Service(spec, self.home.run, log, output.service, output.told)
        self.services.append(service)
        service.start()
        return service

    def await_ready(self) -> None:
        """Wait until every service is ready, keeping them alive; ServerProblem if one is not."""
        deadline = time.monotonic() + READY_PATIENCE
        while waiting := [each for each in self.services if not each.is_ready()]:
            if time.monotonic() > deadline or any(each.failures > 2 for each in waiting):
                raise _not_ready(waiting)
            self._tend_services()
            self.pause(TICK)

    def run(self, title: str, argv: list[str], *, show: bool = False) -> None:
        """Run a command to its end; ServerProblem with its last lines if it fails.

        With `show` what it prints goes to the terminal as it comes, else only to a log.
        """
        log = self.home.log(title)
        command = Command(title, argv, env=self.env)
        if show:
            child = Child.start(command, self.home.run, self.output.fileno())
        else:
            with log.open("wb") as file:
                child = Child.start(command, self.home.run, file)
        while child.exit_code is None:
            self.pause(TICK / 2)
        record.forget(self.home.run, title)
        if child.exit_code:
            raise ServerProblem(
                f"{title} {ending(child.exit_code)}: {_last_words(log)}; log: {log}"
            )

    def watch(self) -> NoReturn:
        """Keep everything running until somebody asks us to stop, which raises Stopped."""
        while True:
            self._tend_servers()
            self._tend_services()
            if self._warden and self._warden.tend():
                self.output.told("warden", "had died; started again")
            if self._changes and (changed := self._changes.since_last()):
                self._reload(changed)
            if self._rebuild:
                self._rebuild.tend()
            self.pause(TICK * 2)

    def end(self) -> None:
        """End the services, then the servers, within 15 seconds."""
        sweep(self.home.run, hurry=self._hurry.is_set)

    def _tend_services(self) -> None:
        """Start again what has died."""
        for service in self.services:
            service.tend()

    def _tend_servers(self) -> None:
        """Start a private server that has died again, on its own port and data."""
        for number, (server, child) in enumerate(self.servers):
            if child.exit_code is None:
                continue
            self.output.told(server.name, f"{ending(child.exit_code)}; starting again")
            server.prepare()
            self.servers[number] = (server, launch(server, self.home.run))
            self.pause(1.0)

    def _reload(self, changed: list[Path]) -> None:
        """Start again what runs our code."""
        names = ", ".join(path.name for path in changed[:3])
        self.output.told("reload", f"{names} changed")
        for service in self.services:
            if service.spec.reloads:
                service.reload()

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        """Handle a signal: the first asks us to stop, the second to hurry."""
        if self.stopping.is_set():
            self._hurry.set()
        self.stopping.set()


def running(home: Home) -> Record | None:
    """Return the record of the supervisor that runs in a private directory, if one does."""
    known = record.read(home.path / f"{RECORD}.json")
    return known if known and known.process() else None


def _not_ready(services: list[Service]) -> ServerProblem:
    """Return the problem of services that did not become ready."""
    first = services[0]
    return ServerProblem(
        f"{first.spec.name} did not get ready: {_last_words(first.log)}; log: {first.log}"
    )


def _last_words(log: Path) -> str:
    """Return the line of a log that most likely tells what went wrong."""
    lines = tail(log, 20)
    return lines[-1].strip() if lines else "it printed nothing"
