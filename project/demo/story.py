"""The demonstration from its first step to the last line."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import NoReverseMatch, reverse

from celesta.access.workspaces import default
from project.demo import audit, examples, progress, welcome
from project.demo.accounts import ensure_admin
from project.demo.audit import Audited
from project.env import env, home
from project.supervisor.output import Output

T = TypeVar("T")
TIMEOUT = 600.0  # seconds


@dataclass(frozen=True)
class Prepared:
    """What has to be there before the audit can run."""

    admin: User
    published: list[examples.Example]

    @property
    def audit(self) -> examples.Example:
        """The example that is run."""
        return next(e for e in self.published if e.version.workflow.name == examples.AUDIT)


class Story:
    """Tells what is done and how long it took."""

    def __init__(self, stream: TextIO, timeout: float = TIMEOUT, paths: Sequence[str] = ()) -> None:
        self.stream = stream
        self.paths = list(paths)
        self.output = Output(stream)
        self.timeout = timeout

    def tell(self) -> Audited:
        """Do everything; raise DemoProblem where it cannot go on."""
        prepared = self._prepare()
        audited = self._audit(prepared)
        self._found(audited)
        self._next_steps(prepared.admin, audited)
        return audited

    def _prepare(self) -> Prepared:
        admin = self._step("Administrator", ensure_admin, lambda user: user.get_username())
        published = self._step(
            "Example workflows",
            lambda: examples.publish_all(default(), admin),
            lambda found: f"{len(found)} there, {sum(e.fresh for e in found)} published now",
        )
        return Prepared(admin, published)

    def _audit(self, prepared: Prepared) -> Audited:
        return self._step(
            "Package audit",
            lambda: self._watched(prepared),
            lambda audited: f"run {audited.run}",
        )

    def _watched(self, prepared: Prepared) -> Audited:
        run = audit.start(prepared.audit.version, prepared.admin, self.paths)
        display = progress.Display(self.stream)
        try:
            for seen in progress.follow(run, timeout=self.timeout):
                display.show(seen)
        finally:
            display.close()
        return audit.result(run)

    def _step(self, title: str, do: Callable[[], T], detail: Callable[[T], str]) -> T:
        begun = time.monotonic()
        done = do()
        self.output.step(title, time.monotonic() - begun, detail(done))
        return done

    def _found(self, audited: Audited) -> None:
        self.output.line()
        for finding in audited.findings:
            self.output.line(f"    - {finding}")
        self.output.line()
        self._pair("Report", str(audited.report))

    def _next_steps(self, admin: User, audited: Audited) -> None:
        link = welcome.link(admin, audited.run)
        self._pair("Sign in", f"{link}  (once, within the hour: opens this run)")
        self._pair("API docs", _docs())
        self._pair("Flower", _flower())
        self._pair("Change it", "edit examples/package_audit.yaml, then `make demo`")
        self._pair("Stop", "Ctrl-C where `make up` runs, or `make down`")
        self.output.line()

    def _pair(self, label: str, text: str) -> None:
        self.output.line(f"  {self.output.bold(f'{label:<11}')}{text}")


def _docs() -> str:
    try:
        return str(settings.PUBLIC_URL) + reverse("celesta_api:docs")
    except NoReverseMatch:
        return str(settings.PUBLIC_URL)


def _flower() -> str:
    url = env("FLOWER_URL", "")
    if not url:
        return "not running here (`make up` starts it)"
    return f"{url}  (user celesta, password in {_shown(home() / 'secrets' / 'flower')})"


def _shown(path: object) -> str:
    return os.path.relpath(str(path))
