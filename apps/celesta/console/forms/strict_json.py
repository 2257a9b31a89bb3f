"""JSON typed into the admin: what the API refuses is refused here too, at its field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

from celesta.graph import json_text, values
from celesta.graph.findings import Findings
from celesta.graph.problems import DocumentInvalid


class StrictJSON(forms.JSONField):
    """No NaN, no key twice, nothing too deep or too long for the database to hold."""

    def to_python(self, value: Any) -> Any:
        """The value; raises ValidationError that says what is wrong."""
        try:
            found = super().to_python(value)
            if isinstance(value, str) and value.strip():
                self._check(json_text.read(value))
        except DocumentInvalid as error:
            first = error.problems[0]
            where = f" (line {first.line}, column {first.column})" if first.line else ""
            raise ValidationError(f"{first.message}{where}", "invalid") from error
        except (RecursionError, ValueError) as error:
            raise ValidationError("This is nested too deep, or has endless digits.") from error
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What is shown again: a text that was refused comes back as it was typed."""
        try:
            self.to_python(data)
        except ValidationError:
            return InvalidJSONInput(data)
        return super().bound_data(data, initial)

    def _check(self, value: Any) -> None:
        findings = Findings()
        values.check(value, findings)
        if findings.problems:
            raise DocumentInvalid(findings.problems)
