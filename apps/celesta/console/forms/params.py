"""A form made from a JSON Schema: one field for each property, whatever else as JSON.

The form only turns text into JSON values. Whether they fit the schema is asked of the engine, in
one place for every door; its findings are put at the fields they are about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from django import forms
from django.utils.dateparse import parse_datetime

from celesta.graph.problems import Problem

#: Names of fields are the properties' with this before them: a property may be called anything.
PREFIX: Final = "param-"
_PATH = re.compile(r"params\.(.+)", re.DOTALL)


class JSONText(forms.CharField):
    """Any JSON value, written as JSON; the error says line and column."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        """The value; ``None`` for an empty text."""
        text = super().to_python(value) or ""
        if text in self.empty_values:
            return None
        try:
            return json.loads(text, parse_constant=_refuse)
        except ValueError as error:
            raise forms.ValidationError(f"This is no JSON: {error}", "invalid_json") from error
        except RecursionError as error:
            raise forms.ValidationError("This is nested too deep.", "invalid_json") from error

    def validate(self, value: Any) -> None:
        """Only what is missing is refused here: ``[]`` and ``false`` are values."""
        if value is None and self.required:
            raise forms.ValidationError(self.error_messages["required"], "required")

    def run_validators(self, value: Any) -> None:
        """Validators of text do not apply to what was read."""


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


class ParamsForm(forms.Form):
    """The params of a start. Empty fields are left out, so that the schema's defaults apply."""

    idempotency_key = forms.CharField(
        required=False,
        max_length=255,
        label="Idempotency key",
        help_text="Optional. A second start with the same key finds the first run.",
    )

    def __init__(self, schema: Mapping[str, Any], data: Any = None) -> None:
        super().__init__(data)
        self.schema = schema
        self.properties: Mapping[str, Any] = schema.get("properties") or {}
        required = set(schema.get("required") or ())
        for name, sub in self.properties.items():
            described = sub if isinstance(sub, Mapping) else {}
            self.fields[PREFIX + name] = _field(name, described, name in required)
        if not self.properties:
            self.fields["other"] = JSONText(
                required=False, label="Params (JSON)", initial="{}", help_text="A JSON object."
            )
        self.order_fields(
            [*(PREFIX + name for name in self.properties), "other", "idempotency_key"]
        )

    def params(self) -> dict[str, Any]:
        """The values entered, by property."""
        other = self.cleaned_data.get("other")
        found: dict[str, Any] = dict(other) if isinstance(other, dict) else {}
        for name, sub in self.properties.items():
            value = self.cleaned_data.get(PREFIX + name)
            if not _left_out(value):
                found[name] = _as_json(value, sub if isinstance(sub, Mapping) else {})
        return found

    def clean_other(self) -> Any:
        """Params are an object."""
        value = self.cleaned_data["other"]
        if value is not None and not isinstance(value, dict):
            raise forms.ValidationError("The params must be a JSON object: {…}")
        return value

    def place(self, problems: Iterable[Problem]) -> None:
        """Put the engine's findings at the fields that they are about."""
        for problem in problems:
            name = self._field_of(problem.path)
            inner = problem.path.removeprefix("params.").removeprefix(name or "")
            where = f"{inner.lstrip('.')}: " if name and inner else ""
            self.add_error(PREFIX + name if name else None, f"{where}{problem.message}")

    def _field_of(self, path: str) -> str | None:
        match = _PATH.fullmatch(path)
        rest = match.group(1) if match else ""
        # Names may hold dots and brackets: the longest one that fits is meant.
        fitting = [n for n in self.properties if rest == n or rest.startswith((f"{n}.", f"{n}["))]
        return max(fitting, key=len, default=None)


def _left_out(value: Any) -> bool:
    return value is None or value == ""


def _as_json(value: Any, sub: Mapping[str, Any]) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if "enum" in sub:
        return sub["enum"][int(value)]
    if _kind(sub) == "boolean":
        return value == "true"
    return value


def _kind(sub: Mapping[str, Any]) -> str:
    kind = sub.get("type")
    if isinstance(kind, list):
        kinds = [k for k in kind if k != "null"]
        kind = kinds[0] if len(kinds) == 1 else None
    return kind if isinstance(kind, str) else ""


