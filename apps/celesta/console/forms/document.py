"""The document editor's form, and where its problems stand."""

from __future__ import annotations

from django import forms

from celesta.graph.problems import Problem


class DocumentForm(forms.Form):
    """The text, the note of a publication, and which draft it began from."""

    source = forms.CharField(strip=False, required=False, widget=forms.Textarea)
    note = forms.CharField(max_length=500, required=False)
    #: The revision of the draft that the author began from.
    base = forms.IntegerField(min_value=0, max_value=2**31 - 2, required=False)

    @property
    def text(self) -> str:
        """What was entered, with plain line ends, valid or not."""
        return str(self.data.get("source", "")).replace("\r\n", "\n").replace("\r", "\n")


def at_lines(problems: list[Problem], text: str) -> list[Problem]:
    """The problems in the order of the text; those without a place stand at its first line."""
    last = text.count("\n") + 1
    placed = [p if p.line is None else p.at(min(p.line, last), p.column) for p in problems]
    return sorted(placed, key=lambda p: (p.severity != "error", p.line or 0))
