"""The administrator that a first start creates."""

from django.contrib.auth.models import User

from project.demo.problems import DemoProblem
from project.embedded.home import Home
from project.env import home

USERNAME = "admin"
PASSWORD = "admin-password"  # noqa: S105 - the name of the file that holds it


def ensure_admin() -> User:
    """Return the administrator; made with a random password if there is none yet.

    An account that exists is left as it is. Raises DemoProblem if it may not administer.
    """
    found = User.objects.filter(username=USERNAME).first()
    if found is None:
        return _create()
    if not (found.is_active and found.is_superuser):
        raise DemoProblem(
            f"The account {USERNAME!r} exists and is no active superuser: rename it, or make "
            "it one in the admin."
        )
    return found


def _create() -> User:
    private = Home(home())
    private.prepare()
    password = private.secret(PASSWORD)
    return User.objects.create_superuser(USERNAME, email="", password=password)
