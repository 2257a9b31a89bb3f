from django.conf import settings
from django.db import models


class Order(models.Model):
    """What a person bought."""

    class State(models.TextChoices):
        OPEN = "open"
        RUNNING = "running"
        PAID = "paid"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    cents = models.IntegerField()
    tries = models.IntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
