"""``celesta run ...``."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path
from typing import Any, Final

from celesta.client.cli.arguments import (
    Session,
    Verb,
    count,
    counted,
    filtered,
    outcomes,
    params,
    parsed,
    read,
)
from celesta.client.parts import Json

COLUMNS: Final = ("id", "workflow", "version", "state", "trigger", "created_by", "created_at")
NODES: Final = ("name", "scope", "type", "state", "attempt", "started_at", "finished_at")
BULK: Final = 1000
#: Options of a verb for many runs, and the fields of the API's filter that they are.
MANY: Final = {
    "workflow": "workflow", "state": "state", "after": "created_after", "before": "created_before",
}  # fmt: skip


def _start(session: Session) -> int:
    options = session.options
    schema = session.client.workflows.get(options.workflow)["params_schema"] if options.p else {}
    run = session.client.runs.start(
        options.workflow,
        params(options.params, options.p, schema),
        version=options.version,
        key=options.key,
    )
    if options.watch:
        session.printer.line(f"run {run['id']}")
        return _followed(session, run["id"])
    session.printer.facts(run, COLUMNS)
    return 0


def _bulk(session: Session) -> int:
    """One JSON object of params a line; exit code 1 when any was refused."""
    # Not splitlines(): JSON texts may hold other breaks than these.
    lines = [line for line in read(session.options.file).split("\n") if line.strip()]
    wanted = [
        {"params": parsed(line, f"line {number}")} for number, line in enumerate(lines, start=1)
    ]
    refused = 0
    for begin in range(0, len(wanted), BULK):
        told = session.client.runs.start_many(
            session.options.workflow, wanted[begin : begin + BULK], atomic=session.options.atomic
        )
        refused += told["refused"]
        for number, result in enumerate(told["results"], start=begin + 1):
            if session.printer.as_json:
                session.printer.value({"line": number, **result})
            else:
                reason = (result["problem"] or {}).get("detail", "")
                session.printer.line(f"{number}: {result['id'] or reason}")
    return 1 if refused else 0


def _list(session: Session) -> None:
    options = session.options
    found = session.client.runs.list(
        state=options.state, workflow=options.workflow, trigger=options.trigger, q=options.q,
        created_after=options.after, created_before=options.before, limit=min(options.limit, 500),
    )  # fmt: skip
    session.printer.rows(islice(found, options.limit), COLUMNS)


def _id(session: Session) -> str:
    given: str = session.options.run
    return (
        given
        if len(given) == len("01900000-0000-7000-8000-000000000001")
        else str(session.client.runs.get(given)["id"])
    )


def _show(session: Session) -> None:
    run = session.client.runs.get(session.options.run)
    if session.printer.as_json:
        session.printer.value({**run, "nodes": list(session.client.runs.nodes(run["id"]))})
        return
    session.printer.facts(run)
    session.printer.line()
    session.printer.rows(session.client.runs.nodes(run["id"]), NODES)


def _watch(session: Session) -> int:
    return _followed(session, _id(session))


def _followed(session: Session, run: str) -> int:
    for event in session.client.runs.watch(run):
        if session.printer.as_json:
            session.printer.value(event)
        else:
            session.printer.line(_event(event))
    ended = session.client.runs.get(run)
    session.printer.facts(ended, ("id", "workflow", "state", "error", "output"))
    return 0 if ended["state"] == "succeeded" else 1


def _event(event: Json) -> str:
    item = f" #{event['scope']}" if event["scope"] else ""
    attempt = f" (attempt {event['attempt']})" if (event["attempt"] or 0) > 1 else ""
    return (
        f"  {event['at'][11:19]}  {event['kind']:16} {event['node'] or ''}{item}{attempt}".rstrip()
    )


def _events(session: Session) -> None:
    session.printer.rows(
        session.client.runs.events(_id(session)), ("at", "kind", "node", "scope", "attempt")
    )


def _logs(session: Session) -> None:
    node = session.options.node
    for line in session.client.runs.logs(_id(session), level=session.options.level):
        if node and line["node"] != node:
            continue
        if session.printer.as_json:
            session.printer.value(line)
        else:
            item = f" #{line['scope']}" if line["scope"] else ""
            where = f"{line['node']}{item}"
            session.printer.line(f"{line['at'][11:23]}  {line['level']:8} {where}: {line['text']}")


def _why(session: Session) -> None:
    """What failed, with its error, and what waits; of one node, why it does."""
    if session.options.node:
        session.printer.facts(session.client.runs.why(_id(session), session.options.node))
        return
    run = session.client.runs.get(session.options.run)
    states = ["failed", "waiting", "ready", "upstream_failed"]
    nodes = list(session.client.runs.nodes(run["id"], state=states))
    if session.printer.as_json:
        session.printer.value({**run, "nodes": nodes})
        return
    session.printer.facts(run, ("id", "workflow", "state", "error"))
    for node in nodes:
        name = f"{node['name']} #{node['scope']}" if node["scope"] else node["name"]
        session.printer.line(f"\n{name}: {node['state']}, attempt {node['attempt']}")
        if node["error"]:
            session.printer.facts(node["error"] if isinstance(node["error"], dict) else node)


def _acts(verb: str) -> Any:
    def carry_out(session: Session) -> None:
        call = getattr(session.client.runs, verb)
        reason = {"reason": session.options.reason} if hasattr(session.options, "reason") else {}
        session.printer.facts(call(_id(session), **reason), COLUMNS)

    return carry_out


def _rerun(session: Session) -> int:
    options = session.options
    mode = "nodes" if options.node else ("all" if options.all else "failed")
    more: dict[str, Any] = {"nodes": options.node} if options.node else {}
    if options.version is not None:
        more["version"] = options.version
    if options.preview:
        seen = session.client.runs.rerun_preview(_id(session), mode=mode, **more)
        session.printer.facts({name: ", ".join(names) for name, names in seen.items()}, tuple(seen))
        return 0
    made = session.client.runs.rerun(_id(session), mode=mode, key=options.key, **more)
    if options.watch:
        session.printer.line(f"run {made['id']}")
        return _followed(session, made["id"])
    session.printer.facts(made, COLUMNS)
    return 0


def _skip(session: Session) -> None:
    options = session.options
    node = session.client.runs.skip(
        _id(session), options.node, scope=options.scope, reason=options.reason
    )
    session.printer.facts(node, NODES)


def _many(session: Session) -> int:
    """Count what matches; with --yes do it, exit code 1 when any was refused."""
    options, client = session.options, session.client
    options.state = options.state and options.state.split(",")
    where = filtered(options, MANY)
    if not counted(session, client.runs.count(where), options.what):
        return 0
    more = {"mode": "all" if options.all else "failed"} if options.what == "rerun" else {}
    return outcomes(session, client.runs.many(options.what, where, reason=options.reason, **more))


def _artifacts(session: Session) -> None:
    run = _id(session)
    if session.options.to is None:
        names = ("id", "name", "node", "size", "content_type", "created_at")
        session.printer.rows(session.client.runs.artifacts(run), names)
        return
    folder = Path(session.options.to)
    folder.mkdir(parents=True, exist_ok=True)
    for one in session.client.runs.artifacts(run):
        # The id first: two nodes may give their files one name. A name is never a path.
        target = folder / f"{one['id']}-{Path(one['name']).name}"
        session.client.runs.download(run, one["id"], target)
        session.printer.line(str(target))


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="its id, or how it begins")


def _logging(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    parser.add_argument("--node", help="only this one's lines")
    parser.add_argument("--level", help="the least: INFO, WARNING, ERROR, ...")


def _asking(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    parser.add_argument("node", nargs="?")


def _reasoned(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    parser.add_argument("--reason", default="")


def _starting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workflow")
    parser.add_argument("-p", action="append", default=[], metavar="NAME=VALUE", help="a param")
    parser.add_argument("--params", metavar="JSON")
    parser.add_argument("--version", type=int, help="by default the current one")
    parser.add_argument("--key", help="idempotency key: a second start is the same run")
    parser.add_argument("--watch", action="store_true", help="follow it to its end")


def _bulking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workflow")
    parser.add_argument("file", help="one JSON object of params a line; - is standard input")
    parser.add_argument("--atomic", action="store_true", help="all of each thousand, or none")


def _listing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", help="one or more, with commas between")
    parser.add_argument("--workflow")
    parser.add_argument("--trigger")
    parser.add_argument("-q", help="beginning of an id, part of a workflow's name, or a whole key")
    parser.add_argument("--after", help="created at or after this moment")
    parser.add_argument("--before", help="created before this moment")
    parser.add_argument("--limit", type=count, default=20, help="by default 20")


def _rerunning(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    parser.add_argument("--all", action="store_true", help="everything, not what failed")
    parser.add_argument("--node", action="append", help="this node in any case; more than once")
    parser.add_argument("--version", type=int, help="another version; by default the run's own")
    parser.add_argument("--preview", action="store_true", help="only say what would run again")
    parser.add_argument("--key", help="idempotency key")
    parser.add_argument("--watch", action="store_true", help="follow it to its end")


def _skipping(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    parser.add_argument("node")
    parser.add_argument("--scope", type=int, default=0, help="which item of a map")
    parser.add_argument("--reason", default="")


def _choosing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("cancel", "pause", "resume", "rerun"))
    parser.add_argument("--workflow")
    parser.add_argument("--state", help="one or more, with commas between")
    parser.add_argument("--after", help="created at or after this moment")
    parser.add_argument("--before", help="created before this moment")
    parser.add_argument("--all", action="store_true", help="rerun everything, not what failed")
    parser.add_argument("--reason", default="")
    parser.add_argument("--yes", action="store_true", help="do it; else only count")


def _saving(parser: argparse.ArgumentParser) -> None:
    _run(parser)
    parser.add_argument("--to", metavar="FOLDER", help="save them there")


VERBS: Final = (
    Verb("start", "start a run", _start, _starting),
    Verb("bulk", "start many runs", _bulk, _bulking),
    Verb("list", "list runs, newest first", _list, _listing),
    Verb("show", "show a run and its nodes", _show, _run),
    Verb("watch", "follow a run to its end; 0 when it succeeds, else 1", _watch, _run),
    Verb("events", "print the history", _events, _run),
    Verb("logs", "print what nodes logged and printed", _logs, _logging),
    Verb("why", "say what failed and what waits, or why one node does", _why, _asking),
    Verb("cancel", "cancel a run", _acts("cancel"), _reasoned),
    Verb("pause", "pause a run", _acts("pause"), _reasoned),
    Verb("resume", "let a paused run go on", _acts("resume"), _run),
    Verb("rerun", "run again what failed, some nodes, or all", _rerun, _rerunning),
    Verb("many", "cancel, pause, resume or rerun all that match", _many, _choosing),
    Verb("skip", "go on without a node", _skip, _skipping),
    Verb("artifacts", "list or save the files of a run", _artifacts, _saving),
)
