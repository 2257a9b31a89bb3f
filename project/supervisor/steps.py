"""What `up` does, in order: each step is shown with its seconds and with what it returns."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from project import ROOT
from project.embedded.postgres import Postgres
from project.embedded.problems import ServerProblem
from project.embedded.starting import Server, start
from project.embedded.valkey import Valkey
from project.processes.child import python
from project.supervisor import external, services
from project.supervisor.supervisor import Supervisor


@dataclass(frozen=True)
class Step:
    """A title, and what is done: it returns a detail to show, and raises ServerProblem."""

    title: str
    do: Callable[[Supervisor], str]


def management(title: str, *arguments: str, show: bool = False) -> Step:
    """Return a step that runs a management command; with `show` its output is the user's to see."""

    def do(supervisor: Supervisor) -> str:
        argv = python(str(ROOT / "manage.py"), *arguments)
        supervisor.run(arguments[0], argv, show=show)
        return ""

    return Step(title, do)


def start_database(supervisor: Supervisor) -> str:
    """Start the private PostgreSQL, or ask the user's own."""
    if url := supervisor.options.database_url:
        supervisor.env["DATABASE_URL"] = url
        return external.check_database(url)
    server = Postgres(supervisor.home)
    return _start(supervisor, server, "DATABASE_URL")


def start_broker(supervisor: Supervisor) -> str:
    """Start the private Valkey, or ask the user's own broker."""
    if url := supervisor.options.broker_url:
        supervisor.env["BROKER_URL"] = url
        return external.check_broker(url)
    return _start(supervisor, Valkey(supervisor.home), "BROKER_URL")


def start_services(supervisor: Supervisor) -> str:
    """Start web, workers, beat and Flower, and wait until each is ready."""
    options, env, run = supervisor.options, supervisor.env, supervisor.home.run
    for spec in (supervisor.web.spec(env), *services.workers(options, env, run)):
        supervisor.add(spec)
    supervisor.add(services.beat(env, run))
    supervisor.add(supervisor.flower.spec(env))
    supervisor.await_ready()
    return ", ".join(service.spec.name for service in supervisor.services)


STEPS = (
    Step("PostgreSQL", start_database),
    Step("Broker", start_broker),
    Step("Ports and settings", Supervisor.publish),
    management("Database schema", "migrate", "--no-input"),
    Step("Web, worker, beat, Flower", start_services),
)


def take(supervisor: Supervisor, steps: tuple[Step, ...] = STEPS) -> None:
    """Do the steps, showing each when it is done."""
    for step in steps:
        begun = time.monotonic()
        detail = step.do(supervisor)
        supervisor.output.step(step.title, time.monotonic() - begun, detail)


def demonstrate(supervisor: Supervisor) -> bool:
    """Run the demonstration, the first time only; return whether it ran to its end.

    Celesta stays up whatever becomes of it.
    """
    shown = supervisor.home.path / "demonstrated"
    if shown.exists():
        return False
    try:
        management("Demonstration", "demo", show=True).do(supervisor)
    except ServerProblem:
        supervisor.output.problem("  The demonstration failed (see above): `make demo` repeats it.")
        return False
    shown.touch()
    return True


def _start(supervisor: Supervisor, server: Server, variable: str) -> str:
    """Start a private server, to be watched and ended with the rest."""
    run, tell = supervisor.home.run, supervisor.output.problem
    child = start(server, run, tell=tell, pause=supervisor.pause)
    supervisor.servers.append((server, child))
    supervisor.env[variable] = server.url
    return f"private {server.title} on port {server.port}"
