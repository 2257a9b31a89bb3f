"""The ASGI entry point of the reference project."""

import gc
import os

from django.core.asgi import get_asgi_application
from django.urls import get_resolver

from celesta.asgi import with_sockets

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = with_sockets(get_asgi_application())

# What is loaded now stays: a whole collection need not look at it again, a tenth of a second during
# which every page waits. Django would read the addresses, and so all views, with the first request.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
