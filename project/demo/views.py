"""The page behind the sign-in link."""

from uuid import UUID

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from project.demo.welcome import LinkRefused, admit

GONE = 410


@require_GET  # HEAD too would use the link up, and previews of links send it
@never_cache
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Sign the administrator in and open the run; a link that is not good says so kindly."""
    try:
        guest = admit(token)
    except LinkRefused as refused:
        facts = {"reason": type(refused).__doc__}
        return render(request, "project/link_refused.html", facts, status=GONE)
    login(request, guest.user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect(page_of(guest.run))


def page_of(run: UUID) -> str:
    """Return the path of the page that shows a run, of the console if that is there."""
    for name in ("celesta_console:run", "admin:celesta_runs_run_change"):
        try:
            return reverse(name, args=[run])
        except NoReverseMatch:
            continue
    return reverse("admin:index")
