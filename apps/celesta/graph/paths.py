"""Where in a document: ``nodes.pay.needs[0]`` and the tuple it stands for."""

from __future__ import annotations

import json
import re

#: Keys and list indexes from the top of the document.
Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_\-]+", re.ASCII)
_STEP = re.compile(r'\.?([A-Za-z0-9_\-]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]', re.ASCII)


def render(path: Path) -> str:
    """The text of a path; keys with odd characters are quoted: ``headers["X.Trace"]``."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN_KEY.fullmatch(step):
            parts.append(f".{step}" if parts else step)
        else:
            parts.append(f"[{json.dumps(step)}]")
    return "".join(parts)


def parse(text: str) -> Path:
    """The path of such a text; raises ValueError when it is none."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f"not a path: {text!r}")
        plain, index, quoted = match.groups()
        steps.append(plain if plain else int(index) if index else json.loads(quoted))
        position = match.end()
    return tuple(steps)
