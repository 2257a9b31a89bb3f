"""A running copy of the ordinary project in `existing_project/`, and what can be done with it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict

from project import ROOT
from project.processes.child import Child, Command
from project.processes.ending import end_all
from tests.processes import wait_for

SOURCES = Path(__file__).parent / "existing_project"
GUIDE = ROOT / "docs" / "existing-project.md"
#: Of ours: the shop must not see them, and Celery's command line reads two of them.
OURS = re.compile(
    "^(BROKER_URL|RESULT_BACKEND|DATABASE_URL|PYTHONPATH|DJANGO_SETTINGS_MODULE|CELESTA_.*|PYTEST_.*"
    "|SECRET_KEY|DEBUG|PYTHONDONTWRITEBYTECODE)$"
)
#: Names of everything that a migration can leave behind in a schema.
NAMES = """
SELECT 'relation ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT 'function ' || oid::regprocedure FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace
UNION ALL SELECT 'constraint ' || conname FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'migration of ' || app FROM (SELECT DISTINCT app FROM django_migrations) AS m
ORDER BY 1
"""


@dataclass
class Shop:
    """The project in a directory of its own, run by ``python`` on a database of its own."""

    directory: Path
    database_url: str
    broker_url: str
    results_url: str
    python: str = sys.executable
    database: str = field(default_factory=lambda: f"shop_{uuid4().hex[:10]}")
    _children: dict[str, Child] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        """Where manage.py is."""
        return self.directory / "shop"

    @property
    def env(self) -> dict[str, str]:
        """The environment of the shop's processes: nothing of this checkout is in it."""
        server = conninfo_to_dict(self.database_url)
        return {
            **{name: value for name, value in os.environ.items() if not OURS.match(name)},
            "SHOP_DATABASE": self.database,
            "SHOP_DATABASE_USER": str(server.get("user", "")),
            "SHOP_DATABASE_PASSWORD": str(server.get("password", "")),
            "SHOP_DATABASE_HOST": str(server.get("host", "")),
            "SHOP_DATABASE_PORT": str(server.get("port", "")),
            "SHOP_BROKER_URL": self.broker_url,
            "SHOP_RESULTS_URL": self.results_url,
            "C_FORCE_ROOT": "1",  # the shop pickles, as many do; Celery refuses that to root
        }

    # -- its life

    @contextmanager
    def open(self) -> Iterator[Shop]:
        """Copy its sources and make its database; stop and drop everything at the end."""
        shutil.copytree(SOURCES, self.directory, dirs_exist_ok=True, ignore=_not_caches)
        self._server(f'CREATE DATABASE "{self.database}"')
        try:
            yield self
        finally:
            self.stop()
            for name in (self.database, f"test_{self.database}"):
                self._server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def install(self, wheel: Path) -> None:
        """Do what the guide says: the wheel, and the lines for each file."""
        self.python = str(environment(self.directory / "environment", wheel))
        for name, lines in steps().items():
            with (self.site / "shop" / name).open("a") as file:
                file.write(f"\n{lines}")

    def uninstall(self) -> None:
        """Take the lines out again; the wheel is no longer there."""
        self.python = sys.executable
        for name in steps():
            shutil.copy(SOURCES / "shop" / "shop" / name, self.site / "shop" / name)

    # -- its commands

    def run(self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """Run the shop's Python, return what it printed; AssertionError with that if it fails."""
        done = subprocess.run(
            [self.python, *arguments],
            cwd=self.site,
            env={**self.env, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run a command of manage.py."""
        return self.run("manage.py", *arguments, stdin=stdin)

    def probe(self, name: str) -> Any:
        """Run a file of `probes/` in the shop's shell; return the JSON that it prints last."""
        text = (SOURCES / "probes" / f"{name}.py").read_text()
        return json.loads(self.manage("shell", "-v", "0", stdin=text).splitlines()[-1])

    def own_tests(self) -> None:
        """Run the shop's own tests, on a broker of their own as any project has it."""
        strict = ("-p", "no:cacheprovider", "-W", "error::pytest.PytestWarning")
        broker = {"SHOP_BROKER_URL": self.results_url.removesuffix("0") + "1"}
        printed = self.run("-m", "pytest", "-q", *strict, env=broker)
        assert re.search(r"^10 passed", printed, re.MULTILINE), printed

    # -- its workers

    def start_workers(self) -> None:
        """Start a worker for each queue, and the one of the other code base."""
        self._worker("shop", "-Q", "shop", "-c", "2")
        self._worker("payments", "-Q", "shop.payments", "-c", "1")
        # That one has this interpreter's packages, and neither the wheel nor the checkout.
        self._worker("billing", "-c", "1", python=sys.executable, app="billing")
        for name in self._children:
            wait_for(partial(self._is_ready, name), 60, partial(self.log, name))

    def _worker(
        self, name: str, *options: str, python: str | None = None, app: str = "shop"
    ) -> None:
        command = Command(
            name,
            [python or self.python, "-m", "celery", "-A", app, "worker", "-l", "INFO",
             "-n", f"{name}-{self.database}@%h", *options],
            env=self.env,
            cwd=self.directory / app,
        )  # fmt: skip
        with (self.directory / f"{name}.log").open("ab") as log:
            self._children[name] = Child.start(command, self.directory, log)

    def _is_ready(self, name: str) -> bool:
        assert self._children[name].exit_code is None, self.log(name)
        return " ready." in self.log(name)

    def log(self, name: str) -> str:
        """Return what a worker has printed."""
        return (self.directory / f"{name}.log").read_text(errors="replace")

    def stop(self) -> None:
        """End the workers, warmly first."""
        end_all(child.record for child in self._children.values())
        for child in self._children.values():
            child.popen.wait()
        self._children.clear()

    # -- its database

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows that a query on the shop's database gives."""
        with psycopg.connect(self.database_url, dbname=self.database) as connection:
            return connection.execute(query, values).fetchall()

    def names(self) -> list[str]:
        """Return the names of everything in the shop's schema."""
        return [name for (name,) in self.rows(NAMES)]

    def _server(self, statement: str) -> None:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(statement)


def steps() -> dict[str, str]:
    """The lines that the guide adds to each file: its first block that begins with the name."""
    blocks = re.findall(r"```python\n# (\w+\.py)[^\n]*\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    first: dict[str, str] = {}
    for name, lines in blocks:
        first.setdefault(name, lines)
    return {name: first[name] for name in ("settings.py", "urls.py", "celery.py")}


def environment(directory: Path, wheel: Path) -> Path:
    """Make a virtual environment with the wheel; it borrows all else from this interpreter's."""
    venv.create(directory, symlinks=True, with_pip=False)
    [packages] = directory.glob("lib/python*/site-packages")
    borrowed = [path for path in sys.path if path.endswith("-packages")]
    lines = [f"import site; site.addsitedir({path!r})" for path in borrowed]
    (packages / "borrowed.pth").write_text("\n".join(lines))
    python = directory / "bin" / "python"
    install = ["install", "-q", "--no-deps", "--no-index", "--disable-pip-version-check"]
    _run(sys.executable, "-m", "pip", "--python", str(python), *install, str(wheel))
    return python


def build_wheel(directory: Path) -> Path:
    """Build the wheel of this checkout, from a copy: nothing is left in the checkout."""
    source = directory / "source"
    for name in ("apps", "workers"):
        shutil.copytree(ROOT / name, source / name, ignore=_not_caches)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    # With the locked development packages nothing has to be fetched.
    options = ["--no-isolation"] if int(version("setuptools").split(".")[0]) >= 77 else []
    build = (sys.executable, "-m", "build", "--wheel", *options)
    _run(*build, "--outdir", str(directory), str(source))
    [wheel] = directory.glob("*.whl")
    return wheel


def _not_caches(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__" or name.endswith(".egg-info")]


def _run(*argv: str) -> None:
    env = {name: value for name, value in os.environ.items() if not OURS.match(name)}
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, f"{argv}:\n{done.stdout}\n{done.stderr}"
