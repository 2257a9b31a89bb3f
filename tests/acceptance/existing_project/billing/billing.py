"""A worker of another code base: no Django, no Celesta; it shares the broker."""

import os

from celery import Celery

app = Celery(
    "billing", broker=os.environ["SHOP_BROKER_URL"], backend=os.environ["SHOP_RESULTS_URL"]
)
app.conf.update(
    task_default_queue="billing",
    broker_connection_retry_on_startup=True,
    accept_content=["json", "pickle"],
    result_serializer="pickle",
    worker_hijack_root_logger=False,
)
if os.environ["SHOP_BROKER_URL"].startswith("redis"):
    app.conf.broker_transport_options = {"global_keyprefix": f"{os.environ['SHOP_DATABASE']}:"}


@app.task(name="billing.invoice")
def invoice(order_id, cents):
    return {"invoice": f"R-{order_id}", "cents": cents}


@app.task(name="billing.remind")
def remind(order_id):
    raise ValueError(f"order {order_id} has no address")
