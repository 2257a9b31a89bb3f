"""Addresses of the API, below wherever the project puts them."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from celesta.api.schema.views import DocsView, SchemaView
from celesta.api.views import (
    access,
    archives,
    awaiting,
    backfills,
    bulk,
    catalogue,
    cluster,
    dead_letters,
    drafts,
    dry_runs,
    graphs,
    logs,
    members,
    overview,
    run_parts,
    run_verbs,
    runs,
    schedules,
    streams,
    templates,
    variables,
    versions,
    why,
    workspaces,
)
from celesta.api.views import workflows as flows
from celesta.api.views.nowhere import NowhereView

app_name = "celesta_api"
Patterns = list[URLPattern | URLResolver]

_workflow: Patterns = [
    path("", flows.WorkflowView.as_view(), name="workflow"),
    path("activate/", flows.ActivateView.as_view(), name="activate"),
    path("deactivate/", flows.DeactivateView.as_view(), name="deactivate"),
    path("pause/", flows.PauseView.as_view(), name="pause"),
    path("resume/", flows.ResumeView.as_view(), name="resume"),
    path("draft/", drafts.DraftView.as_view(), name="draft"),
    path("draft/publish/", drafts.DraftPublishView.as_view(), name="draft-publish"),
    path("dry-run/", dry_runs.DryRunView.as_view(), name="workflow-dry-run"),
    path("grid/", overview.GridView.as_view(), name="workflow-grid"),
    path("runs/", runs.WorkflowRunsView.as_view(), name="workflow-runs"),
    path("runs/bulk/", bulk.BulkView.as_view(), name="bulk"),
    path("versions/", versions.VersionsView.as_view(), name="versions"),
    path("versions/<int:number>/", versions.VersionView.as_view(), name="version"),
    path("versions/<int:number>/diff/", versions.DifferenceView.as_view(), name="diff"),
    path("versions/<int:number>/restore/", versions.RestoreView.as_view(), name="restore"),
]

_run: Patterns = [
    path("", runs.RunView.as_view(), name="run"),
    path("cancel/", runs.CancelView.as_view(), name="cancel"),
    path("pause/", run_verbs.RunPauseView.as_view(), name="run-pause"),
    path("resume/", run_verbs.RunResumeView.as_view(), name="run-resume"),
    path("rerun/", run_verbs.RerunView.as_view(), name="run-rerun"),
    path("rerun/preview/", run_verbs.RerunPreviewView.as_view(), name="run-rerun-preview"),
    path("await/", awaiting.AwaitView.as_view(), name="await"),
    path("nodes/", run_parts.NodesView.as_view(), name="nodes"),
    path("nodes/<str:node>/", run_parts.NodeView.as_view(), name="node"),
    path("nodes/<str:node>/logs/", logs.NodeLogsView.as_view(), name="node-logs"),
    path("nodes/<str:node>/why/", why.WhyView.as_view(), name="why"),
    path("stream/", streams.RunStreamView.as_view(), name="run-stream"),
    path("ws/", streams.RunSocketView.as_view(), name="run-socket"),
    path("logs/", logs.LogsView.as_view(), name="logs"),
    path("nodes/<str:node>/skip/", run_verbs.SkipView.as_view(), name="node-skip"),
    path("events/", run_parts.EventsView.as_view(), name="events"),
    path("graph/", graphs.GraphView.as_view(), name="graph"),
    path("artifacts/", run_parts.ArtifactsView.as_view(), name="artifacts"),
    path("artifacts/<int:artifact_id>/", run_parts.ArtifactView.as_view(), name="artifact"),
    path(
        "artifacts/<int:artifact_id>/content/",
        run_parts.ArtifactContentView.as_view(),
        name="artifact-content",
    ),
]

_schedule: Patterns = [
    path("", schedules.ScheduleView.as_view(), name="schedule"),
    path("next/", schedules.NextView.as_view(), name="schedule-next"),
    path("slots/", schedules.SlotsView.as_view(), name="schedule-slots"),
    path("pause/", schedules.PauseView.as_view(), name="schedule-pause"),
    path("resume/", schedules.ResumeView.as_view(), name="schedule-resume"),
    path("run/", schedules.RunNowView.as_view(), name="schedule-run"),
]

_backfill: Patterns = [
    path("", backfills.BackfillView.as_view(), name="backfill"),
    path("slots/", backfills.BackfillSlotsView.as_view(), name="backfill-slots"),
    path("pause/", backfills.PauseView.as_view(), name="backfill-pause"),
    path("resume/", backfills.ResumeView.as_view(), name="backfill-resume"),
    path("cancel/", backfills.CancelView.as_view(), name="backfill-cancel"),
]

_workspace: Patterns = [
    path("", workspaces.WorkspaceView.as_view(), name="workspace"),
    path("members/", members.MembersView.as_view(), name="members"),
    path("members/<path:user>/", members.MemberView.as_view(), name="member"),
]

_v1: Patterns = [
    path("me/", access.MeView.as_view(), name="me"),
    path("overview/", overview.OverviewView.as_view(), name="overview"),
    path("node-types/", catalogue.NodeTypesView.as_view(), name="node-types"),
    path("cluster/", cluster.ClusterView.as_view(), name="cluster"),
    path("dry-run/", dry_runs.DocumentDryRunView.as_view(), name="dry-run"),
    path("templates/", templates.TemplatesView.as_view(), name="templates"),
    path("templates/<str:name>/", templates.TemplateView.as_view(), name="template"),
    path("templates/<str:name>/use/", templates.UseView.as_view(), name="template-use"),
    path("workspaces/", workspaces.WorkspacesView.as_view(), name="workspaces"),
    path("workspaces/<str:slug>/", include(_workspace)),
    path("tokens/", access.TokensView.as_view(), name="tokens"),
    path("tokens/<int:token_id>/", access.TokenView.as_view(), name="token"),
    path("tokens/<int:token_id>/rotate/", access.RotateView.as_view(), name="token-rotate"),
    path("variables/", variables.VariablesView.as_view(), name="variables"),
    path("variables/<str:name>/", variables.VariableView.as_view(), name="variable"),
    path("workflows/", flows.WorkflowsView.as_view(), name="workflows"),
    path("workflows/validate/", flows.ValidateView.as_view(), {"name": "validate"}, "validate"),
    path("workflows/export/", archives.ExportView.as_view(), {"name": "export"}, "export"),
    path("workflows/import/", archives.ImportView.as_view(), {"name": "import"}, "import"),
    path("workflows/<str:name>/", include(_workflow)),
    path("schedules/", schedules.SchedulesView.as_view(), name="schedules"),
    path("schedules/preview/", schedules.PreviewView.as_view(), name="schedule-preview"),
    path("schedules/<int:schedule_id>/", include(_schedule)),
    path("backfills/", backfills.BackfillsView.as_view(), name="backfills"),
    path("backfills/<int:backfill_id>/", include(_backfill)),
    path("stream/", streams.StreamView.as_view(), name="stream"),
    path("ws/", streams.SocketView.as_view(), name="socket"),
    path("runs/", runs.RunsView.as_view(), name="runs"),
    path("runs/bulk/", dead_letters.RunsBulkView.as_view(), name="runs-bulk"),
    path("runs/<uuid:run_id>/", include(_run)),
    path("dead-letters/", dead_letters.DeadLettersView.as_view(), name="dead-letters"),
    path("dead-letters/bulk/", dead_letters.LettersBulkView.as_view(), name="dead-letters-bulk"),
    path(
        "dead-letters/<int:letter_id>/retry/",
        dead_letters.LetterRetryView.as_view(),
        name="letter-retry",
    ),
    path(
        "dead-letters/<int:letter_id>/discard/",
        dead_letters.LetterDiscardView.as_view(),
        name="letter-discard",
    ),
]

urlpatterns: Patterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="docs"),
    path("v1/", include(_v1)),
    # Whatever it is, a line break too; schema and docs get their slash from Django.
    re_path(r"^(?!(?:schema|docs)$)", NowhereView.as_view(), name="nowhere"),
]
