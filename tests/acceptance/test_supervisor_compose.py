"""docker-compose.yml: valid, complete, and its commands and health checks really work."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from project import ROOT
from project.embedded.ports import any_free
from tests.processes import wait_for, worker_environment

FILE = ROOT / "docker-compose.yml"
SETTINGS = (ROOT / "project" / "settings.py").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
LASTING = {name: service for name, service in SERVICES.items() if name != "migrate"}
OURS = ("web", "worker-default", "worker-heavy", "beat", "flower")


def validate(path: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path],
        check=False,
        capture_output=True,
        text=True,
    )


def test_it_is_a_valid_compose_file() -> None:
    done = validate(FILE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_validator_would_notice(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(FILE.read_text().replace("healthcheck:", "healthchecks:"))
    assert validate(broken).returncode == 1


@pytest.mark.skipif(shutil.which("docker") is None, reason="no docker client here")
def test_docker_itself_reads_it() -> None:
    if subprocess.run(
        ["docker", "compose", "version"], check=False, capture_output=True
    ).returncode:
        pytest.skip("this docker client has no compose")
    wanted = ("SECRET_KEY", "POSTGRES_PASSWORD", "BROKER_PASSWORD", "FLOWER_PASSWORD")
    done = subprocess.run(
        ["docker", "compose", "-f", str(FILE), "config", "--quiet"],
        env={**os.environ, **dict.fromkeys(wanted, "x" * 40)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_whole_production_shape_is_there() -> None:
    assert {"postgres", "redis", *OURS} <= LASTING.keys()
    queues = {command[command.index("-Q") + 1] for command in worker_commands()}
    assert queues == {"default", "heavy"}


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_service_has_a_health_check(name: str) -> None:
    assert LASTING[name]["healthcheck"]["test"]
    assert LASTING[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_ours_wait_for_servers_and_migrations(name: str) -> None:
    needs = {each: how["condition"] for each, how in SERVICES[name]["depends_on"].items()}
    assert needs == {
        "migrate": "service_completed_successfully",
        "postgres": "service_healthy",
        "redis": "service_healthy",
    }


def test_no_secret_is_written_down() -> None:
    text = FILE.read_text()
    for name in re.findall(r"\$\{(\w*(?:PASSWORD|SECRET_KEY)\w*)([^}]*)\}", text):
        assert name[1].startswith(":?"), f"{name[0]} must be demanded, not defaulted"


def test_settings_know_every_variable() -> None:
    elsewhere = {"BROKER_URL", "DATABASE_URL", "WEB_CONCURRENCY", "FLOWER_BASIC_AUTH"}
    for name in OURS:
        for variable in SERVICES[name]["environment"].keys() - elsewhere:
            assert f'"{variable}"' in SETTINGS, variable


def worker_commands() -> list[list[str]]:
    commands: list[list[str]] = [service.get("command", []) for service in LASTING.values()]
    return [command for command in commands if "worker" in command]


def plain(text: str) -> str:
    """Return a compose value with its `${NAME:-default}` filled in."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


@contextmanager
def container(name: str, tmp_path: Path, port: int) -> Iterator[dict[str, str]]:
    """Run a service's command as its container would, but on the tests' servers."""
    service = SERVICES[name]
    image = re.search(r"^CMD (\[.*?\])$", (ROOT / "deploy/Dockerfile").read_text(), re.M | re.S)
    assert image
    command = service.get("command") or yaml.safe_load(image[1].replace("\\\n", ""))
    named = {key: plain(str(value)) for key, value in service["environment"].items()}
    env = {**named, **worker_environment(), "CELESTA_READY_FILE": str(tmp_path / "ready")}
    env |= {"SECRET_KEY": "s" * 40, "PUBLIC_URL": "https://celesta.example", "WEB_PORT": str(port)}
    env["FLOWER_BASIC_AUTH"] = "celesta:secret"
    words = [re.sub(r"^(--port=)?(8000|5555)$", rf"\g<1>{port}", plain(word)) for word in command]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=ROOT, env=env, stdout=log, stderr=log
        )
    try:
        yield env
    finally:
        process.terminate()
        # As long as its container would wait before it kills.
        grace = float(service.get("stop_grace_period", "30s").removesuffix("s"))
        assert process.wait(grace) == 0 or name in ("web", "flower")


def is_healthy(name: str, env: dict[str, str], port: int) -> bool:
    """Run a service's health check as its container would."""
    how, *words = SERVICES[name]["healthcheck"]["test"]
    assert how == "CMD"
    words = [word.replace("/run/celesta/ready", env["CELESTA_READY_FILE"]) for word in words]
    words = [word.replace(":5555/", f":{port}/") for word in words]
    words[0] = sys.executable if words[0] == "python" else words[0]
    return (
        subprocess.run(words, cwd=ROOT, env=env, check=False, capture_output=True).returncode == 0
    )


@pytest.mark.parametrize("name", OURS)
def test_its_command_becomes_healthy(transactional_db: None, tmp_path: Path, name: str) -> None:
    port = any_free()
    with container(name, tmp_path, port) as env:
        assert not is_healthy(
            name, {**env, "CELESTA_READY_FILE": str(tmp_path / "none")}, any_free()
        )
        wait_for(lambda: is_healthy(name, env, port), 60, (tmp_path / "log").read_text)
