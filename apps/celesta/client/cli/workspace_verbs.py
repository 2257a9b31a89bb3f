"""``celesta workspace ...`` and ``celesta member ...``."""

from __future__ import annotations

import argparse
from typing import Final

from celesta.client.cli.arguments import Session, Verb

COLUMNS: Final = ("slug", "name", "role", "created_at")
MEMBER: Final = ("user", "role")


def _list(session: Session) -> None:
    session.printer.rows(session.client.workspaces.list(), COLUMNS)


def _show(session: Session) -> None:
    session.printer.facts(session.client.workspaces.get(session.options.slug), COLUMNS)


def _create(session: Session) -> None:
    options = session.options
    admins = dict.fromkeys(options.admin, "admin")
    made = session.client.workspaces.create(options.slug, options.name or options.slug, admins)
    session.printer.facts(made, COLUMNS)


def _rename(session: Session) -> None:
    options = session.options
    named = session.client.workspaces.rename(options.slug, name=options.name, to=options.to)
    session.printer.facts(named, COLUMNS)


def _delete(session: Session) -> None:
    session.client.workspaces.delete(session.options.slug)
    session.printer.line(f"deleted workspace {session.options.slug}")


def _members(session: Session) -> None:
    session.printer.rows(session.client.members.list(_here(session)), MEMBER)


def _add(session: Session) -> None:
    options = session.options
    made = session.client.members.add(_here(session), options.user, options.role)
    session.printer.facts(made, MEMBER)


def _role(session: Session) -> None:
    options = session.options
    changed = session.client.members.change(_here(session), options.user, options.role)
    session.printer.facts(changed, MEMBER)


def _remove(session: Session) -> None:
    session.client.members.remove(_here(session), session.options.user)
    session.printer.line(f"removed {session.options.user}")


def _here(session: Session) -> str:
    """The slug of the workspace that every other verb would be about."""
    slug: str = session.client.me()["workspace"]
    return slug


def _slug(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slug")


def _creating(parser: argparse.ArgumentParser) -> None:
    _slug(parser)
    parser.add_argument("--name", help="for people; by default the slug")
    parser.add_argument(
        "--admin", action="append", default=[], metavar="USER", help="may be given several times"
    )


def _renaming(parser: argparse.ArgumentParser) -> None:
    _slug(parser)
    parser.add_argument("--name", help="by default as it was")
    parser.add_argument("--to", metavar="SLUG", help="by default as it was")


def _user(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("user", help="the name with which the user signs in")


def _giving(parser: argparse.ArgumentParser) -> None:
    _user(parser)
    parser.add_argument("role", help="viewer, operator, author, approver or admin")


VERBS: Final = (
    Verb("list", "list the workspaces that you see", _list),
    Verb("show", "show a workspace", _show, _slug),
    Verb("create", "make a workspace, with a superuser's token", _create, _creating),
    Verb("rename", "give a workspace another name or slug", _rename, _renaming),
    Verb("delete", "delete one without workflows, with a superuser's token", _delete, _slug),
)
MEMBER_VERBS: Final = (
    Verb("list", "list the members of the workspace", _members),
    Verb("add", "make a user a member", _add, _giving),
    Verb("role", "give a member another role", _role, _giving),
    Verb("remove", "remove a member", _remove, _user),
)
