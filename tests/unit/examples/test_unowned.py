"""Files that no distribution claims."""

from __future__ import annotations

from examples.package_audit.unowned import MAX_FILES, unowned
from tests.unit.examples.conftest import Site


def test_only_what_nobody_claims_is_found(site: Site) -> None:
    site.install("shop", {"shop/__init__.py": b"", "../bin/shop": b""}, record="data/a.txt,,\n")
    site.write("data/a.txt")
    site.write("shop/__pycache__/core.cpython-311.pyc")
    site.write("shop/legacy.pyc")
    site.write("shop/planted.py", b"12345")
    site.write("stray.pth", b"123")
    found = unowned([site.place])
    assert found.files == [str(site.place / "shop/planted.py"), str(site.place / "stray.pth")]
    assert (found.count, found.bytes) == (2, 8)


def test_packages_without_record_own_what_bears_their_name(site: Site) -> None:
    info = site.install("os-tools", {"os_tools/a.py": b"", "six.py": b""}, record=None)
    assert [path.rsplit("/", 1)[-1] for path in unowned([site.place]).files] == ["six.py"]
    (info / "top_level.txt").write_text("six\n")
    assert [path.rsplit("/", 1)[-1] for path in unowned([site.place]).files] == ["a.py"]


def test_an_unreadable_record_owns_what_bears_its_name(site: Site) -> None:
    site.install("shop", {"shop/a.py": b""}, record=b"\0")
    assert unowned([site.place]).count == 0


def test_an_old_develop_link_owns_itself(site: Site) -> None:
    site.write("shop.egg-link", b"/src")
    assert unowned([site.place]).count == 0


def test_a_flood_is_counted_and_its_first_files_named(site: Site) -> None:
    for number in range(MAX_FILES + 5):
        site.write(f"stray_{number:03}.txt", b"x")
    (site.place / "dangling").symlink_to("nowhere")
    found = unowned([site.place])
    assert found.count == MAX_FILES + 6
    assert len(found.files) == MAX_FILES
