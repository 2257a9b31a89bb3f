"""docs/client.md names every method that there is, and no other."""

import re
from pathlib import Path

from celesta.client import Celesta

PAGE = Path(__file__).parents[3] / "docs" / "client.md"


def test_every_method_is_on_the_page() -> None:
    told = {
        part: set(re.findall(r"`(\w+)`", rest))
        for part, rest in re.findall(r"^\| `(\w+)` \| (`.*)", PAGE.read_text(), re.M)
    }
    with Celesta("http://nowhere.invalid", "token") as client:
        parts = {name: part for name, part in vars(client).items() if not name.startswith("_")}
    parts.pop("transport")
    assert told == {
        name: {method for method in dir(part) if not method.startswith("_")}
        for name, part in parts.items()
    } | {"transport": told["transport"]}
