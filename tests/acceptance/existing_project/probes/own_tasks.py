"""The shop's own use of Celery, on its real workers, as JSON."""

import json
import time

from apps.orders.models import Order
from apps.orders.tasks import double, linger, settle, total
from celery import chain, chord
from celery.exceptions import SoftTimeLimitExceeded, TaskRevokedError
from celery.result import AsyncResult
from shop.celery import app


def raised(result):
    try:
        return result.get(timeout=60)
    except (SoftTimeLimitExceeded, TaskRevokedError) as error:
        return type(error).__name__


def revoked():
    result = linger.delay(1.8)
    ends = time.monotonic() + 20
    while result.state != "STARTED" and time.monotonic() < ends:
        time.sleep(0.02)
    result.revoke(terminate=True)
    return raised(result)


answer = {
    "delay": AsyncResult(double.delay(21).id, app=app).get(timeout=60),
    "chain": chain(double.s(1), double.s(), double.s()).delay().get(timeout=60),
    "chord": chord([double.s(number) for number in range(5)])(total.s()).get(timeout=60),
    "nested": chord([chain(double.s(n), double.s()) for n in range(3)])(total.s()).get(timeout=60),
    "other_queue": settle.delay(Order.objects.latest("pk").pk).get(timeout=60),
    "time_limit": raised(linger.delay(2.5)),
    "revoked": revoked(),
}
print(json.dumps(answer))
