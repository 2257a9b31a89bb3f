"""The ASGI entry point of the reference project."""

import os

from django.core.asgi import get_asgi_application

from celesta.asgi import with_sockets

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = with_sockets(get_asgi_application())
