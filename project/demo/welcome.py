"""The sign-in link: signed, good for an hour, and for one use.

It carries the moment of the administrator's last sign-in. Using it moves that moment on, by one
guarded update, so that of any number of uses at once only one wins and none can follow.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.urls import reverse
from django.utils import timezone

SALT = "celesta.welcome"
MAX_AGE = 3600  # seconds
SEPARATOR = "."


class LinkRefused(Exception):
    """The link cannot sign anybody in."""


class LinkBroken(LinkRefused):
    """The link is not complete: copy it whole from the terminal."""


class LinkExpired(LinkRefused):
    """The link was good for one hour, which is over."""


class LinkUsed(LinkRefused):
    """The link was good for one use; it was used, or somebody has signed in since it was made."""


@dataclass(frozen=True)
class Guest:
    """Who is let in, and to which run."""

    user: User
    run: UUID


def link(user: User, run: UUID) -> str:
    """Return the address that signs this user in once and opens the run."""
    told = SEPARATOR.join([str(user.pk), _moment(user.last_login), run.hex])
    return settings.PUBLIC_URL + reverse("welcome", args=[_signer().sign(told)])


def admit(token: str) -> Guest:
    """Use up the token of a link; raise LinkRefused if it is not, or no longer, good."""
    try:
        told = _signer().unsign(token, max_age=MAX_AGE)
    except signing.SignatureExpired as error:
        raise LinkExpired from error
    except signing.BadSignature as error:
        raise LinkBroken from error
    pk, moment, run = told.split(SEPARATOR)
    user = User.objects.filter(pk=pk, is_active=True, is_superuser=True).first()
    if user is None or _moment(user.last_login) != moment:
        raise LinkUsed
    if not _moved_on(user):
        raise LinkUsed  # by somebody who was quicker by a moment
    return Guest(user, UUID(run))


def _moved_on(user: User) -> bool:
    """Move the last sign-in on if it is what was seen; tell whether it was."""
    rows = User.objects.filter(pk=user.pk, last_login=user.last_login)
    if user.last_login is None:
        rows = User.objects.filter(pk=user.pk, last_login__isnull=True)
    return rows.update(last_login=timezone.now()) == 1


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=SALT)


def _moment(moment: datetime | None) -> str:
    """Return a moment as short text, exact to the microsecond as the database keeps it."""
    return moment.strftime("%Y%m%d%H%M%S%f") if moment else "never"
