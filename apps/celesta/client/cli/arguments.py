"""How verbs say what they take, and what they get to work with."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from celesta.client.cli.printing import Printer
from celesta.client.client import Celesta
from celesta.client.errors import CelestaError


@dataclass(frozen=True, slots=True)
class Session:
    """What a verb works with."""

    client: Celesta
    printer: Printer
    options: argparse.Namespace


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: its name, what it does, what it takes, and the function that does it."""

    name: str
    help: str
    carry_out: Callable[[Session], int | None]
    arguments: Callable[[argparse.ArgumentParser], None] | None = None


def add_group(groups: Any, name: str, help_text: str, verbs: Sequence[Verb]) -> None:
    """Add a group of verbs to the parser of the whole command line."""
    group = groups.add_parser(name, help=help_text, description=help_text)
    parsers = group.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in verbs:
        own = parsers.add_parser(verb.name, help=verb.help, description=verb.help)
        own.add_argument("--workspace", default="", help="slug of the workspace")
        own.add_argument("--json", action="store_true", help="print JSON, for programs")
        own.set_defaults(carry_out=verb.carry_out)
        if verb.arguments:
            verb.arguments(own)


def read(file: str) -> str:
    """The text of a file, or of standard input for ``-``; raises CelestaError."""
    try:
        if file == "-":
            return sys.stdin.read()
        with open(file, encoding="utf-8") as opened:  # noqa: PTH123 - messages name it as given
            return opened.read()
    except UnicodeDecodeError as error:
        raise CelestaError(f"{file} is not UTF-8 (byte {error.start}).") from error
    except OSError as error:
        raise CelestaError(f"{file} cannot be read: {error.strerror}.") from error


def params(text: str | None, pairs: Iterable[str], schema: dict[str, Any]) -> dict[str, Any]:
    """``--params JSON`` with ``-p name=value`` over it; text where the schema wants a string."""
    found = parsed(text, "--params") if text else {}
    if not isinstance(found, dict):
        raise CelestaError('--params must be a JSON object, such as {"order_id": 7}')
    properties = schema.get("properties") or {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise CelestaError(f"-p {pair}: write -p name=value")
        wanted = properties.get(name)
        is_text = isinstance(wanted, dict) and wanted.get("type") == "string"
        found[name] = value if is_text else _json_or_text(value)
    return found


def parsed(text: str, name: str) -> Any:
    """JSON; raises CelestaError."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise CelestaError(f"{name} is not JSON: {error}") from error


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
