"""D11: a bad archive is refused whole, and says where and why."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from celesta.access.models import Workspace
from celesta.workflows.errors import ArchiveInvalid
from celesta.workflows.unpacking import unpack
from tests.integration.catalogue.archives import FIRST, SECOND, edited, packed, rewritten


def codes(data: bytes) -> list[str]:
    with pytest.raises(ArchiveInvalid) as refused:
        unpack(data)
    return [problem.code for problem in refused.value.problems]


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04rubbish", b"workflow: a\n"])
def test_what_is_no_zip(data: bytes) -> None:
    assert codes(data) == ["not_a_zip"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a\\..\\b", "c:/a.yaml", "workflows/../../x"]
)
def test_names_that_lead_out_of_the_archive(shop: Workspace, name: str) -> None:
    assert codes(rewritten(packed(shop), **{name: b"x"})) == ["unsafe_name"]


def test_a_bomb_is_not_unpacked(shop: Workspace, settings: Settings) -> None:
    settings.CELESTA = {**settings.CELESTA, "IMPORT_MAX_BYTES": 1_000_000}
    made = io.BytesIO(packed(shop))
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("bomb.yaml", b"\0" * 50_000_000)
    assert len(made.getvalue()) < 1_000_000
    with pytest.raises(ArchiveInvalid) as refused:
        unpack(made.getvalue())
    assert (refused.value.status, refused.value.problems[0].code) == (413, "archive_too_large")


def test_a_bomb_that_lies_about_its_size(shop: Workspace, settings: Settings) -> None:
    settings.CELESTA = {**settings.CELESTA, "IMPORT_MAX_BYTES": 1_000_000}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("manifest.json", b" " * 50_000_000)
    lying = bytearray(made.getvalue())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", lying, lying.rindex(mark) + offset, 10)
    assert codes(bytes(lying)) == ["not_a_zip"]


def test_too_large_before_it_is_opened(shop: Workspace, settings: Settings) -> None:
    settings.CELESTA = {**settings.CELESTA, "IMPORT_MAX_BYTES": 100}
    assert codes(packed(shop)) == ["archive_too_large"]


@pytest.mark.parametrize(
    ("edit", "code", "path"),
    [
        (lambda m: m.update(colour="red"), "unknown_field", "manifest.json.colour"),
        (
            lambda m: m["workflows"][0].update(owner="me"),
            "unknown_field",
            "manifest.json.workflows[0].owner",
        ),
        (
            lambda m: m["workflows"][0].update(active="yes"),
            "invalid_manifest",
            "manifest.json.workflows[0].active",
        ),
        (lambda m: m.update(format_version=2), "unknown_format", "manifest.json"),
        (lambda m: m.update(format="other"), "unknown_format", "manifest.json"),
        (
            lambda m: m["workflows"].append(m["workflows"][0]),
            "duplicate_workflow",
            "orders.fulfil",
        ),
        (
            lambda m: m["workflows"][0]["versions"][0].update(file="workflows/none.yaml"),
            "missing_file",
            "workflows/none.yaml",
        ),
        (
            lambda m: m["workflows"][0].update(versions=[], draft=None),
            "invalid_manifest",
            "orders.fulfil",
        ),
        (lambda m: m["workflows"][0].update(name="../../etc"), "invalid_name", "../../etc"),
        (lambda m: m["workflows"][0].update(name="<b>x</b>"), "invalid_name", "<b>x</b>"),
        (lambda m: m["workflows"][0].update(name="a\n"), "invalid_name", "a\n"),
        (
            lambda m: m["workflows"][0].update(name="a\0b"),
            "invalid_text",
            "manifest.json.workflows[0].name",
        ),
        (
            lambda m: m["workflows"][0]["versions"][0].update(note="a\0b"),
            "invalid_text",
            "manifest.json.workflows[0].versions[0].note",
        ),
    ],
)
def test_a_manifest_that_is_not_ours(
    shop: Workspace, edit: Callable[[dict[str, Any]], Any], code: str, path: str
) -> None:
    with pytest.raises(ArchiveInvalid) as refused:
        unpack(edited(packed(shop), edit))
    assert (code, path) in [(found.code, found.path) for found in refused.value.problems]


def test_files_that_were_changed_added_or_left_out(shop: Workspace) -> None:
    first = "workflows/orders.fulfil/v1.yaml"
    assert codes(rewritten(packed(shop), **{first: SECOND.encode()})) == ["damaged_file"]
    assert codes(rewritten(packed(shop), **{first: b"\xff"})) == ["not_utf8"]
    assert codes(rewritten(packed(shop), **{first: FIRST.encode() + b"\0"})) == ["invalid_text"]
    assert codes(rewritten(packed(shop), **{first: None})) == ["missing_file"]
    assert codes(rewritten(packed(shop), **{"more.yaml": b"x"})) == ["unknown_file"]
    assert codes(rewritten(packed(shop), manifest=None)) == ["manifest_missing"]
    assert codes(rewritten(packed(shop), manifest=b"{")) == ["json_syntax"]
    assert codes(rewritten(packed(shop), manifest=b"[]")) == ["unknown_format"]


def test_a_directory_that_begins_before_the_file(shop: Workspace) -> None:
    data = bytearray(packed(shop))
    end = data.rindex(b"PK\x05\x06")
    struct.pack_into("<I", data, end + 16, len(data) * 2)  # where the directory is said to begin
    assert codes(bytes(data)) == ["not_a_zip"]


def test_a_name_that_is_not_the_utf_8_it_says(shop: Workspace) -> None:
    data = bytearray(rewritten(packed(shop), **{"ä.yaml": b"x"}))
    data[data.rindex("ä".encode())] = 0xFF
    assert codes(bytes(data)) == ["not_a_zip"]


def test_a_file_without_a_name(shop: Workspace) -> None:
    data = packed(shop).replace(b"manifest.json", b"\0anifest.json")  # Python ends names there
    assert "manifest_missing" in codes(data)


def test_flipped_bits_are_found(shop: Workspace) -> None:
    data = packed(shop)
    for place in range(40, len(data) - 200, 97):
        broken = bytearray(data)
        broken[place] ^= 0x10
        try:
            found = unpack(bytes(broken))
        except ArchiveInvalid:
            continue
        # In a field of the zip that says nothing, such as a time: the contents are the same.
        assert found.texts == unpack(data).texts
