"""The private directory, its ports, and what is told when a server does not start."""

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from project.embedded import accounts, ports
from project.embedded.home import Home
from project.embedded.problems import LEAST_FREE, PortTaken, ServerProblem, explain, length
from project.supervisor.options import Options


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "a home")
    made.prepare()
    return made


def test_secrets_are_made_once_and_are_private(home: Home) -> None:
    first = home.secret("one")
    assert home.secret("one") == first
    assert home.secret("two") != first
    assert len(first) >= 64
    assert (home.path / "secrets" / "one").stat().st_mode & 0o777 == 0o600


def test_an_empty_secret_left_by_a_crash_is_made_anew(home: Home) -> None:
    (home.path / "secrets" / "one").touch()
    assert len(home.secret("one")) >= 64


def test_what_is_published_is_private(home: Home) -> None:
    home.publish({"A": "1", "B": "x=y"})
    assert home.environment.read_text() == "A=1\nB=x=y\n"
    assert home.environment.stat().st_mode & 0o777 == 0o600


def test_one_holder_at_a_time(home: Home) -> None:
    home.lock()
    with pytest.raises(ServerProblem, match="already runs in .* `make down`"):
        Home(home.path).lock()
    home.unlock()
    Home(home.path).lock()


def test_a_nearly_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(free=LEAST_FREE - 1)
    monkeypatch.setattr("project.embedded.problems.shutil.disk_usage", lambda _: usage)
    with pytest.raises(ServerProblem, match="255 MB left, 256 MB are needed: free some space"):
        Home(tmp_path / "home").prepare()


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(ServerProblem, match="home cannot be used .* set CELESTA_HOME"):
        Home(tmp_path / "home").prepare()


def test_a_long_log_is_set_aside(home: Home) -> None:
    log = home.log("web")
    with log.open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    assert not home.log("web").exists()
    assert (home.logs / "web.log.1").exists()


@pytest.mark.parametrize(
    ("log", "kind", "said"),
    [
        ("PANIC:  could not write to file: No space left on device", ServerProblem, "free some"),
        ("# Failed listening on port 7000 (tcp), aborting.", PortTaken, "port taken"),
        (
            "2026 FATAL:  could not open file: Permission denied",
            ServerProblem,
            "says: FATAL:  could",
        ),
        ("", ServerProblem, "says: nothing"),
    ],
)
def test_the_log_is_read_for_the_reason(
    tmp_path: Path, log: str, kind: type[ServerProblem], said: str
) -> None:
    (tmp_path / "log").write_text(log)
    told = explain("PostgreSQL", tmp_path / "log", tmp_path / "data")
    assert type(told) is kind
    assert said in str(told)
    assert "\n" not in str(told)


def test_the_next_free_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        with ports.listen_from(taken) as found:
            assert taken < found.getsockname()[1] < taken + 100


def test_two_reservations_never_meet() -> None:
    wanted = ports.any_free()
    first = ports.Reserved.from_upwards(wanted)
    second = ports.Reserved.from_upwards(first.port)
    assert first.port != second.port
    with pytest.raises(OSError, match="in use"):
        ports.Reserved.of(first.port)
    first.mark.close()
    ports.Reserved.of(first.port).mark.close()
    second.mark.close()


def test_no_free_port_at_all_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        with pytest.raises(ServerProblem, match=f"No port from {taken} to {taken} is free"):
            ports.listen_from(taken, tries=1)


def test_a_server_keeps_its_port(tmp_path: Path) -> None:
    first = ports.kept_port(tmp_path / "port")
    assert ports.kept_port(tmp_path / "port") == first
    with socket.create_server(("127.0.0.1", first)):
        assert ports.kept_port(tmp_path / "port") != first


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_root_keeps_data_where_nobody_can_get_to_them(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert accounts.place(closed).parent == accounts.ELSEWHERE
    assert accounts.place(closed) != accounts.place(tmp_path)


@pytest.mark.parametrize("mode", [0o700, 0o711, 0o755])
def test_open_to_all(tmp_path: Path, mode: int) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    inner.chmod(mode)
    outside_open = all(each.stat().st_mode & 0o001 for each in inner.parents)
    assert accounts.open_to_all(inner) == (outside_open and mode != 0o700)


def test_options_have_defaults_and_are_read() -> None:
    plain = Options.read({})
    assert (plain.web_port, plain.queues, plain.web_host) == (None, ("default",), "127.0.0.1")
    told = Options.read({"WORKER_QUEUES": "default;heavy, bulk", "WORKER_CONCURRENCY": "3"})
    assert (told.queues, told.concurrency) == (("default", "heavy, bulk"), 3)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "\u0661"])
def test_options_refuse_what_is_no_port(text: str) -> None:
    with pytest.raises(ServerProblem, match="WEB_PORT=.* is no number from 1 to 65535"):
        Options.read({"WEB_PORT": text})


def test_an_earlier_complaint_is_not_the_reason_now(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("FATAL:  the database system is starting up\n")
    begun = length(log)
    with log.open("a") as file:
        file.write('could not open file "pg_control": No such file or directory\n')
    assert "says: FATAL:  the database" in str(explain("PostgreSQL", log, tmp_path))
    assert "says: could not open file" in str(explain("PostgreSQL", log, tmp_path, begun))
