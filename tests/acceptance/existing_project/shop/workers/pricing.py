from celery import shared_task


@shared_task(name="workers.price")
def price(cents, *, discount=0):
    return {"cents": cents - discount}
