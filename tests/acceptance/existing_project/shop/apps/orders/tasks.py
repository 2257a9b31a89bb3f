import time

from celery import current_task, shared_task
from django.db.models import F

from apps.orders.models import Order


@shared_task
def double(number):
    return 2 * number


@shared_task
def total(numbers):
    return sum(numbers)


@shared_task(bind=True, max_retries=3, default_retry_delay=0.2)
def reserve(self, order_id):
    """Succeeds when it is tried the third time, as a warehouse does."""
    Order.objects.filter(pk=order_id).update(tries=F("tries") + 1)
    if self.request.retries < 2:
        raise self.retry(exc=ConnectionError("the warehouse does not answer"))
    return {
        "tries": self.request.retries + 1,
        "task": self.name,
        "base": type(self).__mro__[1].__name__,
    }


@shared_task
def settle(order_id):
    """Writes with the ORM and says which queue it came from."""
    Order.objects.filter(pk=order_id).update(state=Order.State.PAID)
    return Order.objects.get(pk=order_id).cents


@shared_task
def linger(seconds):
    """Takes its time; the shop's own time limits end it."""
    time.sleep(seconds)
    return current_task.name
