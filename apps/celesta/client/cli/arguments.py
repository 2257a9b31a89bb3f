"""How verbs say what they take, and what they get to work with."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from celesta.client.cli.printing import Printer
from celesta.client.client import Celesta
from celesta.client.errors import CelestaError

#: Digits of a number of rows.
LONGEST: Final = 9


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


def filtered(options: argparse.Namespace, names: Mapping[str, str]) -> dict[str, Any]:
    """The API's filter, from the options of these names that were given; raises CelestaError."""
    given = {field: getattr(options, name) for name, field in names.items()}
    found = {field: value for field, value in given.items() if value}
    if not found:
        known = ", ".join(f"--{name}" for name in names)
        raise CelestaError(f"Say which: {known}.")
    return found


def counted(session: Session, told: dict[str, Any], verb: str) -> bool:
    """Print how many match, and return whether it was said that it be done (``--yes``)."""
    if session.options.yes:
        return True
    if session.printer.as_json:
        session.printer.value({"count": told["count"], "more": told["more"]})
    more = "+" if told["more"] else ""
    session.printer.line(f"{verb}: {told['count']}{more} match; add --yes to do it")
    return False


def outcomes(session: Session, results: Iterable[dict[str, Any]]) -> int:
    """Print what became of each row as it is told; the exit code, 1 when any was refused."""
    refused = 0
    for one in results:
        refused += not one["done"]
        if session.printer.as_json:
            session.printer.value(one)
        elif one["done"]:
            made = f"run {one['run']}" if one["run"] else "done"
            session.printer.line(f"{one['id']}: {made}")
        else:
            session.printer.line(f"{one['id']}: refused: {one['detail']} [{one['code']}]")
    return 1 if refused else 0


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


def matching(parser: argparse.ArgumentParser) -> None:
    """The option by which a change is refused that would undo somebody else's."""
    parser.add_argument(
        "--if-match", default="", metavar="ETAG", help="refuse if somebody has saved since then"
    )


def parsed(text: str, name: str) -> Any:
    """JSON; raises CelestaError."""
    try:
        return _strict(text)
    except RecursionError as error:
        raise CelestaError(f"{name} is nested too deep.") from error
    except ValueError as error:
        raise CelestaError(f"{name} is not JSON: {error}") from error


def is_text(argument: str) -> bool:
    """False for what the shell gave us and was not UTF-8: it can be sent to nobody."""
    return not any("\ud800" <= letter <= "\udfff" for letter in argument)


def count(text: str) -> int:
    """A number of rows, for argparse."""
    if not text.isascii() or not text.isdigit() or len(text) > LONGEST or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1")
    return int(text)


def _json_or_text(text: str) -> Any:
    try:
        return _strict(text)
    except (ValueError, RecursionError):
        return text


def _strict(text: str) -> Any:
    return json.loads(text, parse_constant=_no_number, parse_float=_finite)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text[:40])
