"""Publishing the examples again and again, without undoing what a user did."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from celesta.access.workspaces import default
from celesta.vault.models import Variable
from celesta.workflows.models import Workflow
from celesta.workflows.publishing import publish_document
from project.demo import examples
from project.demo.examples import Example
from project.demo.problems import DemoProblem

pytestmark = pytest.mark.django_db


@pytest.fixture
def publish() -> Callable[[], list[Example]]:
    admin = User.objects.create_superuser("admin")
    return lambda: examples.publish_all(default(), admin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the examples that a test may change."""
    copy = tmp_path / "examples"
    shutil.copytree(examples.FOLDER, copy)
    monkeypatch.setattr(examples, "FOLDER", copy)
    monkeypatch.setattr(examples, "ROOT", tmp_path)
    return copy


def test_all_examples_are_valid_and_published_once(publish: Callable[[], list[Example]]) -> None:
    first, second = publish(), publish()
    names = [example.version.workflow.name for example in first]
    assert names == ["examples.http_checks", "examples.package_audit", "examples.order"]
    assert all(example.fresh for example in first)
    assert not any(example.fresh for example in second)
    assert [e.version.pk for e in first] == [e.version.pk for e in second]


def test_the_own_address_follows_the_settings(
    publish: Callable[[], list[Example]], settings: Settings
) -> None:
    for url in ("http://localhost:8000", "http://localhost:8001"):
        settings.PUBLIC_URL = url
        publish()
        assert Variable.objects.get(name="celesta_url").value == url


def test_a_changed_file_is_published(publish: Callable[[], list[Example]], folder: Path) -> None:
    publish()
    path = folder / "package_audit.yaml"
    path.write_text(path.read_text().replace("default: 10", "default: 3"))
    fresh = [example for example in publish() if example.fresh]
    assert [(e.version.workflow.name, e.version.number) for e in fresh] == [
        ("examples.package_audit", 2)
    ]


def test_what_a_user_published_stays_current(
    publish: Callable[[], list[Example]], folder: Path
) -> None:
    publish()
    source = (folder / "package_audit.yaml").read_text().replace("default: 10", "default: 7")
    own = publish_document(default(), source, by=None).version
    publish()
    assert Workflow.objects.get(name="examples.package_audit").current == own


def test_a_faulty_file_is_explained_line_by_line(
    publish: Callable[[], list[Example]], folder: Path
) -> None:
    path = folder / "package_audit.yaml"
    text = path.read_text().replace("needs: [verify, unowned]", "needs: [verify, unwoned]")
    path.write_text(text)
    line = text[: text.index("unwoned")].count("\n") + 1
    with pytest.raises(DemoProblem, match=rf"package_audit\.yaml:{line}: nodes\.report\.needs"):
        publish()
