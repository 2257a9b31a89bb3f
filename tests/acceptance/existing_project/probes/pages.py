"""Every page and address of Celesta, asked in the shop's own way, as JSON."""

import json
from io import StringIO

from apps.people.models import Person
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from celesta.runs.models import Run
from celesta.workflows.models import Workflow

boss = Person.objects.get(email="boss@shop.example")
out = StringIO()
call_command("celesta_token", "create", user=boss.email, name="probe", json=True, stdout=out)
token = {"Authorization": f"Bearer {json.loads(out.getvalue())['secret']}"}
run = Run.objects.order_by("created_at").first()
flow = Workflow.objects.get(name="shop.fulfil").pk
client = Client()
asked = {}


def ask(path, **options):
    answer = client.get(path, **options)
    text = b"".join(answer.streaming_content) if answer.streaming else answer.content
    asked[path] = {
        "status": answer.status_code,
        "type": answer["Content-Type"].split(";")[0],
        "text": text.decode(),
    }


API = [
    "runs/", f"runs/{run.pk}/", f"runs/{run.pk}/nodes/", f"runs/{run.pk}/events/", "me/",
    f"runs/{run.pk}/graph/", f"runs/{run.pk}/await/?timeout=1", "workflows/", "node-types/",
    "nowhere/",
]  # fmt: skip
PAGES = [
    "dashboard/", "workers/", "templates/", "dead-letters/", f"runs/{run.pk}/timeline/",
    "runs/", f"runs/{run.pk}/", f"runs/{run.pk}/nodes/0/1/", f"runs/{run.pk}/events/",
    "workflows/", "workflows/new/", f"workflows/{flow}/", f"workflows/{flow}/start/",
    f"workflows/{flow}/versions/", f"workflows/{flow}/versions/1/", "api/docs/",
]  # fmt: skip
for path in ("/celesta/health/live", "/celesta/health/ready", "/celesta/api/schema/"):
    ask(path)
for path in API:
    ask(f"/celesta/api/v1/{path}", headers=token)
ask("/celesta/api/v1/me/")
refused = asked.pop("/celesta/api/v1/me/")
ask("/celesta/api/v1/me/", headers=token)
asked["no token"] = refused
client.force_login(boss)
for path in PAGES:
    ask(f"/celesta/{path}")
for model in admin.site._registry:
    if model._meta.app_label.startswith("celesta") or model._meta.app_label.endswith("beat"):
        ask(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
print(json.dumps(asked))
