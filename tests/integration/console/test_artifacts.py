"""Artifacts are looked at without being able to do anything to the console."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from django.urls import reverse

from celesta.artifacts import serving, store
from celesta.artifacts.models import Artifact
from celesta.runs.models import Run

EVIL = b"<script>parent.document.title = 'owned'</script><h1>Report</h1>"


@pytest.fixture
def save(run: Run, settings: Any, tmp_path: Path) -> Callable[..., int]:
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path)}

    def saved(name: str, content: bytes = EVIL, kind: str | None = None) -> int:
        ref = store.save(run.pk, 0, 0, "fetch", 1, run.workspace_id, name, content, kind)
        return int(ref["artifact"])

    return saved


def content(client: Client, pk: int, query: str = "") -> Any:
    return client.get(reverse("celesta_console:artifact-content", args=[pk]) + query)


@pytest.mark.parametrize(
    ("name", "kind", "served"),
    [
        ("page.html", None, "text/html; charset=utf-8"),
        ("page.html", "TEXT/HTML; charset=latin-1", "text/html; charset=utf-8"),
        ("image.svg", None, "image/svg+xml"),
        ("data.csv", None, "text/plain; charset=utf-8"),
        ("data.json", None, "text/plain; charset=utf-8"),
    ],
)
def test_what_is_shown_has_an_origin_of_its_own_and_no_scripts(
    name: str,
    kind: str | None,
    served: str,
    save: Callable[..., int],
    client_of: Callable[[str], Client],
) -> None:
    answer = content(client_of("viewer"), save(name, kind=kind))
    assert answer.headers["Content-Type"] == served
    policy = answer.headers["Content-Security-Policy"]
    assert policy.split(";")[0] == "sandbox"
    assert "default-src 'none'" in policy
    assert "allow-" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert b"".join(answer.streaming_content) == EVIL


@pytest.mark.parametrize("name", ["prog.js", "x.xhtml", "doc.pdf", "blob", "x.swf"])
def test_anything_else_is_only_downloaded(
    name: str, save: Callable[..., int], client_of: Callable[[str], Client]
) -> None:
    pk, client = save(name), client_of("viewer")
    answer = content(client, pk)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
    page = client.get(reverse("celesta_console:artifact", args=[pk])).content.decode()
    assert "<iframe" not in page


def test_a_download_is_a_file_whatever_it_is(
    save: Callable[..., int], client_of: Callable[[str], Client]
) -> None:
    answer = content(client_of("viewer"), save("page.html"), "?download=1")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_the_page_frames_it_in_a_sandbox_without_exceptions(
    save: Callable[..., int], client_of: Callable[[str], Client]
) -> None:
    pk = save("page.html")
    page = client_of("viewer").get(reverse("celesta_console:artifact", args=[pk])).content.decode()
    assert ' sandbox src="' in page
    assert Artifact.objects.get(pk=pk).sha256 in page


def test_the_run_lists_its_files(
    save: Callable[..., int], client_of: Callable[[str], Client], run: Run
) -> None:
    pk = save("naïve <b>.html")
    page = client_of("viewer").get(reverse("celesta_console:run", args=[run.pk])).content.decode()
    assert reverse("celesta_console:artifact", args=[pk]) in page
    assert "naïve &lt;b&gt;.html" in page


def test_a_file_is_deleted_when_that_was_confirmed(
    save: Callable[..., int],
    client_of: Callable[[str], Client],
    run: Run,
    tmp_path: Path,
    django_capture_on_commit_callbacks: Any,
) -> None:
    pk, operator = save("page.html"), client_of("operator")
    page = reverse("celesta_console:artifact", args=[pk])
    address = reverse("celesta_console:artifact-delete", args=[pk])
    assert address.encode() not in client_of("viewer").get(page).content
    assert address.encode() in operator.get(page).content

    # Asking deletes nothing, and who may not is refused
    assert b"Delete this file?" in operator.get(address).content
    assert client_of("viewer").post(address).status_code == 403
    assert Artifact.objects.filter(pk=pk).exists()

    with django_capture_on_commit_callbacks(execute=True):
        answer = operator.post(address, follow=True)

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    shown = answer.content.decode()
    assert "page.html is deleted." in shown
    assert page not in shown
    assert "artifact deleted" in shown
    assert operator.get(page).status_code == 404


def test_lost_bytes_are_not_found(
    save: Callable[..., int], client_of: Callable[[str], Client], tmp_path: Path
) -> None:
    pk = save("gone.txt")
    (tmp_path / Artifact.objects.get(pk=pk).path).unlink()
    assert content(client_of("viewer"), pk).status_code == 404


def test_a_large_file_is_sent_in_pieces(
    save: Callable[..., int], people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not read as a whole before the first byte is sent, as Django would for ASGI."""
    monkeypatch.setattr(serving, "PIECE", 4)
    address = reverse("celesta_console:artifact-content", args=[save("page.html")])
    viewer = people.user("viewer")

    async def looked_at() -> list[bytes]:
        client = AsyncClient()
        await client.aforce_login(viewer)
        answer: Any = await client.get(address)
        assert answer.is_async
        return [piece async for piece in answer.streaming_content]

    pieces = async_to_sync(looked_at)()
    assert b"".join(pieces) == EVIL
    assert len(pieces) == -(-len(EVIL) // 4)
