"""Publishing: one document, one immutable version, and the rows that the database moves runs by."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError
from django.utils import timezone
from pytest_django.fixtures import Settings

from celesta.access.models import Workspace
from celesta.graph import documents
from celesta.graph.plan import NONE, Plan
from celesta.graph.problems import DocumentInvalid
from celesta.runs.models import Slot
from celesta.workflows.errors import WorkflowExists, WorkflowNameMismatch
from celesta.workflows.models import PlanGateRow, PlanNodeRow, Workflow, WorkflowVersion
from celesta.workflows.publishing import publish, publish_document, restore, validate


def test_a_version_keeps_text_document_plan_and_who_it_was(
    workspace: Workspace, document: str
) -> None:
    user = get_user_model().objects.create_user("ann")

    version = publish(workspace, document, by=user, note="first")

    version.refresh_from_db()
    assert (version.number, version.note, version.created_by) == (1, "first", user)
    assert version.source == document
    assert isinstance(version.plan, Plan)
    workflow = version.workflow
    assert workflow.current == version
    assert (workflow.name, workflow.title) == ("orders", "Orders")
    assert workflow.description == "What becomes of an order"
    assert workflow.tags == ["shop", "daily"]


def test_text_json_and_mapping_are_the_same_document(workspace: Workspace, document: str) -> None:
    data = documents.load(document).data

    by_text = publish(workspace, document, by=None)
    by_mapping = publish(workspace, data, by=None)

    assert by_mapping == by_text
    assert WorkflowVersion.objects.count() == 1


def test_an_equal_document_makes_no_version_and_changes_nothing(
    workspace: Workspace, document: str
) -> None:
    first = publish(workspace, document, by=None)
    before = Workflow.objects.get().updated_at

    again = publish_document(workspace, "# a comment\n" + document, by=None)

    assert (again.version, again.created) == (first, False)
    assert Workflow.objects.get().updated_at == before


def test_an_older_document_published_again_is_a_new_version(
    workspace: Workspace, document: str
) -> None:
    first = publish(workspace, document, by=None)
    second = publish(workspace, document.replace("Orders", "Other"), by=None)

    third = restore(first, by=None).version

    assert [v.number for v in (first, second, third)] == [1, 2, 3]
    assert third.checksum == first.checksum
    assert Workflow.objects.get().current == third


def test_a_broken_document_leaves_nothing(workspace: Workspace, document: str) -> None:
    with pytest.raises(DocumentInvalid) as caught:
        publish(workspace, document.replace("[lines, pay]", "[nobody]"), by=None)

    assert caught.value.problems[0].path == "nodes.ship.needs[0]"
    assert not Workflow.objects.exists()


def test_what_must_be_new_or_of_a_name_is_refused_otherwise(
    workspace: Workspace, document: str
) -> None:
    with pytest.raises(WorkflowNameMismatch):
        publish_document(workspace, document, by=None, name="invoices")
    publish(workspace, document, by=None)
    with pytest.raises(WorkflowExists):
        publish_document(workspace, document, by=None, only_new=True)


def test_the_rows_say_what_the_plan_says(workspace: Workspace, document: str) -> None:
    version = publish(workspace, document, by=None)
    plan = version.plan

    rows = {row.name: row for row in PlanNodeRow.objects.filter(version=version)}
    assert len(rows) == len(plan.nodes)
    for node in plan.nodes:
        row = rows[node.name]
        assert row.node == node.index
        assert (row.queue, row.priority) == (node.queue, node.priority)
        assert (row.gate, row.body, row.body_of) == (node.gate, node.body, node.body_of)
        assert (tuple(row.feeds), tuple(row.refs)) == (node.feeds, node.refs)
        assert (row.uses_params, row.handled) == (node.uses_params, node.handled)
        assert row.auto == node.auto
    for gate, gate_row in zip(plan.gates, PlanGateRow.objects.order_by("gate"), strict=True):
        assert (gate_row.gate, gate_row.rule) == (gate.index, gate.rule)
        assert gate_row.total == len(gate.upstreams)
        assert tuple(gate_row.nodes) == gate.nodes


def test_only_what_the_start_releases_is_a_root(workspace: Workspace, document: str) -> None:
    version = publish(workspace, document, by=None)

    rows = PlanNodeRow.objects.filter(version=version)
    assert set(rows.filter(root=True).values_list("name", flat=True)) == {"fetch"}
    detached = set(rows.filter(detached=True).values_list("name", flat=True))
    assert detached == {"lines.do", "undo_pay"}
    assert rows.get(name="lines.do").gate == NONE


@pytest.mark.parametrize("field", ["document", "plan_json", "source", "checksum", "number"])
def test_the_database_refuses_to_change_a_version(
    workspace: Workspace, document: str, field: str
) -> None:
    version = publish(workspace, document, by=None)
    value = {"number": 9, "document": {}, "plan_json": {}}.get(field, "x")

    with pytest.raises(DatabaseError, match="cannot be changed"), transaction.atomic():
        WorkflowVersion.objects.filter(pk=version.pk).update(**{field: value})

    # while what is about it, and not in it, may change: its author's account can be deleted
    WorkflowVersion.objects.filter(pk=version.pk).update(note="renamed", created_by=None)


def test_two_versions_of_a_number_are_impossible(workspace: Workspace, document: str) -> None:
    version = publish(workspace, document, by=None)

    with pytest.raises(IntegrityError), transaction.atomic():
        WorkflowVersion.objects.create(
            workflow=version.workflow, number=1, checksum="", source="", document={}, plan_json={}
        )


@pytest.mark.django_db(transaction=True)
def test_authors_who_publish_at_once_get_numbers_of_their_own(
    workspace: Workspace, document: str
) -> None:
    numbers: list[int] = []

    def author(name: str) -> None:
        for turn in range(3):
            text = document.replace("Orders", f"{name} {turn}")
            numbers.append(publish(workspace, text, by=None).number)
        connection.close()

    threads = [threading.Thread(target=author, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(numbers) == list(range(1, 13))
    workflow = Workflow.objects.get(name="orders")
    assert workflow.current == workflow.versions.get(number=12)


@pytest.mark.django_db(transaction=True)
def test_the_same_document_at_once_makes_one_version(workspace: Workspace, document: str) -> None:
    def author() -> None:
        publish(workspace, document, by=None)
        connection.close()

    threads = [threading.Thread(target=author) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert WorkflowVersion.objects.filter(workflow__name="orders").count() == 1


def slot(queues: list[str], *, alive: bool = True) -> None:
    now = timezone.now()
    lease = now + timedelta(minutes=1 if alive else -1)
    Slot.objects.create(worker="w", pid=1, queues=queues, lease_until=lease, started_at=now)


def test_a_queue_to_which_nobody_listens_is_a_warning_with_its_line(
    workspace: Workspace, document: str
) -> None:
    slot(["default"])
    slot(["payments"], alive=False)

    made = publish_document(workspace, document, by=None)

    [warning] = made.compiled.problems
    assert (warning.code, warning.severity) == ("unknown_queue", "warning")
    assert warning.path == "nodes.pay.queue"
    assert warning.line == document.split("\n").index("    queue: payments") + 1
    assert "-Q payments" in warning.hint


def test_no_warning_when_somebody_listens_or_nobody_at_all(
    workspace: Workspace, document: str
) -> None:
    assert validate(document).problems == []

    slot(["default", "payments"])
    assert validate(document).problems == []


def test_the_cure_names_the_queue_as_the_broker_does(
    workspace: Workspace, document: str, settings: Settings
) -> None:
    settings.CELESTA = {"QUEUE_PREFIX": "team."}
    slot(["default"])

    [warning] = validate(document).problems

    assert warning.code == "unknown_queue"
    assert "-Q team.payments" in warning.hint


def test_an_empty_workflow_name_cannot_come_from_elsewhere(workspace: Workspace) -> None:
    compiled = validate("nodes: {}\n", workspace=workspace)

    assert compiled.plan is None
    assert {problem.code for problem in compiled.problems} >= {"missing_field"}


def test_validating_never_raises_for_what_an_author_writes(workspace: Workspace) -> None:
    for text in ("", "[", "a: 1", "\x00", "x" * 1000, b"\xff\xfe", "- 1", "a: &a [*a]"):
        compiled = validate(text, workspace=workspace)
        assert compiled.plan is None
        assert compiled.problems
