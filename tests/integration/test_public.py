"""Who asks without a token or a session gets nothing, except at the addresses listed here."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

REFUSED: Final = (401, 403, 302)
METHODS: Final = ("get", "post", "put", "patch", "delete")

#: Every route that answers anybody, and why.
PUBLIC: Final = {
    "admin/login/": "where one signs in",
    "health/live": "for load balancers",
    "health/ready": "for load balancers; tells no address and no name",
    "api/schema/": "the description of the API, without data",
    "api/docs/": "the same as a page",
    "api/^(?!(?:schema|docs)$)": "says that there is nothing at an address of the API",
    "welcome/<str:token>/": "a signed address, which ends after its first use",
}
#: Static files are served before any route is looked at, and so is the icon among them.
STATIC: Final = "/static/"


def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every route in the URL configuration, as it is written."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)


VALUES: Final = {
    "uuid": "01900000-0000-7000-8000-000000000001",
    "int": "1",
    "slug": "output",
    "str": "fetch",
    "path": "a/b",
}


def address(route: str) -> str:
    """An address that the route matches."""
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda found: VALUES[found[1] or "str"], route)
    route = re.sub(r"\(\?P<\w+>([^()]*|\([^()]*\))*\)", "1", route)
    route = re.sub(r"\(\?!(?:[^()]|\([^()]*\))*\)", "", route)
    return "/" + re.sub(r"[\^$]|\\Z", "", route).replace("\\", "")


ROUTES: Final = sorted(set(routes(get_resolver().url_patterns)))


def asked(route: str, method: str) -> HttpResponseBase:
    answer: HttpResponseBase = getattr(Client(), method)(address(route))
    return answer


@pytest.mark.django_db
@pytest.mark.parametrize("route", [route for route in ROUTES if route not in PUBLIC])
def test_an_address_that_is_not_listed_gives_nobody_anything(route: str) -> None:
    answers = {method: asked(route, method) for method in METHODS}
    codes = {method: answer.status_code for method, answer in answers.items()}

    # Some pages refuse a method before they look at who asks; no other answer is let through,
    # a 404 neither: a stranger does not learn what there is.
    assert set(codes.values()) <= {*REFUSED, 405}, f"{address(route)}: {codes}"
    assert set(codes.values()) & set(REFUSED), f"{address(route)}: {codes}"
    for answer in answers.values():
        leads = answer.headers.get("Location", "/login/")
        assert "/login/" in leads or leads == "/admin/", leads  # signing out leads to the admin


@pytest.mark.django_db
def test_the_list_is_exact() -> None:
    assert set(PUBLIC) <= set(ROUTES), "an address in the list is no longer there"
    open_to_all = {
        route
        for route in PUBLIC
        if any(asked(route, method).status_code not in REFUSED for method in METHODS)
    }

    assert open_to_all == set(PUBLIC)


def test_static_files_are_no_route() -> None:
    assert not any(("/" + route).startswith(STATIC) for route in ROUTES)
