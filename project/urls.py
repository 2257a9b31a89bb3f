"""Addresses of the reference project: the stock admin, and everything of Celesta."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from project.demo.views import welcome

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("welcome/<str:token>/", welcome, name="welcome"),
    path("", include("celesta.urls")),
]
