"""JSON in the database, read back with the numbers that were written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models

from celesta.graph import values
from celesta.graph.findings import Findings

#: Of a whole number that may be exact.
MOST_DIGITS: Final = 20


class StoredJSON(models.JSONField):
    """A JSONField in which 1e30 stays what it is.

    PostgreSQL writes it as a one and thirty zeros. Python would make a whole number of that, which
    nobody can write as JSON again: no page could show it, and a run could not be run again.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(decoder=_Decoder, **options)

    def validate(self, value: Any, model_instance: Any) -> None:
        """Refuse in forms what would be read back as something else."""
        super().validate(value, model_instance)
        check_storable(value)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """As the field of Django's that it is in the database."""
        name, _, positional, options = super().deconstruct()
        del options["decoder"]
        return name, "django.db.models.JSONField", positional, options


def check_storable(value: Any) -> None:
    """Raise ValidationError for what cannot be stored as it is: for fields of forms and the API."""
    findings = Findings()
    values.check(value, findings)
    if findings.problems:
        raise ValidationError([f"{found.message} {found.hint}" for found in findings.problems])


class _Decoder(json.JSONDecoder):
    def __init__(self) -> None:
        super().__init__(parse_int=_number)


def _number(digits: str) -> int | float:
    # The workers' reader does the same.
    if len(digits) <= MOST_DIGITS and values.is_exact(number := int(digits)):
        return number
    return float(digits)
