"""What the audit says of one distribution, whatever state it is in."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from examples.package_audit.verify import Check, check
from tests.unit.examples.conftest import Site, hashed

FILES = {"shop/__init__.py": b"", "shop/core.py": b"print('hello')\n"}


def told(result: Check) -> list[tuple[str, str]]:
    return [(problem["file"], problem["fault"]) for problem in result.problems]


def test_an_intact_distribution_is_verified_to_the_last_file(site: Site) -> None:
    site.install("shop", FILES)
    result = check(site.only())
    assert (result.name, result.version, result.record) == ("shop", "1.0", "ok")
    assert (result.files, result.verified, result.unhashed) == (4, 3, 1)  # RECORD hashes all others
    assert result.faults == 0
    record_size = (site.place / "shop-1.0.dist-info" / "RECORD").stat().st_size
    metadata_size = (site.place / "shop-1.0.dist-info" / "METADATA").stat().st_size
    assert result.bytes == 15 + record_size + metadata_size


def test_a_planted_corrupt_file_is_found_even_if_its_size_is_right(site: Site) -> None:
    site.install("shop", FILES)
    site.write("shop/core.py", b"print('EVIL!')\n")
    result = check(site.only())
    assert told(result) == [("shop/core.py", "changed")]
    assert (result.faults, result.verified) == (1, 2)


def test_a_file_of_another_size_is_changed(site: Site) -> None:
    site.install("shop", FILES)
    site.write("shop/core.py", b"")
    assert told(check(site.only())) == [("shop/core.py", "changed")]


def test_a_missing_file_is_found(site: Site) -> None:
    site.install("shop", FILES)
    (site.place / "shop/core.py").unlink()
    result = check(site.only())
    assert told(result) == [("shop/core.py", "missing")]
    assert result.files == 3


def test_files_recorded_without_a_hash_are_counted_not_accused(site: Site) -> None:
    site.install("shop", record="shop/made_later.txt,,\nshop/gone.txt,,\n")
    site.write("shop/made_later.txt", b"x")
    result = check(site.only())
    assert result.unhashed == 2
    assert told(result) == [("shop/gone.txt", "missing")]


def test_compiled_files_may_come_and_go(site: Site) -> None:
    site.install("shop", record="shop/__pycache__/core.cpython-311.pyc,,\n")
    result = check(site.only())
    assert (result.faults, result.files) == (0, 2)


@pytest.mark.parametrize("algorithm", ["sha384", "sha512", "sha3_256", "blake2b"])
def test_every_algorithm_a_record_may_use_is_checked(site: Site, algorithm: str) -> None:
    site.install("shop", record=f"a.txt,{hashed(b'good', algorithm)},\n")
    site.write("a.txt", b"good")
    assert check(site.only()).verified == 2
    site.write("a.txt", b"evil")
    assert told(check(site.only())) == [("a.txt", "changed")]


@pytest.mark.parametrize("spec", ["md5=XrY7u-Ae7tCTyyK7j1rNww", "sha1=abc", "shake_128=abc", "x=1"])
def test_a_weak_or_unknown_algorithm_proves_nothing(site: Site, spec: str) -> None:
    site.install("shop", record=f"a.txt,{spec},\n")
    site.write("a.txt", b"hello world")
    result = check(site.only())
    assert (result.verified, result.unhashed, result.faults) == (1, 2, 0)


def test_a_hash_that_is_no_base64_matches_nothing(site: Site) -> None:
    site.install("shop", record="a.txt,sha256=é,\n")
    site.write("a.txt", b"x")
    assert told(check(site.only())) == [("a.txt", "changed")]


def test_a_distribution_without_record_is_named_so(site: Site) -> None:
    site.install("shop", FILES, record=None)
    result = check(site.only())
    assert (result.record, result.faults, result.files) == ("none", 0, 0)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("shop.py,,\n".encode("utf-16"), "NUL"),
        (b'"unclosed' + b"x" * 200_000, "field larger"),
    ],
)
def test_a_record_that_cannot_be_read_says_why(site: Site, content: bytes, reason: str) -> None:
    site.install("shop", record=content)
    assert reason in check(site.only()).record


def test_names_that_are_no_utf8_are_found_on_disk_and_shown_escaped(site: Site) -> None:
    name = b"shop/caf\xe9.txt"
    site.install("shop", {"shop/__init__.py": b""}, record=name + b",,\nshop/gr\xfc\xdfe,,\n")
    Path(os.fsdecode(os.fsencode(site.place) + b"/" + name)).write_bytes(b"x")
    result = check(site.only())
    assert result.unhashed == 1
    assert told(result) == [("shop/gr\\udcfc\\udcdfe", "missing")]
    json.dumps(asdict(result)).encode("utf-8")


def test_names_with_commas_quotes_and_line_separators_are_names(site: Site) -> None:
    odd = 'shop/a,"b"\u2028c.txt'
    site.install("shop", record=f'"{odd.replace(chr(34), chr(34) * 2)}",{hashed(b"x")},1\n')
    site.write(odd, b"x")
    assert check(site.only()).verified == 2


def test_a_byte_order_mark_is_no_part_of_the_first_name(site: Site) -> None:
    site.install("shop", record=b"\xef\xbb\xbfa.txt,,\n")
    site.write("a.txt")
    assert check(site.only()).faults == 0


def test_metadata_that_is_no_utf8_is_read_all_the_same(site: Site) -> None:
    site.install("shop", metadata="Name: shop\nVersion: 2\nLicense: Café\n".encode("latin-1"))
    result = check(site.only())
    assert (result.version, result.licence) == ("2", "Caf\\xe9")


def test_a_pipe_or_a_folder_in_place_of_a_file_is_not_read(site: Site) -> None:
    site.install("shop", record=f"pipe,{hashed(b'')},\nfolder,,\n")
    os.mkfifo(site.place / "pipe")
    (site.place / "folder").mkdir()
    assert told(check(site.only())) == [("pipe", "not a file"), ("folder", "not a file")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_a_finding(site: Site) -> None:
    site.install("shop", FILES)
    (site.place / "shop/core.py").chmod(0)
    assert told(check(site.only())) == [("shop/core.py", "unreadable")]


def test_a_loop_of_links_is_a_finding(site: Site) -> None:
    site.install("shop", record="loop,,\n")
    (site.place / "loop").symlink_to("loop")
    assert told(check(site.only())) == [("loop", "unreadable")]


def test_an_editable_install_is_told_from_an_ordinary_one(site: Site) -> None:
    info = site.install("shop", {"__editable__.shop.pth": b"/src/shop"})
    assert not check(site.only()).editable
    (info / "direct_url.json").write_text('{"url": "file:///src", "dir_info": {"editable": true}}')
    result = check(site.only())
    assert (result.editable, result.faults, result.verified) == (True, 0, 2)


@pytest.mark.parametrize("content", ["[]", "{", '{"dir_info": 1}', "\ufeff{}"])
def test_an_odd_direct_url_is_no_reason_to_fail(site: Site, content: str) -> None:
    info = site.install("shop")
    (info / "direct_url.json").write_text(content)
    assert not check(site.only()).editable


def test_an_old_develop_link_and_an_old_egg_are_listed(site: Site) -> None:
    site.write("shop.egg-link", b"/src/shop\n.")
    result = check(site.only())
    assert (result.name, result.editable, result.record) == ("shop", True, "none")
    (site.place / "shop.egg-link").unlink()
    site.write("old_shop-0.3-py3.11.egg-info", b"Name: Old.Shop\nVersion: 0.3\nLicense: BSD\n")
    result = check(site.only())
    assert (result.name, result.version, result.licence) == ("Old.Shop", "0.3", "BSD")


def test_the_worst_verdict_fits_into_two_kilobytes(site: Site) -> None:
    long = "x" * 300
    needs = "".join(f"Requires-Dist: a-rather-long-name-{n:03}\n" for n in range(500))
    header = f"Name: {long}\nVersion: {long}\nLicense-Expression: {long}\n{needs}"
    record = "".join(f"{long}/{n},{hashed(b'')},\n" for n in range(1000))
    site.install("shop", metadata=header.encode(), record=record)
    result = check(site.only())
    assert result.faults == 1000
    assert len(json.dumps(asdict(result))) < 2048
