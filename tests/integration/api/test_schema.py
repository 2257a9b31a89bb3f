"""The OpenAPI document and its page."""

import io
from contextlib import redirect_stderr
from typing import Any
from unittest.mock import patch

import pytest
import yaml
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings

from celesta.api.schema import generation
from tests.integration.api.conftest import Api
from tests.integration.api.test_roles import TABLE


@pytest.fixture
def schema() -> dict[str, Any]:
    body: dict[str, Any] = Client().get("/api/schema/").json()
    return body


def test_it_is_made_without_a_warning() -> None:
    generation.document.cache_clear()
    told = io.StringIO()
    with redirect_stderr(told):
        made = generation.document("/api/")

    assert told.getvalue() == ""
    assert made["openapi"].startswith("3.1")


def test_it_describes_every_endpoint_and_nothing_else(schema: dict[str, Any]) -> None:
    described = {
        (method.upper(), path) for path, item in schema["paths"].items() for method in item
    }

    assert all(path.startswith("/api/v1/") for _, path in described)
    from django.urls import resolve

    for method, address, *_ in TABLE:
        values = {
            "token": 1,
            "artifact": 1,
            "schedule": 1,
            "backfill": 1,
            "letter": 1,
            "run": "01900000-0000-7000-8000-000000000001",
        }
        is_socket = address.split("/")[-2] == "ws"  # OpenAPI has no words for those
        route = resolve(f"/api/v1/{address.format(**values)}".split("?")[0]).route
        assert ((method, _as_template(route)) in described) != is_socket


def _as_template(route: str) -> str:
    import re

    return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)


def test_every_operation_has_a_summary_and_tells_of_problems(schema: dict[str, Any]) -> None:
    operations = [op for item in schema["paths"].values() for op in item.values()]

    assert len({op["operationId"] for op in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        problem = operation["responses"]["default"]["content"]["application/problem+json"]
        assert problem["schema"]["$ref"].endswith("/ProblemDetails")
        assert operation["security"] == [{"token": []}, {"session": []}]


def test_the_project_keeps_its_own_settings_also_when_making_fails() -> None:
    before = {name: getattr(spectacular_settings, name) for name in generation.settings()}
    generation.document.cache_clear()

    with (
        patch("celesta.api.schema.generation.SchemaGenerator", side_effect=ZeroDivisionError),
        pytest.raises(ZeroDivisionError),
    ):
        generation.document("/elsewhere/")
    generation.document("/elsewhere/")

    after = {name: getattr(spectacular_settings, name) for name in generation.settings()}
    assert after == before


def test_the_projects_own_document_has_nothing_of_ours() -> None:
    made: Any = SchemaGenerator  # has no types

    assert made().get_schema(public=True)["paths"] == {}
    assert generation.document("/api/")["paths"]


def test_it_comes_as_yaml_too(schema: dict[str, Any]) -> None:
    answer = Client().get("/api/schema/?as=yaml")

    assert answer.headers["Content-Type"].startswith("application/vnd.oai.openapi")
    assert yaml.safe_load(answer.content) == schema


def test_the_page_loads_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs/").content.decode()

    assert 'data-schema="/api/schema/"' in page
    assert "swagger-ui-bundle.js" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script>" not in page  # a strict Content-Security-Policy forbids inline scripts


def test_without_the_viewer_the_page_says_what_to_install(settings: Any) -> None:
    settings.INSTALLED_APPS = [a for a in settings.INSTALLED_APPS if "sidecar" not in a]

    assert "drf_spectacular_sidecar" in Client().get("/api/docs/").content.decode()


def test_answers_are_as_described(api: Api, published: Any, schema: dict[str, Any]) -> None:
    import jsonschema

    run = api.post("workflows/orders.fulfil/runs/", {"params": {"order_id": 1}}).json()
    answers = {
        "RunDetail": run,
        "WorkflowDetail": api.get("workflows/orders.fulfil/").json(),
        "VersionDetail": api.get("workflows/orders.fulfil/versions/1/").json(),
        "RunBriefPage": api.get("runs/").json(),
        "NodeRunShapePage": api.get(f"runs/{run['id']}/nodes/").json(),
        "EventShapePage": api.get(f"runs/{run['id']}/events/").json(),
        "Published": published,
        "Me": api.get("me/").json(),
        "ProblemDetails": Api().get("me/").json(),
        "Validation": api.post("workflows/validate/", "a: 1").json(),
    }
    for name, answer in answers.items():
        wanted = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        jsonschema.Draft202012Validator(wanted).validate(answer)
