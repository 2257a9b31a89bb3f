"""The command line itself: parse, call, print. Exit codes are listed in docs/cli.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from celesta.client.cli import (
    archive_verbs,
    backfill_verbs,
    deadletter_verbs,
    draft_verbs,
    looking,
    profile,
    run_verbs,
    schedule_verbs,
    template_verbs,
    token_verbs,
    variable_verbs,
    workflow_verbs,
    workspace_verbs,
)
from celesta.client.cli.arguments import Session, Verb, add_group, is_text, parsed, read
from celesta.client.cli.printing import Printer
from celesta.client.client import Celesta
from celesta.client.errors import CelestaError, Unavailable, Unreachable

DONE, REFUSED, UNREACHABLE, INTERRUPTED = 0, 1, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns the exit code. Wrong usage exits with 2."""
    top = parser()
    options = top.parse_args(arguments)
    if unreadable := [text for text in arguments or sys.argv if not is_text(text)]:
        top.error(f"{unreadable[0]!a} is not UTF-8")
    try:
        return run(options)
    except (Unreachable, Unavailable) as error:
        return _told(error, options, UNREACHABLE)
    except CelestaError as error:
        return _told(error, options, REFUSED)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read has gone; Python would complain at its end
        return DONE
    except OSError as error:  # a file that was to be written
        where = f"{error.filename}: " if error.filename else ""
        return _told(CelestaError(f"{where}{error.strerror or error}."), options, REFUSED)
    except KeyboardInterrupt:
        return INTERRUPTED


def run(options: argparse.Namespace) -> int:
    """Carry out a parsed command."""
    printer = Printer(as_json=options.json)
    if options.group == "login":
        return _login(options, printer)
    found = profile.load()
    workspace = options.workspace or found.workspace
    with Celesta(found.url, found.token, workspace=workspace) as client:
        if options.group == "api":
            return _api(client, options)
        session = Session(client, printer, options)
        code: int | None = options.carry_out(session)
        return code or DONE


def _api(client: Celesta, options: argparse.Namespace) -> int:
    body = parsed(read(options.data), options.data) if options.data else None
    answer = client.transport.call(options.method.upper(), options.path, json=body)
    Printer(as_json=True).text(answer.text + "\n" if answer.text else "")
    return DONE


def _login(options: argparse.Namespace, printer: Printer) -> int:
    token = options.token or sys.stdin.readline().strip()
    with Celesta(options.url, token, workspace=options.workspace) as client:
        me = client.me()  # a token that does not work is not kept
    file = profile.save(profile.Profile(options.url, token, options.workspace))
    printer.line(f"You are {me['name']}; kept in {file}")
    return DONE


def _told(error: CelestaError, options: argparse.Namespace, code: int) -> int:
    if options.json:
        told = {"code": error.code, "status": error.status, "detail": error.detail}
        Printer(as_json=True).value({**told, "errors": error.errors})
    else:
        printer = Printer(as_json=False, out=sys.stderr)
        for problem in error.errors:
            printer.problem(problem, str(getattr(options, "file", "") or ""))
        printer.line(f"celesta: {error}")
    return code


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="celesta",
        description="Celesta over its API. CELESTA_URL and CELESTA_TOKEN say where and as whom, "
        "else the profile that 'celesta login' keeps.",
    )
    groups = top.add_subparsers(dest="group", required=True, metavar="COMMAND")
    login = groups.add_parser("login", help="keep an address and a token in your profile")
    login.add_argument("url", help="such as https://flows.example.com")
    login.add_argument("--token", help="else it is read from standard input")
    raw = groups.add_parser("api", help="call any address of the API and print its answer")
    raw.add_argument("method", help="GET, POST, PUT, DELETE")
    raw.add_argument("path", help="below /api/v1/: backfills/?limit=5")
    raw.add_argument("--data", metavar="FILE", help="the body, JSON; - is standard input")
    looks = {
        "me": ("say who the token stands for", looking.me),
        "overview": ("say how the workspace is doing", looking.overview),
        "cluster": ("say who leads, which workers there are and what waits", looking.cluster),
    }
    lookers = [groups.add_parser(name, help=told) for name, (told, _) in looks.items()]
    for one, (_, carry_out) in zip(lookers, looks.values(), strict=True):
        one.set_defaults(carry_out=carry_out)
    for one in (login, raw, *lookers):
        one.add_argument("--workspace", default="", help="slug of the workspace")
        one.add_argument("--json", action="store_true", help="print JSON, for programs")
    known: list[tuple[str, str, Sequence[Verb]]] = [
        ("workflow", "write and manage workflows", workflow_verbs.VERBS),
        ("draft", "work on a workflow before it is published", draft_verbs.VERBS),
        ("template", "begin a workflow with a template", template_verbs.VERBS),
        ("archive", "export and import many workflows", archive_verbs.VERBS),
        ("run", "start, follow and repair runs", run_verbs.VERBS),
        ("deadletter", "see to what failed", deadletter_verbs.VERBS),
        ("schedule", "manage schedules", schedule_verbs.VERBS),
        ("backfill", "run the slots of a range of the past", backfill_verbs.VERBS),
        ("variable", "manage what expressions read as vars.<name>", variable_verbs.VERBS),
        ("token", "manage tokens", token_verbs.VERBS),
        ("workspace", "manage workspaces", workspace_verbs.VERBS),
        ("member", "manage who belongs to the workspace", workspace_verbs.MEMBER_VERBS),
    ]
    for name, help_text, verbs in known:
        add_group(groups, name, help_text, verbs)
    return top


if __name__ == "__main__":
    sys.exit(main())
