"""``manage.py celesta_token``: keys for programs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from celesta.access import tokens
from celesta.access.models import Role, Token
from celesta.access.scopes import SCOPES
from celesta.console.management.verbs import VerbCommand

UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}


class Command(VerbCommand):
    """Make, list and delete API tokens."""

    help = "Create, list and delete API tokens."
    verbs = {
        "create": "create a token; its secret is printed once and kept nowhere",
        "list": "list the tokens of a workspace",
        "delete": "delete a token",
    }

    def arguments_of(self, verb: str, parser: CommandParser) -> None:
        """Arguments of one verb."""
        if verb == "create":
            parser.add_argument("--user", required=True, help="whom it acts for")
            parser.add_argument("--name", default="command line", help="what it is for")
            parser.add_argument(
                "--role", choices=[role.value for role in Role], default=Role.OPERATOR.value
            )
            parser.add_argument(
                "--scope",
                action="append",
                choices=SCOPES,
                help="what it may be used for; more than once",
            )
            parser.add_argument(
                "--workflow",
                action="append",
                help="reach only this workflow; more than once",
            )
            parser.add_argument(
                "--expires", help="after which time: 12h, 90d, 4w; never by default"
            )
        if verb == "delete":
            parser.add_argument("token_id", metavar="ID", type=int)

    def do_create(
        self,
        *,
        user: str,
        name: str,
        role: str,
        scope: list[str] | None,
        workflow: list[str] | None,
        expires: str | None,
        **_: Any,
    ) -> None:
        """Print the secret alone, so that a script can take it as it is."""
        users = get_user_model()
        found = users._default_manager.filter(**{users.USERNAME_FIELD: user}).first()
        if found is None:
            raise CommandError(f"There is no user {user!r}; see: manage.py createsuperuser")
        moment = _expiry(expires) if expires else None
        token, secret = tokens.issue(
            found,
            self.workspace,
            Role(role),
            name,
            moment,
            scopes=scope or (),
            workflows=workflow or (),
        )
        if self.terminal.as_json:
            self.terminal.value({**_shown(token), "secret": secret})
        else:
            self.stdout.write(secret)

    def do_list(self, **_: Any) -> None:
        """Tokens without their secrets."""
        rows = [
            _shown(token)
            for token in Token.objects.filter(workspace=self.workspace).select_related("user")
        ]
        if self.terminal.as_json:
            self.terminal.value(rows)
            return
        headings = ("id", "name", "user", "role", "prefix", "expires_at", "last_used_at")
        self.terminal.table(
            [name.upper().replace("_", " ") for name in headings],
            [[row[name] for name in headings] for row in rows],
        )

    def do_delete(self, *, token_id: int, **_: Any) -> None:
        """From now on the token answers 401."""
        deleted, _by_model = Token.objects.filter(workspace=self.workspace, pk=token_id).delete()
        if not deleted:
            raise CommandError(f"There is no token {token_id}; see: manage.py celesta_token list")
        self.terminal.line(f"deleted token {token_id}")


def _expiry(text: str) -> datetime:
    match = re.fullmatch(r"([1-9][0-9]{0,3})([hdw])", text)
    if match is None:
        raise CommandError(f"--expires {text}: write 12h, 90d or 4w.")
    return timezone.now() + timedelta(**{UNITS[match[2]]: int(match[1])})


def _shown(token: Token) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "user": token.user.get_username(),
        "role": token.role,
        "workflows": token.workflows,
        "prefix": token.prefix,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    }
