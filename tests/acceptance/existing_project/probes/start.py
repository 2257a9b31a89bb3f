"""Start runs within the shop's own transactions: one that is rolled back, one that is not."""

import json
from contextlib import suppress

from apps.orders.models import Order
from apps.people.models import Person
from django.db import transaction

import celesta

boss = Person.objects.create_superuser("boss@shop.example", "secret", key="k1")


def fails_after_the_start():
    with transaction.atomic():
        order = Order.objects.create(person=boss, cents=1)
        started.append(celesta.start("shop.fulfil", {"order_id": order.pk}, by=boss))
        raise ConnectionError("the shop's own code fails")


started = []
with suppress(ConnectionError):
    fails_after_the_start()
with transaction.atomic():
    order = Order.objects.create(person=boss, cents=480)
    committed = celesta.start("shop.fulfil", {"order_id": order.pk}, by=boss)
print(json.dumps({"rolled_back": str(started[0].pk), "run": str(committed.pk), "order": order.pk}))
