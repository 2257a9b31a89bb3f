"""Writing bodies: JSON in UTF-8, whatever the host project made its default."""

from __future__ import annotations

from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder


class JSON(JSONRenderer):
    """Compact JSON, not influenced by the project's own REST_FRAMEWORK settings."""

    encoder_class = JSONEncoder
    ensure_ascii = False
    compact = True
    strict = True
