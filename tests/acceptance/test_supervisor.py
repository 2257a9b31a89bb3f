"""`up` and `down` as a user meets them: real servers, real services, a real supervisor."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from project import ROOT
from tests.processes import wait_for
from tests.supervising import Up, environment, run

SERVICES = ("web", "worker", "beat", "flower")
SERVERS = ("postgres", "valkey")
#: Seconds as docs/running.md promises them: after Ctrl-C and `make down`, and after a kill.
PROMISED_DOWN, PROMISED_CLEARED = 15, 10


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Return a factory of private directories (in a path with a space) that `up` can run in."""
    made: list[Up] = []

    def make(name: str = "a home") -> Up:
        made.append(Up(tmp_path / name))
        return made[-1]

    yield make
    for each in made:
        each.erase()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a directory for tests that use it one after the other: its database is made once."""
    home = tmp_path_factory.mktemp("used again") / "a home"
    yield home
    Up(home).erase()


@pytest.fixture
def again(kept: Path) -> Iterator[Up]:
    """Return what starts in a directory that has been used before, however that ended."""
    celesta = Up(kept)
    yield celesta
    celesta.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Return one Celesta that is up, for tests that only look."""
    celesta = Up(tmp_path_factory.mktemp("one that runs") / "home").start().wait_up()
    yield celesta
    celesta.erase()


def test_everything_answers(running: Up) -> None:
    assert running.get("/admin/login/").status_code == 200
    assert running.get("/static/admin/css/base.css").status_code == 200
    assert running.get("/", "FLOWER_URL").status_code == 401
    secret = (running.home / "secrets" / "flower").read_text()
    assert running.get("/", "FLOWER_URL", auth=("celesta", secret)).status_code == 200
    for name in ("worker", "beat"):
        assert (running.home / "run" / f"{name}.ready").exists()


def test_the_database_is_durable(running: Up) -> None:
    with psycopg.connect(running.database_url()) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)


def test_the_broker_is_durable(running: Up) -> None:
    broker = redis.Redis.from_url(running.published["BROKER_URL"], decode_responses=True)
    assert broker.config_get("appendonly") == {"appendonly": "yes"}


def test_secrets_are_for_the_owner_alone(running: Up) -> None:
    files = [*(running.home / "secrets").iterdir(), running.home / "environment"]
    secrets = [file.read_text() for file in files[:-1]]
    assert len(secrets) >= 4
    assert [file.name for file in files if file.stat().st_mode & 0o077] == []
    shown = [" ".join(process.cmdline()) for process in running.remember()]
    assert [line for line in shown if any(secret in line for secret in secrets)] == []
    logs = [file.read_text(errors="replace") for file in (running.home / "logs").iterdir()]
    assert [log for log in logs if any(secret in log for secret in secrets)] == []


def test_a_second_terminal_uses_the_same_servers(running: Up) -> None:
    script = "from django.conf import settings; print(settings.DATABASES['default']['PORT'])"
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", script],
        cwd=ROOT,
        env=environment(running.home, {}),
        check=True,
        capture_output=True,
        text=True,
    )
    assert f":{done.stdout.strip()}/" in running.database_url()


