"""The shop's own tests. They pass before Celesta is installed, and after."""

import logging

import pytest
from celery import chain, chord, group
from celery.contrib.testing.worker import start_worker
from celery.result import AsyncResult
from django.test import TestCase, TransactionTestCase
from django.urls import reverse

from apps.orders.models import Order
from apps.orders.tasks import double, settle, total
from apps.people.models import Person
from shop.celery import app
from workers.pricing import price


class Pages(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.boss = Person.objects.create_superuser("boss@shop.example", "secret", key="k1")
        for cents in (100, 200, 300):
            Order.objects.create(person=cls.boss, cents=cents)

    def test_admin(self):
        self.client.force_login(self.boss)
        page = self.client.get(reverse("admin:index"))
        self.assertContains(page, "Orders")
        self.assertTemplateUsed(page, "admin/index.html")
        self.assertEqual(page["X-Shop"], "open")

    def test_pages_need_a_login(self):
        page = self.client.get(reverse("admin:orders_order_changelist"))
        self.assertEqual(page.status_code, 302)

    def test_api(self):
        page = self.client.get("/api/orders/?ordering=-cents", headers={"X-Shop-Key": "k1"}).json()
        self.assertEqual(page["shop"]["count"], 3)
        self.assertEqual(len(page["shop"]["results"]), 2)
        self.assertRegex(page["shop"]["results"][0]["created_at"], r"^\d\d\.\d\d\.\d{4} ")

    def test_api_apologises(self):
        page = self.client.get("/api/orders/", headers={"X-Shop-Key": "no"})
        self.assertEqual(page.status_code, 401)
        self.assertEqual(page.json(), {"shop": {"sorry": "unknown key"}})

    def test_schema(self):
        page = self.client.get(
            "/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}
        )
        self.assertEqual(page.json()["info"]["title"], "The shop")


class Tasks(TransactionTestCase):
    """On a worker in this process, as `celery.contrib.testing` has it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enterClassContext(start_worker(app, pool="solo", perform_ping_check=False))

    def test_chord(self):
        answer = chord(group(double.s(n) for n in range(5)))(total.s())
        self.assertEqual(answer.get(timeout=60), 20)
        self.assertEqual(AsyncResult(answer.id).state, "SUCCESS")

    def test_chain(self):
        answer = chain(double.s(2), price.s(discount=1)).delay()
        self.assertEqual(AsyncResult(answer.id).get(timeout=60), {"cents": 3})

    def test_failure(self):
        answer = double.delay(None)
        with pytest.raises(TypeError):
            answer.get(timeout=60)


def test_routes():
    route = app.amqp.router.route({}, settle.name)
    assert route["queue"].name == "shop.payments"
    assert app.amqp.router.route({}, double.name)["queue"].name == "shop"
    assert app.backend.as_uri().startswith("redis://")


def test_eager(settings):
    assert double.apply(args=[21]).get() == 42
    assert settings.TIME_ZONE == "America/New_York"
    assert logging.getLogger("shop").level == logging.DEBUG
