from django.contrib import admin

from apps.people.models import Person

admin.site.register(Person)