def test_the_walk_with_curl_works_as_it_is_pasted(running: Up, tmp_path: Path) -> None:
    """docs/api.md, its lines unchanged but for where Celesta and this Python are."""
    page = (ROOT / "docs/api.md").read_text()
    walk = page[page.index("## A walk with curl") : page.index("## Who calls")]
    blocks = re.findall(r"^```sh\n(.*?)^```$", walk, re.DOTALL | re.MULTILINE)
    blocks[0] = blocks[0].replace(". .venv/bin/activate\n", "")
    here = environment(
        running.home, {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    )
    maker = [str(ROOT / "manage.py"), "createsuperuser", "--noinput", "--username=admin"]
    subprocess.run([sys.executable, *maker, "--email="], env=here, check=True, capture_output=True)
    script = "echo '# next'\n".join(["set -eu -o pipefail\n", *blocks])
    script = script.replace("http://localhost:8000", running.published["PUBLIC_URL"])
    script = script.replace("python manage.py", f"python '{ROOT / 'manage.py'}'")

    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=here, check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    me, faults, published, started, watched, cancelled = [
        part.split("\n") for part in done.stdout.split("# next\n")[1:]
    ]
    assert json.loads(me[0])["workspace"] == "default"
    problems = json.loads(faults[0])["problems"]
    assert {problem["code"] for problem in problems} >= {
        "cyclic_dependency", "unknown_node_type", "unknown_need", "unknown_field",
        "expression_syntax",
    }  # fmt: skip
    assert all(problem["line"] for problem in problems)
    assert json.loads(published[0])["valid"] is True
    assert json.loads(published[1])["created"] is True
    run_id = json.loads(watched[0])["id"]
    assert started[0] == run_id
    assert json.loads(started[1])["code"] == "idempotency_conflict"
    assert json.loads(started[2])["errors"][0]["path"] == "params.order_id"
    assert json.loads(watched[0])["output"] == "order 7 is shipped"
    names = [node["name"] for node in json.loads(watched[1])["results"]]
    assert names[:3] == ["fetch", "pause", "ship"]
    assert json.loads(watched[2])["results"][0]["kind"] == "run_pending"
    assert [cancelled[0], json.loads(cancelled[1])["state"], cancelled[2]] == [
        "running", "cancelled", "cancelled",
    ]  # fmt: skip


def test_a_second_up_in_the_same_directory_is_refused(running: Up) -> None:
    done = run(running.home, "up")
    assert done.returncode == 1
    assert "already runs" in done.stdout
    assert "make down" in done.stdout
    assert running.answers()


def test_data_cannot_be_erased_while_it_runs(running: Up) -> None:
    done = run(running.home, "erase")
    assert done.returncode == 1
    assert "stop it first with `make down`" in done.stdout
    assert running.answers()


def test_down_leaves_nothing_but_data(up: Callable[..., Up]) -> None:
    celesta = up().start().wait_up()
    with psycopg.connect(celesta.database_url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    everything = celesta.remember()
    begun = time.monotonic()
    assert "Celesta is down" in run(celesta.home, "down").stdout
    assert time.monotonic() - begun < PROMISED_DOWN
    assert len(everything) > 12
    assert celesta.left() == []
    assert celesta.popen
    assert celesta.popen.wait(60) == 0
    assert not (celesta.home / "environment").exists()
    assert "not running" in run(celesta.home, "down").stdout

    celesta.start().wait_up()
    with psycopg.connect(celesta.database_url()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    celesta.stop()
    assert "is gone" in run(celesta.home, "erase").stdout
    assert not celesta.home.exists()


@pytest.mark.long  # run alone: the promise is for a machine that does nothing else
def test_a_later_start_takes_ten_seconds(up: Callable[..., Up]) -> None:
    celesta = up().start().wait_up()
    celesta.stop()
    begun = time.monotonic()
    celesta.start().wait_up()
    assert time.monotonic() - begun < 10


def test_two_directories_side_by_side(up: Callable[..., Up]) -> None:
    both = [up("one").start(), up("two").start()]  # at the same moment: they must not meet
    urls = [celesta.wait_up().published for celesta in both]
    for name in ("PUBLIC_URL", "FLOWER_URL", "DATABASE_URL", "BROKER_URL"):
        assert urls[0][name] != urls[1][name]
    assert all(celesta.answers() for celesta in both)
    assert all(each.get("/healthcheck", "FLOWER_URL").status_code == 200 for each in both)
    run(both[0].home, "down")
    assert both[1].answers()


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_signals_stop_everything_warmly(again: Up, number: int) -> None:
    celesta = again.start().wait_up()
    celesta.signal(number)
    assert celesta.popen
    assert celesta.popen.wait(PROMISED_DOWN) == 0
    assert celesta.left() == []
    assert "Warm shutdown" in celesta.output


@pytest.mark.faults
def test_a_stop_during_the_start_leaves_nothing(up: Callable[..., Up]) -> None:
    celesta = up().start()
    wait_for(lambda: "Broker" in celesta.output, told=lambda: celesta.output)
    celesta.signal(signal.SIGINT)
    assert celesta.popen
    assert celesta.popen.wait(PROMISED_DOWN) == 0
    assert celesta.left() == []


@pytest.mark.faults
def test_what_dies_is_started_again_and_said(again: Up) -> None:
    celesta = again.start().wait_up()
    before = {name: celesta.pid(name) for name in (*SERVICES, *SERVERS)}
    pool = psutil.Process(before["worker"]).children()
    for pid in before.values():
        psutil.Process(pid).kill()
    for name, pid in before.items():
        wait_for(lambda name=name, pid=pid: celesta.pid(name) != pid, told=lambda: celesta.output)  # type: ignore[misc]
        assert f"{name:<8} | was ended by SIGKILL; starting again" in celesta.output
    wait_for(celesta.answers, told=lambda: celesta.output)
    wait_for((celesta.home / "run" / "worker.ready").exists, told=lambda: celesta.output)
    assert not any(process.is_running() for process in pool)
    with psycopg.connect(celesta.database_url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.faults
def test_a_killed_supervisor_leaves_nothing_and_the_next_recovers(again: Up) -> None:
    celesta = again.start().wait_up()
    celesta.signal(signal.SIGKILL)
    wait_for(lambda: not celesta.left(), PROMISED_CLEARED, lambda: str(celesta.left()))

    celesta.start().wait_up()
    celesta.signal(signal.SIGKILL)
    celesta.start().wait_up()  # at once: the warden may still be clearing up
    assert celesta.answers()


@pytest.mark.faults
def test_everything_killed_at_once_is_recovered_from(again: Up) -> None:
    celesta = again.start().wait_up()
    for process in celesta.remember():
        with suppress(psutil.NoSuchProcess):  # its parent's end was its own
            process.kill()
    celesta.start().wait_up()
    assert celesta.answers()


@pytest.mark.faults
def test_a_killed_warden_is_replaced(again: Up) -> None:
    celesta = again.start().wait_up()
    warden = next(
        each for each in celesta.remember() if "project.processes.warden" in each.cmdline()
    )
    warden.kill()
    wait_for(lambda: "warden   | had died; started again" in celesta.output)
    celesta.signal(signal.SIGKILL)
    wait_for(lambda: not celesta.left(), PROMISED_CLEARED, lambda: str(celesta.left()))


@pytest.mark.faults
def test_the_end_of_make_is_the_end_of_everything(again: Up) -> None:
    script = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'project', 'up'])"
    celesta = again.start([sys.executable, "-c", script], MAKELEVEL="1").wait_up()
    celesta.signal(signal.SIGKILL)
    wait_for(lambda: not celesta.left(), PROMISED_DOWN, lambda: str(celesta.left()))


def test_dev_starts_again_what_runs_changed_code(again: Up) -> None:
    celesta = again.start([sys.executable, "-m", "project", "dev"]).wait_up()
    assert celesta.get("/no-such-page/").text.count("DEBUG = True") == 1
    before = {name: celesta.pid(name) for name in SERVICES}
    os.utime(ROOT / "project" / "wsgi.py")  # as saving it in an editor would
    for name in ("web", "worker", "beat"):
        wait_for(lambda name=name: celesta.pid(name) != before[name], told=lambda: celesta.output)  # type: ignore[misc]
    assert "reload   | wsgi.py changed" in celesta.output, celesta.output
    assert "starting again in" not in celesta.output  # no failure, no pause
    assert celesta.pid("flower") == before["flower"]
    wait_for(celesta.answers, told=lambda: celesta.output)


def test_dev_builds_the_pages_whose_source_changed(up: Callable[..., Up]) -> None:
    celesta = up().start([sys.executable, "-m", "project", "dev"]).wait_up()
    web = celesta.pid("web")
    os.utime(ROOT / "frontend" / "src" / "pages" / "run.ts")
    wait_for(lambda: "load the page again" in celesta.output, told=lambda: celesta.output)
    assert "pages    | run.ts changed; building" in celesta.output
    assert celesta.pid("web") == web
