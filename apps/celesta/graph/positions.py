"""Where each part of a document stands in the text it was read from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from celesta.graph import paths
from celesta.graph.paths import Path


class Place:
    """A value in the text: character offsets of its first and behind its last character.

    ``key`` is the offset of the key, for a member of a mapping. ``members`` finds what is inside;
    it is called when somebody asks, so that a fault near the top costs no walk through the rest.
    """

    __slots__ = ("_children", "_members", "end", "key", "start")

    def __init__(
        self,
        start: int,
        end: int,
        key: int | None = None,
        members: Callable[[Place], Members] | None = None,
    ) -> None:
        self.start = start
        self.end = end
        self.key = key
        self._members = members
        self._children: Members | None = None

    @property
    def children(self) -> Members:
        """Members by key or index."""
        if self._children is None:
            self._children = self._members(self) if self._members else {}
        return self._children


Members = dict[str | int, Place]


class Positions:
    """Finds lines and columns (both from 1) in a text.

    The places are looked for when the first question comes: documents without problems ask none.
    """

    def __init__(self, text: str, read: Callable[[str], Place]) -> None:
        self._text = text
        self._read = read
        self._root: Place | None = None
        #: Offset of the first character of each line.
        self._lines: list[int] | None = None

    def find(self, path: str | Path) -> tuple[int, int] | None:
        """The place of a path: of the key of a mapping's member, else of the value.

        A missing part counts as its nearest existing parent. None when the path is malformed.
        """
        steps = self._steps(path)
        if steps is None:
            return None
        place = self._place(steps)
        at = place.start if place.key is None or not place.children else place.key
        return self._line_and_column(at)

    def within(self, path: str | Path, fragment: str, offset: int) -> tuple[int, int] | None:
        """The place of a character of ``fragment``, when the scalar at ``path`` spells it so."""
        steps = self._steps(path)
        if steps is None or not fragment:
            return None
        place = self._place(steps)
        found = self._text.find(fragment, place.start, place.end)
        return None if found < 0 else self._line_and_column(found + offset)

    def _steps(self, path: str | Path) -> Path | None:
        if not isinstance(path, str):
            return path
        try:
            return paths.parse(path)
        except ValueError:
            return None

    def _place(self, steps: Path) -> Place:
        if self._root is None:
            self._root = self._read(self._text)
        place = self._root
        for step in steps:
            child = place.children.get(step)
            if child is None:
                return place
            place = child
        return place

    def _line_and_column(self, offset: int) -> tuple[int, int]:
        if self._lines is None:
            self._lines = [0, *(match.end() for match in re.finditer("\n", self._text))]
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1
