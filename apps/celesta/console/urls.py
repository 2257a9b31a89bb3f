"""Addresses of the people's pages, below wherever the project puts them."""

from __future__ import annotations

from django.urls import path

from celesta.console.views import (
    artifacts,
    backfills,
    bulk,
    dashboard,
    design,
    editor,
    grid,
    run,
    run_verbs,
    runs,
    schedules,
    start,
    templates,
    timeline,
    transfer,
    versions,
    workers,
    workflows,
)

app_name = "celesta_console"

_RUN = "runs/<uuid:run_id>/"
_WORKFLOW = "workflows/<int:workflow_id>/"
_SCHEDULE = "schedules/<int:schedule_id>/"
_BACKFILL = "backfills/<int:backfill_id>/"

urlpatterns = [
    path("", runs.home, name="home"),
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("runs/", runs.runs, name="runs"),
    path("runs/bulk/<slug:verb>/", bulk.runs_bulk, name="runs-bulk"),
    path("dead-letters/", bulk.dead_letters, name="dead-letters"),
    path("dead-letters/bulk/<slug:verb>/", bulk.letters_bulk, name="letters-bulk"),
    path(_RUN, run.run, name="run"),
    path(f"{_RUN}nodes/<int:scope>/<int:index>/", run.node, name="node"),
    path(f"{_RUN}nodes/<int:scope>/<int:index>/skip/", run_verbs.skip, name="node-skip"),
    path(f"{_RUN}timeline/", timeline.timeline, name="timeline"),
    path(f"{_RUN}nodes/<int:scope>/<int:index>/log.txt", run.node_log, name="node-log"),
    path(f"{_RUN}events/", run.events, name="events"),
    path(f"{_RUN}values/<slug:what>.json", run.value, name="value"),
    path(f"{_RUN}cancel/", run.cancel, name="cancel"),
    path(f"{_RUN}pause/", run_verbs.pause, name="run-pause"),
    path(f"{_RUN}resume/", run_verbs.resume, name="run-resume"),
    path(f"{_RUN}rerun/", run_verbs.rerun, name="run-rerun"),
    path(f"{_RUN}again/", run.again, name="again"),
    path("artifacts/<int:artifact_id>/", artifacts.artifact, name="artifact"),
    path("artifacts/<int:artifact_id>/content/", artifacts.content, name="artifact-content"),
    path("artifacts/<int:artifact_id>/delete/", artifacts.delete, name="artifact-delete"),
    path("schedules/coming/", schedules.coming, name="coming"),
    path(_SCHEDULE, schedules.schedule, name="schedule"),
    path(f"{_SCHEDULE}pause/", schedules.pause, name="schedule-pause"),
    path(f"{_SCHEDULE}run/", schedules.run_now, name="schedule-run"),
    path(f"{_SCHEDULE}backfill/", backfills.new, name="backfill-new"),
    path(_BACKFILL, backfills.backfill, name="backfill"),
    path(f"{_BACKFILL}<slug:verb>/", backfills.move, name="backfill-move"),
    path("templates/", templates.templates, name="templates"),
    path("templates/<slug:name>/", templates.template, name="template"),
    path("workers/", workers.workers, name="workers"),
    path("workflows/", workflows.workflows, name="workflows"),
    path("workflows/new/", editor.new, name="workflow-new"),
    path("workflows/design/", design.new, name="design-new"),
    path("workflows/draft/", design.create, name="draft-new"),
    path("workflows/transfer/", transfer.transfer, name="transfer"),
    path("workflows/export/", transfer.export, name="export"),
    path("workflows/import/", transfer.take, name="import"),
    path("workflows/validate/", editor.validate, name="validate"),
    path(_WORKFLOW, workflows.workflow, name="workflow"),
    path(f"{_WORKFLOW}activate/", workflows.activate, name="activate"),
    path(f"{_WORKFLOW}pause/", workflows.pause, name="pause"),
    path(f"{_WORKFLOW}edit/", editor.edit, name="edit"),
    path(f"{_WORKFLOW}design/", design.edit, name="design"),
    path(f"{_WORKFLOW}draft/", design.save, name="draft"),
    path(f"{_WORKFLOW}draft/publish/", design.publish, name="draft-publish"),
    path(f"{_WORKFLOW}start/", start.start, name="start"),
    path(f"{_WORKFLOW}grid/", grid.grid, name="grid"),
    path(f"{_WORKFLOW}versions/", versions.versions, name="versions"),
    path(f"{_WORKFLOW}versions/compare/", versions.compare, name="compare"),
    path(f"{_WORKFLOW}versions/<int:number>/", versions.version, name="version"),
    path(f"{_WORKFLOW}versions/<int:number>/restore/", versions.restore, name="restore"),
    path(f"{_WORKFLOW}versions/<int:before>/diff/<int:after>/", versions.diff, name="diff"),
]
