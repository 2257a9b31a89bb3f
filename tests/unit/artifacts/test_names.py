"""Which names and content types a file of a run may have."""

from __future__ import annotations

import pytest

from celesta.artifacts.names import (
    OCTETS,
    ArtifactNameInvalid,
    ContentTypeInvalid,
    media_type,
    safe_name,
)


@pytest.mark.parametrize(
    "name", ["report.html", "a b.csv", "..hidden", "Übersicht 2026.txt", ".env", "日本語.txt"]
)
def test_plain_file_names_are_kept(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "names no file"),
        ("   ", "names no file"),
        (".", "names no file"),
        ("..", "names no file"),
        ("../../etc/passwd", "another folder"),
        ("/etc/passwd", "another folder"),
        ("..\\..\\boot.ini", "another folder"),
        ("a/b.txt", "another folder"),
        ("a\x00.txt", "control character"),
        ("a\r\nSet-Cookie: x", "control character"),
        ("a\udcff.txt", "control character"),
        ("ü" * 101, "200 bytes"),
    ],
)
def test_anything_else_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(ArtifactNameInvalid, match=reason) as refused:
        safe_name(name)
    assert "'report.html'" in str(refused.value)  # it says what to write instead


def test_two_spellings_of_one_name_are_one_name() -> None:
    assert safe_name("re\u0301sume\u0301.pdf") == safe_name("r\u00e9sum\u00e9.pdf")


def test_the_content_type_is_guessed_from_the_name_unless_given() -> None:
    assert media_type("report.html") == "text/html"
    assert media_type("data.nothing-known") == OCTETS
    assert media_type("report.html", "text/plain; charset=utf-8") == "text/plain; charset=utf-8"


@pytest.mark.parametrize("given", ["html", "text/html\r\nX: y", "text/", "a/" + "b" * 100, ""])
def test_a_content_type_that_could_not_stand_in_a_header_is_refused(given: str) -> None:
    with pytest.raises(ContentTypeInvalid, match="text/csv"):
        media_type("report.html", given)
