from __future__ import annotations

import pytest

from celesta.graph.node_types import Registry
from tests.unit.graph.support import Http, Transform


def test_types_are_found_by_name_and_listed_in_order() -> None:
    registry = Registry()
    transform = registry.register(Transform())
    registry.register(Http())
    registry.register(Transform())  # the same class again is no clash
    assert registry.get("transform") is not None
    assert registry.get("nobody") is None
    assert ("http" in registry, "nobody" in registry, len(registry)) == (True, False, 2)
    assert [known.name for known in registry] == ["http", "transform"]
    assert transform.name == "transform"


def test_a_name_belongs_to_one_class() -> None:
    class Other(Transform):
        pass

    registry = Registry()
    registry.register(Transform())
    with pytest.raises(ValueError, match="already registered"):
        registry.register(Other())
