from django.contrib import admin

from apps.orders.models import Order

admin.site.register(Order)
