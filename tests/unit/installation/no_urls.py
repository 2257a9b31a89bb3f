"""The URLs of a project before it includes ours."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
