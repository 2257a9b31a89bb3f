"""What a distribution says about itself."""

from __future__ import annotations

import sys
from email.parser import HeaderParser
from pathlib import Path

import pytest

from examples.package_audit.metadata import licence, requirements
from examples.package_audit.places import PlaceMissing, distributions, places
from tests.unit.examples.conftest import Site


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: x", "MIT OR Apache-2.0"),
        ("Classifier: License :: OSI Approved :: MIT License\nLicense: x", "MIT"),
        ("Classifier: License :: OSI Approved\nLicense: BSD 3-Clause", "BSD-3-Clause"),
        (
            "Classifier: License :: A :: BSD License\nClassifier: License :: MIT License",
            "BSD OR MIT",
        ),
        ("License: Copyright 2026\n        all the words of it", "Copyright 2026"),
        ("License:\nName: x", "not declared"),
        ("Name: x", "not declared"),
    ],
)
def test_the_licence_is_taken_from_the_best_source(headers: str, expected: str) -> None:
    assert licence(HeaderParser().parsestr(headers)) == expected


def test_requirements_are_names_without_those_of_extras() -> None:
    lines = [
        "Django>=5.2",
        "Foo.Bar_baz[x] (>=1) ; python_version > '3'",
        "only-for-tests; extra == 'test'",
        'only-for-docs; extra == "docs"',
        "django",
        "@@@",
    ]
    assert requirements(lines) == ["django", "foo-bar-baz"]


def test_distributions_are_listed_by_name(site: Site) -> None:
    site.install("Zoo")
    site.install("alpha", version="2.0.post1")
    site.write("not_a_distribution.py")
    site.write(".dist-info/METADATA")
    assert [(one.name, one.version) for one in distributions(site.place)] == [
        (".dist-info", ""),
        ("alpha", "2.0.post1"),
        ("Zoo", "1.0"),
    ]


def test_without_folders_this_python_is_looked_at() -> None:
    found = [one.name.lower() for place in places() for one in distributions(place)]
    assert "django" in found


def test_the_python_a_venv_was_made_from_is_looked_at_unless_it_is_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    base = library / "site-packages"
    base.mkdir(parents=True)
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_exec_prefix", str(tmp_path))
    assert base.resolve() in places()
    (library / "EXTERNALLY-MANAGED").touch()
    assert base.resolve() not in places()


def test_folders_are_taken_once_and_must_exist(tmp_path: Path) -> None:
    assert places([str(tmp_path), f"{tmp_path}/."]) == [tmp_path.resolve()]
    with pytest.raises(PlaceMissing, match="absent"):
        places([str(tmp_path / "absent")])
