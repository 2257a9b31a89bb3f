"""The visual editor in a real Chromium, with a large document: opening, dragging, typing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.browser import new_page
from benchmarks.run_page import layered
from benchmarks.sides import Wrong
from celesta.access import workspaces
from celesta.workflows.publishing import publish

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Nodes stand on the canvas, the palette and the form beside it.
USABLE: Final = """() => meter.when(() => document.querySelector('.svelte-flow__node .card-of-node')
  && document.querySelector('.panel-body form, .panel-body .form-of-node'))"""
CHECKED: Final = """() => meter.when(() =>
  !document.querySelector('.verdict-of-editor').textContent.includes('checking'))"""
#: The middle of a node that is wholly seen, away from the edges of the canvas.
SEEN: Final = """() => {
  const frame = document.querySelector('.canvas').getBoundingClientRect();
  for (const node of document.querySelectorAll('.svelte-flow__node')) {
    const box = node.getBoundingClientRect();
    if (box.left > frame.left + 20 && box.right < frame.right - 100
        && box.top > frame.top + 20 && box.bottom < frame.bottom - 150)
      return {name: node.dataset.id, x: box.x + box.width / 2, y: box.y + box.height / 2};
  }
}"""
PAINTED: Final = "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))"
#: Every change is kept and checked after a pause; this is longer.
SETTLED: Final = 1500.0
STEPS: Final = 20


@dataclass(frozen=True)
class Edited:
    """What the editor did. Times in milliseconds, from the begin of the navigation."""

    usable_ms: float
    checked_ms: float
    longest_task_of_loading_ms: float
    longest_task_of_dragging_ms: float
    longest_task_of_typing_ms: float


def document(number: int, nodes: int) -> dict[str, Any]:
    """A workflow whose nodes have titles, and read params and each other."""

    def body(index: int) -> dict[str, Any]:
        above = f"nodes.n0.output + {index}" if index else "params.amount"
        return {
            "type": "transform",
            "title": f"Step {index}",
            "with": {"output": f"{{{{ {above} }}}}"},
        }

    params = {"type": "object", "properties": {"amount": {"type": "integer", "default": 1}}}
    return {**layered(f"benchmark.edited{number}", nodes, body), "params": params}


def edit(browser: Browser, url: str, cookie: tuple[str, str], nodes: int, number: int) -> Edited:
    """Open a document, drag one of its nodes, change its title; raises Wrong."""
    version = publish(workspaces.default(), document(number, nodes), by=None)
    with new_page(browser, url, cookie) as page:
        page.goto(f"/workflows/{version.workflow_id}/design/", wait_until="commit")
        usable = page.evaluate(USABLE)
        checked = page.evaluate(CHECKED)
        loading = page.evaluate("meter.end()")
        dragging = _dragged(page)
        typing = _typed(page)
    return Edited(
        usable_ms=usable,
        checked_ms=checked,
        longest_task_of_loading_ms=loading["longest_task_ms"],
        longest_task_of_dragging_ms=dragging["longest_task_ms"],
        longest_task_of_typing_ms=typing["longest_task_ms"],
    )


def _dragged(page: Page) -> dict[str, Any]:
    at = page.evaluate(SEEN)
    page.evaluate("meter.begin()")
    page.mouse.move(at["x"], at["y"])
    page.mouse.down()
    for step in range(1, STEPS + 1):
        page.mouse.move(at["x"] + 3 * step, at["y"] + 2 * step)
    page.mouse.up()
    page.evaluate(PAINTED)
    found: dict[str, Any] = page.evaluate("meter.end()")
    box = page.locator(f'.svelte-flow__node[data-id="{at["name"]}"]').bounding_box()
    if not box or abs(box["x"] + box["width"] / 2 - at["x"]) < STEPS:
        raise Wrong(f"the node {at['name']} does not follow the mouse")
    # It stays selected: what is typed now goes into its form.
    page.locator(f'form[aria-label="Node {at["name"]}"]').wait_for()
    return found


def _typed(page: Page) -> dict[str, Any]:
    field = page.get_by_label("Title", exact=True)
    field.focus()
    page.keyboard.press("End")
    page.evaluate("meter.begin()")
    page.keyboard.type(" of ours", delay=60)
    page.wait_for_timeout(SETTLED)
    page.get_by_text("unsaved changes").wait_for()
    found: dict[str, Any] = page.evaluate("meter.end()")
    return found
