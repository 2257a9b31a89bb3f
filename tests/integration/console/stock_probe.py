"""Opens every page with the stock admin, in a process of its own: run by ``test_stock_admin``.

Which admin it is, is settled when Django starts. Prints one line a page: status and address.
"""

import sys

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.test import Client  # noqa: E402

from celesta.console.bases import WITH_UNFOLD  # noqa: E402

client = Client(SERVER_NAME="localhost")
client.force_login(get_user_model().objects.get(username="superuser"))
for address in sys.argv[1:]:
    answer = client.get(address)
    page = answer.content.decode()
    right = "unfold" not in page and ("celesta" in page or address.startswith("/admin/"))
    print(answer.status_code, right and not WITH_UNFOLD, address)
