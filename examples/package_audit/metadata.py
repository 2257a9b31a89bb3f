"""What a distribution says about itself: version, licence, requirements, whether it is editable."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from examples.package_audit.places import shown

NO_LICENCE = "not declared"
MAX_LICENCE = 60
MAX_NAME = 80
MAX_REQUIREMENTS = 25
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
#: Trove classifiers and loose spellings, as the SPDX expression they most likely mean.
SPDX = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD",
    "bsd license": "BSD",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd-3-clause license": "BSD-3-Clause",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}


@dataclass(frozen=True)
class Metadata:
    """Normalised facts; ``requires`` names other distributions, without extras' requirements."""

    name: str
    version: str
    licence: str
    requires: list[str]
    editable: bool


def read(info: Path) -> Metadata:
    """Read the metadata of one distribution; whatever is missing or garbled stays empty."""
    headers = _headers(info)
    return Metadata(
        name=_header(headers, "Name"),
        version=_header(headers, "Version"),
        licence=licence(headers),
        requires=requirements(headers.get_all("Requires-Dist", [])),
        editable=info.suffix == ".egg-link" or _is_editable(info),
    )


def text(path: Path) -> str:
    """A text file that should be UTF-8; other bytes are kept as escapes. Empty if unreadable."""
    try:
        return path.read_bytes().decode("utf-8-sig", "backslashreplace")
    except OSError:
        return ""


def _headers(info: Path) -> Message:
    files = [info] if info.is_file() else [info / "METADATA", info / "PKG-INFO"]
    source = next((content for content in map(text, files) if content), "")
    return HeaderParser().parsestr(source)


def _header(headers: Message, name: str) -> str:
    value = headers.get(name)
    return shown(str(value).strip())[:MAX_NAME] if value else ""


def licence(headers: Message) -> str:
    """The licence: the SPDX expression, else the classifiers, else the first words given."""
    expression = _header(headers, "License-Expression")
    if expression:
        return expression[:MAX_LICENCE]
    classified = [
        line.rsplit("::", 1)[-1].strip()
        for line in map(str, headers.get_all("Classifier", []))
        if line.startswith("License ::") and line.strip() != "License :: OSI Approved"
    ]
    names = classified or _header(headers, "License").splitlines()[:1]
    tidy = [SPDX.get(name.lower(), name) for name in map(shown, names) if name]
    return " OR ".join(dict.fromkeys(tidy))[:MAX_LICENCE] or NO_LICENCE


def requirements(lines: list[str]) -> list[str]:
    """Normalised names of what is required without any extra, in order, each once."""
    plain = [line for line in map(str, lines) if "extra ==" not in line.replace("'", '"')]
    names = [match[0] for match in map(_REQUIREMENT.match, plain) if match]
    return [name[:MAX_NAME] for name in dict.fromkeys(map(normalised, names))][:MAX_REQUIREMENTS]


def normalised(name: str) -> str:
    """The name under which an index knows a distribution (``Foo.Bar`` is ``foo-bar``)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_editable(info: Path) -> bool:
    try:
        origin = json.loads(text(info / "direct_url.json") or "{}")
    except ValueError:
        return False
    folder = origin.get("dir_info") if isinstance(origin, dict) else None
    return isinstance(folder, dict) and folder.get("editable") is True
