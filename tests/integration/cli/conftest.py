"""Commands as a person or a script calls them."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from celesta.access import workspaces
from celesta.access.models import Workspace
from celesta.runs import connection as hot

DOCUMENT = """\
workflow: orders.fulfil
title: Fulfil an order
params:
  type: object
  required: [order_id]
  properties:
    order_id: {type: integer}
    zip: {type: string}
nodes:
  fetch:
    type: transform
    with: {output: "{{ params.order_id }}"}
  ship:
    type: transform
    needs: [fetch]
    with: {output: 1}
"""


@dataclass
class Result:
    """What a command printed, how it ended, and the last thing it said."""

    code: int
    text: str
    error: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.text)


@pytest.fixture
def manage(db: None) -> Iterator[Callable[..., Result]]:
    """A function that calls ``manage.py <words>``."""

    def call(*words: str) -> Result:
        out = io.StringIO()
        try:
            call_command(*words, stdout=out, no_color=True)
        except CommandError as error:
            return Result(error.returncode, out.getvalue(), str(error))
        return Result(0, out.getvalue(), "")

    yield call
    hot.close()


@pytest.fixture
def workspace(db: None) -> Workspace:
    return workspaces.default()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a good document."""
    path = tmp_path / "orders.yaml"
    path.write_text(DOCUMENT)
    return path
