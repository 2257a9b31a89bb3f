"""The same pages with the stock admin and with Unfold."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from celesta.runs.models import Run
from celesta.workflows.models import WorkflowVersion
from tests.processes import worker_environment

ROOT = Path(__file__).parents[3]


@pytest.fixture
def addresses(transactional_db: None, version: WorkflowVersion, run: Run) -> list[str]:
    workflow = version.workflow_id
    ours: list[tuple[str, list[Any]]] = [
        ("runs", []), ("run", [run.pk]), ("node", [run.pk, 0, 0]), ("events", [run.pk]),
        ("cancel", [run.pk]), ("workflows", []), ("workflow-new", []), ("workflow", [workflow]),
        ("edit", [workflow]), ("start", [workflow]), ("versions", [workflow]),
        ("version", [workflow, 1]), ("diff", [workflow, 1, 1]),
    ]  # fmt: skip
    admin = [
        "index", "celesta_triggers_schedule_add", "celesta_triggers_schedule_changelist",
        "celesta_vault_variable_add", "celesta_access_token_add", "celesta_access_workspace_add",
    ]  # fmt: skip
    return [reverse(f"celesta_console:{name}", args=args) for name, args in ours] + [
        reverse(f"admin:{name}") for name in admin
    ]


def test_every_page_works_with_the_stock_admin(
    addresses: list[str], client_of: Callable[[str], Client]
) -> None:
    client_of("superuser")
    env = {
        **worker_environment(),
        "DJANGO_SETTINGS_MODULE": "tests.integration.console.stock_settings",
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("stock_probe.py")), *addresses],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"200 True {address}" for address in addresses]


def test_every_page_works_with_unfold(
    addresses: list[str], client_of: Callable[[str], Client]
) -> None:
    client = client_of("superuser")
    for address in addresses:
        page = client.get(address)
        assert page.status_code == 200, address
        assert "unfold" in page.content.decode(), address


def test_our_templates_have_no_scripts_or_styles_within() -> None:
    """A strict content policy must not break them."""
    folder = ROOT / "apps/celesta/console/templates"
    for template in folder.rglob("*.html"):
        text = template.read_text()
        assert not re.search(r"\s(style|on\w+)=", text), template
        assert not re.search(r"<style|javascript:", text), template
        assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", text)), template
