"""The commands: `up`, `dev`, `down`, `erase`."""

import os
import shutil
import signal
import time

from project.embedded import accounts
from project.embedded.home import Home
from project.embedded.problems import ServerProblem
from project.env import home
from project.processes.ending import sweep
from project.processes.record import Record
from project.supervisor.options import Options
from project.supervisor.output import Output
from project.supervisor.steps import demonstrate, take
from project.supervisor.supervisor import Stopped, Supervisor, running

# `up` ends all within 15 seconds; one that needs longer hangs, and is killed.
DOWN_PATIENCE = 16.0


def up(*, dev: bool = False) -> int:
    """Take everything up and keep it up until Ctrl-C, SIGTERM or `down`; return an exit code."""
    output = Output()
    try:
        supervisor = Supervisor(Options.read(dev=dev), output)
        supervisor.hold()
    except ServerProblem as problem:
        output.problem(str(problem))
        return 1
    supervisor.heed_signals()
    wrong = _run(supervisor)
    _end(supervisor)
    if wrong:
        output.problem(str(wrong))  # last, where it is seen
    return 1 if wrong else 0


def down() -> int:
    """Stop what `up` started in this directory, from whichever terminal; return an exit code."""
    place, output = Home(home()), Output()
    begun = time.monotonic()
    supervisor = running(place)
    if supervisor:
        _stop(supervisor)
    left = sweep(place.run)
    if supervisor or left:
        output.line(f"Celesta is down ({time.monotonic() - begun:.1f} s). The data are kept.")
    else:
        output.line("Celesta is not running here.")
    return 0


def erase() -> int:
    """Delete the private directory: data, secrets, logs. Nothing may be running in it."""
    place, output = Home(home()), Output()
    if running(place):
        output.problem(f"Celesta runs in {place.path}: stop it first with `make down`.")
        return 1
    sweep(place.run)
    accounts.erase(place.path)
    shutil.rmtree(place.path, ignore_errors=True)
    output.line(f"{place.path} is gone, with all data in it.")
    return 0


def _run(supervisor: Supervisor) -> ServerProblem | None:
    """Do everything from the first step to the request to stop; return what went wrong."""
    try:
        take(supervisor)
        _welcome(supervisor, told=demonstrate(supervisor))
        supervisor.watch()
    except Stopped:
        supervisor.output.line("  Stopping: what is under way is finished or handed back.")
        return None
    except ServerProblem as problem:
        return problem


def _stop(supervisor: Record) -> None:
    """Ask a supervisor to stop, wait until it has, kill it if it does not."""
    os.kill(supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + DOWN_PATIENCE
    while supervisor.process():
        if time.monotonic() > deadline:
            os.kill(supervisor.pid, signal.SIGKILL)
            return
        time.sleep(0.05)


def _welcome(supervisor: Supervisor, *, told: bool) -> None:
    """Say where everything is and how to stop it; from here on the services are shown.

    With `told` the demonstration has just said the same.
    """
    output, flower = supervisor.output, supervisor.flower
    output.shows_services = True
    output.line(f"  {output.bold('Celesta is up')}: {supervisor.public_url}")
    if not told:
        sign_in = f"user celesta, password {flower.password}"
        output.line(f"  Flower           http://localhost:{flower.port} ({sign_in})")
        output.line("  Stop             Ctrl-C here, or `make down` elsewhere")
    output.line(f"  Data and logs    {supervisor.home.path}")
    output.line()


def _end(supervisor: Supervisor) -> None:
    """Take everything down and say so."""
    begun = time.monotonic()
    supervisor.end()
    supervisor.release()
    supervisor.output.line(f"  All is down ({time.monotonic() - begun:.1f} s). The data are kept.")