def _field(name: str, sub: Mapping[str, Any], required: bool) -> forms.Field:
    default = sub.get("default")
    common: dict[str, Any] = {
        "label": str(sub.get("title") or name),
        "help_text": str(sub.get("description") or ""),
        # A default fills what is left empty; text may be empty without being left out by mistake.
        "required": required and "default" not in sub,
    }
    if isinstance(sub.get("enum"), list) and sub["enum"]:
        return _choice(sub["enum"], default, common)
    match _kind(sub), sub.get("format"):
        case "boolean", _:
            return _choice_of_two(default, common)
        case "integer", _:
            return _number(forms.IntegerField, sub, common, step=1)
        case "number", _:
            return _number(forms.FloatField, sub, common, step="any")
        case "string", "date":
            return _date(forms.DateField, "date", default, common)
        case "string", "date-time":
            return _date(forms.DateTimeField, "datetime-local", default, common)
        case "string", _:
            return _text(sub, common)
    return _json(sub, common)


def _choice(values: list[Any], default: Any, common: dict[str, Any]) -> forms.Field:
    """By position: two values may have the same text (1 and "1")."""
    labels = [v if isinstance(v, str) else json.dumps(v) for v in values]
    choices = [("", "—"), *((str(i), label) for i, label in enumerate(labels))]
    spelled = [json.dumps(value, sort_keys=True) for value in values]  # 1 is not true
    wanted = json.dumps(default, sort_keys=True)
    initial = str(spelled.index(wanted)) if wanted in spelled else ""
    return forms.ChoiceField(choices=choices, initial=initial, **common)


def _choice_of_two(default: Any, common: dict[str, Any]) -> forms.Field:
    """Yes, no, or not said: a check box could not say the third."""
    choices = [("", "—"), ("true", "Yes"), ("false", "No")]
    initial = json.dumps(default) if isinstance(default, bool) else ""
    return forms.ChoiceField(choices=choices, initial=initial, **common)


def _number(
    field: type[forms.IntegerField | forms.FloatField],
    sub: Mapping[str, Any],
    common: dict[str, Any],
    step: int | str,
) -> forms.Field:
    bounds = {"min": sub.get("minimum"), "max": sub.get("maximum")}
    attrs = {"step": step, **{k: v for k, v in bounds.items() if v is not None}}
    widget = forms.NumberInput(attrs=attrs)
    return field(initial=sub.get("default"), widget=widget, localize=False, **common)


def _date(
    field: type[forms.DateField | forms.DateTimeField],
    kind: str,
    default: Any,
    common: dict[str, Any],
) -> forms.Field:
    pattern = "%Y-%m-%d" if kind == "date" else "%Y-%m-%dT%H:%M:%S"
    widget = forms.DateTimeInput(attrs={"type": kind, "step": "1"}, format=pattern)
    initial = (None if kind == "date" else _moment(default)) or default
    return field(initial=initial, widget=widget, **common)


def _moment(default: Any) -> datetime | None:
    """The moment in a default, which may be any value: a schema's default need not fit it."""
    try:
        return parse_datetime(default) if isinstance(default, str) else None
    except ValueError:  # as 2026-13-45T00:00:00Z
        return None


def _text(sub: Mapping[str, Any], common: dict[str, Any]) -> forms.Field:
    long = isinstance(sub.get("maxLength"), int) and sub["maxLength"] > 200
    kinds = {"email": "email", "uri": "url", "password": "password", "time": "time"}
    attrs = {"type": kinds.get(str(sub.get("format")), "text")}
    widget = forms.Textarea(attrs={"rows": 4}) if long else forms.TextInput(attrs=attrs)
    return forms.CharField(initial=sub.get("default"), widget=widget, strip=False, **common)


def _json(sub: Mapping[str, Any], common: dict[str, Any]) -> forms.Field:
    empty = {"array": "[]", "object": "{}"}.get(_kind(sub), "")
    default = json.dumps(sub["default"], indent=2) if "default" in sub else ""
    attrs = {"rows": 5, "class": "mono", "placeholder": empty, "spellcheck": "false"}
    common["help_text"] = f"{common['help_text']} Written as JSON.".strip()
    return JSONText(initial=default, widget=forms.Textarea(attrs=attrs), **common)
