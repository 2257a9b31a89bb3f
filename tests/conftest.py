"""Servers, settings and fixtures of every test.

The servers start while this file is loaded: Django's settings need their URLs. With `CI` set,
whatever a test needs and does not find is a failure; on a laptop it is skipped.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.test import TransactionTestCase

from tests.flushing import flush
from tests.flushing import flushed_after_module as flushed_after_module  # a fixture
from tests.processes import WorkerProcess
from tests.servers import Servers
from tests.settings import PASSWORD_HASHERS

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SERVERS = Servers()


def pytest_configure(config: pytest.Config) -> None:
    """Take the servers down after everything else, the database teardown included."""
    config.add_cleanup(lambda: SERVERS.__exit__(None, None, None))
    if config.getoption("numprocesses", None):
        # pytest-xdist's workers inherit this environment. With it pytest-django would read the
        # settings in them before this file has given them a broker's database of their own.
        del os.environ["DJANGO_SETTINGS_MODULE"]


def missing(what: str, cure: str) -> None:
    """Skip the test on a laptop and fail it in CI: `what` is not there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is required here: {cure}", pytrace=False)
    pytest.skip(f"{what} is missing: {cure}")


@pytest.fixture(autouse=True)
def _own_celery_app() -> Iterator[None]:
    """Whatever app a test installs Celesta on, the next test publishes through the project's."""
    from celesta.engine import canvas

    before = list(canvas._installed)
    canvas._publisher.closed_until = 0.0
    yield
    canvas._installed[:] = before


@pytest.fixture(scope="session")
def servers() -> Servers:
    """Return the running servers."""
    return SERVERS


@pytest.fixture(scope="session")
def broker_url() -> str:
    """Return the URL of the broker; on Redis and Valkey each pytest-xdist worker has its own db."""
    return os.environ["BROKER_URL"]


@pytest.fixture(scope="session")
def rabbitmq_url() -> str:
    """Return the URL of a RabbitMQ given as RABBITMQ_URL (or as BROKER_URL)."""
    for name in ("RABBITMQ_URL", "BROKER_URL"):
        if (url := os.environ.get(name, "")).startswith("amqp"):
            return url
    missing("RabbitMQ", "set RABBITMQ_URL=amqp://user:password@host:5672//")
    raise AssertionError


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium."""
    named = os.environ.get("CHROMIUM", "")
    for name in (named, *CHROMIUMS):
        if name and (path := shutil.which(name)):
            return path
    missing("Chromium", "apt-get install chromium, or set CHROMIUM to its path")
    raise AssertionError


@pytest.fixture
def worker_process(
    transactional_db: None, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., WorkerProcess]]:
    """Return a factory of real workers on the test database; they end with the test.

    `worker_process(queues="default", concurrency=2, ...)` starts one and waits until it is ready.
    """
    started: list[WorkerProcess] = []

    def start(*, ready: bool = True, **options: Any) -> WorkerProcess:
        name = f"worker{len(started) + 1}"
        worker = WorkerProcess(name, tmp_path, **options)
        started.append(worker)
        worker.start()
        if ready:
            worker.wait_ready()
        return worker

    yield start
    for worker in started:
        worker.stop()
    failed = getattr(request.node, "failed", False)
    for worker in started if failed else ():
        print(f"--- {worker.name} printed:\n{worker.output()}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Let fixtures know, while they end, whether their test failed."""
    report = yield
    item.failed = getattr(item, "failed", False) or report.failed  # type: ignore[attr-defined]
    return report


def _own_broker_database(url: str) -> str:
    """Give each pytest-xdist worker its own database number of a Redis or Valkey."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker or url.startswith("amqp"):
        return url
    return f"{url.rsplit('/', 1)[0]}/{int(worker.removeprefix('gw')) + 1}"


# A shell in the background hands down these two as ignored, and they would stay so in every child.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
# Processes are started by the hundred; some shells say that each is to compile Celesta anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
SERVERS.__enter__()
os.environ["BROKER_URL"] = _own_broker_database(os.environ["BROKER_URL"])
os.environ.setdefault("SECRET_KEY", "for-tests-" * 4)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# Nothing of a `make up` in this clone may leak into tests.
os.environ.setdefault("CELESTA_HOME", str(Path(__file__).parent / "no-such-directory"))
django.setup()
settings.PASSWORD_HASHERS = PASSWORD_HASHERS
TransactionTestCase._fixture_teardown = flush  # type: ignore[attr-defined]
assert os.environ["BROKER_URL"] == settings.CELERY_BROKER_URL, "read before it was set"
