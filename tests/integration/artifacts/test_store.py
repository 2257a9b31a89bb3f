"""Saving, listing, opening and deleting files of runs, on a real disk and a real database."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.exceptions import ImproperlyConfigured, SuspiciousFileOperation
from django.db import transaction
from pytest_django.fixtures import Settings

from celesta.access.models import Workspace
from celesta.access.principals import Principal
from celesta.artifacts import storage, store
from celesta.artifacts.models import Artifact
from celesta.artifacts.names import ArtifactNameInvalid
from celesta.runs.models import Event

RUN = UUID("01900000-0000-7000-8000-000000000001")
OTHER_RUN = UUID("01900000-0000-7000-8000-000000000002")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def root(tmp_path: Path, settings: Settings) -> Path:
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path / "artifacts")}
    return tmp_path / "artifacts"


@pytest.fixture
def workspace() -> Workspace:
    return Workspace.objects.create(slug="artifacts", name="Artifacts")


def keep(workspace: Workspace, name: str, content: Any, *, attempt: int = 1, **more: Any) -> Any:
    where = {"run_id": RUN, "scope": 0, "node": 3, "node_name": "report", **more}
    return store.save(
        **where, attempt=attempt, workspace_id=workspace.pk, name=name, content=content
    )


def files(root: Path) -> list[str]:
    return sorted(path.name.split("-", 1)[-1] for path in root.rglob("*") if path.is_file())


def test_what_was_saved_is_read_back_and_its_hash_is_right(workspace: Workspace) -> None:
    content = bytes(range(256)) * 20_000  # several chunks
    ref = keep(workspace, "data.bin", content)

    artifact = Artifact.objects.get(pk=ref["artifact"])
    with store.open_artifact(artifact) as file:
        assert file.read() == content
    assert ref == {
        "artifact": artifact.pk,
        "name": "data.bin",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "content_type": "application/octet-stream",
    }
    assert (artifact.run_id, artifact.node_name, artifact.attempt) == (RUN, "report", 1)


def test_text_paths_and_open_files_are_taken(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "here.csv").write_text("a,b")
    saved = [
        keep(workspace, "text.txt", "Grüße"),
        keep(workspace, "path.csv", tmp_path / "here.csv"),
        keep(workspace, "file.txt", io.BytesIO(b"streamed")),
    ]
    read = [
        store.open_artifact(Artifact.objects.get(pk=ref["artifact"])).read().decode()
        for ref in saved
    ]
    assert read == ["Grüße", "a,b", "streamed"]
    assert (tmp_path / "here.csv").exists()  # copied, not moved


def test_a_name_that_leads_elsewhere_writes_nothing(workspace: Workspace, root: Path) -> None:
    with pytest.raises(ArtifactNameInvalid, match="another folder"):
        keep(workspace, "../../escaped.txt", b"x")
    assert not list(root.parent.rglob("*escaped*"))
    assert not Artifact.objects.exists()


def test_a_source_that_breaks_off_leaves_nothing_behind(workspace: Workspace, root: Path) -> None:
    class Torn(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().read(3)

    with pytest.raises(store.ArtifactNotSaved, match=r"'torn\.txt': Input/output error; check"):
        keep(workspace, "torn.txt", Torn(b"whole"))
    assert not Artifact.objects.exists()
    assert files(root) == []


def test_a_missing_source_file_is_told(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(store.ArtifactNotSaved, match="No such file"):
        keep(workspace, "a.txt", tmp_path / "absent")


def test_the_bytes_are_in_place_before_the_row(
    workspace: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a process that dies between the file and the row
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "_record", die)
    with pytest.raises(KeyboardInterrupt):
        keep(workspace, "a.txt", b"whole")
    # Then a whole file is there that nothing refers to, and none that is half written
    assert files(root) == ["a.txt"]
    assert not list((root / storage.INCOMING).iterdir())
    assert not Artifact.objects.exists()
    # And it goes with the run
    storage.remove_tree(str(RUN), storage.storage())
    assert files(root) == []


@pytest.mark.django_db(transaction=True)
def test_saving_a_name_again_in_one_attempt_replaces_the_file(
    workspace: Workspace, root: Path
) -> None:
    first = keep(workspace, "a.txt", b"first")
    second = keep(workspace, "a.txt", b"second")
    assert first["artifact"] == second["artifact"]
    artifact = Artifact.objects.get()
    assert store.open_artifact(artifact).read() == b"second"
    assert artifact.size == 6
    assert files(root) == ["a.txt"]


def test_listings_show_the_newest_attempt_of_each_file(workspace: Workspace) -> None:
    keep(workspace, "b.txt", b"", attempt=2)
    keep(workspace, "a.txt", b"", attempt=2)
    keep(workspace, "a.txt", b"late", attempt=1)  # a lost attempt that was still alive
    keep(workspace, "a.txt", b"", scope=7)  # another item of a map
    keep(workspace, "a.txt", b"", run_id=OTHER_RUN)

    listed = store.newest(Artifact.objects.filter(run_id=RUN))

    assert [(a.scope, a.name, a.attempt) for a in listed] == [
        (0, "b.txt", 2),
        (0, "a.txt", 2),
        (7, "a.txt", 1),
    ]


def test_only_members_of_the_workspace_see_its_files(workspace: Workspace) -> None:
    keep(workspace, "a.txt", b"")
    elsewhere = Workspace.objects.create(slug="elsewhere", name="Elsewhere")
    insider = Principal("in", roles={workspace.pk: "viewer"})
    outsider = Principal("out", roles={elsewhere.pk: "admin"})
    assert store.newest(Artifact.objects.visible_to(insider)).count() == 1
    assert store.newest(Artifact.objects.visible_to(outsider)).count() == 0


def test_bytes_that_are_gone_are_told_from_a_missing_record(
    workspace: Workspace, root: Path
) -> None:
    artifact = Artifact.objects.get(pk=keep(workspace, "a.txt", b"x")["artifact"])
    (root / artifact.path).unlink()
    with pytest.raises(store.ArtifactMissing, match="ARTIFACT_ROOT"):
        store.open_artifact(artifact)


@pytest.mark.django_db(transaction=True)
def test_a_run_is_deleted_with_its_strays_and_no_other(workspace: Workspace, root: Path) -> None:
    keep(workspace, "a.txt", b"")
    keep(workspace, "b.txt", b"", node=4)
    keep(workspace, "kept.txt", b"", run_id=OTHER_RUN)
    stray = root / str(RUN) / "0.3.1" / "0000-stray.txt"
    stray.write_text("of a crashed attempt")

    assert store.delete_for_run(RUN) == 2

    assert files(root) == ["kept.txt"]
    assert not (root / str(RUN)).exists()
    assert store.delete_for_run(RUN) == 0  # again: nothing to do


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_is_rolled_back_keeps_the_bytes(workspace: Workspace, root: Path) -> None:
    artifact = Artifact.objects.get(pk=keep(workspace, "a.txt", b"x")["artifact"])
    with transaction.atomic():
        store.delete(artifact, by="ann")
        transaction.set_rollback(True)
    assert files(root) == ["a.txt"]
    assert not Event.objects.exists()
    store.delete(Artifact.objects.get(), by="ann")
    assert files(root) == []


@pytest.mark.django_db(transaction=True)
def test_a_deleted_file_does_not_come_back_from_an_earlier_attempt(
    workspace: Workspace, root: Path
) -> None:
    keep(workspace, "a.txt", b"first", attempt=1)
    kept = [keep(workspace, "b.txt", b"x"), keep(workspace, "a.txt", b"item", scope=7)]
    newest = Artifact.objects.get(pk=keep(workspace, "a.txt", b"second", attempt=2)["artifact"])

    store.delete(newest, by="ann")
    store.delete(newest, by="bob")  # again: nothing to do, and nobody else did it

    listed = store.newest(Artifact.objects.filter(run_id=RUN))
    assert [file.pk for file in listed] == [ref["artifact"] for ref in kept]
    assert files(root) == ["a.txt", "b.txt"]
    told = Event.objects.filter(run_id=RUN, kind="artifact_deleted").order_by("id")
    assert [(e.scope, e.node, e.attempt, e.data["name"], e.data["by"]) for e in told] == [
        (0, 3, 1, "a.txt", "ann"),
        (0, 3, 2, "a.txt", "ann"),
    ]
    assert told[1].data["sha256"] == hashlib.sha256(b"second").hexdigest()


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/passwd", "a/../../secret.txt"])
def test_a_record_that_leads_out_of_the_storage_opens_nothing(
    workspace: Workspace, root: Path, path: str
) -> None:
    root.parent.joinpath("secret.txt").write_text("not for you")
    artifact = Artifact.objects.get(pk=keep(workspace, "a.txt", b"x")["artifact"])
    artifact.path = path
    with pytest.raises(SuspiciousFileOperation):
        store.open_artifact(artifact)


def test_a_bound_store_saves_for_its_node(workspace: Workspace) -> None:
    bound = store.NodeArtifacts(RUN, 5, 2, "verify.do", 3, workspace.pk)
    ref = bound.save("a.txt", "x", "text/plain")
    artifact = Artifact.objects.get(pk=ref["artifact"])
    assert (artifact.scope, artifact.node, artifact.node_name, artifact.attempt) == (
        5,
        2,
        "verify.do",
        3,
    )


@pytest.fixture
def bucket(settings: Settings) -> None:
    backend = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "celesta": backend}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("bucket")
def test_another_storage_of_the_project_is_used_when_it_has_the_alias(
    workspace: Workspace, root: Path
) -> None:
    ref = keep(workspace, "a.txt", b"in the bucket")
    artifact = Artifact.objects.get(pk=ref["artifact"])
    assert store.open_artifact(artifact).read() == b"in the bucket"
    assert not root.exists()
    store.delete_for_run(RUN)
    with pytest.raises(store.ArtifactMissing):
        store.open_artifact(artifact)


def test_the_place_on_disk(settings: Settings, tmp_path: Path) -> None:
    settings.CELESTA = {}
    settings.MEDIA_ROOT = str(tmp_path / "media")
    assert storage.root() == tmp_path / "media" / "celesta"
    settings.MEDIA_ROOT = ""
    settings.BASE_DIR = tmp_path
    assert storage.root() == tmp_path / ".celesta" / "artifacts"
    del settings.BASE_DIR
    with pytest.raises(ImproperlyConfigured, match="ARTIFACT_ROOT"):
        storage.root()
