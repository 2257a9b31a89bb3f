"""``manage.py workflow``, ``manage.py run``, ``manage.py celesta_token``."""
